"""What a chunk's order-book messages do to the book, known at once from their columns.

A replay decodes messages in bulk, so the top of book after each of them comes from array arithmetic (`catalog.book`) instead of
an order book that is changed message by message. A stretch is the messages of one instrument in one chunk with these answers;
its reader says after how many messages it asks, and gets what an order book would show there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nautilus_trader.model import InstrumentId

from catalog import book
from catalog.kinds import Kind
from catalog.objects import decode
from catalog.partition import action_codes, codes, levels_of, snapshot_table
from catalog.tables import (
    F_LAST,
    F_SNAPSHOT,
    Action,
    Aggressor,
    BookSide,
    Codes,
    Floats,
    Ints,
    Precision,
    nanoseconds,
    scaled,
)

_RAW_DIGITS = 16  # decimal places of a Nautilus quantity in the high-precision build
_LOOK_BACK = 2048


@dataclass(frozen=True, slots=True)
class Prints:
    """Trades of one instrument as columns.

    Attributes
    ----------
    instrument_id
        Whose.
    ts_ns
        Receipt times.
    size
        Fixed-point sizes at `digits` decimal places.
    side
        +1 where a buyer took liquidity, -1 where a seller did, 0 where that is unknown.
    """

    instrument_id: str
    ts_ns: Ints
    size: Ints
    side: Codes
    digits: int

    @classmethod
    def of(cls, identifier: str, precision: Precision, table: pa.Table) -> Prints:
        """Read them off a table of trades."""
        code = codes(table, "aggressor_side", Aggressor)
        side = np.where(code == Aggressor.BUY, 1, np.where(code == Aggressor.SELL, -1, 0)).astype(np.int8)
        return cls(
            identifier, nanoseconds(table["ts_init"]), scaled(table["size"], precision.size), side, precision.size
        )


class Chunk(list[Any]):
    """Events in the order of their receipt time, with what is known of them as columns.

    Attributes
    ----------
    stretches
        One for each instrument with order-book messages here whose effect is known ahead.
    prints
        The trades here, one for each instrument; None where they are known from the events only.
    """

    __slots__ = ("prints", "stretches")

    def __init__(
        self, events: Iterable[Any], stretches: tuple[Stretch, ...] = (), prints: tuple[Prints, ...] | None = None
    ) -> None:
        super().__init__(events)
        self.stretches = stretches
        self.prints = prints

    def holding(self, events: Iterable[Any]) -> Chunk:
        """Return a chunk of other events with the same trades and order-book messages among them."""
        return Chunk(events, self.stretches, self.prints)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive order-book messages of one instrument.

    Attributes
    ----------
    instrument_id, precision
        Of what.
    batches
        The messages, one ``OrderBookDeltas`` each.
    ts_ns, sequence
        Receipt time and update id of each message.
    bid, bid_size, ask, ask_size
        Top of book after each message, quote and base units: the very floats an order book would give.
    valid
        Whether both sides have a level after each message.
    mid, spread
        Of the top after each message, quote units; meaningless where not `valid`.
    gap_ns, age_ns
        Receipt of each message after that of the one before, and after its exchange time.
    odd
        Messages that are not one of many, ascending: the first, snapshots, and those after which there is no market.
    """

    instrument_id: InstrumentId
    precision: Precision
    batches: list[Any]
    ts_ns: list[int]
    sequence: list[int]
    bid: list[float]
    bid_size: list[float]
    ask: list[float]
    ask_size: list[float]
    valid: list[bool]
    mid: list[float]
    spread: list[float]
    gap_ns: list[int]
    age_ns: list[int]
    odd: list[int]
    _before: book.Levels
    _levels: book.Levels
    _ends: Ints
    _clears: list[int]
    _changed: list[int]

    def __len__(self) -> int:
        return len(self.batches)

    def displayed(self, messages: int, is_bid: bool, price: float) -> float:
        """Return the displayed size at `price` after so many messages, base units; 0 where there is no such level."""
        side = BookSide.BUY if is_bid else BookSide.SELL
        height = round(price * 10**self.precision.price)
        stop = int(self._ends[messages - 1]) if messages else 0
        cleared = bisect_left(self._clears, stop)
        start = self._clears[cleared - 1] + 1 if cleared else 0
        found = _newest(self._levels, start, stop, side, height)
        if found is None and not cleared:
            found = _newest(self._before, 0, len(self._before), side, height)
        return _size(found or 0, self.precision)

    def changes(self, first: int, stop: int) -> list[int]:
        """Return the messages from `first` to `stop` (excluded) after which there is a top other than before; 0 if valid."""
        changed = self._changed
        return changed[bisect_left(changed, first) : bisect_left(changed, stop)]

    def opening(self) -> Any:
        """Return the book before the first message as a snapshot message."""
        table = snapshot_table(self._before, self.precision, sequence=0, ts_event=0, ts_init=self.ts_ns[0])
        return decode(Kind.DELTAS, str(self.instrument_id), self.precision, table)[0][0]


class Foresight:
    """Makes the stretches of one instrument, each on the book that the one before it leaves.

    Parameters
    ----------
    identifier, precision
        Of the instrument.
    """

    def __init__(self, identifier: str, precision: Precision) -> None:
        self._instrument_id = InstrumentId.from_str(identifier)
        self._precision = precision
        self._book: book.Levels | None = book.Levels.none()

    def stretch(self, batches: list[Any], table: pa.Table) -> Stretch | None:
        """Return what the messages of a table do, or None from the first table on that the arithmetic does not cover.

        It covers what our writer writes: CLEAR opens a message, and a size is zero where a level is deleted and only there.
        """
        if self._book is None or not batches:
            return None
        action, levels = action_codes(table), levels_of(table, self._precision)
        ends: Ints = np.flatnonzero(table["flags"].to_numpy() & F_LAST) + 1
        clears: Ints = np.flatnonzero(action == Action.CLEAR)
        if not _covered(action, levels, ends, clears):
            self._book = None
            return None
        before, self._book = self._book, _after(self._book, levels, clears)
        tops, last, scale = _tops(before, action, levels, ends), ends - 1, 10.0**self._precision.price
        bid, ask, valid = tops.bid / scale, tops.ask / scale, _valid(tops)
        ts_ns = nanoseconds(table["ts_init"])[last]
        gap_ns = np.diff(ts_ns, prepend=ts_ns[:1])
        odd = ~valid | (bid >= ask) | (bid <= 0.0) | (gap_ns < 0) | (table["flags"].to_numpy()[last] & F_SNAPSHOT != 0)
        odd[0] = True
        return Stretch(
            self._instrument_id, self._precision, batches, ts_ns.tolist(),
            table["sequence"].to_numpy()[last].tolist(), bid.tolist(),
            _sizes(tops.bid_size, self._precision).tolist(), ask.tolist(),
            _sizes(tops.ask_size, self._precision).tolist(), valid.tolist(),
            ((bid + ask) / 2.0).tolist(), (ask - bid).tolist(), gap_ns.tolist(),
            (ts_ns - nanoseconds(table["ts_event"])[last]).tolist(), np.flatnonzero(odd).tolist(),
            before, levels, ends, clears.tolist(), _changed(tops),
        )  # fmt: skip


def _covered(action: Codes, levels: book.Levels, ends: Ints, clears: Ints) -> bool:
    opens = np.isin(clears, np.append(ends, 0))
    gone = (action == Action.DELETE) | (action == Action.CLEAR)
    sided = (levels.side == BookSide.BUY) | (levels.side == BookSide.SELL) | (action == Action.CLEAR)
    return bool(opens.all() and np.array_equal(levels.size == 0, gone) and sided.all())


def _after(before: book.Levels, levels: book.Levels, clears: Ints) -> book.Levels:
    if len(clears):
        return book.settle(levels.slice(int(clears[-1]) + 1, len(levels)))
    return book.settle(before.then(levels))


def _tops(before: book.Levels, action: Codes, levels: book.Levels, ends: Ints) -> book.Tops:
    if action[0] == Action.CLEAR:
        return book.tops(action, levels, ends)
    # The arithmetic begins with an empty book, so the first message brings the one there is.
    there = np.zeros(len(before), np.int8)
    return book.tops(np.concatenate((there, action)), before.then(levels), ends + len(before))


def _valid(tops: book.Tops) -> npt.NDArray[np.bool_]:
    out: npt.NDArray[np.bool_] = (tops.bid != book.EMPTY) & (tops.ask != book.EMPTY)
    return out


def _changed(tops: book.Tops) -> list[int]:
    columns = np.stack((tops.bid, tops.bid_size, tops.ask, tops.ask_size))
    valid = _valid(tops)
    other = np.append(True, np.any(columns[:, 1:] != columns[:, :-1], axis=0) | ~valid[:-1])
    rows: list[int] = np.flatnonzero(valid & other).tolist()
    return rows


def _size(size: int, precision: Precision) -> float:
    return size * float(10 ** (_RAW_DIGITS - precision.size)) / float(10**_RAW_DIGITS)


def _sizes(size: Ints, precision: Precision) -> Floats:
    """Return sizes as ``float(Quantity)`` gives them, which divides fixed-point units by their scale."""
    raw: Floats = size * np.float64(10 ** (_RAW_DIGITS - precision.size))
    return raw / np.float64(10**_RAW_DIGITS)


def _newest(levels: book.Levels, start: int, stop: int, side: BookSide, price: int) -> int | None:
    """Return the size of the last row from `start` to `stop` (excluded) that sets a level; None where there is none."""
    prices, sides = levels.price, levels.side
    for low, high in _blocks(start, stop):
        for row in reversed((prices[low:high] == price).nonzero()[0].tolist()):
            if sides[low + row] == side:
                return int(levels.size[low + row])
    return None


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    for high in range(stop, start, -_LOOK_BACK):
        yield max(start, high - _LOOK_BACK), high
