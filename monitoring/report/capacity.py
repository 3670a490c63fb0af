"""What might be left of the result at other sizes: an estimate, since a replay does not answer back.

The replay itself shows no market reaction at any size. The estimate charges every fill with the square-root impact that
is seen across markets and execution styles, Y·σ·√(Q/V) (Almgren et al. 2005; Tóth et al. 2011), per minute: σ is the
1-minute volatility of the mid, Q our volume and V the market's in that minute, Y = 1. Fees, funding and spread are
taken to scale with size. What it does not know: whether larger resting orders would fill as often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.report.columns import F64, I64
from monitoring.report.mids import Mids
from monitoring.report.participation import MINUTE_NS, Minutes

SCALES = (0.5, 1.0, 2.0, 5.0, 10.0)
IMPACT_Y = 1.0
WARN_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Capacity:
    """Net basis points of turnover at `scale` times the size, or the reason why there is no figure.

    `beyond_data` marks sizes above 10 % of the market's volume, where the estimate is a guess.
    """

    scale: float
    net_bps: float | None
    impact_bps: float | None
    share_p95: float | None
    beyond_data: bool
    reason: str | None


def minute_volatility_bps(market: Mids) -> float | None:
    """Standard deviation of 1-minute log returns of the mid, in bps; None below 3 minutes."""
    at: I64 = np.arange(int(market.ts[0]), market.end_ns + 1, MINUTE_NS, dtype=np.int64)
    returns = np.diff(np.log(market.at(at)))
    return float(np.std(returns, ddof=1) * 1e4) if len(returns) >= 2 else None


def capacity(
    net_bps: float | None, minutes: Minutes, sigma_bps: F64, scales: Sequence[float] = SCALES
) -> list[Capacity]:
    """Charge each scale with its impact: net(k) = net − Σ N·Y·σ·√(k·share) / Σ N.

    Parameters
    ----------
    net_bps
        Replayed net over turnover.
    minutes
        Minutes in which we traded; those in which the market traded nothing are left out.
    sigma_bps
        1-minute volatility of the instrument of each of `minutes`.
    """
    share = minutes.share
    known = np.isfinite(share) & np.isfinite(sigma_bps)
    if net_bps is None or not known.any():
        reason = "no fills" if net_bps is None else "no market volume in the minutes traded"
        return [Capacity(scale, None, None, None, False, reason) for scale in scales]
    weights = minutes.notional[known] / minutes.notional[known].sum()
    return [_at(scale, net_bps, share[known], weights * sigma_bps[known]) for scale in scales]


def _at(scale: float, net_bps: float, share: F64, weighted_sigma: F64) -> Capacity:
    p95 = float(np.quantile(share * scale, 0.95))
    if p95 > 1.0:
        return Capacity(scale, None, None, p95, True, "would need more than the whole market's volume")
    impact = float((weighted_sigma * IMPACT_Y * np.sqrt(scale * share)).sum())
    return Capacity(scale, net_bps - impact, impact, p95, p95 > WARN_SHARE, None)
