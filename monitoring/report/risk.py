"""The risk part of a bound's summary: time with entries shut, halts, refusals, use of the limits."""

from __future__ import annotations

from monitoring.report.equity import Curve
from monitoring.report.limit_use import limit_use, not_computed
from monitoring.report.refused import refusal_stats
from monitoring.report.risk_lanes import Halt, Lane, clipped, halts, lanes, secs
from monitoring.report.risk_models import BreakerSummary, HaltSummary, RiskSummary
from monitoring.report.round_trips import RoundTrip
from monitoring.report.run import Bound, Run


def risk_summary(run: Run, bound: Bound, curve: Curve, trips: list[RoundTrip]) -> RiskSummary:
    """Everything that the report says about risk in one bound."""
    config, start, end = risk_config(run), run.start_ns, run.end_ns
    found, stops = lanes_of(run, bound), halts_of(run, bound)
    shut = None if bound.risk_events is None else shut_secs(found, stops, tuple(run.mids), start, end)
    whole = (end - start) / 1e9
    breakers = [breaker_summary(lane, start, end) for lane in found]
    return RiskSummary(
        recorded=bound.risk_events is not None,
        trading_secs=whole,
        shut_secs=shut,
        shut_share=None if shut is None else _share(shut, whole),
        breakers=sorted(breakers, key=lambda b: (-b.shut_secs, -b.reduced_secs, b.name, b.instrument_id)),
        halts=[_halt_summary(halt, start, end) for halt in stops],
        refusals=refusal_stats(bound.refusals),
        limits=limit_use(
            config, bound.orders, bound.fills, curve, run.mids, trips, float(bound.account.starting_balance)
        ),
        limits_not_computed=not_computed(config),
    )


def risk_config(run: Run) -> dict[str, object]:
    """Return the `risk` block of the run's resolved config; empty where it has none."""
    return dict(run.manifest.config.get("risk") or {})


def lanes_of(run: Run, bound: Bound) -> list[Lane]:
    """Breakers of a bound that were not always closed."""
    breakers = risk_config(run).get("breakers")
    known = breakers if isinstance(breakers, dict) else {}
    return [] if bound.risk_events is None else lanes(bound.risk_events, known, run.end_ns)


def halts_of(run: Run, bound: Bound) -> list[Halt]:
    """Halts of a bound."""
    return [] if bound.risk_events is None else halts(bound.risk_events, run.end_ns)


def breaker_summary(lane: Lane, start_ns: int, end_ns: int) -> BreakerSummary:
    """Count and time one breaker inside the trading time."""
    shut = clipped(lane.where(shut=True), start_ns, end_ns)
    return BreakerSummary(
        name=lane.name,
        instrument_id=lane.instrument_id,
        opened=sum(start_ns <= ts <= end_ns for ts in lane.opened),
        hard=sum(start_ns <= ts <= end_ns for ts in lane.hard),
        shut_secs=secs(shut),
        shut_share=_share(secs(shut), (end_ns - start_ns) / 1e9),
        reduced_secs=secs(clipped(lane.where(shut=False), start_ns, end_ns)),
        longest_secs=max((secs([span]) for span in shut), default=0.0),
    )


def shut_secs(
    found: list[Lane], stops: list[Halt], instrument_ids: tuple[str, ...], start_ns: int, end_ns: int
) -> float:
    """Time in which an instrument's breakers, account-wide ones, or a halt shut entries; mean over the instruments."""
    halted = [(halt.ts_ns, halt.until_ns) for halt in stops]
    each = []
    for iid in instrument_ids:
        mine = [span for lane in found if lane.instrument_id in ("", iid) for span in lane.where(shut=True)]
        each.append(secs(clipped([*mine, *halted], start_ns, end_ns)))
    return sum(each) / len(each) if each else 0.0


def _halt_summary(halt: Halt, start_ns: int, end_ns: int) -> HaltSummary:
    return HaltSummary(
        name=halt.name,
        ts_ns=halt.ts_ns,
        until_ns=halt.until_ns if halt.ended else None,
        reason=halt.reason,
        figures=halt.figures,
        problems=list(halt.problems),
        shut_secs=secs(clipped([(halt.ts_ns, halt.until_ns)], start_ns, end_ns)),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
