"""The risk sections of the page, in reading order."""

from __future__ import annotations

from dataclasses import replace

from monitoring.report import risk_tables
from monitoring.report.figures import risk_page
from monitoring.report.figures.style import Section
from monitoring.report.models import Summary
from monitoring.report.risk import lanes_of
from monitoring.report.risk_lanes import NS_PER_DAY
from monitoring.report.run import Run

_LIMITS = (
    "Largest use of each limit that the config sets, in trading time; positions count resting entries as filled, as the "
    "limit does. Use is taken at every mark, the gate looks before each entry and once a second: a halted position can "
    "go on losing beyond the limit until it is closed."
)
_EDGES = "What shut all entries at once, in every queue bound: halts, and breakers that reached their hard limit."


def risk_sections(run: Run, summary: Summary) -> list[Section]:
    """Timeline over price, hard edges, refusals, limits."""
    bound = summary.bounds[summary.headline]
    several_days = run.start_ns // NS_PER_DAY != run.end_ns // NS_PER_DAY
    timelines = [risk_page.timeline(run, iid) for iid in run.mids]
    if timelines:
        timelines[-1] = replace(timelines[-1], table=risk_tables.breakers(bound))
    refused = replace(risk_page.refusals(run, bound), table=risk_tables.refusals(bound.risk.refusals, day=several_days))
    return [*timelines, _edges(run, summary, several_days), refused, _limits(summary, several_days)]


def _edges(run: Run, summary: Summary, day: bool) -> Section:
    halts = [(name, halt) for name, bound in summary.bounds.items() for halt in bound.risk.halts]
    lanes = [(name, lane) for name, bound in run.bounds.items() for lane in lanes_of(run, bound)]
    table = risk_tables.edges(halts, lanes, day=day)
    return Section("risk-edges", "Halts and hard edges", _EDGES, table=table, note="" if table else "None.")


def _limits(summary: Summary, day: bool) -> Section:
    bounds = list(summary.bounds.values())
    table = risk_tables.limits(bounds, day=day)
    left = bounds[0].risk.limits_not_computed
    note = f"Not computed, since the tables do not tell: {', '.join(left)}." if left else ""
    return Section("risk-limits", "Limits and their peak use", _LIMITS, table=table,
                   note=note if table else "The run's config names no limits.")  # fmt: skip
