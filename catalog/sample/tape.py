"""Columns that a running market writes and a chunk hands over as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MARK_UNIT = 256


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of market data in integers: times in µs since the start, prices in ticks, sizes in lots.

    Attributes
    ----------
    quotes
        Shape (n, 5): time, bid, bid size, ask, ask size; one row per change of the top of the book.
    trades
        Shape (n, 4): time, price, size, side of the aggressor (1 buy, −1 sell).
    deltas
        Shape (n, 5): time, side of the book (1 bid, −1 ask), price, size (0: level gone), 1 on the last row of its batch.
    marks
        Shape (n, 2): time, mark price in half-ticks / ``MARK_UNIT``.
    """

    quotes: Ints
    trades: Ints
    deltas: Ints
    marks: Ints


class Tape:
    """Append-only rows, kept flat in lists because that is fastest from Python."""

    __slots__ = ("deltas", "marks", "quotes", "trades")

    def __init__(self) -> None:
        self.quotes: list[int] = []
        self.trades: list[int] = []
        self.deltas: list[int] = []
        self.marks: list[int] = []

    def cut(self) -> Chunk:
        """Return what was written since the last cut, and forget it."""
        chunk = Chunk(_table(self.quotes, 5), _table(self.trades, 4), _table(self.deltas, 5), _table(self.marks, 2))
        for rows in (self.quotes, self.trades, self.deltas, self.marks):
            rows.clear()
        return chunk


def _table(rows: list[int], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
