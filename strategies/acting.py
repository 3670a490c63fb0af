"""Intents into orders: sizes rounded down to the step, prices outward to the tick."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from itertools import zip_longest
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity, TimeInForce
from nautilus_trader.trading import Strategy

from risk.books import Top
from risk.desk import Desk
from risk.request import OrderRequest, Purpose, Side
from risk.verdict import Reason, Refused
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
        self._tick_of_size = float(self._step) * (1 - _NUDGE)
        self._price_precision: int = instrument.price_precision
        self._size_precision: int = instrument.size_precision
        self._tries: dict[str, _Try] = {}
        self._standing: tuple[Quote | None, int] = (None, -1)
        self._told: Refused | None = None

    def perform(self, intent: Intent) -> None:
        """Do what one intent says."""
        match intent:
            case Quote():
                self._quote(intent)
            case Enter():
                self._enter(intent, 0)
            case Exit():
                self._exit(intent)
            case Target():
                self._target(intent)
            case CancelAll():
                self._tries.clear()
                self._cancel(self._mine())

    def reprice(self, client_order_id: str) -> None:
        """Send a refused post-only entry again, unless it was tried often enough."""
        tried = self._tries.pop(client_order_id, None)
        if tried is not None and tried.refused < self._desk.policy.post_only_reprices:
            self._enter(tried.intent, tried.refused + 1)

    # One method per intent ------------------------------------------------------------------------------------------

    def _enter(self, intent: Enter, refused: int) -> None:
        """Enter, unless as many entries work already as the policy allows: they are this wish under way, not a refusal."""
        entries = self._entries()
        self._cancel([order for order in entries if order.side != intent.side])
        if len(entries) >= self._desk.policy.max_open_entries:
            return
        purpose = Purpose(intent.why, intent.edge_bps, intent.horizon_secs)
        top, quantity = self._top(), self._quantity(intent.side, intent.size, purpose)
        if top is None or quantity is None or self._is_known_closed():
            return
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
        """Leave; what works already is not sent again, and a resting exit that is no longer at the best price is renewed."""
        self._tries.clear()
        self._cancel(self._entries())
        position, top = self._position(), self._top()
        side = Side.SELL if position > 0 else Side.BUY
        exits = [order for order in self._mine() if order.reduce_only and order.side == side and position]
        resting = [order for order in exits if not order.is_market]
        if intent.urgent or top is None:
            self._cancel([order for order in resting if order.order_type == "LIMIT"])
            leaving = sum((order.leaves for order in exits if order.is_market), Decimal(0))
            self._leave(side, abs(Decimal(repr(position))) - leaving, Purpose(intent.why))
            return
        best = top.ask if side < 0 else top.bid
        self._cancel(
            [o for o in resting if o.price is not None and int(side) * (float(o.price) - best) < -self._tick / 2]
        )
        quantity = self._floor(abs(position))
        if quantity is not None and not any(order.order_type in ("LIMIT", "MARKET") for order in exits):
            self._limit(side, quantity, best, Purpose(intent.why), post_only=True, reduce_only=True)

    def _leave(self, side: Side, quantity: Decimal, purpose: Purpose) -> None:
        """One order for all of it; the guard sends it in parts where it is too large for the venue or for the third wall."""
        if quantity >= self._step:
            self._market(side, Quantity.from_str(f"{quantity:.{self._size_precision}f}"), purpose, reduce_only=True)

    def _quote(self, intent: Quote) -> None:
        """Exits are no quotes: they are neither matched nor cancelled, and take no room."""
        self._tries.clear()
        if self._stands(intent):
            return
        entries = self._entries()
        room = self._desk.policy.max_open_entries - len(entries)
        missing: list[list[tuple[Side, Level]]] = []
        unwanted: list[WorkingOrder] = []
        for side, levels in ((Side.BUY, intent.bids), (Side.SELL, intent.asks)):
            wanted, stale = self._difference(side, levels, [o for o in entries if o.side == side], intent.requote_ticks)
            self._cancel(stale)
            unwanted += stale
            missing.append([(side, level) for level in wanted])
        if not unwanted and not any(missing):
            self._standing = (intent, self._desk.view.revision)
        if room <= 0 or not any(missing) or self._is_known_closed():
            return
        purpose = Purpose(intent.why, intent.edge_bps)
        for side, level in _best_first(*missing):
            quantity = self._quantity(side, level.size, purpose) if room > 0 else None
            if quantity is not None:
                room -= 1
                self._limit(side, quantity, level.price, purpose, post_only=True, reduce_only=False)

    def _is_known_closed(self) -> bool:
        """Whether the last wish was refused by a halt or a breaker that has not changed since: one refusal says it all."""
        before, self._told = self._told, self._desk.closed(self._key, self._strategy.clock.timestamp_ns())
        return self._told is not None and self._told == before

    def _stands(self, intent: Quote) -> bool:
        """True when the working orders were found to be this very wish, and none has come, gone or been cancelled since."""
        wish, revision = self._standing
        if revision != self._desk.view.revision or wish is None:
            return False
        if wish is intent:
            return True
        return intent.bids == wish.bids and intent.asks == wish.asks and intent.requote_ticks == wish.requote_ticks

    def _target(self, intent: Target) -> None:
        position, mine = self._position(), self._mine()
        change = intent.position - position
        side = Side.BUY if change > 0 else Side.SELL
        adds = abs(change) >= self._tick_of_size and change * position >= 0
        self._cancel([o for o in mine if not o.reduce_only and not (adds and self._towards(o, side, change))])
        if mine or abs(change) < self._tick_of_size:
            return
        if adds:
            self._enter(Enter(side, abs(change), intent.edge_bps, intent.horizon_secs, intent.why), 0)
        elif intent.position * position <= 0:
            self._exit(Exit(intent.why))
        else:
            quantity = self._floor(abs(change))
            if quantity is not None:
                self._leave(side, quantity.as_decimal(), Purpose(intent.why))

    def _towards(self, order: WorkingOrder, side: Side, change: float) -> bool:
        return order.side == side and float(order.leaves) <= abs(change) + self._tick_of_size / 2

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

    def _entries(self) -> list[WorkingOrder]:
        mine, key = self._desk.strategy_id, self._key
        orders = self._desk.view.working.values()
        return [o for o in orders if o.strategy_id == mine and o.instrument_id == key and not o.reduce_only]

    def _position(self) -> float:
        return self._desk.view.position(self._desk.strategy_id, self._key).quantity

    def _top(self) -> Top | None:
        return self._desk.view.books.top_of(self._key)

    def _quantity(self, side: Side, size: float, purpose: Purpose) -> Quantity | None:
        """Round an entry's size down; a wish too small for one step is recorded as refused."""
        quantity = self._floor(size)
        if quantity is None:
            detail, step = f"size {size:g} is below one step {self._step}", str(self._step)
            refused = Refused(Reason.STEP, detail, {"size": float(size), "step": step})
            self.refuse(side, Decimal(repr(float(size))), refused, purpose)
        return quantity

    def refuse(self, side: Side, size: Decimal, refused: Refused, purpose: Purpose) -> None:
        """Record a wish that cannot become an order."""
        request = OrderRequest(
            self._desk.strategy_id, self._key, self._desk.next_id(), side, "LIMIT", size, None, False, False, "GTC",
            self._strategy.clock.timestamp_ns(), purpose,
        )  # fmt: skip
        self._desk.refuse(request, refused)

    def _floor(self, size: float) -> Quantity | None:
        units = (Decimal(repr(size + _NUDGE * float(self._step))) / self._step).to_integral_value(ROUND_DOWN)
        return Quantity(float(units * self._step), self._size_precision) if units > 0 else None

    def _outward(self, side: Side, price: float) -> float:
        ticks = price / self._tick
        whole = (
            math.floor(ticks + _NUDGE * max(1.0, ticks)) if side > 0 else math.ceil(ticks - _NUDGE * max(1.0, ticks))
        )
        return whole * self._tick


def _best_first(bids: list[tuple[Side, Level]], asks: list[tuple[Side, Level]]) -> Iterator[tuple[Side, Level]]:
    """Alternate the sides, so that a lack of room does not leave one of them without a quote."""
    for pair in zip_longest(bids, asks):
        yield from (quote for quote in pair if quote is not None)
