"""One quote at the start of each book: the engine denies a market order until its cache holds a quote or a trade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nautilus_trader.model import InstrumentId, OrderBookDeltas, OrderSide, QuoteTick


class OpeningQuotes:
    """Puts the top of an instrument's first book message before it, once; strategies and books of depth ignore it.

    Parameters
    ----------
    instrument_ids
        Whose books are to be opened.
    """

    def __init__(self, instrument_ids: Iterable[InstrumentId]) -> None:
        self._closed = set(instrument_ids)

    def of(self, events: list[Any]) -> list[Any]:
        """Return the quotes that the chunk lacks, to be sorted in before its events."""
        found: list[Any] = []
        for event in events:
            if not self._closed:
                break
            if type(event) is OrderBookDeltas and event.instrument_id in self._closed:
                quote = top_quote(event)
                if quote is not None:
                    self._closed.remove(event.instrument_id)
                    found.append(quote)
        return found


def top_quote(deltas: Any) -> QuoteTick | None:
    """Best bid and ask of one book message that holds both sides, else None."""
    levels = [order for delta in deltas.deltas if (order := delta.order) is not None and order.size.raw]
    bids = [order for order in levels if order.side == OrderSide.BUY]
    asks = [order for order in levels if order.side == OrderSide.SELL]
    if not bids or not asks:
        return None
    bid, ask = max(bids, key=lambda order: order.price.raw), min(asks, key=lambda order: order.price.raw)
    return QuoteTick(deltas.instrument_id, bid.price, ask.price, bid.size, ask.size, deltas.ts_event, deltas.ts_init)
