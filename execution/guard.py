"""The one gate's door: a mixin put in front of every strategy class, ours and foreign.

Every way to create or close passes `Door.admit`: verdict, then journal, then engine. Close helpers and market exit run in Rust
past any override, so they are done here. Modification is refused: cancel and new. A class that forgets `super()` loses nothing,
since the guard stands before it, and `seal()` stops whoever is not guarded. Names of its own begin with ``guard_``: it stands
before the strategy's class, whose methods of the same name it would hide.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from nautilus_trader.model import (
    ClientId,
    ClientOrderId,
    InstrumentId,
    OrderSide,
    Position,
    PositionId,
    PositionSide,
    Price,
    Quantity,
    TimeInForce,
)
from nautilus_trader.trading import Strategy

from execution.closing import Closer
from execution.door import Door
from execution.fitting import Fitting
from execution.guarded_clock import GuardedClock
from execution.guarded_factory import GuardedFactory
from execution.journal_file import JournalFailed
from execution.obedience import Obedience
from execution.requests import of_initialized
from execution.seal import UngatedOrder
from execution.services import Services
from execution.topics import ORDER_EVENTS, STOP
from execution.wire import Wire
from risk.desk import Desk
from risk.request import Purpose


class Guard(Strategy):
    """Stands in front of a strategy; see `execution.guarding.guard_class`."""

    services: Services
    desk: Desk
    wire: Wire
    guard_cache: Any
    guard_clock: GuardedClock | None = None
    guard_door: Door
    guard_closer: Closer
    guard_fitting: Fitting
    guard_obedience: Obedience
    guard_passing: set[str]
    guard_relayed: set[Any]
    guard_topics: dict[tuple[str, Any], Callable[..., Any]]

    # Everything a strategy can do to orders -------------------------------------------------------------------------

    def submit_order(
        self, order: Any, position_id: PositionId | None = None, client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Check, journal, send. A refusal reaches the strategy as `OrderDenied`."""
        purpose = self.desk.take_purpose()
        for part, closes_own, size_factor in self.guard_fitting.fitted(order):
            now = self.clock.timestamp_ns()
            if self.guard_door.admit(part, purpose, now, closes_own=closes_own, size_factor=size_factor):
                send = functools.partial(super().submit_order, part, position_id, client_id, params)
                self.wire.insert(self.clock, functools.partial(self.guard_pass, [part], send))

    def submit_order_list(
        self, order_list: Any, position_id: PositionId | None = None, client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """All orders of the list go, or none does."""
        orders = order_list if isinstance(order_list, list) else order_list.orders
        if self.guard_door.admit_all(orders, self.desk.take_purpose(), self.clock.timestamp_ns()):
            send = functools.partial(super().submit_order_list, order_list, position_id, client_id, params)
            self.wire.insert(self.clock, lambda: self.guard_pass(orders, send))

    def modify_order(
        self, client_order_id: ClientOrderId, quantity: Quantity | None = None, price: Price | None = None,
        trigger_price: Price | None = None, client_id: ClientId | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Refuse: an order is cancelled and replaced, never changed in place."""
        del quantity, price, trigger_price, client_id, params
        order = self.guard_cache.order(client_order_id)
        if order is not None:
            self.guard_door.refuse_modify(client_order_id, order, self.clock.timestamp_ns())

    def modify_orders(
        self, updates: Sequence[Any] = (), client_id: ClientId | None = None, params: dict[str, Any] | None = None
    ) -> None:
        """Refuse each, as `modify_order` does."""
        for update in updates:
            self.modify_order(update[0], client_id=client_id, params=params)

    def close_position(
        self, position: Position, client_id: ClientId | None = None, tags: Sequence[str] | None = None,
        time_in_force: TimeInForce | None = None, reduce_only: bool | None = None,
        quote_quantity: bool | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Send reduce-only market orders for the whole position, through the gate."""
        del reduce_only, quote_quantity  # always reduce-only, always base units
        stated = self.desk.take_purpose()
        purpose = stated if stated.source != "strategy" else Purpose(why=stated.why or "close position", source="close")
        self.guard_closer.close(position, purpose, client_id, tags, time_in_force, params)

    def close_all_positions(
        self, instrument_id: InstrumentId, position_side: PositionSide | None = None,
        client_id: ClientId | None = None, tags: Sequence[str] | None = None, time_in_force: TimeInForce | None = None,
        reduce_only: bool | None = None, quote_quantity: bool | None = None, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Close every open position of this strategy on an instrument, through the gate."""
        del reduce_only, quote_quantity
        for position in self.guard_cache.positions_open(None, instrument_id, self.strategy_id):
            if position_side is None or position.side == position_side:
                self.close_position(position, client_id, tags, time_in_force, None, None, params)

    def market_exit(self) -> None:
        """Cancel this strategy's orders and close its positions, through the gate; entries are refused until it is flat."""
        self.on_market_exit()
        self.guard_closer.leave(Purpose(why="market exit", source="close"), hook=True)

    def is_exiting(self) -> bool:
        """True from a market exit until the strategy is flat and nothing works."""
        return self.guard_door.exiting

    def cancel_order(
        self, client_order_id: ClientOrderId, client_id: ClientId | None = None, params: dict[str, Any] | None = None
    ) -> None:
        """Cancel; never asks the gate."""
        self.guard_cancelling([str(client_order_id)])
        self.wire.cancel(self.clock, functools.partial(super().cancel_order, client_order_id, client_id, params))

    def cancel_orders(
        self, client_order_ids: Sequence[ClientOrderId], client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Cancel one by one; never asks the gate."""
        for client_order_id in client_order_ids:  # the engine refuses a batch that holds an order it has not sent yet
            self.cancel_order(client_order_id, client_id, params)

    def cancel_all_orders(
        self, instrument_id: InstrumentId, order_side: OrderSide | None = None, client_id: ClientId | None = None,
        strategy_only: bool = True, params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Cancel; never asks the gate."""
        sides = {None: (1, -1), OrderSide.BUY: (1,), OrderSide.SELL: (-1,)}[order_side]
        mine = self.desk.strategy_id if strategy_only else None
        orders = self.services.view.open_orders(str(instrument_id))
        self.guard_cancelling([o.client_order_id for o in orders if o.side in sides and mine in (None, o.strategy_id)])
        send = functools.partial(super().cancel_all_orders, instrument_id, order_side, client_id, strategy_only, params)
        self.wire.cancel(self.clock, send)

    # What the engine gives us ---------------------------------------------------------------------------------------

    @property
    def clock(self) -> Any:
        """The engine's clock with every callback recorded."""
        return self.guard_clock if self.guard_clock is not None else super().clock

    @property
    def order_factory(self) -> Any:
        """The engine's order factory with client order ids of ours."""
        return GuardedFactory(super().order_factory, self.desk.next_id)

    def subscribe_topic(self, topic: str, handler: Callable[[object], None], priority: int = 0) -> None:
        """Subscribe with the handler's exceptions recorded."""
        recorded = self.guard_topics[(topic, handler)] = self.guard_recorded(f"topic {topic}", handler)
        super().subscribe_topic(topic, recorded, priority)

    def unsubscribe_topic(self, topic: str, handler: Callable[[object], None]) -> None:
        """Unsubscribe what was subscribed for `handler`."""
        super().unsubscribe_topic(topic, self.guard_topics.pop((topic, handler), handler))

    def on_start(self) -> None:
        """Save the references that work in every handler, then start the strategy."""
        self.guard_cache = self.cache
        self.guard_passing, self.guard_relayed, self.guard_topics = set(), set(), {}
        self.guard_clock = GuardedClock(super().clock, self.guard_recorded)
        self.guard_door = Door(self, self.services, self.desk)
        self.guard_closer = Closer(self, self.services, self.desk, self.guard_door)
        self.guard_fitting = Fitting(self, self.services, self.desk)
        self.guard_obedience = Obedience(self, self.services, self.desk, self.guard_closer)
        for topic, handler in self.guard_obedience.handlers():
            self.subscribe_topic(topic, handler)
        if self.desk.trading_end_ns is not None:
            self.clock.set_time_alert_ns("hyper-flatten", self.desk.trading_end_ns, callback=self.guard_flatten)
        super().on_start()

    def on_stop(self) -> None:
        """Stop the strategy, cancel what is working, stop the timers: the last two also when the first raises."""
        try:
            super().on_stop()
        finally:
            for instrument_id in self.guard_closer.own_instruments():
                super().cancel_all_orders(instrument_id)
            self.clock.cancel_timers()

    def on_order_initialized(self, event: Any) -> None:
        """Second wall: called for every order, unable to stop one; an order without approval halts everything."""
        if not self.services.gate.saw(str(event.client_order_id)):
            why = f"order {event.client_order_id} reached the engine without approval"
            if str(event.client_order_id) not in self.services.gate.approved:
                request = of_initialized(event, self.desk.strategy_id)
                self.services.view.add(request)
                self.services.journal.order(request, None)
            self.guard_fail("second wall", UngatedOrder(why))
        super().on_order_initialized(event)

    def on_order_event(self, event: Any) -> None:
        """Fold into journal and view, publish once for actors, then tell the strategy."""
        if event.event_id in self.guard_relayed:
            self.guard_relayed.remove(event.event_id)
        else:
            self.guard_fold(event)
        super().on_order_event(event)
        kind = type(event).__name__
        if kind == "OrderRejected" and event.due_post_only and self.desk.reprice is not None:
            self.desk.reprice(str(event.client_order_id))
        self.guard_obedience.after(event)
        if kind == "OrderRejected":
            self.guard_closer.rejected()
        if kind != "OrderFilled":  # what it did to the position is told next, to `on_position_event`
            self.guard_closer.finish()

    def on_position_event(self, event: Any) -> None:
        """Keep the strategy's own position as the engine states it."""
        self.services.relay.position(event, self.desk.strategy_id)
        if self.desk.moved is not None:  # before the strategy's own handler, which may forget `super()`
            self.desk.moved()
        super().on_position_event(event)
        self.guard_closer.follow()

    # Inside ---------------------------------------------------------------------------------------------------------

    def guard_relay(self, event: Any) -> None:
        """Fold an event before its own handler; `on_order_event`, which the engine calls next, does not do it again."""
        if event.event_id not in self.guard_relayed:
            self.guard_relayed.add(event.event_id)
            self.guard_fold(event)

    def guard_fold(self, event: Any) -> None:
        """Journal, view, then whoever listens."""
        self.services.relay.order(event, self.desk.strategy_id)
        self.publish_message(ORDER_EVENTS, event)

    def guard_recorded(self, where: str, target: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a callback so that its first exception is recorded and ends the run."""

        @functools.wraps(target)
        def callback(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - the engine would swallow it, SystemExit included
                self.guard_fail(where, error)
                return None

        return callback

    def guard_pass(self, orders: Sequence[Any], send: Callable[[], None]) -> None:
        """Send what was admitted; the seal lets exactly these ids through, once."""
        ids = {str(order.client_order_id) for order in orders}
        self.guard_passing |= ids
        try:
            send()
        finally:
            self.guard_passing -= ids

    def guard_cancelling(self, client_order_ids: Sequence[str]) -> None:
        """Note that cancels leave."""
        self.services.view.cancelling(client_order_ids)
        now = self.clock.timestamp_ns()
        for _ in client_order_ids:
            self.services.gate.throttles.on_cancel(now, self.desk.strategy_id)

    def guard_flatten(self, _event: object) -> None:
        """The trading window is over."""
        self.guard_closer.leave(Purpose(why="end of run", source="stop"), hook=False)

    def guard_fail(self, where: str, error: BaseException) -> None:
        """Keep the first exception, shut entries, end the run."""
        why = f"{type(self).__name__}: {where} raised {error!r}"
        self.services.faults.record(why, error)
        now = self.guard_clock.timestamp_ns() if self.guard_clock is not None else 0
        self.services.gate.halt(why, now, latch=isinstance(error, UngatedOrder | JournalFailed))
        try:
            self.shutdown_system(why)
        except RuntimeError:  # "Already mutably borrowed" in OrderInitialized and Pending* handlers: an actor does it
            self.publish_message(STOP, why)
