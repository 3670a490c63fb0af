"""Conditional orders: kept apart from the book until the market reaches their trigger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.simulated_binance.algo_order import AlgoOrder, read_conditional
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.tickets import Ticket

if TYPE_CHECKING:
    from adapters.simulated_binance.exchange import Exchange
    from adapters.simulated_binance.matching import Market

LIVE = frozenset({"NEW", "TRIGGERING", "TRIGGERED"})


class AlgoService:
    """The conditional order service of one exchange.

    Parameters
    ----------
    exchange
        Where triggered orders go.

    Attributes
    ----------
    orders
        All conditional orders by algo id.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.orders: dict[int, AlgoOrder] = {}
        self._live: dict[int, AlgoOrder] = {}
        self._by_client: dict[str, AlgoOrder] = {}

    def open_orders(self, symbol: str | None = None) -> list[AlgoOrder]:
        """Orders that wait for their trigger, oldest first."""
        named = (order for order in self._live.values() if symbol is None or order.contract.name == symbol)
        return [order for order in named if order.status == "NEW"]

    def find(self, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
        """By algo id, else the newest with the client id."""
        if algo_id is not None:
            return self.orders.get(algo_id)
        return self._by_client.get(client_id or "")

    def place(self, market: Market, params: Mapping[str, str]) -> AlgoOrder:
        """Accept a conditional order.

        Raises
        ------
        Refused
            With Binance's code for what is wrong with it.
        """
        contract = market.contract
        ticket = read_conditional(contract, params, hedge_mode=self._exchange.account.hedge_mode)
        self._check(contract, ticket)
        algo_id = self._exchange.desk.next_id()
        order = AlgoOrder(algo_id, ticket.client_id or f"sim{algo_id}", contract, ticket, self._exchange.clock.ms())
        price = self._working_price(market, order)
        if price is not None and order.reached(price):
            raise Refused(Code.ORDER_WOULD_IMMEDIATELY_TRIGGER)
        self.orders[algo_id] = self._by_client[order.client_id] = order
        self._become(order, "NEW")
        return order

    def _check(self, contract: Contract, ticket: Ticket) -> None:
        waiting = self.open_orders(contract.name)
        if len(waiting) >= contract.settings.max_algo_orders:
            raise Refused(Code.MAX_STOP_ORDER_EXCEEDED)
        if any(order.client_id == ticket.client_id for order in waiting):
            raise Refused(Code.DUPLICATED_CLIENT_TRAN_ID)
        same = (o for o in waiting if o.ticket.close_position and o.ticket.side is ticket.side)
        if ticket.close_position and any(o.ticket.type[:4] == ticket.type[:4] for o in same):
            raise Refused(Code.CLOSE_POSITION_EXISTS)

    def cancel(self, order: AlgoOrder | None, why: str = "cancelled") -> AlgoOrder:
        """Cancel a waiting order.

        Raises
        ------
        Refused
            -2011 when it is unknown or no longer waits.
        """
        if order is None or order.status != "NEW":
            raise Refused(Code.CANCEL_REJECTED)
        self._become(order, "CANCELED", why)
        return order

    def cancel_all(self, symbol: str, *, why: str) -> int:
        """Cancel all waiting orders of a symbol; return how many."""
        waiting = self.open_orders(symbol)
        for order in waiting:
            self.cancel(order, why)
        return len(waiting)

    def look(self, market: Market) -> None:
        """Trigger what the market has reached, and finish what has traded."""
        for order in list(self._live.values()):
            if order.status == "TRIGGERED" and order.child is not None and not order.child.is_open:
                self._become(order, "FINISHED")
        for order in self.open_orders(market.contract.name):
            price = self._working_price(market, order)
            if order.status == "NEW" and price is not None and order.reached(price):
                self._trigger(order)

    def _working_price(self, market: Market, order: AlgoOrder) -> Decimal | None:
        if order.ticket.working_type == "MARK_PRICE":
            return market.feed.mark
        last = market.feed.last_price
        return None if last is None else market.contract.price.value(last)

    def _trigger(self, order: AlgoOrder) -> None:
        order.triggered_ms = self._exchange.clock.ms()
        self._become(order, "TRIGGERING")
        ticket = self._child_ticket(order)
        if ticket is None:
            self._become(order, "EXPIRED", "no position to close")
            return
        try:
            order.child = self._exchange.place(order.contract, ticket, by="algo")
        except Refused as refused:
            self._become(order, "REJECTED", str(refused))
            return
        self._become(order, "TRIGGERED")
        if not order.child.is_open:
            self._become(order, "FINISHED")

    def _child_ticket(self, order: AlgoOrder) -> Ticket | None:
        own = order.ticket
        held = self._exchange.account.positions[order.contract.name].quantity
        reduces = own.close_position or own.reduce_only
        if reduces and held * own.side >= 0:
            return None
        quantity = abs(held) if own.close_position else own.quantity
        market = own.price is None
        return Ticket(
            own.side,
            "MARKET" if market else "LIMIT",
            own.tif,
            own.price,
            quantity,
            order.client_id,
            reduce_only=reduces,
            close_position=own.close_position,
            stop_price=own.stop_price,
            working_type=own.working_type,
        )

    def _become(self, order: AlgoOrder, status: str, why: str = "") -> None:
        exchange, now = self._exchange, self._exchange.clock.ms()
        order.status, order.updated_ms = status, now
        if status in LIVE:
            self._live[order.algo_id] = order
        else:
            self._live.pop(order.algo_id, None)
        view = order.view()
        exchange.ledger.write("algo_order", **view, why=why)
        exchange.outlet.user(order.update(now), order.contract.name)
        exchange.on_step(f"ALGO_{status}", order.contract.name)
