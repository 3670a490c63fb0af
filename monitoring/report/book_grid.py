"""Displayed size over time and price in a chosen window: the data under the order-book heat map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitoring.report.columns import F64, I64

COLUMNS = 300
ROWS = 160


class LevelChange(NamedTuple):
    """One change of a price level; size 0 removes it, `clear` empties the book first."""

    ts_ns: int
    is_bid: bool
    price: float
    size: float
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What the picture spans: times in ns, prices in quote currency, rows of `ticks_a_row` ticks."""

    start_ns: int
    end_ns: int
    low: float
    high: float
    tick: float
    ticks_a_row: int

    @property
    def rows(self) -> int:
        """Number of price rows."""
        return round((self.high - self.low) / self.tick) // self.ticks_a_row + 1

    @property
    def prices(self) -> F64:
        """Middle of each price row."""
        middles = np.arange(self.rows, dtype=np.float64) * self.ticks_a_row + (self.ticks_a_row - 1) / 2
        return np.asarray(self.low + self.tick * middles)


@dataclass(frozen=True, slots=True)
class BookGrid:
    """Displayed size, shape (rows, columns), at the end of each column; zero where nothing is displayed."""

    ts: I64
    prices: F64
    size: F64


def busiest_window(ts: I64, start_ns: int, end_ns: int, length_ns: int) -> tuple[int, int]:
    """Window of a length that holds most of the given instants, the earliest of equals; all of a shorter period.

    It begins a twelfth of its length before the first of them, so that what led there can be seen.
    """
    if end_ns - start_ns <= length_ns:
        return start_ns, end_ns
    lead = length_ns // 12
    candidates = np.clip(np.append(ts, start_ns + lead) - lead, start_ns, end_ns - length_ns)
    ordered = np.sort(ts)
    counts = np.searchsorted(ordered, candidates + length_ns) - np.searchsorted(ordered, candidates)
    best = int(candidates[counts == counts.max()].min())
    return best, best + length_ns


def frame(start_ns: int, end_ns: int, prices: F64, tick: float) -> Frame:
    """Span the given prices with a margin, in at most 160 rows of whole ticks."""
    low, high = float(prices.min()), float(prices.max())
    margin = max(12 * tick, 0.2 * (high - low))
    first, last = round((low - margin) / tick), round((high + margin) / tick)
    ticks_a_row = max(1, -(-(last - first + 1) // ROWS))
    return Frame(start_ns, end_ns, first * tick, last * tick, tick, ticks_a_row)


def book_grid(changes: Iterable[LevelChange], span: Frame, columns: int = COLUMNS) -> BookGrid:
    """Replay level changes, in time order, and photograph the book at the end of each column."""
    edges = np.linspace(span.start_ns, span.end_ns, columns + 1).astype(np.int64)[1:]
    levels = np.zeros((2, span.rows * span.ticks_a_row))
    size, column = np.zeros((span.rows, columns)), 0
    for change in changes:
        while column < columns and change.ts_ns > edges[column]:
            size[:, column] = _rows(levels, span)
            column += 1
        if change.clear:
            levels[:] = 0.0
            continue
        tick = round((change.price - span.low) / span.tick)
        if 0 <= tick < levels.shape[1]:
            levels[int(change.is_bid), tick] = change.size
    size[:, column:] = _rows(levels, span)[:, None]
    return BookGrid(edges, span.prices, size)


def _rows(levels: F64, span: Frame) -> F64:
    return np.asarray(levels.sum(axis=0).reshape(span.rows, span.ticks_a_row).sum(axis=1))
