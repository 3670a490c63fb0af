"""The one gate's door: a mixin put in front of every strategy class, ours and foreign.

Every way to create or close passes `_approve`: verdict, then journal, then engine. Close helpers and market exit run in Rust
past any override, so they are done here. Modification is refused: cancel and new. A class that forgets `super()` loses nothing,
since the guard stands before it, and `seal()` stops whoever is not guarded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ClientId,
    ClientOrderId,
    InstrumentId,
    OrderDenied,
    OrderModifyRejected,
    OrderSide,
    Position,
    PositionId,
    PositionSide,
    Price,
    Quantity,
    TimeInForce,
    TraderId,
)
from nautilus_trader.trading import Strategy

from execution.guarded_clock import GuardedClock
from execution.relay import relay_order_event, relay_position_event
from execution.requests import of_initialized, of_order
from execution.seal import UngatedOrder
from execution.services import Services
from execution.topics import ORDER_EVENTS, REFUSALS, STOP
from execution.wire import Wire
from risk.desk import Desk
from risk.request import OrderRequest, Purpose
from risk.verdict import Reason, Refused, Verdict

HANDLERS = tuple(name for name in dir(Strategy) if name.startswith("on_") and name not in ("on_save", "on_load"))


class Guard(Strategy):
    """Stands in front of a strategy; see `guard_class`."""

    services: Services
    desk: Desk
    wire: Wire
    passing: str | None = None
    _guarded_clock: GuardedClock | None = None

    # Everything a strategy can do to orders -------------------------------------------------------------------------

    def submit_order(
        self, order: Any, position_id: PositionId | None = None, client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Check, journal, send. A refusal reaches the strategy as `OrderDenied`."""
        if self._approve(order, self.desk.take_purpose()):
            send = functools.partial(super().submit_order, order, position_id, client_id, params)
            self.wire.insert(self.clock, lambda: self._pass("submit_order", send))

    def submit_order_list(
        self, order_list: Any, position_id: PositionId | None = None, client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """All orders of the list go, or none does."""
        orders = order_list if isinstance(order_list, list) else order_list.orders
        purpose = self.desk.take_purpose()
        approved: list[Any] = []
        for order in orders:
            if not self._approve(order, purpose):
                self._take_back(approved)
                return
            approved.append(order)
        send = functools.partial(super().submit_order_list, order_list, position_id, client_id, params)
        self.wire.insert(self.clock, lambda: self._pass("submit_order_list", send))

    def modify_order(
        self, client_order_id: ClientOrderId, quantity: Quantity | None = None, price: Price | None = None,
        trigger_price: Price | None = None, client_id: ClientId | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Refuse: an order is cancelled and replaced, never changed in place."""
        del quantity, price, trigger_price, client_id, params
        self._refuse_modify(client_order_id)

    def modify_orders(
        self, updates: Sequence[Any] = (), client_id: ClientId | None = None, params: dict[str, Any] | None = None
    ) -> None:
        """Refuse each, as `modify_order` does."""
        del client_id, params
        for update in updates:
            self._refuse_modify(update[0])

    def close_position(
        self, position: Position, client_id: ClientId | None = None, tags: Sequence[str] | None = None,
        time_in_force: TimeInForce | None = None, reduce_only: bool | None = None,
        quote_quantity: bool | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Send a reduce-only market order for the whole position, through the gate."""
        del reduce_only, quote_quantity  # always reduce-only, always base units
        if position.is_closed:
            return
        side = OrderSide.SELL if position.side == PositionSide.LONG else OrderSide.BUY
        order = self.order_factory.market(
            position.instrument_id, side, position.quantity, time_in_force=time_in_force, reduce_only=True, tags=tags,
            client_order_id=ClientOrderId(self.desk.next_id()),
        )  # fmt: skip
        if self.desk.purpose.source == "strategy":
            self.desk.purpose = Purpose(why="close position", source="close")
        self.submit_order(order, None, client_id, params)

    def close_all_positions(
        self, instrument_id: InstrumentId, position_side: PositionSide | None = None,
        client_id: ClientId | None = None, tags: Sequence[str] | None = None, time_in_force: TimeInForce | None = None,
        reduce_only: bool | None = None, quote_quantity: bool | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Close every open position of this strategy on an instrument, through the gate."""
        del reduce_only, quote_quantity
        for position in self._cache.positions_open(None, instrument_id, self.strategy_id):
            if position_side is None or position.side == position_side:
                self.close_position(position, client_id, tags, time_in_force, None, None, params)

    def market_exit(self) -> None:
        """Cancel this strategy's orders and close its positions, through the gate."""
        for instrument_id in self._own_instruments():
            self.cancel_all_orders(instrument_id)
        for position in self._cache.positions_open(None, None, self.strategy_id):
            self.close_position(position)

    def cancel_order(
        self, client_order_id: ClientOrderId, client_id: ClientId | None = None, params: dict[str, Any] | None = None
    ) -> None:
        """Cancel; never asks the gate."""
        send = functools.partial(super().cancel_order, client_order_id, client_id, params)
        self._mark_cancelling(str(client_order_id))
        self.wire.cancel(self.clock, send)

    def cancel_orders(
        self, client_order_ids: Sequence[ClientOrderId], client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Cancel; never asks the gate."""
        send = functools.partial(super().cancel_orders, client_order_ids, client_id, params)
        for client_order_id in client_order_ids:
            self._mark_cancelling(str(client_order_id))
        self.wire.cancel(self.clock, send)

    def cancel_all_orders(
        self, instrument_id: InstrumentId, order_side: OrderSide | None = None, client_id: ClientId | None = None,
        strategy_only: bool = True, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Cancel; never asks the gate."""
        send = functools.partial(super().cancel_all_orders, instrument_id, order_side, client_id, strategy_only, params)
        self.wire.cancel(self.clock, send)

    # What the engine tells us ---------------------------------------------------------------------------------------

    @property
    def clock(self) -> Any:
        """The engine's clock with every callback recorded."""
        return self._guarded_clock if self._guarded_clock is not None else super().clock

    def subscribe_topic(self, topic: str, handler: Callable[[object], None], priority: int = 0) -> None:
        """Subscribe with the handler's exceptions recorded."""
        super().subscribe_topic(topic, self.recorded(f"topic {topic}", handler), priority)

    def on_start(self) -> None:
        """Save the references that work in every handler, then start the strategy."""
        self._cache = self.cache
        self._guarded_clock = GuardedClock(super().clock, self.recorded)
        if self.desk.trading_end_ns is not None:
            self.clock.set_time_alert_ns("hyper-flatten", self.desk.trading_end_ns, callback=self._flatten)
        super().on_start()

    def on_stop(self) -> None:
        """Stop the strategy, cancel what is working, stop the timers."""
        super().on_stop()
        for instrument_id in self._own_instruments():
            super().cancel_all_orders(instrument_id)
        self.clock.cancel_timers()

    def on_order_initialized(self, event: Any) -> None:
        """Second wall: called for every order, unable to stop one; an order without approval halts everything."""
        if str(event.client_order_id) not in self.services.gate.approved:
            why = f"order {event.client_order_id} reached the engine without approval"
            self.services.gate.halt(why)
            request = of_initialized(event, self.desk.strategy_id)
            self.services.view.add(request)
            self.services.journal.order(request, None)
            self._fail("second wall", UngatedOrder(why))
        super().on_order_initialized(event)

    def on_order_event(self, event: Any) -> None:
        """Fold into journal and view, publish once for actors, then tell the strategy."""
        relay_order_event(event, self.desk.strategy_id, self.services.view, self.services.journal)
        self.publish_message(ORDER_EVENTS, event)
        super().on_order_event(event)

    def on_position_event(self, event: Any) -> None:
        """Keep the strategy's own position as the engine states it."""
        relay_position_event(event, self.desk.strategy_id, self.services.view)
        super().on_position_event(event)

    def recorded(self, where: str, target: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a callback so that its first exception is recorded and ends the run."""

        @functools.wraps(target)
        def callback(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the engine would swallow it
                self._fail(where, error)
                return None

        return callback

    # Inside ---------------------------------------------------------------------------------------------------------

    def _approve(self, order: Any, purpose: Purpose) -> bool:
        request = of_order(order, self.desk.strategy_id, self.clock.timestamp_ns(), purpose)
        verdict: Verdict
        if order.exec_algorithm_id is not None or order.is_emulated or getattr(order, "emulation_trigger", None):
            verdict = Refused(Reason.UNSUPPORTED, "execution algorithms and emulated orders send past the gate")
        else:
            verdict = self.services.gate.check(request)
        if isinstance(verdict, Refused):
            self._deny(request, order, verdict)
            return False
        top = self.services.view.books.top(order.instrument_id)
        self.services.journal.order(request, top.mid if top else None)  # raising here prevents the send
        self.services.view.add(request)
        return True

    def _deny(self, request: OrderRequest, order: Any, refused: Refused) -> None:
        self.services.journal.refusal(request, refused)
        self.publish_message(REFUSALS, (request, refused))
        denied = OrderDenied(
            self.trader_id or TraderId("NONE-000"), self.strategy_id, order.instrument_id, order.client_order_id,
            f"{refused.reason}: {refused.detail}", UUID4(), request.ts_ns, request.ts_ns,
        )  # fmt: skip
        self.on_order_denied(denied)

    def _take_back(self, orders: Sequence[Any]) -> None:
        now = self.clock.timestamp_ns()
        for order in orders:
            order_id = str(order.client_order_id)
            self.services.view.close(order_id)
            self.services.journal.event(now, order_id, "OrderDenied", "DENIED", "another order of its list was refused")

    def _refuse_modify(self, client_order_id: ClientOrderId) -> None:
        order = self._cache.order(client_order_id)
        if order is None:
            return
        now = self.clock.timestamp_ns()
        refused = Refused(Reason.UNSUPPORTED, "orders are not modified: cancel it and send a new one")
        self.services.journal.refusal(of_order(order, self.desk.strategy_id, now, Purpose(why="modify")), refused)
        self.on_order_modify_rejected(
            OrderModifyRejected(
                self.trader_id or TraderId("NONE-000"), self.strategy_id, order.instrument_id, client_order_id,
                refused.detail, UUID4(), now, now, False, None, None,
            )
        )  # fmt: skip

    def _pass(self, name: str, send: Callable[[], None]) -> None:
        self.passing = name
        try:
            send()
        finally:
            self.passing = None

    def _mark_cancelling(self, client_order_id: str) -> None:
        order = self.services.view.working.get(client_order_id)
        if order is not None:
            order.pending_cancel = True

    def _own_instruments(self) -> list[InstrumentId]:
        view = self.services.view
        mine = {o.instrument_id for o in view.working.values() if o.strategy_id == self.desk.strategy_id}
        return [view.instrument_id(iid) for iid in sorted(mine)]

    def _flatten(self, _event: object) -> None:
        for instrument_id in self._own_instruments():
            self.cancel_all_orders(instrument_id)
        for position in self._cache.positions_open(None, None, self.strategy_id):
            self.desk.purpose = Purpose(why="end of run", source="stop")
            self.close_position(position)

    def _fail(self, where: str, error: BaseException) -> None:
        why = f"{type(self).__name__}: {where} raised {error!r}"
        self.services.faults.record(why, error)
        self.services.gate.halt(why)
        try:
            self.shutdown_system(why)
        except RuntimeError:  # "Already mutably borrowed" in OrderInitialized and Pending* handlers: an actor does it
            self.publish_message(STOP, why)


def guard_class[S: Strategy](cls: type[S]) -> type[S]:
    """Return `cls` behind the gate: same name, same constructor, every handler recorded, books kept."""
    inner: type[Any] = type(cls.__name__, (Guard, cls), {"__module__": cls.__module__})
    body: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    for name in HANDLERS:
        target = getattr(inner, name)
        if target is not getattr(Strategy, name):
            body[name] = _recorded_handler(name, target)
    return type(cls.__name__, (inner,), body)


def _recorded_handler(name: str, target: Callable[..., Any]) -> Callable[..., Any]:
    if name == "on_book_deltas":
        prepare = "apply_deltas"
    elif name == "on_quote":
        prepare = "apply_quote"
    else:
        prepare = ""

    @functools.wraps(target)
    def handler(self: Any, *args: Any) -> Any:
        try:
            return target(self, *args)
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(name, error)
            return None

    if not prepare:
        return handler

    @functools.wraps(target)
    def market_handler(self: Any, event: Any) -> Any:
        try:
            getattr(self.services.view.books, prepare)(event, self)
            return target(self, event)
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(name, error)
            return None

    return market_handler
