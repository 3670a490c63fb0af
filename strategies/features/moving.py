"""Exponential moving average over bars and how far a price stands from it."""

from __future__ import annotations

import math


class EmaScore:
    """EMA of closes and the z-score of each close against it.

    EMA: m ← m + a·(x − m) with a = 2 / (period + 1). Variance: v ← (1 − a)·(v + a·(x − m)²), the exponentially weighted
    variance of Finch (2009), "Incremental calculation of weighted mean and variance", section 9. A close is scored against
    mean and deviation of the closes before it, so that an outlier does not hide itself.

    Parameters
    ----------
    period
        Number of bars of the EMA, at least 2.
    """

    __slots__ = ("_alpha", "_count", "_mean", "_period", "_variance", "score")

    def __init__(self, period: int) -> None:
        if period < 2:
            raise ValueError(f"period must be at least 2, got {period}")
        self._period = period
        self._alpha = 2.0 / (period + 1.0)
        self._count = 0
        self._mean = math.nan
        self._variance = 0.0
        self.score = 0.0

    def update(self, close: float) -> float:
        """Take one close and return its z-score; 0 before the average is ready and while nothing has moved."""
        if math.isnan(self._mean):
            self._mean = close
        gap = close - self._mean
        self.score = gap / math.sqrt(self._variance) if self.ready and self._variance > 0.0 else 0.0
        self._mean += self._alpha * gap
        self._variance = (1.0 - self._alpha) * (self._variance + self._alpha * gap * gap)
        self._count = min(self._count + 1, self._period)
        return self.score

    @property
    def mean(self) -> float:
        """The EMA; NaN before the first close."""
        return self._mean

    @property
    def ready(self) -> bool:
        """Whether `period` closes were seen."""
        return self._count == self._period
