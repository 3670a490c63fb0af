"""All breakers of a run behind one door: plain events in, edges out, and what they forbid now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from risk.breakers.clock import ClockOffset, ClockStep
from risk.breakers.config import BreakersConfig
from risk.breakers.events import ApiUse, BookUpdate, ClockReading, FillNews, OrderNews, Print
from risk.breakers.feed import Silence
from risk.breakers.lane import Feed, Lane
from risk.breakers.machine import NO_EDGES, NS_PER_SEC, Breaker, Edges, State
from risk.breakers.orders import ApiBudget, RejectsInARow
from risk.breakers.restriction import Restriction, restriction_of
from risk.quiet import Quiet

ACCOUNT = ""
"""Instrument id of the breakers that watch no instrument."""


class BreakerBoard:
    """Feeds every breaker and merges what they demand.

    It looks at the clock by itself once a second of event time; `on_time` from a timer covers a feed that is silent.

    Parameters
    ----------
    config
        Limits.
    instrument_ids
        What is traded; an event of another instrument raises `KeyError`.
    quiet
        Book messages of a replay that pass by; it ends with each edge.

    Attributes
    ----------
    lanes
        By instrument id. Whoever has many book messages asks `Lane.is_usual` first, and calls `on_book` where it says no.
    """

    def __init__(self, config: BreakersConfig, instrument_ids: Sequence[str], quiet: Quiet | None = None) -> None:
        self._quiet = quiet or Quiet()
        self._silence = _or_none(config.feed_silence_ms, Silence, "feed_silence_ms")
        self._offset = _or_none(config.clock_offset_ms, ClockOffset, "clock_offset_ms")
        self._step = _or_none(config.clock_step_ms, ClockStep, "clock_step_ms")
        self._rejects = _or_none(config.rejects_in_a_row, RejectsInARow, "rejects_in_a_row")
        self._api = _or_none(config.api_budget_pct, ApiBudget, "api_budget_pct")
        account = (self._silence, self._offset, self._step, self._rejects, self._api)
        self._account: tuple[Breaker, ...] = tuple(breaker for breaker in account if breaker is not None)
        self._feed = Feed(self._silence)
        self.lanes = {iid: Lane(config, iid, self._feed) for iid in instrument_ids}
        self._every = tuple(chain(self._account, *(lane.breakers for lane in self.lanes.values())))
        self._clocked = self._by_time()
        self._restrictions = {iid: restriction_of(()) for iid in (ACCOUNT, *instrument_ids)}

    def on_book(self, update: BookUpdate) -> Edges:
        """Take an applied book message."""
        self._quiet.catch_up()
        edges = self._market(update.ts_ns) + self.lanes[update.instrument_id].on_book(update)
        return self._changed(edges) if edges else NO_EDGES

    def on_trade(self, trade: Print) -> Edges:
        """Take a market trade."""
        self._quiet.catch_up()
        edges = self._market(trade.ts_ns) + self.lanes[trade.instrument_id].on_trade(trade)
        return self._changed(edges) if edges else NO_EDGES

    def on_order(self, news: OrderNews) -> Edges:
        """Take an answer of the venue to an order of ours."""
        return self._changed(self._rejects.update(news)) if self._rejects else NO_EDGES

    def on_fill(self, fill: FillNews) -> Edges:
        """Take a fill of ours."""
        return self._changed(self.lanes[fill.instrument_id].on_fill(fill))

    def on_clock(self, reading: ClockReading) -> Edges:
        """Take a reading of the clocks."""
        offset = self._offset.update(reading) if self._offset else NO_EDGES
        step = self._step.update(reading) if self._step else NO_EDGES
        return self._changed(offset + step)

    def on_api(self, use: ApiUse) -> Edges:
        """Take a budget reading."""
        return self._changed(self._api.update(use)) if self._api else NO_EDGES

    def on_time(self, ts_ns: int) -> Edges:
        """Look at the clock: silences grow, cool-downs end."""
        self._quiet.catch_up()
        self._feed.next_look_ns = ts_ns + NS_PER_SEC
        edges = NO_EDGES
        for breaker in self._clocked:
            edges += breaker.on_time(ts_ns)
        return self._changed(edges)

    def restriction(self, instrument_id: str = ACCOUNT) -> Restriction:
        """Return what is allowed on an instrument now, account-wide breakers included. Cheap: kept, not computed."""
        return self._restrictions[instrument_id]

    def breakers(self) -> tuple[Breaker, ...]:
        """All breakers, account-wide ones first."""
        return self._every

    def learning(self) -> tuple[str, ...]:
        """Name those that have too few samples to open."""
        return tuple(
            f"{breaker.name} {breaker.instrument_id}".rstrip() for breaker in self.breakers() if breaker.learning
        )

    def reset(self, ts_ns: int, reason: str) -> Edges:
        """Close every latched breaker: a person's reset. The others go on to clear themselves."""
        latched = [breaker for breaker in self.breakers() if breaker.latched]
        return self._changed(_joined(breaker.reset(ts_ns, reason) for breaker in latched))

    def open(self) -> tuple[Breaker, ...]:
        """Those that are not closed, for status and metrics."""
        return tuple(breaker for breaker in self.breakers() if breaker.state is not State.CLOSED)

    def _market(self, ts_ns: int) -> Edges:
        edges = self._silence.update(ts_ns) if self._silence else NO_EDGES
        return edges + self.on_time(ts_ns) if ts_ns >= self._feed.next_look_ns else edges

    def _by_time(self) -> tuple[Breaker, ...]:
        """Those that time alone can move: they look at the clock themselves, or are open."""
        own = Breaker.on_time
        return tuple(one for one in self._every if type(one).on_time is not own or one.state is State.OPEN)

    def _changed(self, edges: Edges) -> Edges:
        if edges:
            self._quiet.end()
            self._clocked = self._by_time()
            self._restrictions[ACCOUNT] = restriction_of(self._account)
            for iid, lane in self.lanes.items():
                self._restrictions[iid] = restriction_of((*self._account, *lane.breakers))
                lane.wake()
        return edges


def _joined(parts: Iterable[Edges]) -> Edges:
    return tuple(chain.from_iterable(parts))


def _or_none[C, B](config: C | None, build: type[B], name: str) -> B | None:
    return None if config is None else build(name, config)  # type: ignore[call-arg]
