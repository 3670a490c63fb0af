"""Expected return of a signal, learned while it runs and started from a stated belief."""

from __future__ import annotations

import math
from collections import deque

from strategies.features.decay import DecayedSum, positive

_MAX_STANDARD_RETURN = 5.0


def expected_return_bps(information_coefficient: float, score: float, sigma_bps: float, horizon_secs: float) -> float:
    """Return IC · score · σ · √H, bps.

    Grinold (1994), "Alpha is volatility times IC times score".

    Parameters
    ----------
    information_coefficient
        Correlation of the score with the return over the horizon, in [−1, 1].
    score
        Signal in standard deviations, signed.
    sigma_bps
        Volatility, bps per √s.
    horizon_secs
        H, seconds.
    """
    return information_coefficient * score * sigma_bps * math.sqrt(horizon_secs)


class OnlineIc:
    """Information coefficient: a prior that the realised returns correct.

    Bayesian linear regression through the origin of the standardised return on the score, with unit noise (Bishop 2006,
    eq. 3.50 and 3.51): IC = (n₀·IC₀ + Σ w·x·y) / (n₀ + Σ w·x²). Samples overlap, so each weighs w = Δt / H, which makes
    the sum count independent horizons. At most H / Δt samples wait for their return; standardised returns are cut at
    ±5 so that one jump cannot own the estimate.

    Parameters
    ----------
    prior
        IC₀, believed before any data.
    prior_horizons
        n₀, how many independent horizons of data the belief is worth.
    horizon_secs
        H, seconds.
    sample_secs
        Δt, seconds between samples.
    halflife_secs
        Half-life of the evidence, seconds.
    """

    __slots__ = ("_due", "_horizon_ns", "_horizon_secs", "_next_ns", "_prior", "_step_ns", "_strength", "_xx", "_xy")

    def __init__(
        self, prior: float, prior_horizons: float, horizon_secs: float, sample_secs: float, halflife_secs: float
    ) -> None:
        self._prior = prior
        self._strength = positive("prior_horizons", prior_horizons)
        self._horizon_secs = positive("horizon_secs", horizon_secs)
        self._horizon_ns = round(horizon_secs * 1e9)
        self._step_ns = round(positive("sample_secs", sample_secs) * 1e9)
        self._xx = DecayedSum(halflife_secs)
        self._xy = DecayedSum(halflife_secs)
        self._due: deque[tuple[int, float, float, float, float]] = deque()
        self._next_ns = 0

    def update(self, ts_ns: int, mid: float, score: float, sigma: float) -> None:
        """Settle the samples whose horizon has passed, then take a new one when it is time.

        Parameters
        ----------
        ts_ns
            Event time.
        mid
            Mid, price units.
        score
            Signal in standard deviations.
        sigma
            Volatility, price units per √s; nothing is sampled while it is 0.
        """
        while self._due and self._due[0][0] <= ts_ns:
            _, mid0, score0, scale, weight = self._due.popleft()
            change = max(-_MAX_STANDARD_RETURN, min(_MAX_STANDARD_RETURN, (mid - mid0) / scale))
            self._xy.add(ts_ns, weight * score0 * change)
            self._xx.add(ts_ns, weight * score0 * score0)
        if ts_ns >= self._next_ns and sigma > 0.0:
            scale = sigma * math.sqrt(self._horizon_secs)
            weight = min(1.0, self._step_ns / self._horizon_ns)
            self._due.append((ts_ns + self._horizon_ns, mid, score, scale, weight))
            self._next_ns = ts_ns + self._step_ns

    @property
    def value(self) -> float:
        """The present IC."""
        return (self._strength * self._prior + self._xy.last) / (self._strength + self._xx.last)

    @property
    def waiting(self) -> int:
        """How many samples wait for their return."""
        return len(self._due)


class Standardiser:
    """Divide a zero-mean signal by its own decayed root mean square, cut at ±`limit`.

    Parameters
    ----------
    halflife_secs
        Half-life of the mean square, seconds.
    limit
        Largest score, standard deviations.
    """

    __slots__ = ("_limit", "_squares", "_weight")

    def __init__(self, halflife_secs: float, limit: float = 3.0) -> None:
        self._squares = DecayedSum(halflife_secs)
        self._weight = DecayedSum(halflife_secs)
        self._limit = positive("limit", limit)

    def update(self, ts_ns: int, value: float) -> float:
        """Return the score of `value`, which itself counts; 0 while the signal has been exactly 0."""
        squares = self._squares.add(ts_ns, value * value)
        rms = math.sqrt(squares / self._weight.add(ts_ns, 1.0))
        return max(-self._limit, min(self._limit, value / rms)) if rms > 0.0 else 0.0
