"""Waterfall, markouts, capacity, latency against P&L."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from monitoring.report.columns import F64, UNKNOWN_NS
from monitoring.report.figures.style import BOUND_COLOURS, BUY, MAIN, MUTED, SELL, WARN, Section, figure
from monitoring.report.markouts import fee_bps, markout_bps
from monitoring.report.models import BoundSummary, CapacitySummary, MarkoutSummary, Summary
from monitoring.report.run import Run

LATENCY_HORIZON_SECS = 10.0
_STEPS = ("spread captured", "markout", "inventory", "fees", "funding", "net")


def waterfall(summary: Summary) -> Section:
    """P&L by cause, both bounds side by side."""
    traces = [_steps(bound) for bound in summary.bounds.values()]
    horizon = next(iter(summary.bounds.values())).waterfall.horizon_secs
    return Section(
        "waterfall",
        "Where the money came from",
        f"Net P&L by cause, {summary.currency}: spread captured at the fill, markout to {horizon:g} s later, inventory "
        "from then to the end of the data, fees and funding. Net is read from the engine's account, not summed.",
        figure(
            traces,
            waterfallmode="group",
            yaxis={"title": {"text": summary.currency}, "zeroline": True, "range": _room(summary)},
            xaxis={"type": "category", "tickangle": 0, "automargin": True},
        ),
        height=380,
    )


def _values(bound: BoundSummary) -> list[float]:
    parts = bound.waterfall
    return [float(v) for v in (parts.spread, parts.markout, parts.inventory, -parts.fees, parts.funding, parts.net)]


def _room(summary: Summary) -> list[float]:
    """Range of the bars and an eighth of it on both sides, so that no figure lies on the frame or the zero line."""
    levels = [0.0] + [level for b in summary.bounds.values() for level in np.cumsum(_values(b)[:-1])]
    low, high = float(min(levels)), float(max(levels))
    margin = (high - low) / 8 or 1.0
    return [low - margin, high + margin]


def label(value: float) -> str:
    """Money to the cent; one digit more than zeros where a cent would hide it."""
    return f"{value:+,.2f}" if abs(value) >= 0.005 or value == 0.0 else f"{value:+.1g}"


def _steps(bound: BoundSummary) -> go.Waterfall:
    values = _values(bound)
    faded = 1.0 if bound.bound == "conservative" else 0.55
    return go.Waterfall(
        name=bound.bound,
        x=[step.replace(" ", "<br>") for step in _STEPS],
        y=values,
        measure=["relative"] * 5 + ["total"],
        opacity=faded,
        text=[label(value) for value in values],
        textposition="outside",
        cliponaxis=False,
        increasing={"marker": {"color": BUY}},
        decreasing={"marker": {"color": SELL}},
        totals={"marker": {"color": BOUND_COLOURS[bound.bound]}},
        connector={"line": {"width": 1, "color": MUTED, "dash": "dot"}},
        hovertemplate="%{x}: %{text}<extra>" + bound.bound + "</extra>",
    )


def markout_curve(bound: BoundSummary) -> Section:
    """Markout over horizon, gross and after fee, maker and taker apart."""
    traces = []
    for kind, colour in (("MAKER", MAIN), ("TAKER", WARN)):
        rows = [m for m in bound.markouts if m.liquidity == kind and m.net_bps is not None]
        if rows:
            traces += [_net(rows, kind.lower(), colour), _gross(rows, kind.lower(), colour)]
    ticks = sorted({m.horizon_secs for m in bound.markouts})
    excluded = max((m.excluded for m in bound.markouts if m.liquidity == "ALL"), default=0)
    return Section(
        "markouts",
        "Markout: where the mid went after our fills",
        "s·(mid after h − fill price) / price, weighted by notional; bars are 95 % block-bootstrap intervals, left out "
        f"where too few fills are independent. Fills with less than h of data left are excluded: {excluded} at the longest.",
        figure(
            traces,
            xaxis={
                "type": "log",
                "tickvals": ticks,
                "ticktext": [f"{t:g} s" for t in ticks],
                "title": {"text": "time after the fill"},
            },
            yaxis={"title": {"text": "basis points"}, "zeroline": True},
        )
        if traces
        else None,
        note="" if traces else "No fills, so no markouts.",
    )


def _net(rows: list[MarkoutSummary], kind: str, colour: str) -> go.Scatter:
    net = np.array([m.net_bps for m in rows], dtype=np.float64)
    low = np.array([np.nan if m.net_low_bps is None else m.net_low_bps for m in rows])
    high = np.array([np.nan if m.net_high_bps is None else m.net_high_bps for m in rows])
    return go.Scatter(
        x=[m.horizon_secs for m in rows],
        y=net,
        error_y={"array": high - net, "arrayminus": net - low, "width": 4, "thickness": 1.2},
        name=f"{kind}, after fee",
        mode="lines+markers",
        line={"color": colour, "width": 2},
        hovertemplate="%{y:.3f} bps after %{x} s<extra>%{fullData.name}</extra>",
    )


def _gross(rows: list[MarkoutSummary], kind: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[m.horizon_secs for m in rows],
        y=[m.gross_bps for m in rows],
        name=f"{kind}, gross",
        mode="lines+markers",
        line={"color": colour, "width": 1, "dash": "dot"},
        marker={"symbol": "circle-open"},
        hovertemplate="%{y:.3f} bps after %{x} s<extra>%{fullData.name}</extra>",
    )


def capacity(bound: BoundSummary) -> Section:
    """Estimated net per turnover at other sizes."""
    rows = [c for c in bound.capacity if c.net_bps is not None]
    note = next((c.reason for c in bound.capacity if c.net_bps is None), None)
    caption = (
        "A replay has no market reaction, so this is an estimate: the replayed net per turnover less square-root "
        "impact (σ per minute × √(own / market volume), factor 1). Hollow marks need more than 10 % of the market's "
        "volume. Whether larger resting orders would fill as often cannot be told from one replay."
    )
    if not rows:
        return Section("capacity", "Capacity", caption, note=f"No estimate: {note}.", half=True)
    ticks = [c.scale for c in rows]
    names = [f"{scale:g}×" for scale in ticks]
    axis = {"type": "log", "tickvals": ticks, "ticktext": names, "title": {"text": "size"}}
    made = figure(_sizes(rows, bound.net_bps), xaxis=axis, yaxis={"title": {"text": "net, bps of turnover"}})
    missing = f"No figure at larger sizes: {note}." if note else ""
    return Section("capacity", "Capacity", caption, made, note=missing, height=340, half=True)


def _sizes(rows: list[CapacitySummary], replayed_bps: float | None) -> list[go.Scatter]:
    symbols = ["circle-open" if c.beyond_data else "circle" for c in rows]
    estimate = go.Scatter(
        x=[c.scale for c in rows],
        y=[c.net_bps for c in rows],
        name="estimate",
        mode="lines+markers",
        line={"color": MAIN},
        marker={"symbol": symbols, "size": 9},
        customdata=[c.share_p95 for c in rows],
        hovertemplate="%{x}× size: %{y:.2f} bps<br>share of market p95 %{customdata:.1%}<extra></extra>",
    )
    ends, style = [rows[0].scale, rows[-1].scale], {"color": MUTED, "dash": "dot"}
    return [estimate, go.Scatter(x=ends, y=[replayed_bps] * 2, name="replayed", mode="lines", line=style)]


def latency(run: Run) -> Section:
    """Decision-to-book latency of each fill's order against its markout after fee."""
    fills = run.headline.fills
    took = np.where(fills.ts_arrival == UNKNOWN_NS, np.nan, (fills.ts_arrival - fills.ts_decision) / 1e6)
    gain = markout_bps(fills, run.mids, LATENCY_HORIZON_SECS) - fee_bps(fills)
    known = np.isfinite(took) & np.isfinite(gain)
    caption = (
        f"Each mark is a fill: from decision to acceptance by the venue, against its markout after "
        f"{LATENCY_HORIZON_SECS:g} s less its fee. The line joins the means of five equally filled groups."
    )
    if not known.any():
        return Section(
            "latency", "Latency against P&L", caption, note="No fill has an arrival time and a markout.", half=True
        )
    x, y = took[known], gain[known]
    traces = [
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            name="fills",
            marker={"size": 5, "color": MUTED, "opacity": 0.6},
            hovertemplate="%{x:.0f} ms, %{y:.2f} bps<extra></extra>",
        ),
        *_group_means(x, y),
    ]
    axes = {"xaxis": {"title": {"text": "latency, ms"}}, "yaxis": {"title": {"text": "markout after fee, bps"}}}
    note = f"Every order took {x[0]:g} ms: the run has a constant latency." if float(np.ptp(x)) < 1e-9 else ""
    made = figure(traces, **axes)
    return Section("latency", "Latency against P&L", caption, made, note=note, height=340, half=True)


def _group_means(x: F64, y: F64) -> list[go.Scatter]:
    if len(x) < 25 or float(np.ptp(x)) < 1e-9:
        return []
    groups = np.array_split(np.argsort(x, kind="stable"), 5)
    means = [(float(x[g].mean()), float(y[g].mean())) for g in groups]
    return [
        go.Scatter(
            x=[m[0] for m in means],
            y=[m[1] for m in means],
            name="mean of each fifth",
            mode="lines+markers",
            line={"color": MAIN, "width": 2},
        )
    ]
