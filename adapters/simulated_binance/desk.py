"""The account's orders: registry, lifecycle, and the messages and ledger rows of each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from adapters.simulated_binance import user_events
from adapters.simulated_binance.account import Account
from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.orders import Order, Side, Status
from adapters.simulated_binance.outlet import Outlet
from adapters.simulated_binance.tickets import Ticket
from adapters.simulated_binance.user_events import Fill


class Desk:
    """Keeps every order and trade of the account and says what happens to them.

    Parameters
    ----------
    account, contracts, clock, ledger, outlet
        Of the venue.
    marks
        Current mark prices by symbol.
    on_step
        Told (execution type, symbol) after each step of an order: the fault script listens.

    Attributes
    ----------
    orders
        All orders by venue id.
    fills
        All executions, oldest first.
    """

    def __init__(
        self,
        account: Account,
        contracts: dict[str, Contract],
        clock: Clock,
        ledger: Ledger,
        outlet: Outlet,
        marks: Callable[[], dict[str, Decimal]],
        on_step: Callable[[str, str], None],
        *,
        lite: bool,
    ) -> None:
        self.account, self._contracts, self._clock = account, contracts, clock
        self._ledger, self._outlet, self._marks, self._on_step, self._lite = ledger, outlet, marks, on_step, lite
        self.orders: dict[int, Order] = {}
        self.fills: list[Fill] = []
        self._open: dict[int, Order] = {}
        self._by_client: dict[tuple[str, str], Order] = {}
        self._last_id = 1_000_000_000

    def next_id(self) -> int:
        """Draw the next order id; algo orders share the counter."""
        self._last_id += 1
        return self._last_id

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Open orders, oldest first."""
        return [order for order in self._open.values() if symbol is None or order.symbol == symbol]

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
        """Newest order with this venue id or client id."""
        if order_id is not None:
            found = self.orders.get(order_id)
            return found if found is not None and found.symbol == symbol else None
        return self._by_client.get((symbol, client_id or ""))

    def is_client_id_open(self, symbol: str, client_id: str) -> bool:
        """Whether an open order of the symbol has the client id."""
        found = self._by_client.get((symbol, client_id))
        return found is not None and found.is_open

    def open(self, contract: Contract, ticket: Ticket, *, by: str, self_trade: str) -> Order:
        """Accept an order: give it an id and tell the world it is NEW."""
        order_id = self.next_id()
        order = Order(
            order_id,
            ticket.client_id if ticket.client_id is not None else f"sim{order_id}",
            contract.name,
            ticket.side,
            ticket.type,
            ticket.tif,
            ticket.price,
            ticket.quantity,
            self._clock.ms(),
            self._clock.real_ns(),
            reduce_only=ticket.reduce_only,
            close_position=ticket.close_position,
            good_till_ms=ticket.good_till_ms,
            stop_price=ticket.stop_price,
            working_type=ticket.working_type,
            price_protect=ticket.price_protect,
            self_trade=ticket.self_trade or self_trade,
            by=by,
        )
        self.orders[order_id] = self._open[order_id] = order
        self._by_client[order.symbol, order.client_id] = order
        self.tell(order, "NEW")
        return order

    def fill(
        self, order: Order, price: int, quantity: int, trade_id: int, *, maker: bool, execution: str = "TRADE"
    ) -> Fill:
        """Book an execution of an order; `execution` is the ``x`` of its message."""
        contract, now = self._contracts[order.symbol], self._clock.ms()
        value = contract.price.value(price)
        realised, fee = self.account.fill(
            contract, order.side, quantity, value, maker=maker, trade_id=trade_id, now_ms=now
        )
        order.filled += quantity
        order.quote += value * contract.size.value(quantity)
        fill = Fill(trade_id, order, price, quantity, maker, realised, fee, now)
        self.fills.append(fill)
        self._note_fill(contract, fill)
        if self._lite:
            self._outlet.user(user_events.trade_lite(contract, fill), order.symbol)
        self.tell_account("ORDER", order.symbol)
        self._become(order, Status.FILLED if order.left == 0 else Status.PARTIALLY_FILLED)
        self.tell(order, execution, fill)
        return fill

    def end(self, order: Order, status: Status, why: str = "") -> None:
        """Close an order that is not filled; the caller has taken it out of the book."""
        self._become(order, status)
        self.tell(order, "CANCELED" if status is Status.CANCELED else "EXPIRED", why=why)

    def tell(self, order: Order, execution: str, fill: Fill | None = None, why: str = "") -> None:
        """Send ``ORDER_TRADE_UPDATE``, write the ledger, and let the fault script see the step."""
        contract, now = self._contracts[order.symbol], self._clock.ms()
        order.updated_ms = now
        self._ledger.write("order", **describe(contract, order), step=execution, why=why)
        self._outlet.user(user_events.order_update(contract, order, execution, now, fill), order.symbol)
        self._on_step(execution, order.symbol)

    def tell_account(self, reason: str, symbol: str | None, change: Decimal = Decimal(0)) -> None:
        """Send ``ACCOUNT_UPDATE`` for one symbol."""
        positions = [self.account.positions[symbol]] if symbol is not None else []
        message = user_events.account_update(self.account, reason, positions, self._marks(), self._clock.ms(), change)
        self._outlet.user(message, symbol)

    def reducible(self, order: Order) -> int:
        """How much of an order would reduce the position, in units."""
        held = self.account.positions[order.symbol].quantity
        return abs(held) if held * order.side < 0 else 0

    def tradable(self, order: Order) -> int:
        """How much of an order may trade now: a reduce-only order never more than the position."""
        return min(order.left, self.reducible(order)) if order.reduce_only else order.left

    def check_reduce_only(self, contract: Contract, side: Side) -> None:
        """Refuse a reduce-only order that open reduce-only orders leave nothing to reduce.

        Raises
        ------
        Refused
            -2022.
        """
        held = self.account.positions[contract.name].quantity
        waiting = sum(o.left for o in self.open_orders(contract.name) if o.reduce_only and o.side is side)
        if held * side >= 0 or waiting >= abs(held):
            raise Refused(Code.REDUCE_ONLY_REJECT)

    def useless_exits(self, symbol: str) -> Iterator[Order]:
        """Open reduce-only orders that have no position to reduce."""
        return (order for order in self.open_orders(symbol) if order.reduce_only and self.reducible(order) == 0)

    def _become(self, order: Order, status: Status) -> None:
        order.status = status
        if not order.is_open:
            self._open.pop(order.order_id, None)

    def _note_fill(self, contract: Contract, fill: Fill) -> None:
        order = fill.order
        self._ledger.write(
            "trade",
            trade_id=fill.trade_id,
            order_id=order.order_id,
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side.name,
            price=contract.price.value(fill.price),
            quantity=contract.size.value(fill.quantity),
            maker=fill.maker,
            fee=fill.fee,
            realised=fill.realised,
            by=order.by,
        )


def describe(contract: Contract, order: Order) -> dict[str, object]:
    """An order as the ledger shows it."""
    return {
        "order_id": order.order_id,
        "client_id": order.client_id,
        "symbol": order.symbol,
        "side": order.side.name,
        "type": order.type,
        "tif": order.tif,
        "price": None if order.price is None else contract.price.value(order.price),
        "quantity": contract.size.value(order.quantity),
        "filled": contract.size.value(order.filled),
        "status": str(order.status),
        "reduce_only": order.reduce_only,
        "by": order.by,
    }
