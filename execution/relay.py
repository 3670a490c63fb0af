"""Fold native order and position events into journal and account view."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import LiquiditySide, OrderSide

from execution.journal import Fill, Journal
from risk.view import FLAT, AccountView, StrategyPosition

STATUS = {
    "OrderAccepted": "ACK",
    "OrderCanceled": "CANCELED",
    "OrderExpired": "EXPIRED",
    "OrderRejected": "REJECTED",
    "OrderDenied": "DENIED",
}
_OVER = frozenset({"OrderCanceled", "OrderExpired", "OrderRejected", "OrderDenied"})
_CANCEL_PENDING = {"OrderPendingCancel": True, "OrderCancelRejected": False}


def relay_order_event(event: Any, strategy_id: str, view: AccountView, journal: Journal) -> None:
    """Take one order event; a fill is booked once by trade id."""
    kind = type(event).__name__
    order_id = str(event.client_order_id)
    if kind == "OrderFilled":
        fill = to_fill(event, strategy_id)
        if journal.fill(fill):  # a report that comes twice counts once
            view.fill(order_id, fill.quantity)
            journal.event(event.ts_event, order_id, kind, None, f"{fill.quantity} @ {fill.price} {fill.liquidity}")
        return
    working = view.working.get(order_id)
    if kind == "OrderUpdated":
        view.resize(order_id, event.quantity.as_decimal())
        journal.resize(order_id, event.quantity.as_decimal())
    elif kind in _OVER:
        view.close(order_id)
    elif working is not None:
        if kind == "OrderAccepted":
            working.accepted = True
            _note_queue(event, order_id, view, journal)
        working.pending_cancel = _CANCEL_PENDING.get(kind, working.pending_cancel)
    journal.event(event.ts_event, order_id, kind, STATUS.get(kind), str(getattr(event, "reason", "") or ""))


def to_fill(event: Any, strategy_id: str) -> Fill:
    """Translate `OrderFilled`."""
    commission = event.commission
    return Fill(
        ts_ns=event.ts_event, trade_id=str(event.trade_id), strategy_id=strategy_id,
        instrument_id=str(event.instrument_id), client_order_id=str(event.client_order_id),
        side="BUY" if event.order_side == OrderSide.BUY else "SELL", price=event.last_px.as_decimal(),
        quantity=event.last_qty.as_decimal(),
        liquidity="MAKER" if event.liquidity_side == LiquiditySide.MAKER else "TAKER",
        fee=commission.as_decimal(), fee_asset=str(commission.currency),
    )  # fmt: skip


def relay_position_event(event: Any, strategy_id: str, view: AccountView) -> None:
    """Take one position event as the strategy's position."""
    kind = type(event).__name__
    instrument_id = str(event.instrument_id)
    if kind == "PositionClosed":
        view.set_position(strategy_id, instrument_id, FLAT)
    elif kind == "PositionOpened":
        view.set_position(
            strategy_id, instrument_id, StrategyPosition(event.signed_qty, event.avg_px_open, event.ts_event)
        )
    elif kind == "PositionChanged":
        opened = view.position(strategy_id, instrument_id).entry_ts_ns
        view.set_position(strategy_id, instrument_id, StrategyPosition(event.signed_qty, event.avg_px_open, opened))


def _note_queue(event: Any, order_id: str, view: AccountView, journal: Journal) -> None:
    """The book already holds the message on which the order arrived: acceptance is told after the batch."""
    order = view.working[order_id]
    if order.price is not None:
        journal.queue(order_id, view.books.displayed(event.instrument_id, order.side > 0, float(order.price)))
