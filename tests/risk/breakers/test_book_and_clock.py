"""Books and clocks that cannot be trusted."""

from __future__ import annotations

import pytest

from risk.breakers.book import CrossedBook, GappedBook
from risk.breakers.clock import ClockOffset, ClockStep
from risk.breakers.config import BreakerConfig, ClockStepConfig, WindowedConfig
from risk.breakers.events import ClockReading
from risk.breakers.machine import Level, State

MS = 1_000_000
SEC = 1000 * MS


def crossed(**settings: float) -> CrossedBook:
    return CrossedBook("book_crossed_updates", BreakerConfig.model_validate({"soft": 0, "hard": 2, **settings}))


@pytest.mark.req("R-8")
@pytest.mark.parametrize(("bid", "ask"), [(100.1, 100.0), (100.0, 100.0), (0.0, 100.0), (100.0, 0.0), (0.0, 0.0)])
def test_a_crossed_locked_or_one_sided_book_opens_at_once(bid: float, ask: float) -> None:
    breaker = crossed()
    (edge,) = breaker.update(1, bid, ask)
    assert edge.level is Level.SOFT


def test_a_book_that_stays_crossed_is_hard_beyond_its_limit_and_clears_by_good_updates() -> None:
    breaker = crossed(cooldown_secs=0, clear_events=2)
    breaker.update(1 * SEC, 101, 100)
    assert breaker.update(2 * SEC, 101, 100) == ()  # 2 is not beyond 2
    (hard,) = breaker.update(3 * SEC, 101, 100)
    assert (hard.level, hard.figures["updates"]) == (Level.HARD, 3)
    assert [e.to_state for e in breaker.update(4 * SEC, 99, 100)] == [State.HALF_OPEN]
    assert [e.to_state for e in breaker.update(5 * SEC, 99, 100)] == [State.CLOSED]


@pytest.mark.req("R-8")
def test_a_gap_stays_open_until_a_snapshot_whatever_the_time() -> None:
    config = WindowedConfig(soft=0, hard=1, window_secs=60, cooldown_secs=1, clear_events=1)
    breaker = GappedBook("book_gaps", config)
    assert breaker.update(0, gap=False, snapshot=True) == ()
    (edge,) = breaker.update(1 * SEC, gap=True, snapshot=False)
    assert edge.level is Level.SOFT
    assert breaker.update(2 * SEC, gap=False, snapshot=False) == ()
    assert breaker.on_time(1000 * SEC) == ()
    assert breaker.state is State.OPEN
    assert breaker.update(1000 * SEC, gap=False, snapshot=True) == ()  # cool-down since the last wrong update
    assert [e.to_state for e in breaker.update(1001 * SEC, gap=False, snapshot=False)] == [
        State.HALF_OPEN,
        State.CLOSED,
    ]


@pytest.mark.parametrize(("second_gap_secs", "level"), [(59, Level.HARD), (60, Level.SOFT)])
def test_gaps_count_within_the_window(second_gap_secs: int, level: Level) -> None:
    config = WindowedConfig(soft=0, hard=1, window_secs=60, cooldown_secs=0, clear_events=1)
    breaker = GappedBook("book_gaps", config)
    breaker.update(0, gap=True, snapshot=False)
    breaker.update(1 * SEC, gap=False, snapshot=True)
    assert breaker.state is State.CLOSED
    breaker.update(second_gap_secs * SEC, gap=True, snapshot=False)
    assert breaker.level is level


@pytest.mark.parametrize(
    ("offset", "level"),
    [(250, Level.NONE), (251, Level.SOFT), (-251, Level.SOFT), (1000, Level.SOFT), (-1001, Level.HARD)],
)
@pytest.mark.req("R-8")
def test_the_clock_offset_counts_either_way(offset: float, level: Level) -> None:
    breaker = ClockOffset("clock_offset_ms", BreakerConfig(soft=250, hard=1000))
    breaker.update(ClockReading(0, 0, offset))
    assert breaker.level is level


def test_a_reading_without_an_offset_says_nothing_about_it() -> None:
    breaker = ClockOffset("clock_offset_ms", BreakerConfig(soft=250, cooldown_secs=0, clear_events=1))
    breaker.update(ClockReading(0, 0, 900.0))
    assert breaker.update(ClockReading(SEC, SEC)) == ()
    assert breaker.state is State.OPEN


def step() -> ClockStep:
    return ClockStep("clock_step_ms", ClockStepConfig(soft=500, hard=1900, cooldown_secs=1, clear_events=1))


@pytest.mark.req("R-8")
@pytest.mark.parametrize("jump_secs", [2, -2])
def test_a_clock_step_of_two_seconds_shuts_until_the_offset_is_measured_again(jump_secs: int) -> None:
    breaker = step()
    breaker.update(ClockReading(100 * SEC, 0))
    (edge,) = breaker.update(ClockReading((101 + jump_secs) * SEC, 1 * SEC))
    assert (edge.level, edge.figures["step_ms"]) == (Level.HARD, jump_secs * 1000.0)
    for second in range(2, 60):
        breaker.update(ClockReading((100 + second + jump_secs) * SEC, second * SEC))
        breaker.on_time((100 + second + jump_secs) * SEC)
    assert breaker.state is State.OPEN
    edges = breaker.update(ClockReading((160 + jump_secs) * SEC, 60 * SEC, 3.0))
    assert [e.to_state for e in edges] == [State.HALF_OPEN, State.CLOSED]


@pytest.mark.req("R-8")
def test_a_suspend_of_a_minute_is_seen_whether_the_monotonic_clock_slept_or_not() -> None:
    slept, ran = step(), step()
    slept.update(ClockReading(100 * SEC, 0))
    ran.update(ClockReading(100 * SEC, 0))
    (by_step,) = slept.update(ClockReading(161 * SEC, 1 * SEC))
    (by_stall,) = ran.update(ClockReading(161 * SEC, 61 * SEC))
    assert by_step.figures == {"step_ms": 60_000.0, "stall_ms": 0.0}
    assert by_stall.figures == {"step_ms": 0.0, "stall_ms": 60_000.0}


@pytest.mark.parametrize(("jump_ms", "opens"), [(500, False), (501, True), (-500, False), (-501, True)])
def test_a_small_step_passes(jump_ms: int, opens: bool) -> None:
    breaker = step()
    breaker.update(ClockReading(0, 0))
    assert bool(breaker.update(ClockReading(SEC + jump_ms * MS, SEC))) is opens
