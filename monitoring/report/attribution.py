"""Each strategy's part of the netted account, and P&L by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from monitoring.report.columns import F64, I64, Fills, Funding
from monitoring.report.mids import Mids
from monitoring.report.models import StrategySummary, WaterfallSummary
from monitoring.report.round_trips import RoundTrip, hit_rate
from monitoring.report.sharpe import DAY_NS, days_touched
from monitoring.report.waterfall import UNIT, Parts, parts

HOUR_NS = 3_600 * 1_000_000_000


def waterfall_summary(found: Parts, net: Decimal, horizon_secs: float) -> WaterfallSummary:
    """Round each part to the smallest currency unit for the file."""
    return WaterfallSummary(
        spread=money(found.spread),
        markout=money(found.markout),
        inventory=money(found.inventory),
        fees=money(found.fees),
        funding=money(found.funding),
        net=money(net),
        horizon_secs=horizon_secs,
    )


def money(value: Decimal) -> Decimal:
    """Round to the smallest currency unit, never to a negative zero."""
    return value.quantize(UNIT) + 0


def by_strategy(
    fills: Fills,
    funding: Funding,
    mids: Mapping[str, Mids],
    trips: list[RoundTrip],
    *,
    horizon_secs: float,
    currency: str,
) -> list[StrategySummary]:
    """Waterfall and round trips of each strategy; the parts add up to the whole account's."""
    found = []
    for strategy in sorted(set(fills.strategy) | set(funding.strategy)):
        mine: Fills = fills.where(fills.strategy == strategy)
        paid: Funding = funding.where(funding.strategy == strategy)
        split = parts(mine, paid, mids, horizon_secs=horizon_secs, currency=currency)
        closed = [t for t in trips if t.strategy == strategy and t.closed_ns is not None]
        found.append(
            StrategySummary(
                strategy_id=strategy,
                fills=len(mine),
                turnover=money(Decimal(repr(float(mine.notional.sum())))),
                waterfall=waterfall_summary(split, split.net, horizon_secs),
                round_trips=len(closed),
                hit_rate=hit_rate(closed),
            )
        )
    return found


def pnl_by_day(ts: I64, equity: F64, starting_balance: float) -> dict[str, float]:
    """Equity change of each UTC day."""
    days = days_touched(ts)
    last = np.minimum(np.searchsorted(ts, (days + 1) * DAY_NS, side="right"), len(ts)) - 1
    change = np.diff(np.concatenate([[starting_balance], equity[last]]))
    names = [datetime.fromtimestamp(int(day) * DAY_NS / 1e9, tz=UTC).date().isoformat() for day in days]
    return dict(zip(names, (round(float(c), 8) for c in change), strict=True))


def pnl_by_hour(ts: I64, equity: F64, starting_balance: float) -> F64:
    """Equity change summed by UTC hour of the day, shape (24,)."""
    change = np.diff(np.concatenate([[starting_balance], equity]))
    hours = (np.maximum(ts - 1, 0) // HOUR_NS) % 24
    return np.bincount(hours, weights=change, minlength=24).astype(np.float64)
