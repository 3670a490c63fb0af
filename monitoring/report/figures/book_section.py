"""Choose the window of the heat map and gather what is drawn in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from errors import HyperTradingError
from monitoring.report.book_grid import LevelChange, book_grid, busiest_window, frame
from monitoring.report.figures.heat_map import Picture, resting, section
from monitoring.report.figures.style import Section
from monitoring.report.run import Run

WINDOW_NS = 60 * 1_000_000_000

BookReader = Callable[[str, int, int], Iterable[LevelChange]]
"""Level changes of an instrument from `start_ns` (beginning with the whole book) to `end_ns`, by time."""


def order_book(run: Run, instrument_id: str, read: BookReader | None) -> Section:
    """Heat map of the minute with the most fills, or why it cannot be drawn."""
    if read is None:
        return section(instrument_id, None, "The run names no catalog, so the book cannot be read again.")
    try:
        picture = _picture(run, instrument_id, read)
    except HyperTradingError as error:
        return section(instrument_id, None, f"The book could not be read again: {error}")
    if not picture.grid.size.any():
        return section(instrument_id, None, f"No depth was recorded in this window ({run.manifest.fidelity} data).")
    return section(instrument_id, picture, currency=run.headline.account.currency)


def _picture(run: Run, instrument_id: str, read: BookReader) -> Picture:
    bound = run.headline
    fills = bound.fills.where(bound.fills.instrument == instrument_id)
    orders = bound.orders.where(bound.orders.instrument == instrument_id)
    busy = fills.ts if len(fills) else orders.ts
    start, end = busiest_window(busy, run.start_ns, run.end_ns, WINDOW_NS)
    touch = run.mids[instrument_id].between(start, end)
    seen = fills.where((fills.ts >= start) & (fills.ts <= end))
    stood = resting(orders, start, end)
    tick = run.manifest.instruments[instrument_id].tick
    span = frame(start, end, np.concatenate([touch.bid, touch.ask, seen.price, stood.price]), tick)
    grid = book_grid(read(instrument_id, start, end), span)
    return Picture(span, grid, touch, stood, seen)
