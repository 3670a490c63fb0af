"""Price-time matching for one symbol: quantities of others and our orders in one queue per price.

Others' liquidity is known as an absolute quantity per price. A rise joins the end of the queue, behind us; a fall leaves
from the end of the queue, so that we never gain priority from a cancel; a trade takes from the front.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.simulated_binance.orders import Order, Side


@dataclass(frozen=True, slots=True)
class Match:
    """One execution against one queue entry.

    Attributes
    ----------
    maker
        Our resting order, None when the quantity belonged to others.
    """

    price: int
    quantity: int
    maker: Order | None


@dataclass(slots=True)
class _Entry:
    order: Order | None
    quantity: int


@dataclass(slots=True)
class _Level:
    queue: deque[_Entry] = field(default_factory=deque)
    total: int = 0
    others: int = 0


class _Ladder:
    """One side of the book; prices ascending in a list."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, _Level] = {}
        self.prices: list[int] = []

    def best(self) -> int | None:
        if not self.prices:
            return None
        return self.prices[-1] if self.side is Side.BUY else self.prices[0]

    def level(self, price: int) -> _Level:
        found = self.levels.get(price)
        if found is None:
            found = self.levels[price] = _Level()
            insort(self.prices, price)
        return found

    def prune(self, price: int) -> None:
        if self.levels[price].total == 0:
            del self.levels[price]
            del self.prices[bisect_left(self.prices, price)]

    def from_best(self) -> Iterator[int]:
        return reversed(self.prices) if self.side is Side.BUY else iter(self.prices)


class Book:
    """Both sides of one symbol, in units.

    Attributes
    ----------
    update_id
        Grows by one with each change of a level.
    dirty
        Levels changed since `take_changes`.
    """

    def __init__(self, update_id: int = 1) -> None:
        self._ladders = {Side.BUY: _Ladder(Side.BUY), Side.SELL: _Ladder(Side.SELL)}
        self.update_id = update_id
        self.dirty: dict[tuple[Side, int], None] = {}

    def best(self, side: Side) -> int | None:
        """Best price of a side, None when it is empty."""
        return self._ladders[side].best()

    def quantity(self, side: Side, price: int) -> int:
        """Displayed quantity at a price, ours included."""
        level = self._ladders[side].levels.get(price)
        return 0 if level is None else level.total

    def others(self, side: Side, price: int) -> int:
        """Displayed quantity of others at a price."""
        level = self._ladders[side].levels.get(price)
        return 0 if level is None else level.others

    def depth(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Best `limit` levels as (price, quantity)."""
        ladder = self._ladders[side]
        prices = [price for price, _ in zip(ladder.from_best(), range(limit), strict=False)]
        return [(price, ladder.levels[price].total) for price in prices]

    def best_of_others(self, side: Side) -> tuple[int, int] | None:
        """Best level where others have a quantity, as (price, quantity)."""
        levels = self._ladders[side].levels
        found = ((price, levels[price].others) for price in self._ladders[side].from_best() if levels[price].others)
        return next(found, None)

    def other_levels(self, side: Side) -> list[tuple[int, int]]:
        """All levels where others have a quantity, as (price, quantity), ascending."""
        levels = self._ladders[side].levels
        return [(price, levels[price].others) for price in self._ladders[side].prices if levels[price].others]

    def queue_ahead(self, order: Order) -> int:
        """Quantity that trades before a resting order does; 0 when it is not in the book."""
        level = self._ladders[order.side].levels.get(order.price if order.price is not None else -1)
        ahead = 0
        for entry in level.queue if level is not None else ():
            if entry.order is order:
                return ahead
            ahead += entry.quantity
        return 0

    def orders(self) -> Iterator[Order]:
        """Our resting orders, bids first, in no order of time."""
        for ladder in self._ladders.values():
            for price in ladder.prices:
                yield from (entry.order for entry in ladder.levels[price].queue if entry.order is not None)

    def rest(self, order: Order) -> None:
        """Put what is left of an order at the end of its queue."""
        if order.price is None or order.left <= 0:
            raise ValueError(f"order {order.order_id} has nothing that could rest")
        level = self._ladders[order.side].level(order.price)
        level.queue.append(_Entry(order, order.left))
        level.total += order.left
        self._changed(order.side, order.price)

    def remove(self, order: Order) -> None:
        """Take an order out; nothing happens when it does not rest."""
        ladder = self._ladders[order.side]
        level = ladder.levels.get(order.price if order.price is not None else -1)
        entry = next((one for one in level.queue if one.order is order), None) if level is not None else None
        if level is None or entry is None or order.price is None:
            return
        level.queue.remove(entry)
        level.total -= entry.quantity
        self._changed(order.side, order.price)
        ladder.prune(order.price)

    def shrink(self, order: Order, quantity: int) -> None:
        """Lower the resting quantity of an order in place: it keeps its priority."""
        level = self._ladders[order.side].levels[order.price if order.price is not None else -1]
        entry = next(one for one in level.queue if one.order is order)
        if not 0 < quantity <= entry.quantity:
            raise ValueError("a shrunk order keeps a positive quantity, not above the old one")
        level.total -= entry.quantity - quantity
        entry.quantity = quantity
        self._changed(order.side, order.price or 0)

    def set_others(self, side: Side, price: int, quantity: int) -> None:
        """Set the absolute quantity that others show at a price; does not match."""
        ladder = self._ladders[side]
        if quantity == 0 and price not in ladder.levels:
            return
        level = ladder.level(price)
        change = quantity - level.others
        if change > 0:
            _join(level, change)
        elif change < 0:
            _leave(level, -change)
        level.others = quantity
        level.total += change
        if change:
            self._changed(side, price)
        ladder.prune(price)

    def clear_others(self) -> None:
        """Remove all quantities of others."""
        for side in Side:
            for price, _ in self.other_levels(side):
                self.set_others(side, price, 0)

    def reachable(self, taker: Side, limit: int | None) -> Iterator[tuple[int, int]]:
        """Levels that an order would trade with, best first, as (price, quantity)."""
        ladder = self._ladders[taker.other]
        for price in ladder.from_best():
            if limit is not None and (price - limit) * taker > 0:
                return
            yield price, ladder.levels[price].total

    def front(self, taker: Side, limit: int | None) -> tuple[int, Order | None, int] | None:
        """Next queue entry that an order would trade with, as (price, our order, quantity)."""
        price = self._ladders[taker.other].best()
        if price is None or (limit is not None and (price - limit) * taker > 0):
            return None
        entry = self._ladders[taker.other].levels[price].queue[0]
        return price, entry.order, entry.quantity

    def take(self, taker: Side, quantity: int) -> Match:
        """Trade with the front entry of the other side, at most `quantity`."""
        ladder = self._ladders[taker.other]
        price = ladder.best()
        if price is None or quantity <= 0:
            raise ValueError("nothing to trade with")
        level = ladder.levels[price]
        entry = level.queue[0]
        taken = min(quantity, entry.quantity)
        entry.quantity -= taken
        level.total -= taken
        if entry.order is None:
            level.others -= taken
        if entry.quantity == 0:
            level.queue.popleft()
        self._changed(taker.other, price)
        ladder.prune(price)
        return Match(price, taken, entry.order)

    def take_changes(self) -> Iterable[tuple[Side, int]]:
        """Levels changed since the last call."""
        changed, self.dirty = self.dirty, {}
        return changed

    def _changed(self, side: Side, price: int) -> None:
        self.update_id += 1
        self.dirty[side, price] = None


def _join(level: _Level, quantity: int) -> None:
    if level.queue and level.queue[-1].order is None:
        level.queue[-1].quantity += quantity
    else:
        level.queue.append(_Entry(None, quantity))


def _leave(level: _Level, quantity: int) -> None:
    for entry in reversed(list(level.queue)):
        if entry.order is None and quantity:
            gone = min(quantity, entry.quantity)
            entry.quantity -= gone
            quantity -= gone
    level.queue = deque(entry for entry in level.queue if entry.quantity)
