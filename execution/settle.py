"""Close the books of a run: what the engine's handlers no longer told is read from its cache."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import ClientOrderId

from execution.journal import CLOSED, MemoryJournal
from execution.relay import STATUS, is_inferred, to_fill

PAST_ENGINE = frozenset({"stop", "protective", "recovery"})
"""Strategies of orders that a live session sends over its own client (`runners.live.closes`)."""


def settle_orders(journal: MemoryJournal, cache: Any, *, over: bool = True) -> None:
    """Bring every open row of the journal to its end.

    Events of orders that were sent or cancelled while the strategies stopped are never delivered. An order that the engine
    never saw was waiting out its latency when the run ended: it is ``DENIED``. One that the engine still has open when
    everything is over is ``CANCELED`` with the reason written to its last event. Where the venue could not be asked, or still
    shows orders, nothing is over: fills are taken over, and every open row stays open for the next recovery (O-3).

    Parameters
    ----------
    journal
        The run's journal.
    cache
        The engine's cache, after the end of the run and before the engine is disposed of.
    over
        No order can be open any more: the run's venue has ended with it, or was asked and shows none.
    """
    for row in list(journal.orders.values()):
        if row["status"] in CLOSED:
            continue
        if over:
            _settle(journal, cache, row)
        else:
            _take_fills(journal, cache, row)


def _take_fills(journal: MemoryJournal, cache: Any, row: dict[str, Any]) -> None:
    order = cache.order(ClientOrderId(row["client_order_id"]))
    for event in order.events() if order is not None else ():
        if type(event).__name__ in ("OrderFilled", "OrderUpdated"):
            _catch_up(journal, row, event)


def _settle(journal: MemoryJournal, cache: Any, row: dict[str, Any]) -> None:
    order_id = row["client_order_id"]
    order = cache.order(ClientOrderId(order_id))
    if order is None and row["strategy_id"] in PAST_ENGINE:
        return  # the engine never had it: what the venue said of it stands, such as a protective stop that is kept
    if order is None:
        journal.event(row["ts_ns"], order_id, "OrderDenied", "DENIED", "the run ended before the order was sent")
        return
    for event in order.events():
        _catch_up(journal, row, event)
    if row["status"] not in CLOSED:
        journal.event(order.ts_last, order_id, "EndOfRun", "CANCELED", "the run ended while the order was working")


def _catch_up(journal: MemoryJournal, row: dict[str, Any], event: Any) -> None:
    kind = type(event).__name__
    if kind == "OrderFilled" and is_inferred(event):
        return  # its trades are booked from the venue
    if kind == "OrderFilled":
        fill = to_fill(event, row["strategy_id"])
        if journal.fill(fill):
            detail = f"{fill.quantity} @ {fill.price} {fill.liquidity}"
            journal.event(fill.ts_ns, fill.client_order_id, kind, None, detail)
    elif kind == "OrderUpdated":
        journal.resize(row["client_order_id"], event.quantity.as_decimal())
    elif (kind == "OrderAccepted" and row["ts_accepted"] is None) or STATUS.get(kind) in CLOSED:
        journal.event(
            event.ts_event, row["client_order_id"], kind, STATUS[kind], str(getattr(event, "reason", "") or "")
        )
