"""What happens to the account without its asking: funding, liquidation, auto-deleveraging, settlement, a person."""

from __future__ import annotations

from decimal import Decimal

from adapters.simulated_binance import user_events
from adapters.simulated_binance.exchange import Exchange
from adapters.simulated_binance.matching import Market
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.scale import money
from adapters.simulated_binance.tickets import Ticket

PREFIX = {"liquidation": "autoclose-", "adl": "adl_autoclose", "settlement": "settlement_autoclose-"}
MARGIN_CALL_AT = Decimal("0.8")


class Forces:
    """Acts on the account from outside.

    Parameters
    ----------
    exchange
        Whose account it is.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._warned = False

    def settle_funding(self, symbol: str, rate: Decimal | None = None) -> None:
        """Pay or receive funding on the position: ``-quantity * mark * rate``."""
        exchange = self._exchange
        market, position = exchange.markets[symbol], exchange.account.positions[symbol]
        mark = market.feed.mark
        if mark is None:
            return
        used = market.feed.funding_rate if rate is None else rate
        amount = money(-position.amount * mark * used)
        exchange.ledger.write("funding", symbol=symbol, rate=used, mark=mark, position=position.amount, amount=amount)
        if amount:
            exchange.account.book("FUNDING_FEE", amount, symbol, exchange.clock.ms())
            exchange.desk.tell_account("FUNDING_FEE", None, amount)

    def watch_margin(self) -> None:
        """Warn at 80 % of the maintenance margin, liquidate at 100 %."""
        exchange, marks = self._exchange, self._exchange.marks()
        needed = exchange.account.maintenance_margin(marks)
        equity = exchange.account.wallet + exchange.account.unrealised(marks)
        if needed == 0 or equity * MARGIN_CALL_AT > needed:
            self._warned = False
            return
        if not self._warned:
            self._warned = True
            exchange.outlet.user(user_events.margin_call(exchange.account, marks, exchange.clock.ms()), None)
        if equity <= needed and exchange.scenario.behaviour.liquidations:
            self._liquidate_all()

    def _liquidate_all(self) -> None:
        for symbol, position in self._exchange.account.positions.items():
            self._exchange.cancel_all(symbol, why="liquidation", algo=True)
            if position.quantity:
                self.close(symbol, "liquidation")

    def close(self, symbol: str, how: str, fraction: Decimal = Decimal(1)) -> None:
        """Close a share of the position at the mark price, outside the book, as the venue does."""
        exchange = self._exchange
        market, held = exchange.markets[symbol], exchange.account.positions[symbol].quantity
        quantity = max(1, int(abs(held) * fraction)) if held else 0
        if quantity == 0 or market.feed.mark is None:
            return
        side = Side.SELL if held > 0 else Side.BUY
        tick = market.contract.tick
        price = round(market.feed.mark.scaleb(market.contract.price.places) / tick) * tick
        self._closing_order(market, how, side, quantity, price)
        if how == "liquidation":
            notional = market.contract.price.value(price) * market.contract.size.value(quantity)
            fee = money(notional * market.contract.settings.liquidation_fee)
            exchange.account.book("INSURANCE_CLEAR", -fee, symbol, exchange.clock.ms())
        exchange.matching.drop_useless_exits(market)
        exchange.settle(market)

    def _closing_order(self, market: Market, how: str, side: Side, quantity: int, price: int) -> None:
        exchange, desk = self._exchange, self._exchange.desk
        client_id = f"{PREFIX[how]}{exchange.clock.ms()}"
        ticket = Ticket(side, "LIMIT", "IOC", price, quantity, client_id, reduce_only=True)
        order = desk.open(market.contract, ticket, by="venue", self_trade="NONE")
        desk.tell(order, "CALCULATED")  # t = 0: the notice, which is no trade
        trade_id = market.feed.trade(price, quantity, side)
        fill = desk.fill(order, price, quantity, trade_id, maker=False, execution="CALCULATED")
        exchange.ledger.write("forced_close", symbol=order.symbol, how=how, client_id=client_id, trade_id=fill.trade_id)

    def person_trades(self, symbol: str, side: Side, quantity: Decimal) -> None:
        """Place a market order that no client of ours sent."""
        self._person(symbol, Ticket(side, "MARKET", "GTC", None, self._units(symbol, quantity), self._web_id()))

    def person_rests(self, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> None:
        """Rest a limit order that no client of ours sent."""
        units = self._exchange.contracts[symbol].price.units(str(price))
        self._person(symbol, Ticket(side, "LIMIT", "GTC", units, self._units(symbol, quantity), self._web_id()))

    def _person(self, symbol: str, ticket: Ticket) -> None:
        self._exchange.place(self._exchange.contracts[symbol], ticket, by="person")

    def _units(self, symbol: str, quantity: Decimal) -> int:
        return self._exchange.contracts[symbol].size.units(str(quantity))

    def _web_id(self) -> str:
        return f"web_{self._exchange.clock.ms()}_{len(self._exchange.desk.orders)}"

    def end_all(self, symbol: str) -> None:
        """Cancel everything of a symbol as a person at the web page does."""
        self._exchange.cancel_all(symbol, why="person", algo=True)
