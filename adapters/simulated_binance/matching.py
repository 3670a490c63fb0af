"""Who trades with whom: our aggressive orders, others' market orders, others' quotes that cross ours."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.simulated_binance.book import Book
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.desk import Desk
from adapters.simulated_binance.market.feed import Feed
from adapters.simulated_binance.orders import Order, Side, Status


@dataclass(slots=True)
class Market:
    """One symbol: contract, book and feed."""

    contract: Contract
    book: Book
    feed: Feed


class Matching:
    """Runs executions in price-time order.

    Parameters
    ----------
    desk
        Books executions of our orders.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, market: Market, order: Order, limit: int | None) -> None:
        """Let our order trade with the other side up to `limit`; it does not rest here."""
        while order.is_open and (left := self._desk.tradable(order)):
            front = market.book.front(order.side, limit)
            if front is None:
                return
            price, maker, available = front
            if maker is not None and self._refuses_itself(market, order, maker):
                continue
            quantity = min(left, available, left if maker is None else self._desk.tradable(maker))
            if maker is not None and quantity == 0:
                self.expire(market, maker, "nothing left to reduce")
                continue
            market.book.take(order.side, quantity)
            trade_id = market.feed.trade(price, quantity, order.side)
            self._desk.fill(order, price, quantity, trade_id, maker=False)
            if maker is not None:
                self._desk.fill(maker, price, quantity, trade_id, maker=True)
            self.drop_useless_exits(market)

    def hit(self, market: Market, side: Side, limit: int | None, quantity: int) -> int:
        """Let others trade with the book, ours included; return what found no counterpart."""
        while quantity and (front := market.book.front(side, limit)) is not None:
            price, maker, available = front
            size = min(quantity, available, quantity if maker is None else self._desk.tradable(maker))
            if maker is not None and size == 0:
                self.expire(market, maker, "nothing left to reduce")
                continue
            market.book.take(side, size)
            trade_id = market.feed.trade(price, size, side)
            if maker is not None:
                self._desk.fill(maker, price, size, trade_id, maker=True)
                self.drop_useless_exits(market)
            quantity -= size
        return quantity

    def cross_ours(self, market: Market, side: Side) -> None:
        """Let others' resting quantities of `side` trade with our orders that they cross.

        Others' quotes are known as absolute quantities, so they can come to stand on the wrong side of an order of ours:
        at the real venue they would have traded with it first.
        """
        while (theirs := market.book.best_of_others(side)) is not None:
            price, quantity = theirs
            ours = market.book.best(side.other)
            if ours is None or (price - ours) * side < 0:
                return
            left = self._hit_ours(market, side, price, quantity)
            market.book.set_others(side, price, left)
            if left:
                return

    def _hit_ours(self, market: Market, side: Side, limit: int, quantity: int) -> int:
        while quantity and (front := market.book.front(side, limit)) is not None and front[1] is not None:
            left = self.hit(market, side, limit, min(quantity, front[2]))
            quantity -= min(quantity, front[2]) - left
        return quantity

    def expire(self, market: Market, order: Order, why: str, status: Status = Status.EXPIRED) -> None:
        """Take an order out of the book and close it."""
        market.book.remove(order)
        self._desk.end(order, status, why)

    def drop_useless_exits(self, market: Market) -> None:
        """Expire reduce-only orders whose position is gone."""
        for order in list(self._desk.useless_exits(market.contract.name)):
            self.expire(market, order, "nothing left to reduce")

    def _refuses_itself(self, market: Market, taker: Order, maker: Order) -> bool:
        ends = {"EXPIRE_MAKER": (maker,), "EXPIRE_TAKER": (taker,), "EXPIRE_BOTH": (maker, taker)}
        ending = ends.get(taker.self_trade, ())
        for order in ending:
            self.expire(market, order, "self-trade prevention", Status.EXPIRED_IN_MATCH)
        return bool(ending)
