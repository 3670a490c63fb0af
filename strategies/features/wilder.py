"""Wilder's smoothed averages: true range, ATR, directional movement and ADX."""

from __future__ import annotations

import math


def true_range(high: float, low: float, previous_close: float) -> float:
    """Return max(high − low, |high − previous close|, |low − previous close|) (Wilder 1978, chapter 3).

    Parameters
    ----------
    high, low
        Of the bar.
    previous_close
        Of the bar before; NaN for the first bar, whose range is high − low.
    """
    if math.isnan(previous_close):
        return high - low
    return max(high, previous_close) - min(low, previous_close)


class WilderMean:
    """Wilder's average: the plain mean of the first `period` values, then m ← m + (x − m) / period.

    Parameters
    ----------
    period
        Number of bars, at least 1.
    """

    __slots__ = ("_count", "_mean", "_period")

    def __init__(self, period: int) -> None:
        if period < 1:
            raise ValueError(f"period must be at least 1, got {period}")
        self._period = period
        self._count = 0
        self._mean = 0.0

    def update(self, value: float) -> float:
        """Take one value and return the average so far."""
        self._count = min(self._count + 1, self._period)
        self._mean += (value - self._mean) / self._count
        return self._mean

    @property
    def value(self) -> float:
        """The average; 0 before the first value."""
        return self._mean

    @property
    def ready(self) -> bool:
        """Whether `period` values were seen."""
        return self._count == self._period


class Atr:
    """Average true range, price units (Wilder 1978, chapter 3).

    Parameters
    ----------
    period
        Number of bars.
    """

    __slots__ = ("_close", "_mean")

    def __init__(self, period: int) -> None:
        self._mean = WilderMean(period)
        self._close = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        """Take one closed bar and return the ATR."""
        value = self._mean.update(true_range(high, low, self._close))
        self._close = close
        return value

    @property
    def value(self) -> float:
        """The ATR; 0 before the first bar."""
        return self._mean.value

    @property
    def ready(self) -> bool:
        """Whether `period` bars were seen."""
        return self._mean.ready


class Adx:
    """Average directional index, in [0, 100]: how strongly the market goes one way (Wilder 1978, chapter 4).

    The directional movements and the true range are smoothed over `period` bars, and so is their index DX.

    Parameters
    ----------
    period
        Number of bars.
    """

    __slots__ = ("_bar", "_dx", "_minus", "_plus", "_range")

    def __init__(self, period: int) -> None:
        self._plus = WilderMean(period)
        self._minus = WilderMean(period)
        self._range = WilderMean(period)
        self._dx = WilderMean(period)
        self._bar: tuple[float, float, float] | None = None

    def update(self, high: float, low: float, close: float) -> float:
        """Take one closed bar and return the ADX."""
        if self._bar is not None:
            high0, low0, close0 = self._bar
            up, down = high - high0, low0 - low
            self._plus.update(up if up > down and up > 0.0 else 0.0)
            self._minus.update(down if down > up and down > 0.0 else 0.0)
            self._range.update(true_range(high, low, close0))
            if self._range.ready:
                self._dx.update(self._index())
        self._bar = (high, low, close)
        return self.value

    def _index(self) -> float:
        plus, minus = self._plus.value, self._minus.value
        return 100.0 * abs(plus - minus) / (plus + minus) if plus + minus > 0.0 else 0.0

    @property
    def value(self) -> float:
        """The ADX; 0 before the first DX."""
        return self._dx.value

    @property
    def ready(self) -> bool:
        """Whether `period` values of DX were averaged, which takes 2 · period bars."""
        return self._dx.ready
