"""The order book of a whole stretch at once, by array arithmetic instead of a loop over messages.

A level at price p that is set in batch i and next changed in batch j is the interval [i, j) at height p. The best bid
after every batch is then the upper envelope of these intervals: each interval is covered by two power-of-two blocks,
the blocks keep their highest price, and one pass from long blocks to short ones hands the prices down (a sparse table
for range minimum queries run backwards). Cost: one sort of the levels and log2(batches) passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.tables import Action, BookSide, Codes, Ints

EMPTY = np.iinfo(np.int64).min
_SEGMENT = 1 << 16
_DIRECT = 1 << 24
_SPARSE = 64  # prices a row from which on sorting the rows is cheaper than a table of all prices
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Levels:
    """Price levels in order of arrival; a size of 0 removes the level.

    Attributes
    ----------
    side, price, size
        Arrays of equal length; codes of :class:`~catalog.tables.BookSide` and scaled integers.
    """

    side: Codes
    price: Ints
    size: Ints

    def __len__(self) -> int:
        return len(self.price)

    def slice(self, start: int, stop: int) -> Levels:
        """Return the rows from `start` to `stop`, the latter excluded."""
        return Levels(self.side[start:stop], self.price[start:stop], self.size[start:stop])

    def then(self, later: Levels) -> Levels:
        """Append later levels."""
        return Levels(
            np.concatenate((self.side, later.side)),
            np.concatenate((self.price, later.price)),
            np.concatenate((self.size, later.size)),
        )

    @staticmethod
    def none() -> Levels:
        """Return an empty book."""
        return Levels(np.empty(0, np.int8), np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Tops:
    """Best prices and sizes after each batch, one row a batch; 0 size and ``EMPTY`` price where a side is empty."""

    bid: Ints
    bid_size: Ints
    ask: Ints
    ask_size: Ints

    @property
    def crossed(self) -> npt.NDArray[np.bool_]:
        """Batches with best bid at or above best ask."""
        both = (self.bid != EMPTY) & (self.ask != EMPTY)
        out: npt.NDArray[np.bool_] = both & (self.bid >= self.ask)
        return out


def settle(levels: Levels) -> Levels:
    """Return the book that is left after all levels: bids from the best down, then asks from the best up."""
    bids = _settle_side(levels, BookSide.BUY)
    asks = _settle_side(levels, BookSide.SELL)
    down = slice(None, None, -1)
    return Levels(bids.side[down], bids.price[down], bids.size[down]).then(asks)


def tops(action: Codes, levels: Levels, ends: Ints, near: tuple[int, int] | None = None) -> Tops:
    """Return the top of book after every batch.

    Parameters
    ----------
    action
        Codes of :class:`~catalog.tables.Action`; only CLEAR matters.
    levels
        One row per delta, CLEAR rows included.
    ends
        For each batch the row after its last.
    near
        A guess of the lowest best bid and the highest best ask. Bids below and asks above cannot be the best while there
        is one inside, so they are left out at first, and everything is done again if a side is ever empty without them.
    """
    if near is None:
        return _tops(action, levels, ends)
    low, high = near
    bids = (levels.side == BookSide.BUY) & (levels.price >= low)
    asks = (levels.side == BookSide.SELL) & (levels.price <= high)
    kept = bids | asks | (action == Action.CLEAR)
    rows = np.flatnonzero(kept)
    inside = Levels(levels.side[rows], levels.price[rows], levels.size[rows])
    out = _tops(action[rows], inside, np.searchsorted(rows, ends))
    if np.any(out.bid == EMPTY) or np.any(out.ask == EMPTY):
        return _tops(action, levels, ends)
    return out


def _tops(action: Codes, levels: Levels, ends: Ints) -> Tops:
    parts: list[Tops] = []
    book, begin, first = Levels.none(), 0, 0
    for last in _cuts(action, ends):
        stop = int(ends[last - 1])
        cleared = begin < stop and action[begin] == Action.CLEAR
        piece = levels.slice(begin + int(cleared), stop)
        prefix = Levels.none() if cleared else book
        rows = prefix.then(piece)
        shift = len(prefix) - begin - int(cleared)
        parts.append(_segment_tops(rows, ends[first:last] + shift))
        book = settle(rows) if last < len(ends) else Levels.none()
        begin, first = stop, last
    columns = ("bid", "bid_size", "ask", "ask_size")
    return Tops(*(np.concatenate([_NO_ROWS, *(getattr(part, name) for part in parts)]) for name in columns))


def _cuts(action: Codes, ends: Ints) -> list[int]:
    # A CLEAR opens a batch, so a segment may only be cut before the batch that holds it.
    clear_rows = np.flatnonzero(action == Action.CLEAR)
    clears = np.searchsorted(ends, clear_rows, side="right")
    regular = np.arange(_SEGMENT, len(ends), _SEGMENT)
    return sorted({int(cut) for cut in (*clears, *regular, len(ends)) if cut > 0})


def _segment_tops(rows: Levels, ends: Ints) -> Tops:
    bid, bid_size = _best(rows, ends, BookSide.BUY)
    ask, ask_size = _best(rows, ends, BookSide.SELL)
    return Tops(bid, bid_size, np.where(ask == EMPTY, EMPTY, -ask), ask_size)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Rows of one side sorted by (height, row); height is the price for bids and minus the price for asks."""

    key: Ints
    row: Ints
    height: Ints
    bits: int
    base: int


def _sort_side(levels: Levels, side: BookSide) -> _Sorted:
    rows = np.flatnonzero(levels.side == side)
    height = levels.price[rows] if side == BookSide.BUY else -levels.price[rows]
    bits = max(len(levels), 1).bit_length()
    base = int(height.min()) if len(rows) else 0
    spread = int(height.max()) - base if len(rows) else 0
    if spread >= 1 << (62 - bits):
        raise ValueError("price levels are too far apart to be sorted in 64 bits")
    key = ((height - base) << bits) | rows
    if spread < 1 << 16:
        key = key[np.argsort((height - base).astype(np.uint16), kind="stable")]  # NumPy has a radix sort for 16 bits
    else:
        key.sort()
    return _Sorted(key, key & ((1 << bits) - 1), (key >> bits) + base, bits, base)


def _settle_side(levels: Levels, side: BookSide) -> Levels:
    """Return the last state of each level, by rising price for bids and falling for asks."""
    rows = np.flatnonzero(levels.side == side)
    height = levels.price[rows] if side == BookSide.BUY else -levels.price[rows]
    base = int(height.min()) if len(rows) else 0
    spread = int(height.max()) - base + 1 if len(rows) else 0
    if spread <= min(_DIRECT, _SPARSE * len(rows)):
        # Rows counted from 1 in half a word: 0 is no row, and the pages without a level are never written.
        newest = np.zeros(spread, np.uint32)
        newest[height - base] = rows + 1  # of equal indices the last wins
        rows = newest[np.flatnonzero(newest)].astype(np.int64) - 1
    else:
        s = _sort_side(levels, side)
        rows = s.row[np.append(s.height[1:] != s.height[:-1], True)]
    rows = rows[levels.size[rows] > 0]
    rows = rows if side == BookSide.BUY else rows[::-1]
    return Levels(levels.side[rows], levels.price[rows], levels.size[rows])


def _best(levels: Levels, ends: Ints, side: BookSide) -> tuple[Ints, Ints]:
    """Return height and size of the best level after each batch."""
    s = _sort_side(levels, side)
    best = _envelope(s, levels.size, ends)
    size = np.zeros(len(ends), np.int64)
    there = np.flatnonzero(best != EMPTY)
    last = ((best[there] - s.base) << s.bits) | (ends[there] - 1)
    size[there] = levels.size[s.row[np.searchsorted(s.key, last, side="right") - 1]]
    return best, size


def _envelope(s: _Sorted, size: Ints, ends: Ints) -> Ints:
    batches = len(ends)
    start: Ints = np.searchsorted(ends, s.row, side="right")
    stop: Ints = np.full(len(start), batches, np.int64)
    same = s.height[1:] == s.height[:-1]
    stop[:-1][same] = start[1:][same]
    alive = (size[s.row] > 0) & (stop > start)
    start, stop, height = start[alive], stop[alive], s.height[alive]
    depth = max(batches, 1).bit_length()
    power = np.frexp((stop - start).astype(np.float64))[1].astype(np.int64) - 1
    table = np.full((2, depth, batches), EMPTY)
    # Heights ascend and the last of equal indices wins, so each cell keeps its highest.
    table[0, power, start] = height
    table[1, power, stop - (1 << power)] = height
    merged: Ints = np.maximum(table[0], table[1])
    for k in range(depth - 1, 0, -1):
        half = 1 << (k - 1)
        np.maximum(merged[k - 1], merged[k], out=merged[k - 1])
        np.maximum(merged[k - 1, half:], merged[k, : batches - half], out=merged[k - 1, half:])
    out: Ints = merged[0]
    return out
