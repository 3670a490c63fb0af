"""Measuring the sample as a recording is measured, so that its certificate states facts."""

from __future__ import annotations

import numpy as np

from catalog import book
from catalog.book import Levels, Tops
from catalog.certificate import Certificate, Measures, Source
from catalog.files import day_of
from catalog.sample.arrow import delta_levels
from catalog.sample.feed import Feed
from catalog.sample.tape import Chunk, Ints
from catalog.tables import Action


class Audit:
    """Replays the deltas of each chunk and compares the rebuilt top of book with the quotes.

    Parameters
    ----------
    snapshot
        The book at the start.
    feed
        Gives receipt times.
    """

    def __init__(self, snapshot: Levels, feed: Feed) -> None:
        self._feed = feed
        self._book = snapshot
        self._quote: Ints = np.empty((0, 5), dtype=np.int64)
        self._days: dict[str, Measures] = {}
        self._opening: dict[str, int] = {"deltas": len(snapshot) + 1, "delta_batches": 1, "snapshots": 1}

    def add(self, chunk: Chunk, fundings: int) -> None:
        """Measure a chunk, which lies within one UTC day, and the funding rates that go with it."""
        moments = np.sort(np.concatenate([chunk.deltas[:, 0], chunk.trades[:, 0], chunk.quotes[:, 0]]))
        if len(moments) == 0:
            return
        start, end = self._feed.receipt_ns(moments[[0, -1]]).tolist()
        compared, equal, crossed = self._replay(chunk)
        others = len(chunk.marks) + fundings
        part = Measures(
            start_ns=start,
            end_ns=end,
            lines=compared + len(chunk.trades) + len(chunk.quotes) + others + self._opening.get("snapshots", 0),
            delta_batches=compared + self._opening.get("delta_batches", 0),
            deltas=len(chunk.deltas) + self._opening.get("deltas", 0),
            snapshots=self._opening.get("snapshots", 0),
            trades=len(chunk.trades),
            quotes=len(chunk.quotes),
            others=others,
            crossed=crossed,
            tops_compared=compared,
            tops_equal=equal,
            longest_silence_ns=int(np.diff(moments).max(initial=0)) * 1_000,
        )
        self._opening = {}
        day = day_of(start)
        self._days[day] = self._days[day].plus(part) if day in self._days else part

    def certificates(self, instrument_id: str, source: Source) -> list[Certificate]:
        """Issue a certificate for each day seen."""
        return [Certificate.issue(instrument_id, day, measures, (source,)) for day, measures in self._days.items()]

    def _replay(self, chunk: Chunk) -> tuple[int, int, int]:
        """Return the number of depth messages, of those that agree with the quotes, and of those that leave a crossed book."""
        ends = np.flatnonzero(chunk.deltas[:, 4]) + 1
        levels = self._book.then(delta_levels(chunk.deltas))
        quotes = np.concatenate([self._quote, chunk.quotes])
        actions = np.full(len(levels), Action.UPDATE, dtype=np.int8)
        tops = book.tops(actions, levels, ends + len(self._book))
        newest = np.searchsorted(quotes[:, 0], chunk.deltas[ends - 1, 0], side="right") - 1
        self._book = book.settle(levels)
        self._quote = quotes[-1:]
        return len(ends), _agreeing(tops, quotes[newest]), int(tops.crossed.sum())


def _agreeing(tops: Tops, quotes: Ints) -> int:
    rebuilt = np.column_stack([tops.bid, tops.bid_size, tops.ask, tops.ask_size])
    return int(np.all(rebuilt == quotes[:, 1:], axis=1).sum())
