"""M-7: what the engine tells of orders and positions, into the journal's chained record; ids and cancels beside it.

The engine does not hand out the venue's own text, so an event's fields stand for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

ANSWERS = {
    "OrderCanceled": "canceled",
    "OrderCancelRejected": "refused",
    "OrderExpired": "expired",
    "OrderRejected": "rejected",
}
_POSITION = (
    "instrument_id", "position_id", "account_id", "strategy_id", "opening_order_id", "closing_order_id", "entry", "side",
    "signed_qty", "quantity", "peak_quantity", "last_qty", "last_px", "currency", "avg_px_open", "avg_px_close",
    "realized_return", "realized_pnl", "unrealized_pnl", "duration", "ts_opened", "ts_closed", "ts_event", "ts_init",
)  # fmt: skip


class Keeps(Protocol):
    """What a journal on disk takes; see `execution.journal_live.LiveJournal`."""

    def message(self, ts_ns: int, kind: str, body: Mapping[str, Any]) -> None:
        """Append a message to the chained record."""

    def venue_ids(self, client_order_id: str, *, venue_order_id: int | None = None, algo_id: int | None = None) -> None:
        """Keep the venue's own ids of an order."""

    def cancel_sent(self, client_order_id: str) -> None:
        """Record that a cancel leaves."""

    def cancel_answered(self, client_order_id: str, outcome: str) -> None:
        """Record what became of it."""


class VenueRecord:
    """Writes down every event of one session.

    Parameters
    ----------
    journal
        On disk.
    """

    def __init__(self, journal: Keeps) -> None:
        self._journal = journal
        self._numbered: set[str] = set()
        self._cancelling: set[str] = set()

    def order(self, event: Any, _working: object = None) -> None:
        """Take one order event; see `execution.relay.Relay.listeners`."""
        kind, order_id = type(event).__name__, str(event.client_order_id)
        self._journal.message(event.ts_event, kind, event.to_dict())
        self._number(order_id, getattr(event, "venue_order_id", None))
        if kind == "OrderPendingCancel":
            self._cancelling.add(order_id)
            self._journal.cancel_sent(order_id)
        elif kind in ANSWERS and order_id in self._cancelling:
            self._cancelling.discard(order_id)
            self._journal.cancel_answered(order_id, ANSWERS[kind])

    def position(self, event: Any) -> None:
        """Take one position event."""
        body = {name: getattr(event, name, None) for name in _POSITION}
        self._journal.message(
            event.ts_event, type(event).__name__, {name: _plain(value) for name, value in body.items()}
        )

    def _number(self, order_id: str, number: Any) -> None:
        """Keep the venue's id once: it never changes."""
        text = "" if number is None else str(number)
        if text.isdecimal() and order_id not in self._numbered:
            self._numbered.add(order_id)
            self._journal.venue_ids(order_id, venue_order_id=int(text))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)
