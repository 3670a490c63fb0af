"""Markouts: where the mid went after each fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.report.bootstrap import block_length, weighted_mean_interval
from monitoring.report.columns import F64, Fills
from monitoring.report.mids import Mids


@dataclass(frozen=True, slots=True)
class Markout:
    """Notional-weighted markout of one kind of fill at one horizon, in basis points."""

    liquidity: str
    horizon_secs: float
    gross_bps: float | None
    net_bps: float | None
    net_low_bps: float | None
    net_high_bps: float | None
    fills: int
    excluded: int


def markout_bps(fills: Fills, mids: Mapping[str, Mids], horizon_secs: float) -> F64:
    """Markout of every fill: s·(mid_{t+h} − p) / p in bps; NaN with less than `h` of data left."""
    out = np.full(len(fills), np.nan)
    later = fills.ts + round(horizon_secs * 1e9)
    for instrument_id, market in mids.items():
        mine = (fills.instrument == instrument_id) & (later <= market.end_ns)
        price = fills.price[mine]
        out[mine] = fills.side[mine] * (market.at(later[mine]) - price) / price * 1e4
    return out


def fee_bps(fills: Fills) -> F64:
    """Fee of every fill in basis points of its notional."""
    return np.asarray(fills.fee / fills.notional * 1e4)


def markouts(fills: Fills, mids: Mapping[str, Mids], horizons_secs: Sequence[float], *, seed: int = 0) -> list[Markout]:
    """Markouts by liquidity (ALL, MAKER, TAKER) and horizon, after fee with a 95 % block-bootstrap interval."""
    ordered: Fills = fills.where(np.argsort(fills.ts, kind="stable"))
    kinds = {"ALL": np.ones(len(ordered), dtype=np.bool_), "MAKER": ordered.maker, "TAKER": ~ordered.maker}
    return [
        _one(ordered.where(mask), kind, mids, horizon, seed)
        for kind, mask in kinds.items()
        for horizon in horizons_secs
    ]


def _one(mine: Fills, kind: str, mids: Mapping[str, Mids], horizon: float, seed: int) -> Markout:
    gross = markout_bps(mine, mids, horizon)
    kept = ~np.isnan(gross)
    count, excluded = int(kept.sum()), int((~kept).sum())
    if not count:
        return Markout(kind, horizon, None, None, None, None, 0, excluded)
    weights, net = mine.notional[kept], (gross - fee_bps(mine))[kept]
    length = block_length(mine.ts[kept], round(horizon * 1e9))
    low, high = weighted_mean_interval(net, weights, length, seed=seed) or (None, None)
    mean_gross = float(np.average(gross[kept], weights=weights))
    return Markout(kind, horizon, mean_gross, float(np.average(net, weights=weights)), low, high, count, excluded)
