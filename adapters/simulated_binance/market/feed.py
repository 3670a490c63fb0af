"""What the public sees of one symbol: depth, best quotes, trades, mark price, klines."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from adapters.simulated_binance.book import Book
from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.market.bars import Bars
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.outlet import Message, Outlet
from adapters.simulated_binance.scale import plain

DEPTH_STREAMS = ("depth@0ms", "depth@100ms", "depth@500ms", "depth")
KEPT = 1000


@dataclass(frozen=True, slots=True)
class Print:
    """A public trade.

    Attributes
    ----------
    price, quantity
        Units of the symbol.
    buyer_is_maker
        True when the aggressor sold.
    """

    trade_id: int
    price: int
    quantity: int
    buyer_is_maker: bool
    time_ms: int


class Feed:
    """Publishes a symbol and remembers its recent trades.

    Attributes
    ----------
    trades
        Recent public trades, oldest first.
    mark
        Mark price (= index price) as an exact value, None before the first quote.
    skip_depth
        How many of the next depth updates get lost (a fault).
    """

    def __init__(self, contract: Contract, book: Book, clock: Clock, outlet: Outlet, first_trade_id: int) -> None:
        self.contract, self.book, self._clock, self._outlet = contract, book, clock, outlet
        self._lower = contract.name.lower()
        self._trade_id = first_trade_id
        self._sent_id = book.update_id
        self._top: tuple[int, int, int, int] | None = None
        self.trades: deque[Print] = deque(maxlen=KEPT)
        self.bars = Bars()
        self.mark: Decimal | None = None
        self.skip_depth = 0
        self.funding_rate = contract.settings.funding_rate
        self.next_funding_ms = 0

    @property
    def last_price(self) -> int | None:
        """Price of the last trade in units."""
        return self.trades[-1].price if self.trades else None

    def trade(self, price: int, quantity: int, aggressor: Side) -> int:
        """Publish an execution and return its trade id."""
        self._trade_id += 1
        now = self._clock.ms()
        print_ = Print(self._trade_id, price, quantity, aggressor is Side.SELL, now)
        self.trades.append(print_)
        self.bars.add(now, self.contract.price.value(price), self.contract.size.value(quantity), aggressor is Side.BUY)
        text = {"p": self.contract.price.text(price), "q": self.contract.size.text(quantity)}
        head = {"e": "trade", "E": now, "T": now, "s": self.contract.name, "t": print_.trade_id}
        self._send("trade", head | text | {"X": "MARKET", "m": print_.buyer_is_maker})
        agg = {"e": "aggTrade", "E": now, "s": self.contract.name, "a": print_.trade_id} | text
        self._send("aggTrade", agg | {"f": print_.trade_id, "l": print_.trade_id, "T": now, "m": print_.buyer_is_maker})
        return print_.trade_id

    def flush(self) -> None:
        """Publish what changed in the book since the last call: best quotes, then depth."""
        changed = list(self.book.take_changes())
        if not changed:
            return
        self._quote()
        sides: dict[Side, list[list[str]]] = {Side.BUY: [], Side.SELL: []}
        for side, price in changed:
            sides[side].append(
                [self.contract.price.text(price), self.contract.size.text(self.book.quantity(side, price))]
            )
        self._depth(sides[Side.BUY], sides[Side.SELL])

    def _depth(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        first, self._sent_id, previous = self._sent_id + 1, self.book.update_id, self._sent_id
        if self.skip_depth:
            self.skip_depth -= 1
            return
        now = self._clock.ms()
        message = {"e": "depthUpdate", "E": now, "T": now, "s": self.contract.name, "U": first, "u": self._sent_id}
        message |= {"pu": previous, "b": bids, "a": asks}
        for stream in DEPTH_STREAMS:
            self._send(stream, message)

    def _quote(self) -> None:
        bid, ask = self.book.best(Side.BUY), self.book.best(Side.SELL)
        if bid is None or ask is None:
            return
        top = (bid, self.book.quantity(Side.BUY, bid), ask, self.book.quantity(Side.SELL, ask))
        if top == self._top:
            return
        self._top, now = top, self._clock.ms()
        head = {"e": "bookTicker", "u": self.book.update_id, "s": self.contract.name}
        self._send("bookTicker", head | self.quote() | {"T": now, "E": now})

    def quote(self) -> dict[str, str]:
        """Best bid and ask in the letters of ``bookTicker``; zero where a side is empty."""
        out = {}
        for side, price_key, size_key in ((Side.BUY, "b", "B"), (Side.SELL, "a", "A")):
            best = self.book.best(side)
            out[price_key] = self.contract.price.text(best or 0)
            out[size_key] = self.contract.size.text(0 if best is None else self.book.quantity(side, best))
        return out

    def snapshot(self, limit: int) -> Message:
        """REST order book.

        The update id is moved on by one, so that the next update spans it and any client can join, however quiet the
        market is.
        """
        self.flush()
        self.book.update_id += 1
        now = self._clock.ms()
        shown: Message = {"lastUpdateId": self.book.update_id, "E": now, "T": now}
        for side, name in ((Side.BUY, "bids"), (Side.SELL, "asks")):
            levels = self.book.depth(side, limit)
            shown[name] = [[self.contract.price.text(price), self.contract.size.text(size)] for price, size in levels]
        return shown

    def cross(self, ticks: int) -> None:
        """Publish a depth update with a bid above the best ask, which the next update mends."""
        ask = self.book.best(Side.SELL)
        if ask is None:
            return
        self.flush()
        price = ask + ticks * self.contract.tick
        self.book.update_id += 1
        self._depth([[self.contract.price.text(price), self.contract.size.text(self.contract.step)]], [])
        self.book.dirty[Side.BUY, price] = None

    def update_mark(self) -> None:
        """Set the mark price to the mid (the last price when a side is empty)."""
        bid, ask, last = self.book.best(Side.BUY), self.book.best(Side.SELL), self.last_price
        if bid is not None and ask is not None:
            self.mark = (self.contract.price.value(bid) + self.contract.price.value(ask)) / 2
        elif last is not None:
            self.mark = self.contract.price.value(last)

    def publish_mark(self) -> None:
        """Publish mark price and funding."""
        if self.mark is None:
            return
        now, mark = self._clock.ms(), plain(self.mark)
        message = {
            "e": "markPriceUpdate",
            "E": now,
            "s": self.contract.name,
            "p": mark,
            "ap": mark,
            "i": mark,
            "P": mark,
        }
        message |= {"r": plain(self.funding_rate), "T": self.next_funding_ms}
        self._send("markPrice@1s", message)
        self._send("markPrice", message)

    def publish_bars(self) -> None:
        """Publish klines of the intervals somebody listens to."""
        now = self._clock.ms()
        for interval in self.bars.INTERVALS:
            stream = f"kline_{interval}"
            if self._outlet.wants(f"{self._lower}@{stream}"):
                for kline in self.bars.stream(interval, now, self.contract):
                    self._send(stream, {"e": "kline", "E": now, "s": self.contract.name, "k": kline})

    def _send(self, name: str, message: Message) -> None:
        stream = f"{self._lower}@{name}"
        if self._outlet.wants(stream):
            self._outlet.market(stream, self.contract.name, message)
