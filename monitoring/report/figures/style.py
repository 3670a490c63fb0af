"""What all pictures share: colours that read on white and on black, axes, and honest decimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from monitoring.report.columns import F64, I64

BUY, SELL = "#12a150", "#e5484d"
MAIN, OTHER, MUTED, WARN = "#3b82f6", "#a45ee5", "#8b93a1", "#e08a00"
BOUND_COLOURS = {"live": MAIN, "shadow": MAIN, "paper": MAIN, "conservative": MAIN, "optimistic": OTHER}
BUCKETS = 1200


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: a figure, a table, or a note that says why there is neither."""

    key: str
    title: str
    caption: str
    figure: go.Figure | None = None
    table: str = ""
    note: str = ""
    height: int = 360
    half: bool = False


def figure(traces: list[Any], **layout: Any) -> go.Figure:
    """Figure without a template: the page sets the colours of text, grid and background for its theme."""
    made = go.Figure(data=traces)
    top = 30 if layout.get("showlegend") is False else 12  # the legend is above the plot; without it, the tool bar
    made.update_layout(
        {
            "template": go.layout.Template(),
            "margin": {"l": 56, "r": 12, "t": top, "b": 40},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "hovermode": "closest",
            "barmode": "group",
        }
        | layout
    )
    return made


def millis(ts: I64) -> F64:
    """Nanoseconds as the milliseconds that a plotly date axis takes, UTC."""
    return np.asarray(ts / 1e6, dtype=np.float64)


def keep(ts: I64, values: F64, buckets: int = BUCKETS) -> I64:
    """Rows that draw the same line: first, lowest, highest and last of each time bucket.

    Jugel et al. (2014), "M4: A Visualization-Oriented Time Series Data Aggregation": with a bucket a pixel no extreme
    is lost. All rows when there are few.
    """
    if len(ts) <= 4 * buckets:
        return np.arange(len(ts))
    span = max(int(ts[-1] - ts[0]), 1)
    bucket = np.minimum((ts - ts[0]) * buckets // span, buckets - 1)
    by_value = np.lexsort((values, bucket))
    sorted_bucket = bucket[by_value]
    edges = np.flatnonzero(np.diff(sorted_bucket)) + 1
    lows, highs = by_value[np.concatenate([[0], edges])], by_value[np.concatenate([edges - 1, [len(ts) - 1]])]
    starts = np.flatnonzero(np.diff(bucket)) + 1
    firsts, lasts = np.concatenate([[0], starts]), np.concatenate([starts - 1, [len(ts) - 1]])
    return np.asarray(np.unique(np.concatenate([lows, highs, firsts, lasts])), dtype=np.int64)


def changes(values: F64) -> I64:
    """Rows at which a step series changes, with the first and the last."""
    moved = np.flatnonzero(np.diff(values) != 0) + 1
    return np.asarray(np.unique(np.concatenate([[0], moved, [len(values) - 1]])), dtype=np.int64)


def line(ts: I64, values: F64, name: str, colour: str, **more: Any) -> go.Scatter:
    """Decimated line over time."""
    rows = keep(ts, values)
    style = {"color": colour, "width": 1.5} | more.pop("line", {})
    return go.Scatter(x=millis(ts[rows]), y=values[rows], name=name, mode="lines", line=style, **more)


def time_axis(start_ns: int, end_ns: int, **more: Any) -> dict[str, Any]:
    """UTC time axis over a whole period."""
    return {
        "type": "date",
        "hoverformat": "%H:%M:%S.%L",
        "range": [start_ns / 1e6, end_ns / 1e6],
        "title": {"text": "UTC"},
    } | more
