"""From a run to its summary: every definition applied once, nothing read from disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.report import equity as curves
from monitoring.report.attribution import by_strategy, money, pnl_by_day, waterfall_summary
from monitoring.report.capacity import capacity, minute_volatility_bps
from monitoring.report.columns import F64, Fills, Orders, total
from monitoring.report.conduct import conduct
from monitoring.report.markouts import markouts
from monitoring.report.models import (
    BoundSummary,
    CapacitySummary,
    ConductSummary,
    DoubtSummary,
    ExposureSummary,
    MarkoutSummary,
    QuantileSummary,
    ShortfallSummary,
    Summary,
)
from monitoring.report.participation import Minutes, fill_ratio, maker_share, own_minutes, quantiles, size_of_level
from monitoring.report.risk import risk_summary
from monitoring.report.round_trips import RoundTrip, hit_rate, holding_secs, round_trips
from monitoring.report.run import Bound, Run
from monitoring.report.sharpe import Sharpe, daily_returns, sharpe
from monitoring.report.shortfall import shortfall
from monitoring.report.trust import trust_marks
from monitoring.report.verdict import doubts, verdict
from monitoring.report.waterfall import Parts, explain, parts

REENTRY = "reentry"
"""Reason of a refusal; see `risk.verdict`."""
HEADLINE = frozenset(BoundSummary.model_fields) & frozenset(Summary.model_fields)
"""Keys that the top level repeats from the headline bound."""


def summarise(run: Run) -> Summary:
    """Compute every figure of every bound; the headline is the conservative bound."""
    bounds = {name: summarise_bound(run, bound) for name, bound in run.bounds.items()}
    head = next(iter(bounds.values()))
    manifest = run.manifest
    return Summary(
        run_id=manifest.run_id,
        config_hash=manifest.config_hash,
        code_version=manifest.code_version,
        status=manifest.status,
        mode=manifest.mode,
        events=manifest.events,
        wall_seconds=manifest.wall_seconds,
        synthetic=manifest.synthetic,
        headline=head.bound,
        verdict=verdict({name: bound.net_pnl for name, bound in bounds.items()}).value,
        trust=trust_marks(manifest),
        doubts=[DoubtSummary(name=d.name, text=d.text) for d in doubts(bounds)],
        bounds=bounds,
        **{key: getattr(head, key) for key in sorted(HEADLINE)},
    )


def curve_of(run: Run, bound: Bound) -> curves.Curve:
    """Equity of a bound at every mark of the trading window."""
    return curves.equity_curve(
        bound.fills,
        bound.funding,
        run.mids,
        starting_balance=float(bound.account.starting_balance),
        start_ns=run.start_ns,
        end_ns=run.end_ns,
    )


def equity_table(run: Run, name: str) -> pa.Table:
    """Build the `equity` table of one bound's folder, on the grid of the config."""
    bound = run.bounds[name]
    start = float(bound.account.starting_balance)
    return curves.curve_table(curve_of(run, bound), start, run.options.equity_sample_secs)


def summarise_bound(run: Run, bound: Bound) -> BoundSummary:
    """Compute every figure of one bound."""
    account, fills, horizon = bound.account, bound.fills, run.options.waterfall_markout_secs
    start = float(account.starting_balance)
    curve = curve_of(run, bound)
    split = parts(fills, bound.funding, run.mids, horizon_secs=horizon, currency=account.currency)
    trips = round_trips(fills, bound.funding, run.mids)
    turnover = money(Decimal(repr(float(fills.notional.sum()))))
    net_bps = float(account.net_pnl / turnover) * 1e4 if turnover else None
    minutes = own_minutes(fills, run.volume)
    days = pnl_by_day(curve.ts, curve.equity, start)
    drawdown = curves.max_drawdown(curve.equity, start)
    ratio = sharpe(daily_returns(curve.ts, curve.equity, start), run.options.annualise_min_days)
    return BoundSummary(
        bound=bound.name,
        currency=account.currency,
        net_pnl=money(account.net_pnl),
        gross_pnl=money(split.gross),
        fees=money(split.fees),
        other_fees=_other_fees(fills, account.currency),
        funding=money(split.funding),
        fee_to_close=money(account.fee_to_close),
        **_explained(bound, split),
        waterfall=waterfall_summary(split, account.net_pnl, horizon),
        max_drawdown=drawdown.fraction,
        max_drawdown_quote=drawdown.quote,
        **_counts(bound),
        **_sharpe(ratio),
        maker_share=maker_share(fills),
        fill_ratio=fill_ratio(bound.orders, run.mids),
        **_trips(trips),
        turnover=turnover,
        turnover_multiple=float(turnover) / start,
        net_bps=net_bps,
        exposure=_exposure(curve),
        markouts=[MarkoutSummary(**asdict(m)) for m in markouts(fills, run.mids, run.options.markout_secs)],
        shortfall=ShortfallSummary(**asdict(shortfall(fills, run.mids))),
        participation=QuantileSummary(**asdict(quantiles(minutes.share))),
        size_of_level=QuantileSummary(**asdict(quantiles(size_of_level(bound.orders, run.mids)))),
        capacity=_capacity(run, net_bps, minutes),
        strategies=by_strategy(fills, bound.funding, run.mids, trips, horizon_secs=horizon, currency=account.currency),
        pnl_by_day=days,
        winning_days=sum(v > 0 for v in days.values()) / len(days) if days else None,
        conduct=_conduct(run, bound, trips),
        risk=risk_summary(run, bound, curve, trips),
        timings=[timing.summary() for timing in bound.timings or ()],
    )


def _counts(bound: Bound) -> dict[str, Any]:
    sent: Orders = bound.orders.where(bound.orders.sent)
    reasons = Counter(bound.refusals.column("reason").to_pylist())
    return {
        "orders": len(sent),
        "rejects": int((sent.status == "REJECTED").sum()),
        "fills": len(bound.fills),
        "refusals": bound.refusals.num_rows,
        "refusals_by_reason": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    }


def _conduct(run: Run, bound: Bound, trips: list[RoundTrip]) -> ConductSummary:
    secs = (run.end_ns - run.start_ns) / 1e9
    found = conduct(trips, bound.orders, secs, run.manifest.reentry_cooldown_secs)
    refused = sum(reason == REENTRY for reason in bound.refusals.column("reason").to_pylist())
    return ConductSummary(**asdict(found), reentries_refused=refused)


def _explained(bound: Bound, split: Parts) -> dict[str, Any]:
    postings = len(bound.fills) + len(bound.account.positions)
    left = explain(bound.account.net_pnl, split.net, postings)
    return {"residual": left.residual, "rounding": left.rounding, "rounding_allowance": left.allowance}


def _sharpe(ratio: Sharpe) -> dict[str, Any]:
    return {
        "sharpe": ratio.ratio,
        "sharpe_se": ratio.error,
        "sharpe_reason": ratio.reason,
        "days": ratio.days,
    }


def _trips(trips: list[RoundTrip]) -> dict[str, Any]:
    closed = sum(trip.closed_ns is not None for trip in trips)
    mean, median = holding_secs(trips) or (None, None)
    return {
        "round_trips": closed,
        "round_trips_open": len(trips) - closed,
        "hit_rate": hit_rate(trips),
        "holding_secs_mean": mean,
        "holding_secs_median": median,
    }


def _exposure(curve: curves.Curve) -> ExposureSummary:
    leverage: F64 = np.divide(curve.exposure, curve.equity, out=np.zeros(len(curve.ts)), where=curve.equity > 0)
    return ExposureSummary(
        mean_quote=curves.time_weighted(curve, curve.exposure),
        max_quote=float(curve.exposure.max()),
        mean_leverage=curves.time_weighted(curve, leverage),
        max_leverage=float(leverage.max()),
        time_in_market=curves.time_weighted(curve, (curve.exposure > 0).astype(np.float64)),
    )


def _capacity(run: Run, net_bps: float | None, minutes: Minutes) -> list[CapacitySummary]:
    sigma = {iid: minute_volatility_bps(market) for iid, market in run.mids.items()}
    found = [sigma.get(iid) for iid in minutes.instrument]
    values = np.array([np.nan if s is None else s for s in found], dtype=np.float64)
    return [CapacitySummary(**asdict(c)) for c in capacity(net_bps, minutes, values)]


def _other_fees(fills: Fills, currency: str) -> dict[str, Decimal]:
    assets = sorted(set(fills.fee_asset) - {currency, None})
    return {asset: money(total(fills.fee_exact[fills.fee_asset == asset])) for asset in assets}
