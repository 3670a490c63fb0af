"""Exponentially decayed sums and means over event time: constant memory, any spacing of events."""

from __future__ import annotations

import math

_NS = 1e9


def positive(name: str, value: float) -> float:
    """Return `value` when it is finite and above zero.

    Raises
    ------
    ValueError
        When it is not; the message names the argument.
    """
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{name} must be finite and above 0, got {value}")
    return value


class DecayedSum:
    """Sum of values, each halved after every half-life: S(t) = Σ x_i · 2^(−(t − t_i) / h).

    Time that goes backwards does not decay and does not raise: venue clocks do step back.

    Parameters
    ----------
    halflife_secs
        h, seconds of event time.
    """

    __slots__ = ("_rate", "_sum", "_ts_ns")

    def __init__(self, halflife_secs: float) -> None:
        self._rate = math.log(2.0) / (positive("halflife_secs", halflife_secs) * _NS)
        self._sum = 0.0
        self._ts_ns = 0

    def add(self, ts_ns: int, value: float) -> float:
        """Decay to `ts_ns`, add `value` and return the sum."""
        elapsed = ts_ns - self._ts_ns
        if elapsed > 0:
            self._sum *= math.exp(-elapsed * self._rate)
            self._ts_ns = ts_ns
        self._sum += value
        return self._sum

    def at(self, ts_ns: int) -> float:
        """Return the sum as seen at `ts_ns`, without changing it."""
        return self._sum * math.exp(-max(ts_ns - self._ts_ns, 0) * self._rate)

    @property
    def last(self) -> float:
        """The sum at the time of the newest value."""
        return self._sum


class TimeMean:
    """Mean of a piecewise constant signal, weighted by how long each value stood and by age.

    A value that has just arrived has weight zero: m ← w·m + (1 − w)·x_previous, w = 2^(−Δt / h).

    Parameters
    ----------
    halflife_secs
        h, seconds of event time.
    """

    __slots__ = ("_held", "_mean", "_rate", "_ts_ns")

    def __init__(self, halflife_secs: float) -> None:
        self._rate = math.log(2.0) / (positive("halflife_secs", halflife_secs) * _NS)
        self._mean = math.nan
        self._held = math.nan
        self._ts_ns = 0

    def update(self, ts_ns: int, value: float) -> float:
        """Let the previous value stand until `ts_ns`, then hold `value`; return the mean."""
        if math.isnan(self._mean):
            self._mean, self._ts_ns = value, ts_ns
        elapsed = ts_ns - self._ts_ns
        if elapsed > 0:
            keep = math.exp(-elapsed * self._rate)
            self._mean = keep * self._mean + (1.0 - keep) * self._held
            self._ts_ns = ts_ns
        self._held = value
        return self._mean

    @property
    def value(self) -> float:
        """The newest mean; NaN before the first update."""
        return self._mean


class WeightedMean:
    """Mean of observations with weights, both decayed by age: Σ w·x / Σ w.

    Parameters
    ----------
    halflife_secs
        Half-life of an observation, seconds.
    """

    __slots__ = ("_sum", "_weight")

    def __init__(self, halflife_secs: float) -> None:
        self._sum = DecayedSum(halflife_secs)
        self._weight = DecayedSum(halflife_secs)

    def add(self, ts_ns: int, value: float, weight: float = 1.0) -> float:
        """Add one observation and return the mean."""
        self._sum.add(ts_ns, value * weight)
        self._weight.add(ts_ns, weight)
        return self.value

    @property
    def value(self) -> float:
        """The mean; NaN while nothing with weight was seen or all of it has faded away."""
        weight = self._weight.last
        return self._sum.last / weight if weight > 0.0 else math.nan
