"""What one strategy does when it is told to: halt, hard breaker, an order that takes too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, Quantity

from execution.closing import Closer
from execution.order_care import Care, Decision
from execution.services import Services
from execution.topics import ACT, CARE, HALT
from risk.breakers.restriction import Action
from risk.desk import Desk
from risk.request import Purpose
from risk.view import WorkingOrder

_PROTECTIVE = frozenset({"STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"})


class Obedience:
    """Cancels and closes for one strategy.

    Parameters
    ----------
    strategy
        The guarded strategy: its own cancel and submit are used.
    services, desk
        View and lives; the strategy's name.
    closer
        Flattens.
    """

    def __init__(self, strategy: Any, services: Services, desk: Desk, closer: Closer) -> None:
        self._strategy = strategy
        self._services = services
        self._desk = desk
        self._closer = closer
        self._taking: dict[str, WorkingOrder] = {}

    def handlers(self) -> Iterator[tuple[str, Callable[[Any], None]]]:
        """Topics and what is done about each."""
        yield HALT, self._halted
        yield ACT, self._act
        yield CARE, self._care

    def after(self, event: Any) -> None:
        """After an order event: take the rest of an exit at market, and do what breakers demand."""
        order = self._taking.pop(str(event.client_order_id), None)
        if order is not None:
            if type(event).__name__ == "OrderCanceled":
                self._take(order)
            elif order.client_order_id in self._services.view.working:
                self._taking[order.client_order_id] = order
        if type(event).__name__ not in ("OrderInitialized", "OrderPendingCancel", "OrderPendingUpdate"):
            self._services.act(self._strategy.publish_message)

    def _halted(self, _why: object) -> None:
        """Entries are shut: take back those that rest; exits stay."""
        self._cancel(order for order in self._mine() if not order.reduce_only)

    def _act(self, demand: tuple[Action, str]) -> None:
        """A hard breaker: cancel all but protective stops, or leave the market."""
        action, instrument_id = demand
        if action is Action.FLATTEN:
            self._closer.leave(Purpose(why="hard breaker", source="stop"), hook=False)
            return
        mine = (order for order in self._mine() if instrument_id in ("", order.instrument_id))
        self._cancel(o for o in mine if not (o.reduce_only and o.order_type in _PROTECTIVE))

    def _care(self, decision: Decision) -> None:
        order = self._services.view.working.get(decision.client_order_id)
        if order is None or order.pending_cancel or order.strategy_id != self._desk.strategy_id:
            return
        if decision.care is Care.CANCEL_AND_TAKE:
            self._taking[order.client_order_id] = order
        self._services.journal.event(
            self._strategy.clock.timestamp_ns(),
            order.client_order_id,
            "Cared",
            None,
            f"{decision.care}: {decision.why}",
        )
        self._cancel([order])

    def _take(self, order: WorkingOrder) -> None:
        instrument = self._services.view.instruments[order.instrument_id]
        side = OrderSide.BUY if order.side > 0 else OrderSide.SELL
        size = Quantity.from_str(f"{order.leaves:.{instrument.size_precision}f}")
        market = self._strategy.order_factory.market(instrument.id, side, size, reduce_only=True)
        self._desk.purpose = Purpose(why="rest of a partly filled exit", source="close")
        self._strategy.submit_order(market)

    def _mine(self) -> Iterator[WorkingOrder]:
        orders = list(self._services.view.working.values())
        return (order for order in orders if order.strategy_id == self._desk.strategy_id)

    def _cancel(self, orders: Iterable[WorkingOrder]) -> None:
        for order in [order for order in orders if not order.pending_cancel]:
            self._strategy.cancel_order(ClientOrderId(order.client_order_id))
