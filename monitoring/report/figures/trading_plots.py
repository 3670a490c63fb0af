"""Price with fills and inventory, inventory histogram."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from monitoring.report.columns import F64, Fills
from monitoring.report.equity import Curve
from monitoring.report.figures.style import (
    BUY,
    MAIN,
    MUTED,
    SELL,
    Section,
    changes,
    figure,
    line,
    millis,
    time_axis,
)
from monitoring.report.run import Run

BINS = 41


def price(run: Run, curve: Curve, instrument_id: str) -> Section:
    """Mid with every fill on it, over the position."""
    market = run.mids[instrument_id].between(run.start_ns, run.end_ns)
    fills = run.headline.fills.where(run.headline.fills.instrument == instrument_id)
    held = curve.position[instrument_id]
    rows = changes(held)
    traces = [
        line(market.ts, market.mid, "mid", MUTED, line={"width": 1}),
        *fill_markers(fills),
        go.Scatter(
            x=millis(curve.ts[rows]),
            y=held[rows],
            name="position",
            yaxis="y2",
            line={"shape": "hv", "color": MAIN, "width": 1},
            fill="tozeroy",
            fillcolor="rgba(59,130,246,0.18)",
        ),
    ]
    layout = {
        "xaxis": time_axis(run.start_ns, run.end_ns, anchor="y2"),
        "yaxis": {"domain": [0.34, 1.0], "title": {"text": f"price, {run.headline.account.currency}"}},
        "yaxis2": {"domain": [0.0, 0.26], "title": {"text": "position,<br>base units"}},
    }
    return Section(
        f"price-{instrument_id}",
        f"Price, fills and position · {instrument_id}",
        f"All {len(fills):,} fills of the {run.headline.name} bound: filled marks are maker, hollow ones taker. The "
        "mid is thinned to the first, lowest, highest and last value of each pixel column; no fill is left out.",
        figure(traces, **layout),
        height=460,
    )


def fill_markers(fills: Fills, size: int = 8) -> list[go.Scatter]:
    """Every fill as a mark: up for a buy, down for a sell, hollow for a taker."""
    made = []
    for side, word, colour in ((1, "buy", BUY), (-1, "sell", SELL)):
        for maker, kind in ((True, "maker"), (False, "taker")):
            mine = fills.where((fills.side == side) & (fills.maker == maker))
            if len(mine):
                symbol = f"triangle-{'up' if side > 0 else 'down'}{'' if maker else '-open'}"
                made.append(
                    go.Scatter(
                        x=millis(mine.ts),
                        y=mine.price,
                        customdata=mine.quantity,
                        name=f"{kind} {word}",
                        mode="markers",
                        marker={
                            "symbol": symbol,
                            "size": size,
                            "color": colour,
                            "line": {"width": 1.2, "color": colour},
                        },
                        hovertemplate=f"{kind} {word} %{{customdata}} at %{{y}}<br>%{{x}}<extra></extra>",
                    )
                )
    return made


def inventory(run: Run, curve: Curve) -> Section:
    """How long each position was held."""
    reach = max([1e-9, *(float(np.abs(held).max()) for held in curve.position.values())])
    traces = [
        _histogram(curve, held, iid, colour)
        for (iid, held), colour in zip(curve.position.items(), (MAIN, SELL, BUY, MUTED) * len(run.mids), strict=False)
    ]
    return Section(
        "inventory",
        "Inventory",
        "Share of the time that each position was held; flat time included.",
        figure(
            traces,
            xaxis={
                "title": {"text": "position, base units"},
                "range": [-1.12 * reach, 1.12 * reach],
                "zeroline": False,
            },
            yaxis={"title": {"text": "share of time"}, "tickformat": ".0%"},
            showlegend=len(traces) > 1,
        ),
        height=340,
        half=True,
    )


def _histogram(curve: Curve, held: F64, instrument_id: str, colour: str) -> go.Bar:
    reach = max(float(np.abs(held).max()), 1e-9)
    lasted = np.diff(curve.ts).astype(np.float64)
    share, edges = np.histogram(held[:-1], bins=BINS, range=(-reach * 1.02, reach * 1.02), weights=lasted)
    return go.Bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=share / max(lasted.sum(), 1.0),
        name=instrument_id,
        marker={"color": colour},
        hovertemplate="%{x:.4f}: %{y:.1%}<extra></extra>",
    )
