"""Depth of a book rebuilt from deltas: one row per depth message."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np

from catalog.sample.statistics import Depth, Ints


class _Side:
    """Sizes by key, greater is better, with the keys kept in order."""

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._sizes: dict[int, int] = {}

    def set(self, key: int, size: int) -> None:
        if size and key not in self._sizes:
            insort(self._keys, key)
        elif not size and key in self._sizes:
            del self._keys[bisect_left(self._keys, key)]
            del self._sizes[key]
        if size:
            self._sizes[key] = size

    def total(self, levels: int) -> int:
        return sum(self._sizes[key] for key in self._keys[-levels:])


def depth_of(ts_ns: Ints, side: Ints, price: Ints, size: Ints, last: Ints, *, levels: int, lot: float) -> Depth:
    """Rebuild a book and return its depth after each message.

    Parameters
    ----------
    ts_ns, side, price, size, last
        Columns of the deltas: time, 1 for bids and −1 for asks (0 clears the book), integer price, integer size (0 removes the
        level), and whether the row ends its message.
    levels
        Number of best occupied levels of each side that count.
    lot
        Base units of one size unit.

    Returns
    -------
    Depth
        One row per message after which both sides hold something.
    """
    sides = {1: _Side(), -1: _Side()}
    rows: list[tuple[int, int, int]] = []
    columns = (ts_ns.tolist(), side.tolist(), price.tolist(), size.tolist(), last.tolist())
    for when, which, ticks, lots, ends in zip(*columns, strict=True):
        if which == 0:
            sides = {1: _Side(), -1: _Side()}
        else:
            sides[which].set(which * ticks, lots)
        if ends:
            rows.append((when, sides[1].total(levels), sides[-1].total(levels)))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    when, bid, ask = table[(table[:, 1] > 0) & (table[:, 2] > 0)].T
    return Depth(when, bid.astype(np.float64) * lot, ask.astype(np.float64) * lot)
