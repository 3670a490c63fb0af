"""The limit-order-book model: an event loop over an integer book.

Market orders arrive in self-exciting clusters (mothers, children within milliseconds, aftershocks behind a price jump), walk the
book and leave prints. Limit orders and cancellations keep the best queues near a usual size and churn the sparse levels behind.
When a best level is gone, makers on that side step back by a random number of ticks and the other side follows, or the level
comes back: this makes the price move. Thin queues are hit more often and vanish first, so that imbalance foretells a little.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from catalog.sample.book import Book
from catalog.sample.draws import Draws
from catalog.sample.ladder import Ladder
from catalog.sample.parameters import Pace, Parameters
from catalog.sample.schedule import Regime, Stretch
from catalog.sample.tape import MARK_UNIT, Tape

BUY, SELL = 1, -1
SECOND_US = 1_000_000
Handler = Callable[[int, int], None]


class Market:
    """A running market that writes what happens to its tape.

    Parameters
    ----------
    seed
        Seed of all draws.
    parameters
        Constants of the model.
    stretches
        Regimes in order, tiling the whole time.
    """

    def __init__(self, seed: int, parameters: Parameters, stretches: list[Stretch]) -> None:
        self.tape = Tape()
        self.draws = Draws(seed)
        self.p = parameters
        self.book = Book(parameters, self.draws)
        self._regimes = [stretch.regime for stretch in stretches]
        self._pace: Pace = parameters.paces[Regime.CALM]
        self._events: list[tuple[int, int, Handler, int]] = []
        self._sequence = 0
        self._epoch = 0
        self._now = -1
        self._tide = 1.0
        self._wind = 0.0
        self._broken: set[Ladder] = set()
        self._top = (0, 0, 0, 0)
        self._mark = (2 * parameters.start_ticks + 1) * MARK_UNIT
        for i, stretch in enumerate(stretches):
            self._at(stretch.start_us, self._on_regime, i)
        for handler in (self._on_tide, self._on_wind, self._on_mark):
            self._at(0, handler, 0)
        self._at(self.draws.pick(parameters.batch_us), self._on_batch, 0)

    def run(self, until_us: int) -> None:
        """Play every event before an instant, µs since the start."""
        events = self._events
        while max(events[0][0], self._now + 1) < until_us:
            when, _, handler, argument = heappop(events)
            self._now = max(when, self._now + 1)
            handler(self._now, argument)

    def _at(self, when: int, handler: Handler, argument: int) -> None:
        self._sequence += 1
        heappush(self._events, (when, self._sequence, handler, argument))

    def _on_regime(self, now: int, index: int) -> None:
        self._pace = self.p.paces[self._regimes[index]]
        self._epoch += 1
        self._await_mother(now)
        self._await_maker(now)
        self._publish_top(now)

    def _on_tide(self, now: int, _: int) -> None:
        self._tide = self.p.tides[self.draws.below(len(self.p.tides))]
        self._at(now + self.draws.wait(self.p.tide_us), self._on_tide, 0)

    def _on_wind(self, now: int, _: int) -> None:
        self._turn_wind()
        self._at(now + self.draws.wait(self.p.wind_us), self._on_wind, 0)

    def _turn_wind(self) -> None:
        self._wind = self.p.winds[self.draws.below(len(self.p.winds))]

    def _on_mark(self, now: int, _: int) -> None:
        mid = (self.book.bids.best - self.book.asks.best) * MARK_UNIT
        self._mark += (mid - self._mark) // self.p.mark_smoothing
        self.tape.marks.extend((now, self._mark))
        self._at((now // SECOND_US + 1) * SECOND_US, self._on_mark, 0)

    def _on_batch(self, now: int, _: int) -> None:
        for _churn in range(self.p.deep_per_batch):
            if self.draws.chance(self._pace.churn):
                self.book.churn(self.book.bids if self.draws.chance(0.5) else self.book.asks)
        self._publish_batch(now)
        self._at(now + self.draws.pick(self.p.batch_us), self._on_batch, 0)

    def _await_mother(self, now: int) -> None:
        rate = self.p.taker_per_sec * self._pace.takers * self._tide * (1 + self.p.gust * abs(self._wind))
        self._at(now + self.draws.wait(int(SECOND_US / rate)), self._on_mother, self._epoch)

    def _on_mother(self, now: int, epoch: int) -> None:
        if epoch == self._epoch:
            self._on_taker(now, self._choose_side())
            self._await_mother(now)

    def _choose_side(self) -> int:
        _, bid, _, ask = self.book.top()
        tilt = self._wind + self.p.side_imbalance * ((bid - ask) / (bid + ask))
        return BUY if self.draws.chance(0.5 + 0.5 * tilt) else SELL

    def _on_taker(self, now: int, side: int) -> None:
        self._take(now, side, self.draws.pick(self.p.taker_lots))
        if self.draws.chance(self.p.child):
            child = side if self.draws.chance(self.p.child_same_side) else -side
            self._at(now + self.draws.pick(self.p.child_us), self._on_taker, child)

    def _on_rush(self, now: int, side: int) -> None:
        self._take(now, side, self.draws.pick(self.p.rush_lots))

    def _take(self, now: int, side: int, lots: int) -> None:
        ladder = self.book.asks if side == BUY else self.book.bids
        first = ladder.best
        while lots > 0 and first - ladder.best <= self.p.walk_ticks:
            fill = min(lots, ladder.size())
            self._print(now, side, abs(ladder.best), fill)
            ladder.take(fill)
            lots -= fill
        if ladder.best != first:
            self._on_broken(now, ladder, first)
        self._publish_top(now)

    def _print(self, now: int, side: int, price: int, lots: int) -> None:
        while lots > 0:
            part = min(lots, self.draws.pick(self.p.maker_lots))
            self.tape.trades.extend((now, price, part, side))
            lots -= part

    def _await_maker(self, now: int) -> None:
        rate = self.p.maker_per_sec * self._pace.makers
        self._at(now + self.draws.wait(int(SECOND_US / rate)), self._on_maker, self._epoch)

    def _on_maker(self, now: int, epoch: int) -> None:
        if epoch != self._epoch:
            return
        ladder = self.book.bids if self.draws.chance(0.5) else self.book.asks
        first = ladder.best
        self.book.change_best(ladder)
        if ladder.best != first:
            self._on_broken(now, ladder, first)
        self._publish_top(now)
        self._await_maker(now)

    def _on_broken(self, now: int, ladder: Ladder, lost: int) -> None:
        """Schedule what follows the loss of a best level: the price moves on, or the level returns."""
        if ladder in self._broken:
            return
        self._broken.add(ladder)
        when = now + int(self.draws.pick(self.p.settle_us) * self._pace.settle)
        if self.draws.chance(self.p.reversal):
            self._at(when, self._on_return, lost)
            return
        jump = 1 + int(self.draws.pick(self.p.jump_ticks) * self._pace.jump)
        self._at(when, self._on_move, lost - jump)
        self._rush(now, BUY if ladder is self.book.asks else SELL)

    def _rush(self, now: int, side: int) -> None:
        """Schedule the market orders that follow a price move; in a quiet market nobody hurries."""
        if self._pace.takers < 1:
            return
        for _ in range(self.draws.pick(self.p.rush_count)):
            rushed = side if self.draws.chance(self.p.rush_same_side) else -side
            self._at(now + self.draws.wait(self.p.rush_us), self._on_rush, rushed)

    def _settled(self, key: int) -> Ladder:
        ladder = self.book.bids if key > 0 else self.book.asks
        self._broken.discard(ladder)
        return ladder

    def _on_move(self, now: int, target: int) -> None:
        self.book.move(self._settled(target), target)
        self._turn_wind()
        self._publish_top(now)

    def _on_return(self, now: int, lost: int) -> None:
        self.book.restore(self._settled(lost), lost)
        self._publish_top(now)

    def _publish_top(self, now: int) -> None:
        top = self.book.top()
        if top != self._top:
            self._top = top
            self.tape.quotes.extend((now, *top))

    def _publish_batch(self, now: int) -> None:
        rows = self.tape.deltas
        for side, ladder in ((1, self.book.bids), (-1, self.book.asks)):
            for key, lots in ladder.drain():
                rows.extend((now, side, abs(key), lots, 0))
        if rows and rows[-5] == now:
            rows[-1] = 1
