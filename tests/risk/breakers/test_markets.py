"""The board on a recorded and on a generated fast market, against figures computed without it."""

from __future__ import annotations

import gzip
import json
import math
import random
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.breakers.board import BreakerBoard
from risk.breakers.config import BreakersConfig, LatencyMadsConfig, SpreadConfig
from risk.breakers.events import BookUpdate, FillNews
from risk.breakers.feed import AbnormalLatency
from risk.breakers.machine import Edge, State
from risk.breakers.spread import SpreadMultiple

MS = 1_000_000
SEC = 1000 * MS
IID = "BTCUSDT-PERP.BINANCE"


def quotes(recording: Path) -> list[BookUpdate]:
    """Best quotes of the recording; ages relative to the fastest, since its clock is 1.27 s off."""
    rows: list[BookUpdate] = []
    with gzip.open(recording, "rt") as lines:
        for line in lines:
            if '"bookTicker"' in line:
                stamp, _, text = line.partition(" ")
                data = json.loads(text)["data"]
                event_ns = data["E"] * MS - 1_272_548_721
                rows.append(BookUpdate(int(stamp), event_ns, IID, float(data["b"]), float(data["a"])))
    return rows


@pytest.mark.req("R-4", "R-6", "R-8")
def test_on_the_recording_only_the_wide_spreads_open_and_exactly_where_they_are(usdm_recording: Path) -> None:
    market = quotes(usdm_recording)
    board = BreakerBoard(BreakersConfig(), [IID])
    edges = [edge for update in market for edge in board.on_book(update)]
    assert {edge.breaker for edge in edges} == {"spread_multiple"}  # a calm six minutes otherwise
    # One tick of 0.1 is 0.016 bps, so the floor of 0.1 bps counts and the limit is 1 bps, once 240 samples are there,
    # each at least a second after the one before.
    taken = [market[0].ts_ns]
    for update in market:
        if update.ts_ns >= taken[-1] + SEC:
            taken.append(update.ts_ns)
    wide = [u.ts_ns for u in market if u.ts_ns > taken[239] and (u.ask - u.bid) / (u.ask + u.bid) * 2e4 > 1.0]
    opened = [edge.ts_ns for edge in edges if edge.to_state is State.OPEN]
    assert opened[0] == wide[0]
    # Closed not before the cool-down after the last wide spread; open again at the next wide one.
    closed = [edge.ts_ns for edge in edges if edge.to_state is State.CLOSED]
    for shut_ns in closed:
        assert max(t for t in wide if t < shut_ns) + 5 * SEC <= shut_ns
    for shut_ns, open_ns in zip(closed, opened[1:], strict=False):
        assert open_ns == min(t for t in wide if t > shut_ns)


def fast_market() -> list[BookUpdate]:
    """Eighty minutes at one update a second; from minute 30 to 31 the steps are twenty times as large."""
    rng, mid, market = random.Random(7), 60_000.0, []
    for second in range(4800):
        step = 20.0 if 1800 <= second < 1860 else 1.0
        mid *= math.exp(rng.gauss(0.0, step * 1e-5))
        now = second * SEC
        market.append(BookUpdate(now, now - 5 * MS, IID, mid - 0.05, mid + 0.05))
    return market


@pytest.mark.req("R-6")
def test_a_fast_minute_opens_the_volatility_breakers_and_calm_closes_them() -> None:
    board = BreakerBoard(BreakersConfig.model_validate({"atr_multiple": {"soft": 1.7, "min_samples": 10}}), [IID])
    edges = [edge for update in fast_market() for edge in board.on_book(update)]

    def at(breaker: str, state: State) -> list[float]:
        return [edge.ts_ns / SEC for edge in edges if edge.breaker == breaker and edge.to_state is state]

    assert {edge.breaker for edge in edges} == {"realised_vol_multiple", "atr_multiple"}
    (opened,) = at("realised_vol_multiple", State.OPEN)
    assert 1802 <= opened <= 1815  # RV of 60 s is 6 times its usual after about 6 of the large steps
    (closed,) = at("realised_vol_multiple", State.CLOSED)
    assert 1860 + 30 <= closed <= 1920 + 45  # the large steps leave the horizon, then 30 s and ten normal seconds
    # Judged when the minute is complete, each ATR against the median of those before it.
    atrs = wilder([(u.ts_ns // (60 * SEC), (u.bid + u.ask) / 2) for u in fast_market()], 14)
    judged = [(minute, atr, [a for m, a in atrs if m < minute]) for minute, atr in atrs]
    bad = [minute for minute, atr, past in judged if len(past) >= 10 and atr / statistics.median(past) > 1.7]
    assert bad == list(range(bad[0], bad[-1] + 1))
    assert at("atr_multiple", State.OPEN) == [bad[0] * 60.0] == [1860.0]
    assert at("atr_multiple", State.HALF_OPEN) == [bad[-1] * 60.0 + 90]
    assert at("atr_multiple", State.CLOSED) == [bad[-1] * 60.0 + 120]  # the first minute judged after the cool-down


def wilder(prices: list[tuple[int, float]], period: int) -> list[tuple[int, float]]:
    """ATR by the minute at which it is known, the long way."""
    bars = [[price for m, price in prices if m == minute] for minute in range(prices[-1][0])]
    previous = [None, *[bar[-1] for bar in bars[:-1]]]
    ranges = [max(*bar, p or bar[0]) - min(*bar, p or bar[0]) for bar, p in zip(bars, previous, strict=True)]
    atr = sum(ranges[:period]) / period
    known = [(period, atr)]
    for minute, true_range in enumerate(ranges[period:], start=period + 1):
        atr = (atr * (period - 1) + true_range) / period
        known.append((minute, atr))
    return known


@pytest.mark.req("B-6")
def test_the_same_market_gives_the_same_edges() -> None:
    def run() -> list[Edge]:
        board = BreakerBoard(BreakersConfig(), [IID])
        return [edge for update in fast_market() for edge in board.on_book(update)]

    assert run() == run()


ages = st.lists(
    st.tuples(st.integers(1, 400), st.one_of(st.just(100.0), st.integers(100, 108).map(float))), max_size=120
)


@given(ages)
def test_the_hot_path_of_latency_changes_nothing(trace: list[tuple[int, float]]) -> None:
    config = LatencyMadsConfig(
        soft=3, hard=20, window_secs=10, min_samples=5, floor_ms=1, cooldown_secs=1, clear_events=3
    )
    hot, cold, now = AbnormalLatency("latency_mads", config), AbnormalLatency("latency_mads", config), 0
    for wait_ms, age in trace:
        now += wait_ms * MS // 100
        cold.usual_upto = -math.inf
        assert hot.update(now, age) == cold.update(now, age)
        assert hot.state is cold.state


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(8, 40).map(lambda ticks: ticks / 100)), max_size=120))
def test_the_hot_path_of_the_spread_changes_nothing(trace: list[tuple[int, float]]) -> None:
    config = SpreadConfig(soft=3, window_secs=10, min_samples=5, cooldown_secs=1, clear_events=3)
    hot, cold, now = SpreadMultiple("spread_multiple", config), SpreadMultiple("spread_multiple", config), 0
    for wait_ms, spread in trace:
        now += wait_ms * MS // 100
        cold.usual_upto = -math.inf
        assert hot.update(now, 100.0, 100.0 + spread) == cold.update(now, 100.0, 100.0 + spread)


def test_crossed_updates_with_good_ones_between_them_are_not_in_a_row() -> None:
    board = BreakerBoard(BreakersConfig.model_validate({"book_crossed_updates": {"soft": 1, "hard": 3}}), [IID])
    for update in range(12):
        ask = 100.1 if update % 2 else 100.0
        assert board.on_book(BookUpdate(update * MS, update * MS, IID, 100.0, ask)) == ()


TOUCHY = BreakersConfig.model_validate({
    "book_crossed_updates": {"soft": 1, "hard": 3, "cooldown_secs": 2, "clear_events": 2},
    "latency_mads": {"soft": 5, "window_secs": 60, "min_samples": 5, "sample_secs": 0, "floor_ms": 10},
    "spread_multiple": {"soft": 3, "window_secs": 60, "min_samples": 5, "sample_secs": 0, "clear_events": 2},
    "atr_multiple": {"soft": 1.5, "window_secs": 3600, "min_samples": 2, "period_minutes": 1, "cooldown_secs": 5},
    "realised_vol_multiple": {"soft": 1.5, "window_secs": 600, "min_samples": 3, "horizon_secs": 3, "clear_events": 2},
})  # fmt: skip
"""Breakers that open soon."""
market = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 300), st.integers(900, 70_000)), st.integers(0, 30), st.integers(-1, 60),
        st.sampled_from([5, 5, 5, 40, 700, 4000]), st.sampled_from(["", "", "", "", "gap", "snapshot", "time", "fill"]),
    ), max_size=150,
)  # fmt: skip


@settings(max_examples=150, deadline=None, database=None)
@given(market)
def test_the_hot_path_of_a_lane_changes_no_edge(trace: list[tuple[int, int, int, int, str]]) -> None:
    """A board whose lanes look at every message says the same as one that lets usual messages pass."""
    hot, cold, now = BreakerBoard(TOUCHY, [IID]), BreakerBoard(TOUCHY, [IID]), 0
    for wait_ms, drift, ticks, age_ms, what in trace:
        now += wait_ms * MS
        bid = 100.0 + drift / 10
        update = BookUpdate(now, now - age_ms * MS, IID, bid, bid + ticks / 100, what == "gap", what == "snapshot")
        cold.lanes[IID].wake()
        plain = what not in ("gap", "snapshot")
        passes = plain and hot.lanes[IID].is_usual(now, update.ts_event_ns, update.bid, update.ask)
        assert (() if passes else hot.on_book(update)) == cold.on_book(update)
        if what == "time":
            assert hot.on_time(now + 3 * MS) == cold.on_time(now + 3 * MS)
        if what == "fill":
            fill = FillNews(now, IID, "x", 1, bid * 1.01, bid)
            assert hot.on_fill(fill) == cold.on_fill(fill)
        assert hot.restriction(IID) == cold.restriction(IID)
