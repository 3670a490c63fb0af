"""Rows of CSV files as the columns that a recording has.

Tardis keeps no update ids. So depth messages, snapshots and best quotes are numbered together, in the order of the
exchange's time, and these numbers stand in for the venue's: what follows on what, and which best quotes were in force
between two depth messages, can then be asked as for a recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.instruments import Market
from catalog.recording.batches import spread
from catalog.recording.decode import Decoded
from catalog.recording.schemas import Stream
from catalog.tables import Ints
from catalog.tardis.formats import FileKind
from catalog.tardis.read import Columnar, Rows
from errors import DataError

_US_PER_MS = 1_000
_STREAM_LAG_US = 5_000  # spot quotes carry the receipt only, and their stream may be this far behind the depth stream
_NEVER = np.iinfo(np.int64).max
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Opening:
    """Numbers of the first message and of the first snapshot of a book file."""

    message: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class Assembled:
    """Files as one recording, and where each book file begins."""

    decoded: Decoded
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class _Messages:
    """Book rows (`price`, `amount`, `is_first`), and per message its first row, its times and the file it is in."""

    columns: dict[str, Columnar]
    start: Ints
    times: dict[str, Ints]
    file: Ints
    snapshot: npt.NDArray[np.bool_]


def assemble(files: Sequence[Rows], market: Market) -> Assembled:
    """Merge files of all kinds; their columns are taken out of them, so that memory holds them once.

    Parameters
    ----------
    files
        In any order; files of one kind must not overlap in time.
    market
        Decides which columns the streams have.

    Raises
    ------
    DataError
        When files overlap, or a book file has no snapshot.
    """
    by_kind = {kind: _in_order([rows for rows in files if rows.kind is kind]) for kind in FileKind}
    book = _group(by_kind[FileKind.BOOK])
    trades, quotes = _joined(by_kind[FileKind.TRADES]), _joined(by_kind[FileKind.TICKER])
    receipts = [book.times["local_timestamp"], trades["local_timestamp"], quotes["local_timestamp"]]
    received, positions = _merge(receipts)
    depth_id, quote_id, due = _number(book, quotes)
    columns = {
        Stream.DEPTH: _depth(book, depth_id, positions[0]),
        Stream.SNAPSHOT: _snapshots(book, depth_id, positions[0]),
        Stream.TRADE: _trades(trades, positions[1]),
        Stream.TICKER: _quotes(quotes, quote_id, due, positions[2], market),
    }
    filled = {stream: table for stream, table in columns.items() if len(table)}
    ignored = Counter[str]()
    for rows in files:
        ignored.update({f"{symbol} {rows.kind}": count for symbol, count in rows.others.items()})
    decoded = Decoded(received, filled, _NO_ROWS, ignored, truncated="")
    return Assembled(decoded, _openings(by_kind[FileKind.BOOK], book, depth_id))


def _in_order(files: list[Rows]) -> list[Rows]:
    filled = sorted((rows for rows in files if len(rows)), key=lambda rows: int(rows.columns["local_timestamp"][0]))
    for earlier, later in pairwise(filled):
        if later.columns["local_timestamp"][0] < earlier.columns["local_timestamp"].max():
            raise DataError(f"{earlier.path} and {later.path} overlap in time: give every day once.")
    return filled


def _joined(files: list[Rows]) -> dict[str, Columnar]:
    if not files:
        return dict.fromkeys(("timestamp", "local_timestamp"), _NO_ROWS)
    return {name: _one([rows.columns.pop(name) for rows in files]) for name in list(files[0].columns)}


def _one(parts: list[Columnar]) -> Columnar:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _group(files: list[Rows]) -> _Messages:
    """Rows of one file, receipt and exchange time are one message; on Binance a snapshot is one message too."""
    ends = np.cumsum([0, *(len(rows) for rows in files)])
    columns = _joined(files)
    if not files:
        return _Messages(columns, _NO_ROWS, columns, _NO_ROWS, np.empty(0, np.bool_))
    changes = np.zeros(ends[-1], np.bool_)
    changes[ends[:-1]] = True
    for name in ("local_timestamp", "timestamp", "is_snapshot"):
        changes[1:] |= columns[name][1:] != columns[name][:-1]
    start = np.flatnonzero(changes)
    snapshot = columns.pop("is_snapshot")[start] == 1
    times = {name: columns.pop(name)[start].astype(np.int64) for name in ("local_timestamp", "timestamp")}
    return _Messages(columns, start, times, np.searchsorted(ends, start, side="right") - 1, snapshot)


def _merge(receipts: list[Ints]) -> tuple[Ints, list[Ints]]:
    """Order messages of all kinds by receipt, each kind in the order of its file; return receipts and positions."""
    keys = np.concatenate([np.maximum.accumulate(times) for times in receipts])
    order = np.argsort(keys, kind="stable")
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    cuts = np.cumsum([len(times) for times in receipts])[:-1]
    return np.concatenate(receipts)[order], np.split(position, cuts)


def _number(book: _Messages, quotes: dict[str, Columnar]) -> tuple[Ints, Ints, Ints]:
    """Number depth messages and quotes by exchange time; a quote comes before a depth message of the same time.

    Returns
    -------
    depth, quote, due
        Numbers of both, and per quote the number of the first depth message that cannot be without it.
    """
    untimed = np.array_equal(quotes["timestamp"] * 1_000, quotes["local_timestamp"])
    clock = "local_timestamp" if untimed else "timestamp"
    lag = _STREAM_LAG_US * 1_000 if untimed else 0
    depth_time, quote_time = book.times[clock], np.maximum.accumulate(quotes[clock])
    # A snapshot may carry the time at which it was asked for: it is never later than the change that follows it.
    following = np.where(book.snapshot, _NEVER, depth_time)
    following = np.minimum.accumulate(following[::-1])[::-1]
    depth_time = np.maximum.accumulate(np.where(book.snapshot, np.minimum(depth_time, following), depth_time))
    order = np.argsort(np.concatenate((quote_time - lag, depth_time)), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(1, len(order) + 1)
    depth = number[len(quote_time) :]
    due = np.append(depth, _NEVER)[np.searchsorted(depth_time, quote_time)]
    return depth, number[: len(quote_time)], due


def _depth(book: _Messages, ids: Ints, position: Ints) -> pa.Table:
    chosen = np.flatnonzero(~book.snapshot)
    before = np.concatenate((np.zeros(1, np.int64), ids))[:-1][chosen]
    at = book.times["timestamp"][chosen] // _US_PER_MS
    columns = {"E": at, "T": at, "U": before + 1, "u": ids[chosen], "pu": before, "position": position[chosen]}
    rows, owner = _rows_of(book, chosen)
    return pa.table(columns | _ladder(book, rows, owner, len(chosen), ("b", "a")))


def _snapshots(book: _Messages, ids: Ints, position: Ints) -> pa.Table:
    chosen = np.flatnonzero(book.snapshot)
    rows, owner = _rows_of(book, chosen)
    kept = _last_of_each_level(book, rows, owner)
    columns = {"lastUpdateId": ids[chosen], "position": position[chosen]}
    return pa.table(columns | _ladder(book, rows[kept], owner[kept], len(chosen), ("bids", "asks")))


def _rows_of(book: _Messages, chosen: Ints) -> tuple[Ints, Ints]:
    total = len(book.columns.get("price", _NO_ROWS))
    counts = np.diff(np.append(book.start, total))[chosen]
    return spread(book.start[chosen], counts), np.repeat(np.arange(len(chosen)), counts)


def _last_of_each_level(book: _Messages, rows: Ints, owner: Ints) -> Ints:
    """Return which rows of snapshots to keep: the last of each level, unless it is empty."""
    if not len(rows):
        return rows
    price, side = book.columns["price"][rows], book.columns["is_first"][rows]
    order = np.lexsort((np.arange(len(rows)), price, side, owner))
    same = (np.diff(price[order]) == 0) & (np.diff(side[order]) == 0) & (np.diff(owner[order]) == 0)
    last = np.sort(order[np.append(~same, True)])
    out: Ints = last[book.columns["amount"][rows[last]] != 0]
    return out


def _ladder(book: _Messages, rows: Ints, owner: Ints, messages: int, names: tuple[str, str]) -> dict[str, pa.Array]:
    out: dict[str, pa.Array] = {}
    if not messages:
        return {f"{name}_{part}": pa.array([], pa.list_(pa.int64())) for name in names for part in ("price", "size")}
    for name, is_first in zip(names, (1, 0), strict=True):
        mine = book.columns["is_first"][rows] == is_first
        counts = np.bincount(owner[mine], minlength=messages)
        offsets = pa.array(np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))), pa.int32())
        for part, column in (("price", "price"), ("size", "amount")):
            out[f"{name}_{part}"] = pa.ListArray.from_arrays(offsets, pa.array(book.columns[column][rows[mine]]))
    return out


def _trades(rows: dict[str, Columnar], position: Ints) -> pa.Table:
    if not len(position):
        return pa.table({"position": position})
    at = rows["timestamp"] // _US_PER_MS
    side = {"m": rows["is_first"] == 0}
    return pa.table(
        {"E": at, "T": at, "t": rows["id"], "p": rows["price"], "q": rows["amount"], **side, "position": position}
    )


def _quotes(rows: dict[str, Columnar], ids: Ints, due: Ints, position: Ints, market: Market) -> pa.Table:
    if not len(position):
        return pa.table({"position": position})
    at = rows["timestamp"] // _US_PER_MS
    best = {"b": "bid_price", "B": "bid_amount", "a": "ask_price", "A": "ask_amount"}
    times = {"E": at, "T": at} if market == "usdm" else {}
    prices = {ours: rows[theirs] for ours, theirs in best.items()}
    return pa.table({"u": ids, "due": due, **prices, **times, "position": position})


def _openings(files: list[Rows], book: _Messages, ids: Ints) -> tuple[Opening, ...]:
    out = []
    for number, rows in enumerate(files):
        mine = np.flatnonzero(book.file == number)
        snapshots = mine[book.snapshot[mine]]
        if not len(snapshots):
            raise DataError(f"{rows.path} has no row with is_snapshot true: a book needs a starting point.")
        out.append(Opening(int(ids[mine[0]]), int(ids[snapshots[0]])))
    return tuple(out)
