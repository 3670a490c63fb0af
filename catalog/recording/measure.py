"""What a recording's certificates say, day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.book import EMPTY
from catalog.certificate import Measures
from catalog.files import NS_PER_DAY, day_of, day_start
from catalog.kinds import Kind
from catalog.recording.batches import CLEAR_ONLY
from catalog.recording.clean import Cleaned, whole
from catalog.recording.convert import Book, Converted
from catalog.tables import Ints, nanoseconds

Agreement = Callable[[Book, pa.Table], tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]
"""Says of each batch whether its top of book was compared with a bookTicker, and whether they were equal."""


class Days:
    """Buckets of UTC days that cover a range of receipt times."""

    def __init__(self, ts: Ints) -> None:
        self.first = day_start(int(ts[0]))
        self.count = int(ts[-1] - self.first) // NS_PER_DAY + 1

    def bucket(self, ts: Ints) -> list[int]:
        """Return how many of the times fall on each day."""
        later = (int(np.count_nonzero(ts >= self.bounds(day)[0])) for day in range(1, self.count))
        reached = [len(ts), *later, 0]  # cheaper than dividing every time
        return [here - beyond for here, beyond in pairwise(reached)]

    def bounds(self, day: int) -> tuple[int, int]:
        """Return the midnights around a day."""
        return self.first + day * NS_PER_DAY, self.first + (day + 1) * NS_PER_DAY


def measure(
    cleaned: Cleaned,
    converted: Converted,
    book: Book | None,
    facts: Mapping[str, Any],
    compare: Agreement,
) -> dict[str, Measures]:
    """Count everything a certificate needs.

    Parameters
    ----------
    cleaned, converted
        The recording, and what became of it.
    book
        None when the recording has no depth stream.
    facts
        Measures that hold for the whole file: ``truncated``, ``rules_inferred``, ``book_from_deltas_alone``.
    compare
        How the top of book is compared with bookTicker.

    Returns
    -------
    dict
        Measures by UTC day.
    """
    ts = cleaned.clock.ts
    days = Days(ts)
    counts: dict[str, list[int]] = {"lines": days.bucket(ts)}
    for kind, name in ((Kind.DELTAS, "deltas"), (Kind.TRADES, "trades"), (Kind.QUOTES, "quotes")):
        if kind in converted.tables:
            counts[name] = days.bucket(nanoseconds(converted.tables[kind]["ts_init"]))
    others = [
        nanoseconds(converted.tables[kind]["ts_init"]) for kind in (Kind.MARK, Kind.FUNDING) if kind in converted.tables
    ]
    counts["others"] = days.bucket(np.concatenate([np.empty(0, np.int64), *others]))
    for name, positions in _losses(cleaned, converted).items():
        counts[name] = days.bucket(ts[positions])
    if book is not None:
        counts |= _book_counts(days, book, converted.tickers, compare)
    excluded = {reason: days.bucket(ts[np.concatenate(parts)]) for reason, parts in converted.excluded.items()}
    for reason, count in cleaned.ignored.items():
        excluded[f"stream {reason}"] = [count, *[0] * (days.count - 1)]
    return {
        day_of(days.bounds(day)[0]): Measures(
            **_of_day(counts, day),
            **_span(ts, *days.bounds(day)),
            excluded={reason: values[day] for reason, values in excluded.items() if values[day]},
            **facts,
        )
        for day in range(days.count)
        if counts["lines"][day]
    }


def _of_day(counts: Mapping[str, list[int]], day: int) -> dict[str, Any]:
    return {name: values[day] for name, values in counts.items()}


def _losses(cleaned: Cleaned, converted: Converted) -> dict[str, Ints]:
    out = dict(cleaned.losses)
    for name, parts in converted.losses.items():
        out[name] = np.concatenate([out.get(name, np.empty(0, np.int64)), *parts])
    return out


def _span(ts: Ints, start: int, end: int) -> dict[str, Any]:
    inside = ts[np.searchsorted(ts, start) : np.searchsorted(ts, end)]
    silence = int(np.diff(inside).max()) if len(inside) > 1 else 0
    return {"start_ns": int(inside[0]), "end_ns": int(inside[-1]), "longest_silence_ns": silence} if len(inside) else {}


def _book_counts(days: Days, book: Book, tickers: pa.Table | None, compare: Agreement) -> dict[str, list[int]]:
    plan = book.plan
    snapshots = book.ts[book.batches.message >= book.messages]
    counts = {
        "delta_batches": days.bucket(book.ts),
        "snapshots": days.bucket(snapshots),
        "gaps": days.bucket(np.array(plan.gaps, np.int64)),
        "crossed": days.bucket(book.ts[book.tops.crossed]),
        "book_unknown_ns": _unknown(days, book),
    }
    if tickers is not None:
        compared, equal = compare(book, tickers)
        counts["tops_compared"] = days.bucket(book.ts[compared])
        counts["tops_equal"] = days.bucket(book.ts[equal])
    return counts


def _unknown(days: Days, book: Book) -> list[int]:
    last = int(book.ts[-1])
    out = []
    for day in range(days.count):
        start, end = days.bounds(day)
        spans = ((begin, finish if finish >= 0 else max(last, begin)) for begin, finish in book.plan.unknown)
        out.append(sum(max(0, min(finish, end) - max(begin, start)) for begin, finish in spans))
    return out


def agreement(book: Book, tickers: pa.Table) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Compare the top of book after each batch with the newest bookTicker whose update id is not beyond the batch's.

    After a gap only what came since counts: a lost connection loses quotes too, so the last one before it may be old.

    Returns
    -------
    compared, equal
        Per batch: whether there was such a ticker (and a book), and whether both prices and both sizes are equal.
    """
    newest = np.searchsorted(whole(tickers, "u"), book.update_id, side="right") - 1
    compared = (newest >= 0) & (book.batches.message != CLEAR_ONLY)
    row = np.maximum(newest, 0)
    gaps = np.sort(np.array([np.iinfo(np.int64).min, *book.plan.gaps], np.int64))
    compared &= whole(tickers, "received")[row] >= gaps[np.searchsorted(gaps, book.ts, side="right") - 1]
    pairs = ((book.tops.bid, "b"), (book.tops.bid_size, "B"), (book.tops.ask, "a"), (book.tops.ask_size, "A"))
    equal = compared & (book.tops.bid != EMPTY)
    for mine, name in pairs:
        equal &= mine == whole(tickers, name)[row]
    return compared, equal
