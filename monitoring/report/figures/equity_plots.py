"""Equity, drawdown, baselines, P&L by the clock."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from monitoring.report.attribution import pnl_by_day, pnl_by_hour
from monitoring.report.baselines import RandomSide, buy_and_hold, random_side
from monitoring.report.columns import F64
from monitoring.report.equity import Curve, drawdowns
from monitoring.report.figures.style import (
    BOUND_COLOURS,
    BUY,
    MAIN,
    MUTED,
    SELL,
    WARN,
    Section,
    figure,
    line,
    millis,
    time_axis,
)
from monitoring.report.round_trips import round_trips
from monitoring.report.run import Run

_MAIN_FILL, _OTHER_FILL = "rgba(59,130,246,0.18)", "rgba(164,94,229,0.10)"


def equity(run: Run, curves: dict[str, Curve]) -> Section:
    """Equity of each bound over its drawdown, from every mark."""
    traces = []
    for name, curve in curves.items():
        colour, start = BOUND_COLOURS[name], float(run.bounds[name].account.starting_balance)
        _, fraction = drawdowns(curve.equity, start)
        dashed = {"dash": "dot"} if name == "optimistic" else {}
        traces.append(line(curve.ts, curve.equity, name, colour, line=dashed, legendgroup=name))
        traces.append(
            line(
                curve.ts,
                -100.0 * fraction,
                f"{name} drawdown",
                colour,
                yaxis="y2",
                fill="tozeroy",
                fillcolor=_OTHER_FILL if name == "optimistic" else _MAIN_FILL,
                legendgroup=name,
                showlegend=False,
                line={"width": 1, **dashed},
            )
        )
    layout = {
        "xaxis": time_axis(run.start_ns, run.end_ns, anchor="y2"),
        "yaxis": {"domain": [0.36, 1.0], "title": {"text": f"equity, {run.headline.account.currency}"}},
        "yaxis2": {"domain": [0.0, 0.28], "title": {"text": "drawdown, %"}, "rangemode": "tozero"},
    }
    return Section(
        "equity",
        "Equity and drawdown",
        "Account value at mid in both queue bounds, and its fall from the running peak, which starts at the starting "
        "balance. Drawn from every mark: each pixel column keeps its lowest and highest value.",
        figure(traces, **layout),
        height=440,
    )


def baselines(run: Run, curve: Curve) -> Section:
    """Net P&L beside buy-and-hold and the random-side null."""
    start = float(run.headline.account.starting_balance)
    trips = round_trips(run.headline.fills, run.headline.funding, run.mids)
    null = random_side(trips, run.end_ns)
    traces = [] if null is None else _null(null, run.start_ns, run.end_ns)
    for iid, market in run.mids.items():
        inside = market.between(run.start_ns, run.end_ns)
        held = buy_and_hold(inside, inside.ts, start, run.manifest.fees.taker_bps or 0.0)
        traces.append(line(inside.ts, held, f"buy and hold {iid.split('.')[0]}", WARN, visible="legendonly"))
    traces.append(line(curve.ts, curve.equity - start, "this run", MAIN, line={"width": 2}))
    said = "No round trips, so no random-side null." if null is None else _beaten(null.beaten)
    return Section(
        "baselines",
        "Beside doing nothing clever",
        f"{said} The null keeps every round trip's times, sizes and costs and tosses its side 1,000 times, as if the "
        "other side would have been filled alike. Buy and hold invests the whole starting balance (tap its name to "
        "show it; its scale is another).",
        figure(
            traces,
            xaxis=time_axis(run.start_ns, run.end_ns),
            yaxis={"title": {"text": f"net P&L, {run.headline.account.currency}"}},
            hovermode="x",
        ),
    )


def _null(null: RandomSide, start_ns: int, end_ns: int) -> list[go.Scatter]:
    x = millis(np.concatenate([[start_ns], null.closed_ns, [end_ns]]))
    low, median, high = (np.concatenate([[0.0], y, y[-1:]]) for y in (null.low, null.median, null.high))
    edge = {"mode": "lines", "line": {"width": 0, "color": MUTED, "shape": "hv"}, "hoverinfo": "skip"}
    middle = {"color": MUTED, "dash": "dot", "shape": "hv"}
    shade = {"fill": "tonexty", "fillcolor": "rgba(139,147,161,0.25)"}
    return [
        go.Scatter(x=x, y=high, showlegend=False, **edge),
        go.Scatter(x=x, y=low, name="random side, 5–95 %", **shade, **edge),
        go.Scatter(x=x, y=median, name="random side, median", mode="lines", line=middle),
    ]


def _beaten(share: float) -> str:
    return f"This run ended above {share:.0%} of the random-side draws."


def by_clock(run: Run, curve: Curve) -> Section:
    """P&L by UTC hour of the day and by UTC day."""
    start = float(run.headline.account.starting_balance)
    hours = pnl_by_hour(curve.ts, curve.equity, start)
    days = pnl_by_day(curve.ts, curve.equity, start)
    traces = [
        _bars(np.arange(24, dtype=np.float64), hours, "x"),
        _bars(np.arange(len(days), dtype=np.float64), np.array(list(days.values())), "x2"),
    ]
    names = list(days)
    shown = range(0, len(names), max(1, len(names) // 8))
    layout = {
        "xaxis": {
            "domain": [0.0, 0.58],
            "title": {"text": "UTC hour"},
            "dtick": 4,
            "range": [-0.6, 23.6],
            "zeroline": False,
        },
        "xaxis2": {
            "domain": [0.66, 1.0],
            "title": {"text": "UTC day"},
            "tickvals": list(shown),
            "ticktext": [names[i][5:] for i in shown],
            "range": [-0.9, len(names) - 0.1],
            "zeroline": False,
        },
        "yaxis": {"title": {"text": f"P&L, {run.headline.account.currency}"}},
        "yaxis2": {"anchor": "x2"},
        "showlegend": False,
    }
    return Section(
        "clock",
        "P&L by hour and by day",
        "Change of equity, summed by UTC hour of the day and by UTC day.",
        figure(traces, **layout),
        height=300,
        half=True,
    )


def _bars(x: F64, values: F64, axis: str) -> go.Bar:
    colours = [BUY if value >= 0 else SELL for value in values]
    yaxis = "y" if axis == "x" else "y2"
    return go.Bar(
        x=x, y=values, marker={"color": colours}, xaxis=axis, yaxis=yaxis, hovertemplate="%{y:.2f}<extra></extra>"
    )
