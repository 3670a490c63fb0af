"""Breaker timeline over price, and refusals over time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import cycle, groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go

from monitoring.report.columns import F64, I64
from monitoring.report.figures.style import BUCKETS, BUY, MAIN, MUTED, SELL, WARN, Section, figure, line, time_axis
from monitoring.report.models import BoundSummary
from monitoring.report.risk import halts_of, lanes_of
from monitoring.report.risk_lanes import Halt, Lane, Segment
from monitoring.report.run import Run

HALT_LANE = "halt"
MOST_BARS = 3000
"""More stretches than this are drawn joined, lane by lane, where they share a pixel column."""
HALTED = "#b64ad6"
_KINDS = {"soft": WARN, "hard": SELL, "half open": MUTED, "halted": HALTED}
_COLOURS = {"edge": MAIN, "breaker": WARN, "daily_loss": SELL, "halted": HALTED}
_OTHERS = ("#00a0b0", BUY, "#8c6d3f", "#d6649e")
_MOST_REASONS = 6
_MINUTES = (1, 5, 15, 60, 240, 1440)
_MOST_BINS = 720
_NAME_BREAK = 13

type Bar = tuple[str, str, int, int, str]
"""Lane, kind, start, end, what pointing at it shows."""


def timeline(run: Run, instrument_id: str) -> Section:
    """One lane per breaker of an instrument, or of the account, that was not always closed, under the mid."""
    title = f"Breakers and halts over price · {instrument_id}"
    key = f"risk-{instrument_id}"
    if run.headline.risk_events is None:
        return Section(key, title, "", note="This run recorded no risk events: it was made before there were any.")
    lanes = [lane for lane in lanes_of(run, run.headline) if lane.instrument_id in ("", instrument_id)]
    lanes = [lane for lane in lanes if _inside(lane.segments, run)]
    stops = halts_of(run, run.headline)
    caption = (
        f"Each bar is a stretch in which a breaker was not closed, {run.headline.name} bound. Entries are shut under "
        "soft, hard and half open, unless the config only shrinks them; exits and cancels always pass. Every stretch "
        "is at least a pixel wide, so a row of short ones looks longer than it was: the table has the seconds."
    )
    if not lanes and not stops:
        return Section(key, title, "", note="Every breaker was closed all the time, and nothing halted the run.")
    bars, joined = _bars(run, lanes, stops)
    if joined:
        caption += f" {joined:,} stretches that share a pixel column with others are drawn as one."
    names = ([HALT_LANE] if stops else []) + [shown(lane.name) for lane in lanes]
    height = 300 + 34 * len(names)
    return Section(key, title, caption, _figure(run, instrument_id, bars, names, stops, height), height=height)


def shown(name: str) -> str:
    """Breaker name on an axis: long ones in two lines, broken at the underscore nearest to the middle."""
    cuts = [i for i, letter in enumerate(name) if letter == "_"]
    if len(name) <= _NAME_BREAK or not cuts:
        return name
    cut = min(cuts, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:cut]}<br>{name[cut:]}"


def _inside(segments: Sequence[Segment], run: Run) -> bool:
    return any(s.end_ns > run.start_ns and s.start_ns < run.end_ns for s in segments)


def _bars(run: Run, lanes: Sequence[Lane], stops: Sequence[Halt]) -> tuple[list[Bar], int]:
    """All bars inside the trading time, and how many stretches went into joined ones."""
    made: list[Bar] = [
        (HALT_LANE, "halted", halt.ts_ns, halt.until_ns, f"{escape(halt.name)}: {escape(halt.reason)}")
        for halt in stops
    ]
    many = sum(len(lane.segments) for lane in lanes) > MOST_BARS
    joined = 0
    for lane in lanes:
        mine = [s for s in lane.segments if s.end_ns > run.start_ns and s.start_ns < run.end_ns]
        bars = [_bar(lane, s) for s in mine]
        if many:
            before = len(bars)
            bars = _joined(bars, max((run.end_ns - run.start_ns) // BUCKETS, 1))
            joined += before - len(bars)
        made += bars
    return [(n, k, max(a, run.start_ns), min(b, run.end_ns), text) for n, k, a, b, text in made], joined


def _bar(lane: Lane, segment: Segment) -> Bar:
    kind = "half open" if segment.state == "half_open" else segment.level
    figures = "<br>".join(f"{escape(k)} {_short(v)}" for k, v in segment.figures.items())
    free = {0.0: "no entries", 1.0: "entries pass as probes"}.get(
        segment.size_factor, f"entries at {segment.size_factor:.0%} of their size"
    )
    text = f"<b>{lane.name}</b> · {kind} · {free}<br>{escape(segment.reason)}<br>{figures}"
    return shown(lane.name), kind, segment.start_ns, segment.end_ns, text


def _joined(bars: Sequence[Bar], column_ns: int) -> list[Bar]:
    """One bar, with the worst kind, for neighbours that begin in the same pixel column."""
    rank = {kind: number for number, kind in enumerate(("half open", "soft", "hard"))}
    made: list[Bar] = []
    for _, group in groupby(bars, key=lambda bar: bar[2] // column_ns):
        same = list(group)
        worst = max(same, key=lambda bar: rank[bar[1]])
        text = worst[4] if len(same) == 1 else f"{worst[4]}<br>and {len(same) - 1} more stretches here"
        made.append((worst[0], worst[1], same[0][2], same[-1][3], text))
    return made


def _figure(
    run: Run, instrument_id: str, bars: Sequence[Bar], names: Sequence[str], stops: Sequence[Halt], height: int
) -> go.Figure:
    market = run.mids[instrument_id].between(run.start_ns, run.end_ns)
    split = 34 * len(names) / (height - 70)
    traces: list[Any] = [line(market.ts, market.mid, "mid", MUTED, line={"width": 1}, yaxis="y2")]
    for kind, colour in _KINDS.items():
        mine = [bar for bar in bars if bar[1] == kind]
        if mine:
            traces.append(_stretches(mine, kind, colour))
    lines = [halt for halt in stops if run.start_ns <= halt.ts_ns <= run.end_ns]
    if lines:
        traces.append(_halt_marks(lines, float(market.mid.max())))
    shapes = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": h.ts_ns / 1e6, "x1": h.ts_ns / 1e6, "y0": 0, "y1": 1,
         "line": {"color": HALTED, "width": 1.5, "dash": "dash"}}
        for h in lines
    ]  # fmt: skip
    return figure(
        traces,
        xaxis=time_axis(run.start_ns, run.end_ns, anchor="y"),
        yaxis={
            "domain": [0.0, split], "type": "category", "categoryorder": "array", "categoryarray": list(reversed(names)),
            "range": [-0.5, len(names) - 0.5], "ticksuffix": " ", "fixedrange": True,
        },
        yaxis2={"domain": [split + 0.05, 1.0], "title": {"text": f"price, {run.headline.account.currency}"}},
        barmode="overlay", bargap=0.25, shapes=shapes, annotations=_reasons(lines, run),
    )  # fmt: skip


def _stretches(bars: Sequence[Bar], kind: str, colour: str) -> go.Bar:
    start = np.array([bar[2] for bar in bars], dtype=np.float64) / 1e6
    end = np.array([bar[3] for bar in bars], dtype=np.float64) / 1e6
    return go.Bar(
        orientation="h",
        base=start,
        x=end - start,
        y=[bar[0] for bar in bars],
        name=kind,
        marker={"color": colour, "line": {"color": colour, "width": 1}},
        customdata=[f"{bar[4]}<br>{(bar[3] - bar[2]) / 1e9:,.1f} s" for bar in bars],
        hovertemplate="%{base|%H:%M:%S}<br>%{customdata}<extra></extra>",
    )


def _halt_marks(stops: Sequence[Halt], top: float) -> go.Scatter:
    return go.Scatter(
        x=[halt.ts_ns / 1e6 for halt in stops],
        y=[top] * len(stops),
        yaxis="y2",
        mode="markers",
        name="halt",
        showlegend=False,
        marker={"symbol": "x", "size": 10, "color": HALTED},
        customdata=[f"{escape(halt.name)}: {escape(halt.reason)}" for halt in stops],
        hovertemplate="HALT %{x|%H:%M:%S}<br>%{customdata}<extra></extra>",
    )


def _reasons(stops: Sequence[Halt], run: Run) -> list[dict[str, Any]]:
    """Reason beside each of the first three lines, towards the middle; the table has them all."""
    middle = (run.start_ns + run.end_ns) / 2
    return [
        {"x": halt.ts_ns / 1e6, "xref": "x", "y": 0.99, "yref": "paper", "yanchor": "top", "showarrow": False,
         "xanchor": "left" if halt.ts_ns < middle else "right", "xshift": 8 if halt.ts_ns < middle else -8,
         "text": f"halted: {escape(halt.reason)}", "font": {"size": 12},
         "yshift": -18 * number}
        for number, halt in enumerate(stops[:3])
    ]  # fmt: skip


def refusals(run: Run, bound: BoundSummary) -> Section:
    """Refusals of our own gate by reason, over time."""
    found = bound.risk.refusals
    caption = f"Orders that our own gate refused before they left: {bound.refusals:,} beside {bound.orders:,} sent."
    if not found:
        return Section("refusals", "Refusals by reason", caption, note="None.")
    table = run.headline.refusals
    ts = np.asarray(table.column("ts_ns").to_numpy(), dtype=np.int64)
    reasons = np.array(table.column("reason").to_pylist(), dtype=np.object_)
    edges, minutes = _bins(min(run.start_ns, int(ts.min())), max(run.end_ns, int(ts.max())))
    names = [r.reason for r in found[:_MOST_REASONS]]
    spare = cycle(_OTHERS)
    colours = {name: _COLOURS.get(name) or next(spare) for name in names}
    traces = [_stack(name, ts[reasons == name], edges, colour) for name, colour in colours.items()]
    rest = ts[~np.isin(reasons, names)]
    traces += [_stack("others", rest, edges, MUTED)] if len(rest) else []
    every = "minute" if minutes == 1 else f"{minutes} minutes"
    made = figure(
        traces,
        barmode="stack",
        bargap=0.1,
        xaxis=time_axis(int(edges[0]), int(edges[-1])),
        yaxis={"title": {"text": f"orders per {every}"}, "rangemode": "tozero"},
        showlegend=True,
    )
    return Section("refusals", "Refusals by reason", caption, made, height=300)


def _bins(first_ns: int, last_ns: int) -> tuple[I64, int]:
    """Edges at UTC multiples of the shortest step that gives few enough bars."""
    span = (last_ns - first_ns) / 60e9
    minutes = next((m for m in _MINUTES if span / m <= _MOST_BINS), _MINUTES[-1])
    step = minutes * 60_000_000_000
    return np.arange(first_ns // step * step, last_ns + step, step, dtype=np.int64), minutes


def _stack(name: str, ts: I64, edges: I64, colour: str) -> go.Bar:
    counts, _ = np.histogram(ts, bins=edges)
    some = counts > 0
    middle: F64 = (edges[:-1] + edges[1:]) / 2e6
    return go.Bar(
        x=middle[some],
        y=counts[some],
        width=float(edges[1] - edges[0]) / 1e6 * 0.9,
        name=name,
        marker={"color": colour},
        hovertemplate="%{y} refused<extra>" + escape(name) + "</extra>",
    )


def _short(value: str | int | float) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else escape(str(value))
