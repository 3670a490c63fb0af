"""Folds native order and position events into journal, account view, order lives, breakers and throttles."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.model import LiquiditySide, OrderSide

from execution.journal import Fill, Journal
from execution.latency import LatencyProbe
from execution.lifecycle import Status, Step
from execution.lives import Lives
from execution.watch import Watch
from risk.gate import RiskGate
from risk.request import Side
from risk.view import FLAT, AccountView, StrategyPosition, WorkingOrder

STATUS = {
    "OrderAccepted": "ACK",
    "OrderCanceled": "CANCELED",
    "OrderExpired": "EXPIRED",
    "OrderRejected": "REJECTED",
    "OrderDenied": "DENIED",
}
_OVER = frozenset({"OrderCanceled", "OrderExpired", "OrderRejected", "OrderDenied"})
_WITHOUT_REASON = frozenset(
    {"OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderPendingCancel", "OrderCanceled"}
)
"""Events that never have one: asking them for an attribute that is not there costs as much as the rest."""
_CANCEL_PENDING = {"OrderPendingCancel": True, "OrderCancelRejected": False}


class Relay:
    """One per run.

    Parameters
    ----------
    gate
        Its view, throttles and loss ledger are kept up to date.
    journal, lives, watch
        Likewise.

    Attributes
    ----------
    latency
        Told of every answer, where a session measures.
    listeners
        Told of every order event before it is folded, with the order as it was counted until then.
    position_listeners
        Told of every position event before it is folded.
    inferred
        Told of a fill that the engine inferred (`is_inferred`), which is booked nowhere: the venue's list has the trades.
    """

    def __init__(self, gate: RiskGate, journal: Journal, lives: Lives, watch: Watch) -> None:
        self.latency: LatencyProbe | None = None
        self.listeners: list[Callable[[Any, WorkingOrder | None], None]] = []
        self.position_listeners: list[Callable[[Any], None]] = []
        self.inferred: Callable[[Any], None] = _nobody
        self._gate = gate
        self._view: AccountView = gate.view
        self._journal = journal
        self._lives = lives
        self._watch = watch

    def order(self, event: Any, strategy_id: str) -> None:
        """Take one order event; a fill is booked once by trade id."""
        kind, order_id = type(event).__name__, str(event.client_order_id)
        if self.latency is not None:
            _time(self.latency, kind, order_id)
        for listen in self.listeners:
            listen(event, self._view.working.get(order_id))
        if kind == "OrderFilled":
            self._filled(event, strategy_id, order_id)
            return
        step = self._lives.apply(event)
        working = self._view.working.get(order_id)
        if kind == "OrderUpdated":
            self._view.resize(order_id, event.quantity.as_decimal())
            self._journal.resize(order_id, event.quantity.as_decimal())
        elif kind in _OVER:
            if step is None or step.to_status is not Status.UNKNOWN:  # in doubt it counts fully
                self._view.close(order_id)
        elif working is not None:
            self._view.answered(order_id, accepted=kind == "OrderAccepted", pending_cancel=_CANCEL_PENDING.get(kind))
            if kind == "OrderAccepted":
                self._note_queue(event, order_id)
        detail = "" if kind in _WITHOUT_REASON else str(getattr(event, "reason", "") or "")
        self._journal.event(event.ts_event, order_id, kind, status_of(kind, step), detail)
        self._watch.on_answer(event)

    def position(self, event: Any, strategy_id: str) -> None:
        """Take one position event as the strategy's position."""
        kind, instrument_id = type(event).__name__, str(event.instrument_id)
        for listen in self.position_listeners:
            listen(event)
        self._view.refresh()
        if kind == "PositionClosed":
            self._view.set_position(strategy_id, instrument_id, FLAT)
            self._gate.throttles.on_flat(event.ts_event, strategy_id, instrument_id)
            if event.realized_pnl is not None:
                self._gate.halts.round_trip(event.ts_event, Decimal(event.realized_pnl.as_decimal()))
        elif kind == "PositionOpened":
            position = StrategyPosition(self._signed(event, instrument_id), event.avg_px_open, event.ts_event)
            self._view.set_position(strategy_id, instrument_id, position)
        elif kind == "PositionChanged":
            opened = self._view.position(strategy_id, instrument_id).entry_ts_ns
            position = StrategyPosition(self._signed(event, instrument_id), event.avg_px_open, opened)
            self._view.set_position(strategy_id, instrument_id, position)

    def _signed(self, event: Any, instrument_id: str) -> float:
        """What is held, without the noise of the engine's sum of floats: what an exit takes of it must leave exactly nothing."""
        instrument = self._view.instruments.get(instrument_id)
        signed: float = event.signed_qty
        return signed if instrument is None else round(signed, instrument.size_precision)

    def _filled(self, event: Any, strategy_id: str, order_id: str) -> None:
        if is_inferred(event):
            self.inferred(event)
            return
        fill = to_fill(event, strategy_id)
        working = self._view.working.get(order_id)
        if not self._journal.fill(fill):
            return  # a report that comes twice counts once
        self._lives.apply(event)
        self._view.fill(order_id, fill.quantity)
        if working is None:
            self._count_again(event, fill)
        self._view.refresh()
        self._gate.look_again()
        self._journal.event(
            event.ts_event, order_id, "OrderFilled", None, f"{fill.quantity} @ {fill.price} {fill.liquidity}"
        )
        self._gate.throttles.on_fill(event.ts_event, strategy_id)
        self._watch.on_fill(event, working.mid_decision if working is not None else None)

    def _count_again(self, event: Any, fill: Fill) -> None:
        """An order that was executed after all, though it was said to be rejected: its rest may be open and counts fully."""
        life = self._lives.get(fill.client_order_id)
        if life is not None and life.leaves > 0:
            side = Side.BUY if event.order_side == OrderSide.BUY else Side.SELL
            self._view.count(WorkingOrder(
                fill.client_order_id, fill.strategy_id, fill.instrument_id, side, fill.price, life.leaves, life.is_exit,
                life.sent_ns, accepted=True, filled=life.filled,
            ))  # fmt: skip

    def _note_queue(self, event: Any, order_id: str) -> None:
        """The book already holds the message on which the order arrived: acceptance is told after the batch."""
        order = self._view.working[order_id]
        if order.price is not None:
            ahead = self._view.books.displayed(event.instrument_id, order.side > 0, float(order.price))
            self._journal.queue(order_id, ahead)


def status_of(kind: str, step: Step | None) -> str | None:
    """State of an order after an event: that of its life where it is in doubt, else what the event says."""
    if step is not None and step.legal and step.to_status in (Status.UNKNOWN, Status.PENDING_CANCEL):
        return str(step.to_status)
    return STATUS.get(kind)


def _time(latency: LatencyProbe, kind: str, order_id: str) -> None:
    if kind == "OrderFilled":
        latency.filled(order_id)
    elif kind == "OrderAccepted":
        latency.answered(order_id, accepted=True)
    elif kind in _OVER:
        latency.over(order_id)


def _nobody(_event: Any) -> None:
    """A simulated venue tells of every fill."""


def is_inferred(event: Any) -> bool:
    """Whether a fill is the engine's conclusion from an order's status: no trade of the venue, whose ids are numbers."""
    return bool(getattr(event, "reconciliation", False)) and not str(event.trade_id).isdigit()


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
