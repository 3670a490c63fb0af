"""Intents into orders: sizes rounded down to the step, prices outward to the tick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity, TimeInForce
from nautilus_trader.trading import Strategy

from risk.books import Top
from risk.desk import Desk
from risk.request import Purpose, Side
from risk.view import WorkingOrder
from strategies.intents import CancelAll, Enter, Exit, Intent, Level, Quote, Target

_SIDES = {Side.BUY: OrderSide.BUY, Side.SELL: OrderSide.SELL}
_NUDGE = 1e-9  # a price that is a tick but for float error must not move to the next one


@dataclass(frozen=True, slots=True)
class _Try:
    """A post-only entry and how often the venue has refused it."""

    intent: Enter
    refused: int


class Actor:
    """Performs the intents of one strategy on one instrument.

    Parameters
    ----------
    strategy
        Sends and cancels; guarded, so every order passes the gate.
    desk
        View, policy and ids.
    instrument
        The Nautilus instrument.
    """

    def __init__(self, strategy: Strategy, desk: Desk, instrument: Any) -> None:
        self._strategy = strategy
        self._desk = desk
        self._instrument_id = instrument.id
        self._key = str(instrument.id)
        self._tick = float(instrument.price_increment)
        self._step = instrument.size_increment.as_decimal()
        self._price_precision: int = instrument.price_precision
        self._size_precision: int = instrument.size_precision
        self._tries: dict[str, _Try] = {}

    def perform(self, intent: Intent) -> None:
        """Do what one intent says."""
        match intent:
            case Enter():
                self._enter(intent, 0)
            case Exit():
                self._exit(intent)
            case Quote():
                self._quote(intent)
            case Target():
                self._target(intent)
            case CancelAll():
                self._cancel(self._mine())

    def reprice(self, client_order_id: str) -> None:
        """Send a refused post-only entry again, unless it was tried often enough."""
        tried = self._tries.pop(client_order_id, None)
        if tried is not None and tried.refused < self._desk.policy.post_only_reprices:
            self._enter(tried.intent, tried.refused + 1)

    # One method per intent ------------------------------------------------------------------------------------------

    def _enter(self, intent: Enter, refused: int) -> None:
        top, quantity = self._top(), self._quantity(intent.size)
        if top is None or quantity is None:
            return
        purpose = Purpose(intent.why, intent.edge_bps, intent.horizon_secs)
        kind = self._desk.policy.entry_order
        if kind == "market":
            self._market(intent.side, quantity, purpose, reduce_only=False)
            return
        best = top.bid if intent.side > 0 else top.ask
        price = best - int(intent.side) * intent.offset_ticks * self._tick
        order_id = self._limit(intent.side, quantity, price, purpose, post_only=kind == "post_only", reduce_only=False)
        if kind == "post_only":
            self._tries = {key: tried for key, tried in self._tries.items() if key in self._desk.view.working}
            self._tries[order_id] = _Try(intent, refused)

    def _exit(self, intent: Exit) -> None:
        mine = self._mine()
        self._cancel([order for order in mine if not order.reduce_only])
        position = self._position()
        exits = [order for order in mine if order.reduce_only]
        if intent.urgent:
            self._cancel([order for order in exits if order.price is not None])
            exits = [order for order in exits if order.price is None]
        quantity = self._quantity(abs(position))
        if exits or quantity is None:
            return
        side = Side.SELL if position > 0 else Side.BUY
        purpose = Purpose(intent.why)
        top = self._top()
        if intent.urgent or top is None:
            self._market(side, quantity, purpose, reduce_only=True)
            return
        self._limit(side, quantity, top.ask if side < 0 else top.bid, purpose, post_only=True, reduce_only=True)

    def _quote(self, intent: Quote) -> None:
        mine = self._mine()
        room = self._desk.policy.max_open_entries - len(mine)
        for side, levels in ((Side.BUY, intent.bids), (Side.SELL, intent.asks)):
            missing, stale = self._difference(side, levels, [o for o in mine if o.side == side], intent.requote_ticks)
            self._cancel(stale)
            for level in missing[: max(room, 0)]:
                quantity = self._quantity(level.size)
                if quantity is not None:
                    room -= 1
                    self._limit(side, quantity, level.price, Purpose(intent.why, intent.edge_bps), post_only=True,
                                reduce_only=False)  # fmt: skip

    def _target(self, intent: Target) -> None:
        if self._mine():
            return
        position = self._position()
        change = intent.position - position
        if position and change * position < 0:
            if intent.position * position <= 0:
                self._exit(Exit(intent.why))
                return
            quantity = self._quantity(abs(change))
            if quantity is not None:
                side = Side.SELL if position > 0 else Side.BUY
                self._market(side, quantity, Purpose(intent.why), reduce_only=True)
            return
        if change:
            side = Side.BUY if change > 0 else Side.SELL
            self._enter(Enter(side, abs(change), intent.edge_bps, intent.horizon_secs, intent.why), 0)

    def _difference(
        self, side: Side, levels: tuple[Level, ...], resting: list[WorkingOrder], requote_ticks: int
    ) -> tuple[list[Level], list[WorkingOrder]]:
        """Pair desired levels with resting orders that are near enough; what is left over is missing or stale."""
        near = (requote_ticks - 0.5) * self._tick
        free = [order for order in resting if not order.pending_cancel]
        missing: list[Level] = []
        for level in levels:
            price = self._outward(side, level.price)
            match = next((o for o in free if o.price is not None and abs(float(o.price) - price) < near), None)
            if match is None:
                missing.append(level)
            else:
                free.remove(match)
        return missing, free

    # Orders and cancels ---------------------------------------------------------------------------------------------

    def _limit(
        self, side: Side, quantity: Quantity, price: float, purpose: Purpose, *, post_only: bool, reduce_only: bool
    ) -> str:
        order_id = self._desk.next_id()
        order = self._strategy.order_factory.limit(
            self._instrument_id, _SIDES[side], quantity, Price(self._outward(side, price), self._price_precision),
            time_in_force=TimeInForce.GTC, post_only=post_only, reduce_only=reduce_only,
            client_order_id=ClientOrderId(order_id),
        )  # fmt: skip
        self._submit(order, purpose)
        return order_id

    def _market(self, side: Side, quantity: Quantity, purpose: Purpose, *, reduce_only: bool) -> None:
        order = self._strategy.order_factory.market(
            self._instrument_id, _SIDES[side], quantity, reduce_only=reduce_only,
            client_order_id=ClientOrderId(self._desk.next_id()),
        )  # fmt: skip
        self._submit(order, purpose)

    def _submit(self, order: Any, purpose: Purpose) -> None:
        self._desk.purpose = purpose
        self._strategy.submit_order(order)

    def _cancel(self, orders: list[WorkingOrder]) -> None:
        for order in orders:
            if not order.pending_cancel:
                self._strategy.cancel_order(ClientOrderId(order.client_order_id))

    # Asking ---------------------------------------------------------------------------------------------------------

    def _mine(self) -> list[WorkingOrder]:
        mine = self._desk.strategy_id
        orders = self._desk.view.working.values()
        return [order for order in orders if order.strategy_id == mine and order.instrument_id == self._key]

    def _position(self) -> float:
        return self._desk.view.position(self._desk.strategy_id, self._key).quantity

    def _top(self) -> Top | None:
        return self._desk.view.books.top(self._instrument_id)

    def _quantity(self, size: float) -> Quantity | None:
        units = (Decimal(repr(size + _NUDGE * float(self._step))) / self._step).to_integral_value(ROUND_DOWN)
        return Quantity(float(units * self._step), self._size_precision) if units > 0 else None

    def _outward(self, side: Side, price: float) -> float:
        ticks = price / self._tick
        whole = (
            math.floor(ticks + _NUDGE * max(1.0, ticks)) if side > 0 else math.ceil(ticks - _NUDGE * max(1.0, ticks))
        )
        return whole * self._tick
