"""Which risk events make an incident, and that they are few."""

from __future__ import annotations

import pytest

from execution.journal import RiskEvent
from monitoring.blackbox import BlackBoxConfig
from monitoring.incidents.triggers import Triggers, all_trips

S = 1_000_000_000
DAY = 1_723_075_200


def event(secs: float, name: str, *, kind: str = "breaker", state: str = "open", level: str = "hard") -> RiskEvent:
    return RiskEvent(round((DAY + secs) * S), kind, name, "", state, level, f"{name} at {secs:g}", {})


def chosen(*events: RiskEvent, **config: float) -> list[tuple[int, str, float]]:
    found = all_trips(BlackBoxConfig.model_validate(config), events)
    return [(trip.number, trip.cause, trip.event.ts_ns / S - DAY) for trip in found]


@pytest.mark.req("X-8")
def test_halts_and_hard_edges_make_incidents_and_nothing_else_does() -> None:
    rows = [
        event(1, "spread", level="soft"), event(2, "feed"), event(3, "feed", state="half_open"), event(4, "feed", state="closed"),
        event(5, "daily_loss", kind="halt"), event(6, "order", kind="order"),
    ]  # fmt: skip
    assert chosen(*rows) == [(1, "feed", 2), (2, "daily_loss", 5)]


@pytest.mark.req("X-8")
def test_the_same_cause_counts_again_after_60_s_and_not_before() -> None:
    rows = [event(0, "feed"), event(59.9, "feed"), event(60, "feed"), event(61, "book")]
    assert chosen(*rows) == [(1, "feed", 0), (2, "feed", 60), (3, "book", 61)]


@pytest.mark.req("X-8")
def test_breakers_leave_two_of_ten_places_to_halts() -> None:
    rows = [event(100 * i, "feed") for i in range(20)] + [event(3000, "daily_loss", kind="halt")]
    found = chosen(*rows)
    assert len(found) == 9
    assert found[-1] == (9, "daily_loss", 3000)
    halts = [event(100 * i, "kill_switch", kind="halt") for i in range(20)]
    assert len(chosen(*halts)) == 10


def test_what_was_left_out_is_counted() -> None:
    triggers = Triggers(BlackBoxConfig(max_incidents=3))
    for number in range(4):
        triggers.take(event(100 * number, "feed"))
    assert triggers.left_out == 3


def test_one_instant_is_one_incident_and_a_halt_names_it() -> None:
    rows = [event(7, "feed"), event(7, "kill_switch", kind="halt")]
    (trip,) = all_trips(BlackBoxConfig(), rows)
    assert (trip.cause, trip.also) == ("kill_switch", ("feed: feed at 7",))
