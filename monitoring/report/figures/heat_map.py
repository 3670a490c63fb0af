"""The order book as a heat map, with our resting orders, their queue ahead, and fills on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from monitoring.report.book_grid import BookGrid, Frame
from monitoring.report.columns import F64, I64, UNKNOWN_NS, Fills, Orders
from monitoring.report.figures.order_plots import outcomes
from monitoring.report.figures.style import Section, changes, figure, millis, time_axis
from monitoring.report.mids import Mids

LABELLED_ORDERS = 25
_BUY, _SELL, _TOUCH, _NIGHT = "#4ade80", "#ff7a7a", "#a9b8cc", "#0b1020"
_SCALE = [[0.0, "#101a3a"], [0.35, "#1f4e8c"], [0.6, "#1f9e9a"], [0.8, "#f0b429"], [1.0, "#fff3c4"]]
_CAPTION = (
    "Displayed size by time and price (brighter is more, logarithmic), with best bid and ask, in the minute with the most "
    "fills. Bars are our resting orders from acceptance to their end; the size displayed ahead of them when they were "
    "accepted stands at their start, or shows on pointing there when there are many. Triangles are fills (hollow: taker)."
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: the book, the touch, and what is ours, all inside the frame."""

    span: Frame
    grid: BookGrid
    touch: Mids
    orders: Orders
    fills: Fills


def resting(orders: Orders, start_ns: int, end_ns: int) -> Orders:
    """Limit orders that stood in the book at some time of the window."""
    stood = (orders.ts_accepted != UNKNOWN_NS) & (orders.kind == "LIMIT") & (orders.ts_accepted < end_ns)
    return orders.where(stood & ((orders.ts_closed == UNKNOWN_NS) | (orders.ts_closed > start_ns)))


def section(instrument_id: str, picture: Picture | None, note: str = "", currency: str = "quote units") -> Section:
    """Heat map of one instrument, or the reason why there is none."""
    key, title = f"book-{instrument_id}", f"Order book with our orders · {instrument_id}"
    if picture is None:
        return Section(key, title, "", note=note)
    traces = [_book(picture.grid), *_touch(picture), *_orders(picture), *_fills(picture.fills)]
    span = picture.span
    layout = {
        "annotations": _queues(picture),
        "xaxis": time_axis(span.start_ns, span.end_ns, showgrid=False),
        "yaxis": {"title": {"text": f"price, {currency}"}, "showgrid": False, "range": [span.low, span.high]},
        "plot_bgcolor": _NIGHT,
        "meta": {"keepBackground": True},
    }
    return Section(key, title, _CAPTION, figure(traces, **layout), height=600)


def _book(grid: BookGrid) -> go.Heatmap:
    shown = grid.size[grid.size > 0]
    low, high = np.quantile(shown, [0.2, 0.985]) if len(shown) else (0.1, 1.0)
    bottom, top = float(np.log10(low)), float(np.log10(max(high, low * 1.01)))
    logs = np.full(grid.size.shape, np.nan)
    np.log10(grid.size, out=logs, where=grid.size > 0)
    ticks = np.linspace(bottom, top, 5)
    return go.Heatmap(
        x=millis(grid.ts),
        y=grid.prices,
        z=logs.astype(np.float32),
        customdata=grid.size.astype(np.float32),
        zmin=bottom,
        zmax=top,
        colorscale=_SCALE,
        colorbar={
            "thickness": 10,
            "outlinewidth": 0,
            "tickvals": ticks,
            "ticktext": [_size(10**t) for t in ticks],
            "title": {"text": "displayed size, base units", "side": "right"},
        },
        hovertemplate="%{x}<br>%{y}: %{customdata:.3f} displayed<extra></extra>",
        name="book",
    )


def _size(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _touch(picture: Picture) -> list[go.Scatter]:
    made = []
    for name, values in (("best bid", picture.touch.bid), ("best ask", picture.touch.ask)):
        rows = changes(values)
        style = {"shape": "hv", "width": 1, "color": _TOUCH, "dash": "solid" if name == "best bid" else "dot"}
        x = millis(np.maximum(picture.touch.ts[rows], picture.span.start_ns))
        made.append(go.Scatter(x=x, y=values[rows], mode="lines", name=name, line=style, hoverinfo="skip"))
    return made


def _orders(picture: Picture) -> list[go.Scatter]:
    made = []
    for side, word, colour in ((1, "our bids", _BUY), (-1, "our asks", _SELL)):
        mine = picture.orders.where(picture.orders.side == side)
        if len(mine):
            x, y = _segments(mine, picture.span)
            line = {"color": colour, "width": 4}
            made += [
                go.Scatter(x=x, y=y, mode="lines", name=word, line=line, opacity=0.9, hoverinfo="skip"),
                _starts(mine, picture.span, word, colour),
            ]
    return made


def _segments(orders: Orders, span: Frame) -> tuple[F64, F64]:
    starts, ends = _clipped(orders, span)
    gap = np.full(len(orders), np.nan)
    x = np.stack([millis(starts), millis(ends), gap], axis=1).ravel()
    return x, np.stack([orders.price, orders.price, gap], axis=1).ravel()


def _clipped(orders: Orders, span: Frame) -> tuple[I64, I64]:
    closed = np.where(orders.ts_closed == UNKNOWN_NS, span.end_ns, orders.ts_closed)
    return np.maximum(orders.ts_accepted, span.start_ns), np.minimum(closed, span.end_ns)


def _starts(orders: Orders, span: Frame, word: str, colour: str) -> go.Scatter:
    starts, _ = _clipped(orders, span)
    ahead = _ahead(orders)
    hover = [
        f"{word[:-1]} {size:g} at {price:g}<br>queue ahead {queue}<br>{outcome}"
        for size, price, queue, outcome in zip(orders.quantity, orders.price, ahead, outcomes(orders), strict=True)
    ]
    return go.Scatter(
        x=millis(starts),
        y=orders.price,
        mode="markers",
        customdata=hover,
        marker={"symbol": "line-ns-open", "size": 9, "color": colour, "line": {"width": 2}},
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
        name=f"{word} accepted",
    )


def _ahead(orders: Orders) -> list[str]:
    return ["?" if np.isnan(q) else f"{q:.3g}" for q in orders.queue_ahead]


def _queues(picture: Picture) -> list[dict[str, Any]]:
    """Queue ahead at the start of each order, on a dark plate beside it, towards the middle of the picture."""
    span, orders = picture.span, picture.orders
    if len(orders) > LABELLED_ORDERS:
        return []
    starts, _ = _clipped(orders, span)
    late = starts > span.start_ns + 0.9 * (span.end_ns - span.start_ns)
    rows = zip(millis(starts), orders.price, _ahead(orders), orders.side, late, strict=True)
    return [_plate(float(x), float(y), text, side > 0, at_the_end) for x, y, text, side, at_the_end in rows]


def _plate(x: float, y: float, text: str, bid: bool, at_the_end: bool) -> dict[str, Any]:
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xanchor": "right" if at_the_end else "left",
        "yanchor": "top" if bid else "bottom",
        "xshift": -6 if at_the_end else 6,
        "yshift": -9 if bid else 9,
        "font": {"color": _BUY if bid else _SELL, "size": 11},
        "bgcolor": "rgba(11,16,32,0.85)",
        "borderpad": 1,
    }


def _fills(fills: Fills) -> list[go.Scatter]:
    made = []
    for side, word, colour in ((1, "buy", _BUY), (-1, "sell", _SELL)):
        for maker, kind in ((True, "maker"), (False, "taker")):
            mine = fills.where((fills.side == side) & (fills.maker == maker))
            if len(mine):
                symbol = f"triangle-{'up' if side > 0 else 'down'}{'' if maker else '-open'}"
                edge = {"width": 1.5, "color": "#ffffff" if maker else colour}
                made.append(
                    go.Scatter(
                        x=millis(mine.ts),
                        y=mine.price,
                        mode="markers",
                        name=f"{kind} {word}",
                        marker={"symbol": symbol, "size": 13, "color": colour, "line": edge},
                        customdata=mine.quantity,
                        hovertemplate=f"{kind} {word} %{{customdata}} at %{{y}}<br>%{{x}}<extra></extra>",
                    )
                )
    return made
