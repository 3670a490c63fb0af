"""The state machine on hand-worked traces, and what must hold for every trace."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breakers.config import BreakerConfig
from risk.breakers.machine import Breaker, Edge, Edges, Level, State

SEC = 1_000_000_000
LEGAL = {
    (State.CLOSED, State.OPEN), (State.OPEN, State.OPEN), (State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.OPEN),
    (State.HALF_OPEN, State.CLOSED),
}  # fmt: skip


def breaker(**settings: object) -> Breaker:
    return Breaker("feed_age_ms", BreakerConfig.model_validate({"soft": 10, "hard": 50, **settings}), "BTCUSDT")


def feed(machine: Breaker, at_secs: float, value: float) -> Edges:
    ts_ns = round(at_secs * SEC)
    level = machine.judge(value)
    return (
        machine.normal(ts_ns)
        if level is Level.NONE
        else machine.abnormal(ts_ns, level, f"is {value}", {"value": value})
    )


def steps(edges: Edges) -> list[tuple[State, State]]:
    return [(edge.from_state, edge.to_state) for edge in edges]


@pytest.mark.parametrize(
    ("value", "level"),
    [(9.999, Level.NONE), (10, Level.NONE), (10.001, Level.SOFT), (50, Level.SOFT), (50.001, Level.HARD)],
)
def test_equality_passes_and_beyond_opens(value: float, level: Level) -> None:
    assert breaker().judge(value) is level


def test_a_value_that_is_not_a_number_is_as_bad_as_the_worst_limit() -> None:
    assert breaker().judge(float("nan")) is Level.HARD
    assert breaker(hard=None).judge(float("nan")) is Level.SOFT


def test_only_a_hard_limit_leaves_everything_below_it_alone() -> None:
    only_hard = breaker(soft=None)
    assert only_hard.judge(50) is Level.NONE
    assert only_hard.judge(51) is Level.HARD


@pytest.mark.req("R-3a", "R-4")
def test_a_whole_life_opens_cools_down_and_closes_after_n_normal_events() -> None:
    machine = breaker(cooldown_secs=5, clear_events=3)
    assert feed(machine, 1, 10) == ()
    (opened,) = feed(machine, 2, 11)
    assert (opened.from_state, opened.to_state, opened.level) == (State.CLOSED, State.OPEN, Level.SOFT)
    assert (opened.ts_ns, opened.reason, opened.figures) == (2 * SEC, "is 11", {"value": 11})
    assert feed(machine, 3, 12) == ()  # cool-down now runs from 3 s to 8 s
    assert feed(machine, 7.999, 1) == ()
    assert steps(feed(machine, 8, 1)) == [(State.OPEN, State.HALF_OPEN)]  # the first of three
    assert feed(machine, 8.1, 1) == ()
    (closed,) = feed(machine, 8.2, 1)
    assert (closed.to_state, closed.level, closed.figures) == (State.CLOSED, Level.NONE, {"open_secs": 6.2})


def test_one_abnormal_event_while_half_open_opens_again_and_starts_the_cool_down_anew() -> None:
    machine = breaker(cooldown_secs=5, clear_events=2)
    feed(machine, 0, 60)
    assert steps(feed(machine, 5, 1)) == [(State.OPEN, State.HALF_OPEN)]
    (again,) = feed(machine, 6, 11)
    assert (again.from_state, again.to_state, again.level) == (State.HALF_OPEN, State.OPEN, Level.SOFT)
    assert feed(machine, 10.9, 1) == ()
    assert steps(feed(machine, 11, 1)) == [(State.OPEN, State.HALF_OPEN)]
    assert steps(feed(machine, 12, 1)) == [(State.HALF_OPEN, State.CLOSED)]


def test_soft_to_hard_is_an_edge_and_hard_to_soft_is_none() -> None:
    machine = breaker()
    feed(machine, 0, 11)
    (worse,) = feed(machine, 1, 51)
    assert (worse.from_state, worse.to_state, worse.level) == (State.OPEN, State.OPEN, Level.HARD)
    assert feed(machine, 2, 11) == ()
    assert machine.level is Level.HARD


def test_time_alone_closes_where_no_events_are_asked_for() -> None:
    machine = breaker(cooldown_secs=600, clear_events=0)
    feed(machine, 100, 11)
    assert machine.advance(round(699.999 * SEC)) == ()
    assert steps(machine.advance(700 * SEC)) == [(State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.CLOSED)]


@pytest.mark.req("R-3a")
def test_a_latching_breaker_trips_at_hard_only_and_never_clears_itself() -> None:
    machine = breaker(latch=True, cooldown_secs=1, clear_events=1)
    assert [edge.latched for edge in feed(machine, 0, 11)] == [False]
    assert [edge.latched for edge in feed(machine, 1, 51)] == [True]
    assert feed(machine, 100, 1) == ()
    assert machine.advance(1000 * SEC) == ()
    assert machine.state is State.OPEN
    (edge,) = machine.reset(1001 * SEC, "checked by hand")
    assert (edge.to_state, edge.reason, machine.latched) == (State.CLOSED, "reset: checked by hand", False)
    assert machine.reset(1002 * SEC, "again") == ()


def test_a_latching_breaker_without_a_hard_limit_trips_at_soft() -> None:
    assert [edge.latched for edge in feed(breaker(hard=None, latch=True), 0, 11)] == [True]


def test_a_breaker_that_does_not_latch_never_trips() -> None:
    machine = breaker()
    assert [edge.latched for edge in (*feed(machine, 0, 11), *feed(machine, 1, 51))] == [False, False]


values = st.sampled_from([0.0, 10.0, 10.5, 50.0, 60.0])
traces = st.lists(st.tuples(st.integers(0, 20), st.one_of(values, st.none())), max_size=60)


@given(traces, st.integers(0, 4), st.integers(1, 10), st.booleans())
def test_every_trace_is_a_chain_of_legal_edges(
    trace: list[tuple[int, float | None]], clear_events: int, cooldown: int, latch: bool
) -> None:
    machine = breaker(clear_events=clear_events, cooldown_secs=cooldown, latch=latch)
    now, last_bad, normals = 0, -1, 0
    edges: list[Edge] = []
    for wait, value in trace:
        now += wait
        new = machine.advance(now * SEC) if value is None else feed(machine, now, value)
        if value is not None and value > 10:
            last_bad, normals = now, 0
        elif value is not None:
            normals += 1
        for edge in new:
            if edge.to_state is State.CLOSED:
                assert now - last_bad >= cooldown
                assert normals >= clear_events
        if value is not None and value > 10:
            assert machine.state is State.OPEN
        edges.extend(new)
    assert all((edge.from_state, edge.to_state) in LEGAL for edge in edges)
    assert all(a.to_state is b.from_state for a, b in pairwise(edges))
    assert (edges[-1].to_state if edges else State.CLOSED) is machine.state
    assert sum(edge.latched for edge in edges) <= 1
