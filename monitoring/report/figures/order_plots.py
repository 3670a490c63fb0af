"""Queue ahead against outcome."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from monitoring.report.columns import F64, I64, Orders, Text
from monitoring.report.figures.style import BUY, MAIN, MUTED, SELL, WARN, Section, figure
from monitoring.report.run import Run

GROUPS = 5
_OUTCOMES = {
    "filled": BUY,
    "partly filled": MAIN,
    "canceled": MUTED,
    "rejected": SELL,
    "open or expired": WARN,
}


def outcomes(orders: Orders) -> list[str]:
    """Word for how each order ended."""
    found = []
    for status, filled in zip(orders.status, orders.filled, strict=True):
        if status == "FILLED":
            found.append("filled")
        elif filled > 0:
            found.append("partly filled")
        else:
            found.append({"CANCELED": "canceled", "REJECTED": "rejected"}.get(status, "open or expired"))
    return found


def queue(run: Run) -> Section:
    """Share of outcomes by the size that stood ahead when the order was accepted."""
    orders = run.headline.orders
    known = orders.where(orders.sent & np.isfinite(orders.queue_ahead))
    caption = (
        "Orders grouped by the size displayed at their price when the venue accepted them, in equally filled groups ("
        "none: we were first), and "
        "how they ended. A queue model that fills long queues as often as short ones is not a model."
    )
    title = "Queue ahead at placement against outcome"
    if not len(known):
        return Section("queue", title, caption, note="No resting order has a recorded queue.", half=True)
    group, names = queue_groups(known.queue_ahead)
    found = np.array(outcomes(known), dtype=np.object_)
    traces = [_share(word, found, group, names) for word in _OUTCOMES if word in found]
    axes = {
        "xaxis": {"title": {"text": "queue ahead, base units"}, "type": "category", "tickangle": 0},
        "yaxis": {"title": {"text": "share of orders"}, "tickformat": ".0%", "range": [0, 1]},
        "barmode": "stack",
    }
    return Section("queue", title, caption, figure(traces, **axes), height=340, half=True)


def queue_groups(ahead: F64) -> tuple[I64, list[str]]:
    """Group of each order and the groups' names: no queue at all, then equally filled ranges."""
    queued = ahead[ahead > 0]
    edges = np.unique(np.quantile(queued, np.linspace(0, 1, GROUPS + 1))) if len(queued) else np.zeros(0)
    inside = np.clip(np.searchsorted(edges, ahead, side="right") - 1, 0, max(len(edges) - 2, 0))
    names = [f"{low:.2g}–<br>{high:.2g}" for low, high in pairwise(edges)] or [f"{edge:.2g}" for edge in edges]
    if len(queued) == len(ahead):
        return np.asarray(inside, dtype=np.int64), names
    return np.where(ahead > 0, inside + 1, 0).astype(np.int64), ["none", *names]


def _share(word: str, found: Text, group: I64, names: list[str]) -> go.Bar:
    counts = np.bincount(group[found == word], minlength=len(names))
    totals = np.bincount(group, minlength=len(names))
    return go.Bar(
        x=names,
        y=counts / np.maximum(totals, 1),
        customdata=counts,
        name=word,
        marker={"color": _OUTCOMES[word]},
        hovertemplate="%{customdata} orders, %{y:.0%}<extra>" + word + "</extra>",
    )
