"""One side of an integer limit order book.

A side is keyed so that *greater is better*: bids by price in ticks, asks by minus the price in ticks. The same code then serves
both sides, and the book is uncrossed exactly when ``bids.best + asks.best < 0``.
"""

from __future__ import annotations


class Ladder:
    """Sizes in lots by key, the best key, the keys changed since the last batch, and the kept window's lowest key.

    Parameters
    ----------
    best
        Key of the first level.
    lots
        Its size, positive.
    """

    __slots__ = ("best", "dirty", "floor", "levels")

    def __init__(self, best: int, lots: int) -> None:
        self.levels: dict[int, int] = {best: lots}
        self.best = best
        self.floor = best
        self.dirty: set[int] = {best}

    def size(self) -> int:
        """Return the size at the best level."""
        return self.levels[self.best]

    def put(self, key: int, lots: int) -> None:
        """Set the size of a level; it must be positive."""
        self.levels[key] = lots
        self.dirty.add(key)
        self.best = max(self.best, key)

    def drop(self, key: int) -> bool:
        """Remove a level unless it is the side's last; return whether it went."""
        levels = self.levels
        if len(levels) == 1:
            return False
        del levels[key]
        self.dirty.add(key)
        if key == self.best:
            key -= 1
            while key not in levels:
                key -= 1
            self.best = key
        return True

    def take(self, lots: int) -> None:
        """Remove size from the best level, and the level when nothing is left; a side's last level keeps one lot.

        Raises
        ------
        ValueError
            When more is asked than the level holds.
        """
        left = self.levels[self.best] - lots
        if left < 0:
            raise ValueError(f"{lots} lots cannot be taken from a level of {left + lots}")
        if left > 0:
            self.put(self.best, left)
        elif not self.drop(self.best):
            self.put(self.best, 1)

    def drain(self) -> list[tuple[int, int]]:
        """Return (key, size) of the changed levels, best first, size 0 where the level is gone, and forget them."""
        levels = self.levels
        changes = [(key, levels.get(key, 0)) for key in sorted(self.dirty, reverse=True)]
        self.dirty.clear()
        return changes
