"""How long everything took in a live session: share of durations that were at most so long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from monitoring.report.figures.style import BUY, MAIN, OTHER, WARN, Section, figure
from monitoring.report.run import Run
from monitoring.report.tables import table
from monitoring.report.timings import LABELS, Timing, TimingSummary

COLOURS = {"feed": WARN, "tick_to_decision": BUY, "decision_to_ack": MAIN, "ack_to_fill": OTHER}
CAPTION = (
    "Share of durations that were at most so long. Feed latency has the clock offset taken out; ack → fill of a resting order is "
    "its time in the queue."
)


def timings(run: Run) -> list[Section]:
    """One section for a live session that took the time; none for a backtest, whose latency is configured."""
    found = run.headline.timings
    if found is None:
        return []
    seen = [timing for timing in found if timing.count]
    note = "" if seen else "Nothing was measured."
    made = (
        figure([_curve(timing) for timing in seen], xaxis=_axis(), yaxis={"title": {"text": "share"}}) if seen else None
    )
    return [Section("timings", "Latency", CAPTION, made, timing_table(found), note)]


def _curve(timing: Timing) -> go.Scatter:
    ends, counts = np.array([end for end, _ in timing.buckets]), np.array([count for _, count in timing.buckets])
    return go.Scatter(
        x=ends, y=np.cumsum(counts) / counts.sum(), name=LABELS.get(timing.name, timing.name), mode="lines",
        line={"color": COLOURS.get(timing.name, MAIN), "width": 1.5, "shape": "hv"},
    )  # fmt: skip


def _axis() -> dict[str, object]:
    return {"type": "log", "title": {"text": "milliseconds"}}


def timing_table(timings: Sequence[TimingSummary]) -> str:
    """HTML table, a row a latency."""
    head = ("", "count", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "mean ms", "longest ms")
    rows = [
        (LABELS.get(t.name, t.name), f"{t.count:,}",
         *(_ms(value) for value in (t.p50_ms, t.p90_ms, t.p99_ms, t.p999_ms, t.mean_ms, t.max_ms)))
        for t in timings
    ]  # fmt: skip
    return table(head, rows)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}" if value < 10 else f"{value:,.1f}"
