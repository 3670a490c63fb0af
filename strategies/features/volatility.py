"""Volatility in price units per √second, from changes of the mid on a time grid."""

from __future__ import annotations

import math

from strategies.features.decay import DecayedSum, positive


class EwmaVolatility:
    """σ = √(Σ ω·Δm² / Σ ω·Δt) with exponentially decayed weights ω.

    The RiskMetrics estimator (J. P. Morgan 1996, section 5.2) for unequal spacing: variance per second, zero mean. Mids
    closer together than `sample_secs` are skipped, because bid-ask bounce would count as volatility.

    Parameters
    ----------
    halflife_secs
        Half-life of a change, seconds.
    sample_secs
        Smallest time between two mids that are compared, seconds.
    """

    __slots__ = ("_mid", "_sample_ns", "_secs", "_squares", "_ts_ns")

    def __init__(self, halflife_secs: float, sample_secs: float = 1.0) -> None:
        self._squares = DecayedSum(halflife_secs)
        self._secs = DecayedSum(halflife_secs)
        self._sample_ns = round(positive("sample_secs", sample_secs) * 1e9)
        self._mid = math.nan
        self._ts_ns = 0

    def update(self, ts_ns: int, mid: float) -> float:
        """Take the mid at `ts_ns` and return σ, price units per √s; 0 before the second sample."""
        if math.isnan(self._mid):
            self._mid, self._ts_ns = mid, ts_ns
        elapsed = ts_ns - self._ts_ns
        if elapsed >= self._sample_ns:
            change = mid - self._mid
            self._squares.add(ts_ns, change * change)
            self._secs.add(ts_ns, elapsed * 1e-9)
            self._mid, self._ts_ns = mid, ts_ns
        return self.value

    @property
    def value(self) -> float:
        """σ, price units per √s."""
        secs = self._secs.last
        return math.sqrt(self._squares.last / secs) if secs > 0.0 else 0.0
