"""The breakers of one instrument."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from risk.breakers.book import CrossedBook, GappedBook
from risk.breakers.config import BreakersConfig
from risk.breakers.events import BookUpdate, FillNews, Print
from risk.breakers.feed import NEVER_NS, AbnormalLatency, FeedAge, Silence
from risk.breakers.machine import NO_EDGES, NS_PER_MS, NS_PER_SEC, Breaker, Edges
from risk.breakers.orders import Slippage
from risk.breakers.spread import SpreadMultiple
from risk.breakers.volatility import AtrMultiple, RealisedMultiple
from risk.foreseen import Stretch

_INF = float("inf")


@dataclass(slots=True)
class Feed:
    """What all instruments share.

    Attributes
    ----------
    silence
        Of the whole feed; None where nobody watches it.
    next_look_ns
        When the clock is looked at next.
    """

    silence: Silence | None
    next_look_ns: int = 0


class Lane:
    """Builds and feeds what watches one instrument.

    Parameters
    ----------
    config
        Limits; None entries are left out.
    instrument_id
        What is watched.
    feed
        Shared with the other lanes.
    """

    def __init__(self, config: BreakersConfig, instrument_id: str, feed: Feed) -> None:
        c, iid = config, instrument_id
        self._feed = feed
        self._age = FeedAge("feed_age_ms", c.feed_age_ms, iid) if c.feed_age_ms else None
        self._mads = AbnormalLatency("latency_mads", c.latency_mads, iid) if c.latency_mads else None
        self._stale = Silence("book_stale_ms", c.book_stale_ms, iid, what="book update") if c.book_stale_ms else None
        self._crossed = (
            CrossedBook("book_crossed_updates", c.book_crossed_updates, iid) if c.book_crossed_updates else None
        )
        self._gaps = GappedBook("book_gaps", c.book_gaps, iid) if c.book_gaps else None
        self._spread = SpreadMultiple("spread_multiple", c.spread_multiple, iid) if c.spread_multiple else None
        self._atr = AtrMultiple("atr_multiple", c.atr_multiple, iid) if c.atr_multiple else None
        realised = c.realised_vol_multiple
        self._realised = RealisedMultiple("realised_vol_multiple", realised, iid) if realised else None
        self._slippage = Slippage("slippage_bps", c.slippage_bps, iid) if c.slippage_bps else None
        every = (
            self._age, self._mads, self._stale, self._crossed, self._gaps, self._spread, self._atr, self._realised,
            self._slippage,
        )  # fmt: skip
        self.breakers: tuple[Breaker, ...] = tuple(breaker for breaker in every if breaker is not None)
        self._due_ns = NEVER_NS  # before this instant a usual message is only remembered
        self._last_ns, self._low, self._high, self._mid = NEVER_NS, _INF, 0.0, 0.0
        self._age_upto_ns = self._silence_upto_ns = 0.0
        self._spread_upto = _INF  # (ask − bid) / (ask + bid)

    def on_book(self, update: BookUpdate) -> Edges:
        """Take an applied book message. A crossed or one-sided book says nothing about spread and volatility.

        Most messages change nothing that any breaker asks for before the second is over: `is_usual` takes those.
        """
        ts_ns, ts_event_ns, _, bid, ask, gap, snapshot = update
        if not gap and not snapshot and self.is_usual(ts_ns, ts_event_ns, bid, ask):
            return NO_EDGES
        edges = self._flushed() + self._on_age(ts_ns, ts_event_ns)
        if self._stale:
            edges += self._stale.update(ts_ns)
        if self._crossed:
            edges += self._crossed.update(ts_ns, bid, ask)
        if self._gaps:
            edges += self._gaps.update(ts_ns, gap=gap, snapshot=snapshot)
        if 0.0 < bid < ask:
            edges += self._on_prices(ts_ns, bid, ask)
        self._look_ahead(ts_ns)
        return edges

    def wake(self) -> None:
        """Look at the next message, whatever it is: a breaker has moved."""
        self._due_ns = NEVER_NS

    def on_trade(self, trade: Print) -> Edges:
        """Take a market trade: only its age counts, the prices come from the book."""
        return self._on_age(trade.ts_ns, trade.ts_event_ns)

    def on_fill(self, fill: FillNews) -> Edges:
        """Take a fill of ours."""
        return self._slippage.update(fill) if self._slippage else NO_EDGES

    def is_usual(self, ts_ns: int, ts_event_ns: int, bid: float, ask: float) -> bool:
        """Remember a message that no breaker has to see now, the account's included; False, and nothing taken, where one has."""
        both, feed = bid + ask, self._feed
        silence = feed.silence
        if not (
            ts_ns < self._due_ns
            and ts_ns < feed.next_look_ns
            and (silence is None or 0 <= ts_ns - silence.last_ns <= silence.quiet_upto * NS_PER_MS)
            and 0 <= ts_ns - self._last_ns <= self._silence_upto_ns
            and ts_ns - ts_event_ns <= self._age_upto_ns
            and 0.0 < bid < ask
            and ask - bid <= self._spread_upto * both
        ):
            return False
        self._last_ns, self._mid = ts_ns, (mid := both / 2.0)
        if silence is not None:
            silence.last_ns = ts_ns
        if self._stale is not None:
            self._stale.last_ns = ts_ns
        if mid < self._low:  # noqa: PLR1730 - the hot path: no call
            self._low = mid
        if mid > self._high:  # noqa: PLR1730
            self._high = mid
        return True

    def usual(self, ahead: Stretch, first: int, until_ns: int) -> int:
        """How many messages of a replay, from the row `first` on and before `until_ns`, `is_usual` would take; none is taken."""
        silence, quiet_ns = self._feed.silence, self._silence_upto_ns
        if silence is not None:
            quiet_ns = min(quiet_ns, silence.quiet_upto * NS_PER_MS)
        heard = self._last_ns if silence is None else silence.last_ns
        if not first or not ahead.ts_ns[first - 1] == self._last_ns == heard:
            return 0
        stop = bisect_left(ahead.ts_ns, min(self._due_ns, self._feed.next_look_ns, until_ns), first)
        odd = bisect_left(ahead.odd, first)
        stop = min(stop, ahead.odd[odd]) if odd < len(ahead.odd) else stop
        if stop <= first:
            return 0
        rows = slice(first, stop)
        in_time = max(ahead.gap_ns[rows]) <= quiet_ns and max(ahead.age_ns[rows]) <= self._age_upto_ns
        if in_time and max(ahead.spread[rows]) <= self._spread_upto * (2.0 * min(ahead.mid[rows])):
            return stop - first
        for row in range(first, stop):
            if not (
                ahead.gap_ns[row] <= quiet_ns
                and ahead.age_ns[row] <= self._age_upto_ns
                and ahead.spread[row] <= self._spread_upto * (2.0 * ahead.mid[row])
            ):
                return row - first
        return stop - first

    def remember(self, ts_ns: int, mid: float, low: float, high: float) -> None:
        """Take usual messages at once: time and mid of the last, lowest and highest mid of all."""
        self._last_ns, self._mid = ts_ns, mid
        if self._feed.silence is not None:
            self._feed.silence.last_ns = ts_ns
        if self._stale is not None:
            self._stale.last_ns = ts_ns
        self._low, self._high = min(self._low, low), max(self._high, high)

    def _flushed(self) -> Edges:
        """Give the volatility breakers the prices that were only remembered: all of one second."""
        if self._high <= 0.0:
            return NO_EDGES
        ts_ns, edges = self._last_ns, NO_EDGES
        if self._atr:
            for price in (self._high, self._low, self._mid):
                edges += self._atr.update(ts_ns, price)
        if self._realised:
            edges += self._realised.update(ts_ns, self._mid)
        self._low, self._high = _INF, 0.0
        return edges

    def _look_ahead(self, ts_ns: int) -> None:
        """Compute up to which values, and until when, nothing has to be looked at."""
        due = [(ts_ns // NS_PER_SEC + 1) * NS_PER_SEC]
        due += [breaker.idle_until_ns for breaker in self.breakers if breaker.quiet_upto < 0.0]
        if (self._crossed and self._crossed.in_a_row) or (self._gaps and self._gaps.gapped):
            due.append(NEVER_NS)  # the next message may end the row, and each one lengthens the gap
        ages = [self._age.calm] if self._age else []
        if self._mads:
            ages.append(self._mads.usual_upto)
            due.append(self._mads.next_ns)
        if self._spread:
            self._spread_upto = self._spread.usual_upto / 2e4
            due.append(self._spread.next_ns)
        self._last_ns, self._due_ns = ts_ns, min(due)
        self._age_upto_ns = min(ages, default=_INF) * NS_PER_MS
        self._silence_upto_ns = self._stale.calm * NS_PER_MS if self._stale else _INF

    def _on_age(self, ts_ns: int, ts_event_ns: int) -> Edges:
        age_ms = (ts_ns - ts_event_ns) / NS_PER_MS
        edges = self._age.update(ts_ns, age_ms) if self._age else NO_EDGES
        return edges + self._mads.update(ts_ns, age_ms) if self._mads else edges

    def _on_prices(self, ts_ns: int, bid: float, ask: float) -> Edges:
        edges = self._spread.update(ts_ns, bid, ask) if self._spread else NO_EDGES
        mid = (bid + ask) / 2.0
        if self._atr:
            edges += self._atr.update(ts_ns, mid)
        return edges + self._realised.update(ts_ns, mid) if self._realised else edges
