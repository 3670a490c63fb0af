"""The market that others make: level changes and market orders, from a recording or made up, applied when they are due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.exchange import Exchange
from adapters.simulated_binance.matching import Market
from adapters.simulated_binance.orders import Side

Levels = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class LevelChanges:
    """Others' absolute quantities at some prices, as (price, quantity) in units.

    Attributes
    ----------
    snapshot
        True when prices that are not named hold nothing.
    """

    bids: Levels
    asks: Levels
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class MarketOrder:
    """Somebody else's aggressive order that traded at `price`."""

    side: Side
    price: int
    quantity: int


Event = LevelChanges | MarketOrder
Timed = tuple[float, Event]
"""Seconds since the start of the source, and what happens."""


class Background:
    """Plays a source into one market.

    Parameters
    ----------
    exchange, market
        Where it happens.
    source
        Events by time; may be endless.
    speed
        Source seconds per real second.
    skip_secs
        Source seconds that are applied at once at the start.
    """

    def __init__(
        self, exchange: Exchange, market: Market, source: Iterator[Timed], speed: float = 1.0, skip_secs: float = 0.0
    ) -> None:
        self._exchange, self._market, self._source = exchange, market, source
        self._speed, self._skip = speed, skip_secs
        self._shift = 0
        self._start_ns = 0
        self.applied = 0

    def start(self, clock: Clock, agenda: Agenda) -> None:
        """Apply what lies at or before `skip_secs`, and put the next event on the agenda."""
        self._start_ns = clock.real_ns() - round(self._skip / self._speed * 1e9)
        upcoming = next(self._source, None)
        while upcoming is not None and upcoming[0] <= self._skip:
            self.apply(upcoming[1])
            upcoming = next(self._source, None)
        self._market.feed.update_mark()
        self._schedule(agenda, upcoming)

    def _schedule(self, agenda: Agenda, upcoming: Timed | None) -> None:
        if upcoming is None:
            return
        due = self._start_ns + round(upcoming[0] / self._speed * 1e9)

        def turn() -> None:
            self.apply(upcoming[1])
            self._schedule(agenda, next(self._source, None))

        agenda.at(due, turn)

    def apply(self, event: Event) -> None:
        """Let one event happen and publish its consequences."""
        self.applied += 1
        if isinstance(event, MarketOrder):
            self._trade(event)
        else:
            self._change(event)
        self._exchange.settle(self._market)

    def _trade(self, event: MarketOrder) -> None:
        price = event.price + self._shift
        left = self._exchange.matching.hit(self._market, event.side, price, event.quantity)
        if left:
            # The recording saw it trade; our book had less there. The print is real, the book is not touched.
            self._market.feed.trade(price, left, event.side)

    def _change(self, event: LevelChanges) -> None:
        book = self._market.book
        named = {Side.BUY: event.bids, Side.SELL: event.asks}
        if event.snapshot:
            for side, levels in named.items():
                kept = {price + self._shift for price, _ in levels}
                for price, _ in book.other_levels(side):
                    if price not in kept:
                        book.set_others(side, price, 0)
        # First what leaves, so that a moving market does not seem to cross itself.
        for side, levels in named.items():
            for price, quantity in levels:
                if quantity <= book.others(side, price + self._shift):
                    book.set_others(side, price + self._shift, quantity)
        for side, levels in named.items():
            for price, quantity in levels:
                book.set_others(side, price + self._shift, quantity)
                if quantity:
                    self._clear_the_way(side, price + self._shift)
        for side in Side:
            self._exchange.matching.cross_ours(self._market, side)

    def _clear_the_way(self, side: Side, price: int) -> None:
        # The newer quote is right: what others showed on the wrong side of it must have traded or gone.
        book = self._market.book
        opposite = book.best(side.other)
        if opposite is None or (price - opposite) * side < 0:
            return
        for other, _ in book.other_levels(side.other):
            if (price - other) * side >= 0:
                book.set_others(side.other, other, 0)

    def gap(self, ticks: int) -> None:
        """Move everything that others show, now and from now on, by `ticks`."""
        shift, book = ticks * self._market.contract.tick, self._market.book
        held = {side: book.other_levels(side) for side in Side}
        book.clear_others()
        self._shift += shift
        for side, levels in held.items():
            for price, quantity in levels:
                if price + shift > 0:
                    book.set_others(side, price + shift, quantity)
        for side in Side:
            self._exchange.matching.cross_ours(self._market, side)
        self._market.feed.update_mark()
        self._exchange.settle(self._market)
