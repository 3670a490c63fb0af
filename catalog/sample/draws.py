"""Random draws that are the same bits on every machine.

Only the raw output of PCG64 is used, whose stream NumPy guarantees across versions and platforms. Distributions are integer
look-up tables built from exact arithmetic (integers, and :mod:`decimal`, whose logarithm is correctly rounded), because ``log``
and ``exp`` of the C library differ in the last digit between machines, and one different digit would change the whole hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Table = tuple[int, ...]
TABLE_BITS = 10
TABLE_SIZE = 1 << TABLE_BITS
UNIT = 1 << 16
_SHIFT = 32 - TABLE_BITS
_POOL = 1 << 15


def quantile_table(knots: Sequence[tuple[float, int]]) -> Table:
    """Tabulate an inverse distribution function between knots, linearly.

    Parameters
    ----------
    knots
        Pairs (cumulative probability, value); probabilities rise from 0 to 1.

    Returns
    -------
    tuple of int
        ``TABLE_SIZE`` equally likely values, ascending when the knots' values are.

    Raises
    ------
    ValueError
        When the knots do not span 0 to 1 in rising order.
    """
    marks = [round(probability * 2 * TABLE_SIZE * 1000) for probability, _ in knots]
    if marks[0] != 0 or marks[-1] != 2 * TABLE_SIZE * 1000 or sorted(set(marks)) != marks:
        raise ValueError("quantile knots must rise strictly from probability 0 to 1")
    values = [value for _, value in knots]
    table: list[int] = []
    segment = 0
    for i in range(TABLE_SIZE):
        at = (2 * i + 1) * 1000
        while marks[segment + 1] < at:
            segment += 1
        low, high = marks[segment], marks[segment + 1]
        rise = values[segment + 1] - values[segment]
        table.append(values[segment] + rise * (at - low) // (high - low))
    return tuple(table)


def exponential_table() -> Table:
    """Tabulate the exponential distribution of mean 1 in units of ``1 / UNIT``."""
    table = []
    for i in range(TABLE_SIZE):
        survival = 1 - Decimal(2 * i + 1) / Decimal(2 * TABLE_SIZE)
        table.append(int(-survival.ln() * UNIT))
    return tuple(table)


EXPONENTIAL = exponential_table()


class Draws:
    """A stream of random numbers from one seed.

    Parameters
    ----------
    seed
        Non-negative seed of the PCG64 stream.
    """

    __slots__ = ("_bits", "_pool")

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)
        self._pool: list[int] = []

    def word(self) -> int:
        """Return a uniform integer below 2³²."""
        if not self._pool:
            raw = self._bits.random_raw(_POOL)
            self._pool = (raw >> np.uint64(32)).tolist()
        return self._pool.pop()

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.word() < probability * 4294967296.0

    def below(self, n: int) -> int:
        """Return a uniform integer in ``[0, n)``; the bias of at most n / 2³² does not matter here."""
        return (self.word() * n) >> 32

    def pick(self, table: Table) -> int:
        """Return a value of a table of ``TABLE_SIZE`` equally likely ones."""
        return table[self.word() >> _SHIFT]

    def wait(self, mean: int) -> int:
        """Return an exponential waiting time of the given mean, at least 1."""
        return (mean * EXPONENTIAL[self.word() >> _SHIFT] >> 16) + 1

    def picks(self, table: Table, count: int) -> NDArray[np.int64]:
        """Return many values of a table at once, from fresh words."""
        words: NDArray[np.uint64] = self._bits.random_raw(count)
        return np.take(np.array(table, dtype=np.int64), (words >> np.uint64(64 - TABLE_BITS)).astype(np.int64))
