"""How deep trades reach: the decay κ of the fill intensity λ(δ) = A·e^(−κδ)."""

from __future__ import annotations

import math

from strategies.features.decay import WeightedMean


class TradeReach:
    """Fit κ online from the distance between each aggressive order's last print and the mid before it.

    With intensity A·e^(−κδ) (Avellaneda and Stoikov 2008, section 2.5) the distance an aggressive order reaches is
    exponential with rate κ, whose maximum-likelihood estimate is 1 / mean(δ). Prints of one aggressive order (same
    event time, same side) are one observation, at its farthest price; a print inside the mid counts as distance 0.

    Parameters
    ----------
    halflife_secs
        Half-life of an observation, seconds.
    """

    __slots__ = ("_farthest", "_key", "_mean", "_mid", "_ts_ns")

    def __init__(self, halflife_secs: float) -> None:
        self._mean = WeightedMean(halflife_secs)
        self._key: tuple[int, int] | None = None
        self._mid = math.nan
        self._farthest = 0.0
        self._ts_ns = 0

    def add(self, ts_ns: int, ts_event_ns: int, side: int, price: float, mid: float) -> None:
        """Count a print.

        Parameters
        ----------
        ts_ns, ts_event_ns
            Receipt time (drives the decay) and venue time (groups prints of one aggressive order).
        side
            1 when the aggressor bought, −1 when it sold.
        price
            Price of the print.
        mid
            Mid before the print; only that of the order's first print is used.
        """
        key = (ts_event_ns, side)
        if key != self._key:
            self._flush()
            self._key, self._mid, self._farthest, self._ts_ns = key, mid, 0.0, ts_ns
        self._farthest = max(self._farthest, side * (price - self._mid))

    def _flush(self) -> None:
        if self._key is not None:
            self._mean.add(self._ts_ns, self._farthest)

    def kappa(self, floor: float) -> float:
        """Return κ per price unit, from finished orders.

        Parameters
        ----------
        floor
            Smallest mean distance that is believed, price units (half a tick, say): it bounds κ at 1 / floor, and is
            the answer before the first observation.
        """
        mean = self._mean.value
        return 1.0 / (floor if math.isnan(mean) else max(mean, floor))
