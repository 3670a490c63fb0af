"""How large we are beside the market: per minute, and beside the level that was displayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from monitoring.report.columns import F64, I64, Fills, Orders, Text
from monitoring.report.mids import Mids

MINUTE_NS = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes in which we traded, per instrument: own and market volume in base units, own notional."""

    minute_ns: I64
    instrument: Text
    own: F64
    market: F64
    notional: F64

    @property
    def share(self) -> F64:
        """Own / market volume; NaN where the market traded nothing."""
        return ratio(self.own, self.market)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Median and 95th percentile of the observations that exist, and how many had none."""

    p50: float | None
    p95: float | None
    count: int
    excluded: int


def ratio(top: F64, bottom: F64) -> F64:
    """Quotient; NaN where there is nothing to divide by."""
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))


def own_minutes(fills: Fills, volume: pa.Table) -> Minutes:
    """Match own volume with the market's, minute by minute."""
    market = {
        (row["instrument_id"], row["minute_ns"]): row["buy_volume"] + row["sell_volume"] for row in volume.to_pylist()
    }
    sums: dict[tuple[int, str], list[float]] = {}
    minutes = (fills.ts // MINUTE_NS * MINUTE_NS).tolist()
    for minute, iid, size, notional in zip(minutes, fills.instrument, fills.quantity, fills.notional, strict=True):
        entry = sums.setdefault((minute, iid), [0.0, 0.0])
        entry[0] += float(size)
        entry[1] += float(notional)
    keys = sorted(sums)
    return Minutes(
        minute_ns=np.array([k[0] for k in keys], dtype=np.int64),
        instrument=np.array([k[1] for k in keys], dtype=np.object_),
        own=np.array([sums[k][0] for k in keys], dtype=np.float64),
        market=np.array([market.get((k[1], k[0]), 0.0) for k in keys], dtype=np.float64),
        notional=np.array([sums[k][1] for k in keys], dtype=np.float64),
    )


def quantiles(values: F64) -> Quantiles:
    """p50 and p95 of the finite values."""
    finite = values[np.isfinite(values)]
    excluded = len(values) - len(finite)
    if not len(finite):
        return Quantiles(None, None, 0, excluded)
    p50, p95 = np.quantile(finite, [0.5, 0.95])
    return Quantiles(float(p50), float(p95), len(finite), excluded)


def size_of_level(orders: Orders, mids: Mapping[str, Mids]) -> F64:
    """Order size over the displayed size it met, per sent order; NaN where none was displayed.

    A resting order meets the size displayed at its price when it was accepted; a market order meets the best opposite
    level at the instant it was sent.
    """
    sent: Orders = orders.where(orders.sent)
    displayed = np.where(sent.kind == "LIMIT", sent.queue_ahead, np.nan)
    for instrument_id, market in mids.items():
        taking = (sent.kind == "MARKET") & (sent.instrument == instrument_id)
        if taking.any():
            rows = market.rows_at(sent.ts[taking])
            displayed[taking] = np.where(sent.side[taking] > 0, market.ask_size[rows], market.bid_size[rows])
    return ratio(sent.quantity, displayed)


def fill_ratio(orders: Orders, mids: Mapping[str, Mids]) -> float | None:
    """Filled / submitted quantity over sent orders; instruments are added up at their last mid."""
    sent: Orders = orders.where(orders.sent)
    worth = {iid: float(m.mid[-1]) for iid, m in mids.items()}
    weight = np.array([worth.get(iid, 0.0) for iid in sent.instrument], dtype=np.float64)
    submitted = float((sent.quantity * weight).sum())
    return float((sent.filled * weight).sum()) / submitted if submitted > 0 else None


def maker_share(fills: Fills) -> float | None:
    """Maker notional / total notional; None without fills."""
    return float(fills.notional[fills.maker].sum() / fills.notional.sum()) if len(fills) else None
