"""Latency and silence on hand-worked traces."""

from __future__ import annotations

import pytest

from risk.breakers.config import BreakerConfig, LatencyMadsConfig
from risk.breakers.feed import AbnormalLatency, FeedAge, Silence
from risk.breakers.machine import Level, State

MS = 1_000_000
SEC = 1000 * MS


@pytest.mark.req("R-4")
@pytest.mark.parametrize(
    ("age", "level"), [(499, Level.NONE), (500, Level.NONE), (501, Level.SOFT), (3001, Level.HARD)]
)
def test_an_old_event_opens_beyond_its_limit(age: float, level: Level) -> None:
    breaker = FeedAge("feed_age_ms", BreakerConfig(soft=500, hard=3000))
    breaker.update(0, age)
    assert breaker.level is level


def test_the_sentence_and_the_figures_name_the_age() -> None:
    breaker = FeedAge("feed_age_ms", BreakerConfig(soft=500, hard=3000), "BTCUSDT")
    (edge,) = breaker.update(7, 812.0)
    assert (edge.reason, edge.figures, edge.instrument_id) == ("event is 812 ms old", {"age_ms": 812.0}, "BTCUSDT")


def test_an_event_from_the_future_is_not_late() -> None:
    breaker = FeedAge("feed_age_ms", BreakerConfig(soft=500))
    assert breaker.update(0, -900.0) == ()


def learned() -> AbnormalLatency:
    """Ages 90, 95, 100, 105, 110 ms over and over: median 100, MAD 5, σ 7.413."""
    breaker = AbnormalLatency("latency_mads", LatencyMadsConfig(soft=4, window_secs=60, min_samples=10, floor_ms=1))
    for i in range(10):
        assert breaker.update(i * SEC, (90.0, 95.0, 100.0, 105.0, 110.0)[i % 5]) == ()
    return breaker


@pytest.mark.req("R-4")
@pytest.mark.parametrize(("age", "opens"), [(129.6, False), (129.7, True)])  # 100 + 4 x 1.4826 x 5 = 129.652
def test_abnormal_latency_opens_at_so_many_mads_above_the_median(age: float, opens: bool) -> None:
    breaker = learned()
    assert bool(breaker.update(11 * SEC, age)) is opens


def test_abnormal_latency_says_against_what() -> None:
    (edge,) = learned().update(11 * SEC, 174.13)
    assert edge.figures["median_ms"] == 100.0
    assert edge.figures["sigma_ms"] == pytest.approx(7.413)
    assert edge.figures["score"] == pytest.approx(10.0)


@pytest.mark.req("B-8")
def test_abnormal_latency_learns_before_it_may_open() -> None:
    breaker = AbnormalLatency("latency_mads", LatencyMadsConfig(soft=4, window_secs=60, min_samples=10))
    for i in range(9):
        assert breaker.update(i * SEC, 100.0) == ()
    assert breaker.learning
    assert breaker.update(9 * SEC, 5000.0) == ()
    assert not breaker.learning
    assert breaker.update(10 * SEC, 5000.0) != ()


def test_a_feed_that_is_always_equally_late_is_judged_by_the_floor() -> None:
    breaker = AbnormalLatency("latency_mads", LatencyMadsConfig(soft=4, window_secs=60, min_samples=10, floor_ms=5))
    for i in range(10):
        breaker.update(i * SEC, 100.0)
    assert breaker.update(11 * SEC, 120.0) == ()  # 20 ms = 4 x 5 ms
    assert breaker.update(12 * SEC, 120.1) != ()


@pytest.mark.req("R-4", "R-8")
def test_silence_grows_with_the_clock_and_ends_with_events() -> None:
    breaker = Silence("feed_silence_ms", BreakerConfig(soft=2000, hard=10_000, cooldown_secs=1, clear_events=2))
    breaker.update(0)
    assert breaker.on_time(2 * SEC) == ()
    (soft,) = breaker.on_time(2 * SEC + MS)
    assert (soft.level, soft.reason) == (Level.SOFT, "no market event for 2001 ms")
    (hard,) = breaker.on_time(10 * SEC + MS)
    assert hard.level is Level.HARD
    assert breaker.update(11 * SEC) == ()  # ends 11 s of silence: still abnormal
    assert [e.to_state for e in breaker.update(12 * SEC)] == [State.HALF_OPEN]
    assert [e.to_state for e in breaker.update(12 * SEC + MS)] == [State.CLOSED]


def test_a_silence_nobody_looked_at_is_seen_by_the_event_that_ends_it() -> None:
    breaker = Silence("book_stale_ms", BreakerConfig(soft=2000, cooldown_secs=1), what="book update")
    breaker.update(0)
    (edge,) = breaker.update(5 * SEC)
    assert (edge.to_state, edge.figures) == (State.OPEN, {"silent_ms": 5000.0})


def test_a_feed_that_never_speaks_is_silent_from_the_first_look() -> None:
    breaker = Silence("feed_silence_ms", BreakerConfig(soft=2000))
    assert breaker.on_time(100 * SEC) == ()
    assert breaker.on_time(103 * SEC) != ()


def test_a_silent_feed_does_not_clear_by_time() -> None:
    breaker = Silence("feed_silence_ms", BreakerConfig(soft=2000, cooldown_secs=1, clear_events=0))
    breaker.update(0)
    for second in range(3, 60):
        breaker.on_time(second * SEC)
    assert breaker.state is State.OPEN
