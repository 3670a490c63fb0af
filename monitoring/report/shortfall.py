"""Implementation shortfall: what was lost between deciding and filling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitoring.report.columns import F64, UNKNOWN_NS, Fills
from monitoring.report.mids import Mids


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Notional-weighted cost against the decision mid, in basis points of it; positive is a cost.

    `total = delay + spread_impact`; `quote` is the total in account currency.
    """

    total_bps: float | None
    delay_bps: float | None
    spread_impact_bps: float | None
    quote: float
    fills: int
    excluded: int


def per_fill(fills: Fills, mids: Mapping[str, Mids]) -> tuple[F64, F64]:
    """Delay s·(mid_arrival − mid_decision) and spread/impact s·(p − mid_arrival) of every fill, in price units.

    The arrival of a fill without a recorded one (an order that filled on arrival) is the fill itself.
    """
    arrival = np.full(len(fills), np.nan)
    reached = np.where(fills.ts_arrival == UNKNOWN_NS, fills.ts, fills.ts_arrival)
    for instrument_id, market in mids.items():
        mine = fills.instrument == instrument_id
        arrival[mine] = market.at(reached[mine])
    return fills.side * (arrival - fills.mid_decision), fills.side * (fills.price - arrival)


def shortfall(fills: Fills, mids: Mapping[str, Mids]) -> Shortfall:
    """Split Σ s·(p − mid_decision) into delay and spread/impact; fills without a decision mid are counted out."""
    delay, impact = per_fill(fills, mids)
    kept = ~np.isnan(delay + impact)
    count, excluded = int(kept.sum()), int((~kept).sum())
    if not count:
        return Shortfall(None, None, None, 0.0, 0, excluded)
    mid, size = fills.mid_decision[kept], fills.quantity[kept]
    base = float((mid * size).sum())
    lost = [float((part[kept] * size).sum()) for part in (delay, impact)]
    bps = [amount / base * 1e4 for amount in lost]
    return Shortfall(bps[0] + bps[1], bps[0], bps[1], lost[0] + lost[1], count, excluded)
