"""The sample's order book: two ladders and the moves that makers make on them."""

from __future__ import annotations

from catalog.sample.draws import Draws
from catalog.sample.ladder import Ladder
from catalog.sample.parameters import Parameters

Top = tuple[int, int, int, int]


class Book:
    """Bids and asks around a one-tick spread, dense at the best level and sparse behind.

    Parameters
    ----------
    parameters
        Sizes, densities and the depth of the window that is kept.
    draws
        Random stream, shared with the market.
    """

    __slots__ = ("_draws", "_p", "asks", "bids")

    def __init__(self, parameters: Parameters, draws: Draws) -> None:
        self._p = parameters
        self._draws = draws
        self.bids = Ladder(parameters.start_ticks, draws.pick(parameters.best_lots))
        self.asks = Ladder(-parameters.start_ticks - 1, draws.pick(parameters.best_lots))
        for ladder in (self.bids, self.asks):
            self._slide(ladder)
            ladder.dirty.clear()

    def top(self) -> Top:
        """Return bid, bid size, ask, ask size, in ticks and lots."""
        return self.bids.best, self.bids.size(), -self.asks.best, self.asks.size()

    def opposite(self, ladder: Ladder) -> Ladder:
        """Return the other side."""
        return self.asks if ladder is self.bids else self.bids

    def move(self, ladder: Ladder, target: int) -> None:
        """Step a side back to a key, or to where it already stands if that is further, and let the other side follow."""
        key = min(ladder.best, target)
        ladder.put(key, self._draws.pick(self._p.best_lots))
        while ladder.best > key:
            ladder.drop(ladder.best)
        other = self.opposite(ladder)
        follow = -key - 1
        if follow > other.best:
            self._thicken(other, other.best + 1, follow)
            other.put(follow, self._draws.pick(self._p.best_lots))
        self._slide(ladder)
        self._slide(other)

    def restore(self, ladder: Ladder, key: int) -> None:
        """Put a lost best level back, unless the other side has meanwhile taken its place."""
        if key > ladder.best and key + self.opposite(ladder).best < 0:
            ladder.put(key, self._draws.pick(self._p.best_lots))

    def change_best(self, ladder: Ladder) -> None:
        """Add to the best queue or cancel from it, drawn towards its usual size."""
        size, usual = ladder.size(), self._p.queue_lots
        lots = self._draws.pick(self._p.change_lots)
        if self._draws.chance(usual / (usual + size)):
            ladder.put(ladder.best, size + lots)
        else:
            ladder.take(min(size, lots))

    def churn(self, ladder: Ladder) -> None:
        """Add, resize or cancel one level behind the best."""
        key = ladder.best - self._draws.pick(self._p.deep_offset)
        there = key in ladder.levels
        if there and self._draws.chance(1 - self._p.deep_density):
            ladder.drop(key)
        elif there or self._draws.chance(self._p.deep_density):
            ladder.put(key, self._draws.pick(self._p.deep_lots))

    def _thicken(self, ladder: Ladder, low: int, high: int) -> None:
        """Scatter levels over the keys from ``low`` up to and without ``high``."""
        for key in range(low, high):
            if self._draws.chance(self._p.deep_density):
                ladder.put(key, self._draws.pick(self._p.deep_lots))

    def _slide(self, ladder: Ladder) -> None:
        """Keep the window behind the best level: fill what it gained, cancel what it lost."""
        floor = ladder.best - self._p.window_ticks
        self._thicken(ladder, floor, min(ladder.floor, ladder.best))
        for key in range(ladder.floor, floor):
            if key in ladder.levels:
                ladder.drop(key)
        ladder.floor = floor
