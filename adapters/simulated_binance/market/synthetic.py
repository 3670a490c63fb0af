"""A small made-up market: a ladder around a wandering mid, with market orders of others. Endless and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator

from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.market.background import LevelChanges, MarketOrder, Timed
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.settings import SyntheticSettings


def play(settings: SyntheticSettings, contract: Contract, seed: int) -> Iterator[Timed]:
    """Make events up: a snapshot at 0 s, then changes and market orders as Poisson streams.

    Each change either refreshes one of the first levels or, with the probability of a move, shifts the ladder by a tick.
    """
    ladder = _Ladder(settings, contract, random.Random(f"{seed}/{contract.name}"))  # noqa: S311 - a market, no secret
    yield 0.0, ladder.snapshot()
    yield 0.0, MarketOrder(Side.BUY, ladder.best(Side.SELL), contract.step)
    rate, now = settings.events_per_sec + settings.trades_per_sec, 0.0
    while rate > 0:
        now += ladder.rng.expovariate(rate)
        traded = ladder.rng.random() * rate < settings.trades_per_sec
        yield now, ladder.market_order() if traded else ladder.change()


class _Ladder:
    """Mid and level sizes, in units."""

    def __init__(self, settings: SyntheticSettings, contract: Contract, rng: random.Random) -> None:
        self._settings, self._contract, self.rng = settings, contract, rng
        tick = contract.tick
        self._bid = int(settings.mid.scaleb(contract.settings.price_places)) // tick * tick
        self._mean = float(settings.level_quantity) * 10**contract.settings.quantity_places

    def best(self, side: Side) -> int:
        """Best price: the spread is one tick."""
        return self._bid if side is Side.BUY else self._bid + self._contract.tick

    def _size(self, depth: int) -> int:
        step = self._contract.step
        drawn = self.rng.gammavariate(2.0, self._mean * (1 + depth / 5) / 2)
        return max(1, round(drawn / step)) * step

    def _side(self, side: Side) -> tuple[tuple[int, int], ...]:
        step = -side * self._contract.tick
        return tuple((self.best(side) + depth * step, self._size(depth)) for depth in range(self._settings.levels))

    def snapshot(self) -> LevelChanges:
        """Whole ladder."""
        return LevelChanges(self._side(Side.BUY), self._side(Side.SELL), snapshot=True)

    def change(self) -> LevelChanges:
        """One level refreshed, or the ladder moved by a tick."""
        if self.rng.random() < self._settings.volatility_ticks * 0.05:
            self._bid += self.rng.choice((-1, 1)) * self._contract.tick
            return self.snapshot()
        side, depth = (
            self.rng.choice((Side.BUY, Side.SELL)),
            min(int(self.rng.expovariate(0.5)), self._settings.levels - 1),
        )
        level = ((self.best(side) - side * depth * self._contract.tick, self._size(depth)),)
        return LevelChanges(level, ()) if side is Side.BUY else LevelChanges((), level)

    def market_order(self) -> MarketOrder:
        """Somebody takes part of the best level."""
        side = self.rng.choice((Side.BUY, Side.SELL))
        quantity = max(1, round(self.rng.expovariate(3.0 / self._mean) / self._contract.step)) * self._contract.step
        return MarketOrder(side, self.best(side.other), quantity)
