"""Interval of a weighted mean of dependent observations, by a circular block bootstrap."""

from __future__ import annotations

from math import ceil

import numpy as np

from monitoring.report.columns import F64, I64

RESAMPLES = 1000
MIN_BLOCKS = 5


def block_length(ts: I64, horizon_ns: int) -> int:
    """Observations per block: n^(1/3), or as many as share one horizon on average when that is more.

    Two fills closer than the horizon look at the same later mid, so that a shorter block would take them for
    independent.
    """
    overlap = np.searchsorted(ts, ts + horizon_ns, side="right") - np.arange(len(ts))
    return int(max(ceil(len(ts) ** (1 / 3)), round(float(overlap.mean()))))


def weighted_mean_interval(
    values: F64, weights: F64, length: int, *, seed: int = 0, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of Σwx/Σw, resampling whole blocks of neighbours.

    Parameters
    ----------
    values, weights
        Observations in time order and their positive weights, shape (n,).
    length
        Block length in observations.
    seed
        Of the generator: equal input gives an equal interval.

    Returns
    -------
    tuple or None
        Lower and upper end; None when there are fewer than five blocks, too few to resample.

    Notes
    -----
    Politis and Romano (1992), "A circular block-resampling procedure for stationary data".
    """
    n = len(values)
    if n < MIN_BLOCKS * length:
        return None
    tops, bottoms = _block_sums(values * weights, length), _block_sums(weights, length)
    starts = np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, ceil(n / length)))
    means = tops[starts].sum(axis=1) / bottoms[starts].sum(axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def _block_sums(values: F64, length: int) -> F64:
    ring = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[: length - 1]]))])
    return np.asarray(ring[length:] - ring[:-length])
