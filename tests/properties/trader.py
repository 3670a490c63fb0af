"""A strategy without an engine: the real door, fitting, closer and obedience around a venue made of plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Protocol

from nautilus_trader.model import ClientOrderId, StrategyId

from execution.closing import Closer
from execution.door import Door
from execution.fitting import Fitting
from execution.guarded_factory import GuardedFactory
from execution.obedience import Obedience
from execution.services import Services
from risk.desk import Desk
from risk.policy import Policy
from risk.request import Purpose
from tests.properties.engine_words import Factory, Order
from tests.properties.venue import Venue


class Court(Protocol):
    """Who judges what passes the door, and carries it to the venue."""

    now: int
    venue: Venue

    def before(
        self, trader: Trader, order: Order, purpose: Purpose, wish: Decimal, closes_own: bool, listed: bool
    ) -> Any:
        """An order is about to be judged by the gate."""

    def after(self, trader: Trader, case: Any, admitted: bool) -> None:
        """The gate has spoken."""

    def sent(self, trader: Trader, order: Order) -> None:
        """It leaves."""

    def taken_back(self, order: Order) -> None:
        """It was approved and does not leave: another one of its list was refused."""

    def cancel(self, trader: Trader, order_id: str) -> None:
        """A cancel leaves."""

    def publish(self, topic: str, message: Any) -> None:
        """Tell whoever listens."""


class JudgedDoor(Door):
    """The real door, with the judge looking on."""

    trader: Trader
    listed = False

    def admit(
        self, order: Any, purpose: Purpose, ts_ns: int, *, closes_own: bool = False, size_factor: float = 1.0
    ) -> bool:
        """See `Door.admit`."""
        court, asked = self.trader.court, order.quantity.as_decimal()
        wish = self.trader.wish or asked if size_factor < 1.0 else asked
        case = court.before(self.trader, order, purpose, wish, closes_own, self.listed)
        admitted = super().admit(order, purpose, ts_ns, closes_own=closes_own, size_factor=size_factor)
        court.after(self.trader, case, admitted)
        return admitted

    def _take_back(self, order: Any, ts_ns: int) -> None:
        super()._take_back(order, ts_ns)
        self.trader.court.taken_back(order)


class Trader:
    """One strategy.

    Parameters
    ----------
    name
        Its id.
    services, policy, next_id
        Of the run.
    court
        The world.
    """

    def __init__(self, name: str, services: Services, policy: Policy, next_id: Callable[[], str], court: Court) -> None:
        self.name, self.services, self.court = name, services, court
        self.strategy_id, self.trader_id = StrategyId(f"{name}-001"), None
        self.guard_relayed: set[Any] = set()
        self.desk = Desk(name, services.view, policy, next_id)
        self.order_factory: Any = GuardedFactory(Factory(), next_id)
        self.clock = SimpleNamespace(timestamp_ns=lambda: court.now)
        self.guard_cache = SimpleNamespace(positions_open=lambda v, i, _s: court.venue.positions_open(v, i, name))
        self.publish_message = court.publish
        self.wish: Decimal | None = None
        self.door = JudgedDoor(self, services, self.desk)
        self.door.trader = self
        self.fitting = Fitting(self, services, self.desk)
        self.closer = Closer(self, services, self.desk, self.door)
        self.obedience = Obedience(self, services, self.desk, self.closer)
        self.handlers = dict(self.obedience.handlers())

    def submit_order(self, order: Order, *_more: Any) -> None:
        """As the guard does it."""
        purpose, self.wish = self.desk.take_purpose(), order.quantity.as_decimal()
        for part, closes_own, size_factor in self.fitting.fitted(order):
            if self.door.admit(part, purpose, self.court.now, closes_own=closes_own, size_factor=size_factor):
                self.court.sent(self, part)
        self.wish = None

    def submit_order_list(self, orders: Sequence[Order], purpose: Purpose) -> None:
        """As the guard does it."""
        self.door.listed = True
        try:
            if self.door.admit_all(orders, purpose, self.court.now):
                for order in orders:
                    self.court.sent(self, order)
        finally:
            self.door.listed = False

    def cancel_order(self, client_order_id: ClientOrderId) -> None:
        """As the guard does it."""
        order_id = str(client_order_id)
        self.services.view.cancelling([order_id])
        self.services.gate.throttles.on_cancel(self.court.now, self.name)
        self.court.cancel(self, order_id)

    def cancel_all_orders(self, instrument_id: Any) -> None:
        """As the guard does it."""
        for order in list(self.services.view.open_orders(str(instrument_id))):
            if order.strategy_id == self.name:
                self.cancel_order(ClientOrderId(order.client_order_id))

    def told(self, event: Any) -> None:
        """After an order event has been folded."""
        self.obedience.after(event)
        if type(event).__name__ != "OrderFilled":
            self.closer.finish()

    def on_order_denied(self, event: Any) -> None:
        """The gate refused."""

    def on_order_event(self, event: Any) -> None:
        """Nothing of its own."""

    def post_market_exit(self) -> None:
        """It is flat."""

    def guard_recorded(self, _where: str, target: Callable[[], None]) -> Callable[[], None]:
        """Exceptions are not caught here: they fail the test."""
        return target
