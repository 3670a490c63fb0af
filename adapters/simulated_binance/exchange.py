"""The exchange: what an order does when it arrives. Synchronous; time comes from the clock, waiting from the agenda."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from adapters.simulated_binance.account import Account
from adapters.simulated_binance.algo import AlgoService
from adapters.simulated_binance.book import Book
from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.desk import Desk
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.market.feed import Feed
from adapters.simulated_binance.matching import Market, Matching
from adapters.simulated_binance.orders import Order, Side, Status
from adapters.simulated_binance.outlet import Outlet
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import Ticket

FIRST_TRADE_ID = 5_000_000_000


class Exchange:
    """Orders, account and books of one venue.

    Parameters
    ----------
    scenario
        What the venue is like.
    clock, agenda, ledger, outlet
        Time, what is due, the record, and who listens.

    Attributes
    ----------
    markets
        Book and feed by symbol.
    desk
        Orders and fills.
    algo
        Conditional orders.
    on_step
        Set by the fault engine: told each step of an order.
    """

    def __init__(self, scenario: Scenario, clock: Clock, agenda: Agenda, ledger: Ledger, outlet: Outlet) -> None:
        self.scenario, self.clock, self.agenda, self.ledger, self.outlet = scenario, clock, agenda, ledger, outlet
        self.contracts = {name: Contract(name, symbol) for name, symbol in scenario.symbols.items()}
        self.markets = {name: self._market(name) for name in scenario.symbols}
        self.account = Account(scenario.account, self.contracts, ledger)
        self.desk = Desk(
            self.account,
            self.contracts,
            clock,
            ledger,
            outlet,
            self.marks,
            lambda step, symbol: self.on_step(step, symbol),  # noqa: PLW0108 - it is set later
            lite=scenario.behaviour.trade_lite,
        )
        self.on_step: Callable[[str, str], None] = lambda _step, _symbol: None
        self.matching = Matching(self.desk)
        self.algo = AlgoService(self)
        self._countdowns: dict[str, int] = {}

    def _market(self, name: str) -> Market:
        contract, book = self.contracts[name], Book(update_id=self.clock.ms() * 1000)
        return Market(contract, book, Feed(contract, book, self.clock, self.outlet, FIRST_TRADE_ID))

    def market(self, symbol: str) -> Market:
        """Book and feed of a symbol.

        Raises
        ------
        Refused
            -1121.
        """
        if symbol not in self.markets:
            raise Refused(Code.BAD_SYMBOL)
        return self.markets[symbol]

    def marks(self) -> dict[str, Decimal]:
        """Mark prices; a symbol without a quote yet counts as 0."""
        return {name: market.feed.mark or Decimal(0) for name, market in self.markets.items()}

    def available(self) -> Decimal:
        """Balance that new orders may bind."""
        marks = self.marks()
        bound = self.account.initial_margin(marks) + sum(map(self.order_margin, self.desk.open_orders()), Decimal(0))
        return max(Decimal(0), self.account.wallet + self.account.unrealised(marks) - bound)

    def order_margin(self, order: Order) -> Decimal:
        """Margin that an open order binds: none when it reduces."""
        contract = self.contracts[order.symbol]
        if order.reduce_only or order.price is None:
            return Decimal(0)
        notional = contract.price.value(order.price) * contract.size.value(order.left)
        return notional / self.account.positions[order.symbol].leverage

    def place(self, contract: Contract, ticket: Ticket, *, by: str = "api") -> Order:
        """Accept an order, match it, rest or expire what is left.

        Raises
        ------
        Refused
            When it is not accepted; nothing has happened then.
        """
        market = self.markets[contract.name]
        if by in ("api", "person"):
            self._check(market, ticket)
        refused = self._kills_at_once(market, ticket)
        if refused is not None and self.scenario.behaviour.post_only == "reject":
            raise Refused(refused)
        order = self.desk.open(contract, ticket, by=by, self_trade=self.scenario.behaviour.self_trade)
        if refused is not None:
            self.desk.end(order, Status.EXPIRED, "would not have done as told")
        else:
            self._work(market, order, by)
        self.settle(market)
        return order

    def _check(self, market: Market, ticket: Ticket) -> None:
        contract, settings = market.contract, market.contract.settings
        if contract.status != "TRADING":
            raise Refused(Code.SYMBOL_NOT_OPEN)
        if ticket.client_id is not None and self.desk.is_client_id_open(contract.name, ticket.client_id):
            raise Refused(Code.DUPLICATED_CLIENT_TRAN_ID)
        if len(self.desk.open_orders(contract.name)) >= settings.max_orders:
            raise Refused(Code.MAX_OPEN_ORDER_EXCEEDED)
        if ticket.reduce_only:
            self.desk.check_reduce_only(contract, ticket.side)
        else:
            self._check_margin(market, ticket)

    def _check_margin(self, market: Market, ticket: Ticket) -> None:
        contract = market.contract
        position = self.account.positions[contract.name]
        closing = abs(position.quantity) if position.quantity * ticket.side < 0 else 0
        opening = contract.size.value(max(0, ticket.quantity - closing))
        price = contract.price.value(ticket.price) if ticket.price is not None else market.feed.mark or Decimal(0)
        if opening * price * (1 / Decimal(position.leverage) + self.account.rate(maker=False)) > self.available():
            raise Refused(Code.MARGIN_NOT_SUFFICIENT)

    def _kills_at_once(self, market: Market, ticket: Ticket) -> Code | None:
        if ticket.tif == "GTX" and market.book.front(ticket.side, ticket.price) is not None:
            return Code.GTX_ORDER_REJECT
        if ticket.tif == "FOK":
            reach = sum(quantity for _, quantity in market.book.reachable(ticket.side, ticket.price))
            return Code.FOK_ORDER_REJECT if reach < ticket.quantity else None
        return None

    def _work(self, market: Market, order: Order, by: str) -> None:
        limit = order.price if order.price is not None else self._market_bound(market, order.side, by)
        self.matching.take(market, order, limit)
        if not order.is_open:
            return
        if order.type == "MARKET" or order.tif in ("IOC", "FOK"):
            self.desk.end(order, Status.EXPIRED, "no more counterparty")
        elif order.reduce_only and self.desk.reducible(order) == 0:
            self.desk.end(order, Status.EXPIRED, "nothing left to reduce")
        else:
            market.book.rest(order)
            self._time_out(market, order)

    def _market_bound(self, market: Market, side: Side, by: str) -> int | None:
        mark = market.feed.mark
        if mark is None or by == "venue":
            return None
        return int((mark * (1 + side * market.contract.settings.percent_price)).scaleb(market.contract.price.places))

    def _time_out(self, market: Market, order: Order) -> None:
        if order.good_till_ms:
            wait = max(0.0, (order.good_till_ms - self.clock.ms()) / 1000)
            self.agenda.after(wait, lambda: self._expire(market, order))

    def _expire(self, market: Market, order: Order) -> None:
        if order.is_open:
            self.matching.expire(market, order, "good till date")
            self.settle(market)

    def cancel(self, order: Order | None, *, why: str = "cancelled") -> Order:
        """Cancel an open order.

        Raises
        ------
        Refused
            -2011 when there is no such open order.
        """
        if order is None or not order.is_open:
            raise Refused(Code.CANCEL_REJECTED)
        market = self.markets[order.symbol]
        self.matching.expire(market, order, why, Status.CANCELED)
        market.feed.flush()
        return order

    def cancel_all(self, symbol: str, *, why: str, algo: bool) -> int:
        """Cancel every open order of a symbol, conditional ones too if `algo`; return how many."""
        orders = self.desk.open_orders(symbol)
        for order in orders:
            self.cancel(order, why=why)
        return len(orders) + (self.algo.cancel_all(symbol, why=why) if algo else 0)

    def amend(self, order: Order | None, price: int, quantity: int) -> Order:
        """Change price or quantity; only a smaller quantity at the same price keeps its place in the queue.

        Raises
        ------
        Refused
            -2013, -5027 or -5022.
        """
        if order is None or not order.is_open:
            raise Refused(Code.NO_SUCH_ORDER)
        market = self.markets[order.symbol]
        if (price, quantity) == (order.price, order.quantity):
            raise Refused(Code.NOT_CHANGED)
        if quantity <= order.filled:
            return self.cancel(order, why="amended below what is filled")
        if price == order.price and quantity < order.quantity:
            market.book.shrink(order, quantity - order.filled)
            order.quantity = quantity
            self.desk.tell(order, "AMENDMENT")
        else:
            self._replace(market, order, price, quantity)
        self.settle(market)
        return order

    def _replace(self, market: Market, order: Order, price: int, quantity: int) -> None:
        if order.tif == "GTX" and market.book.front(order.side, price) is not None:
            raise Refused(Code.GTX_ORDER_REJECT)
        market.book.remove(order)
        order.price, order.quantity = price, quantity
        self.desk.tell(order, "AMENDMENT")
        self._work(market, order, "api")

    def settle(self, market: Market) -> None:
        """Publish what changed, and look whether conditional orders trigger."""
        market.feed.flush()
        self.algo.look(market)

    def countdown(self, symbol: str, countdown_ms: int) -> None:
        """Arm, renew or (with 0) disarm the countdown that cancels all orders of a symbol."""
        token = self._countdowns[symbol] = self._countdowns.get(symbol, 0) + 1
        self.ledger.write("countdown", symbol=symbol, countdown_ms=countdown_ms, fired=False)
        if countdown_ms > 0:
            self.agenda.after(countdown_ms / 1000, lambda: self._countdown_over(symbol, token))

    def _countdown_over(self, symbol: str, token: int) -> None:
        if self._countdowns[symbol] != token:
            return
        reaches = self.scenario.behaviour.countdown_reaches_algo_orders
        cancelled = self.cancel_all(symbol, why="countdown", algo=reaches)
        self.ledger.write("countdown", symbol=symbol, countdown_ms=0, fired=True, cancelled=cancelled)
