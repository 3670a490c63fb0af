"""The soak: its parts by worked numbers; three minutes of it where it is asked for (`-m soak`)."""

from __future__ import annotations

import asyncio
import random
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crash import soak as soaking
from crash.course import CLEAN_STOP, FIRST_RATE, LEAST_READINGS, Course
from crash.judge.facts import Activity, Finding, Judgement, Verdict
from crash.rough import faults, happenings
from crash.soak import CALMING_SECS, DAY_MESSAGES, FASTER, SLOWER, Soak

TRADED = Activity(accepted=3, partial=1, cancelled=1)
QUARTERS = [100] * 10 + [200] * 10 + [200] * 10 + [205] * 10


def ended(**changes: object) -> Course:
    """A course that went well, but for what is changed."""
    course = Course(messages=10, secs=60, exit_code=CLEAN_STOP, memory=[QUARTERS], judgement=Judgement((), TRADED))
    for name, value in changes.items():
        setattr(course, name, value)
    return course


def test_a_day_of_the_recorded_market_has_as_many_messages_as_its_first_minutes_promise() -> None:
    """93,954 messages in 344.803 s: 86,400 / 344.803 times as many a day."""
    assert pytest.approx(93_954 * 86_400 / 344.803, rel=0.005) == DAY_MESSAGES


def test_memory_is_the_last_quarter_over_the_second_of_the_longest_session() -> None:
    """Quarters of 100, 200, 200, 205: 205 / 200 = 1.025. A reading that sticks out moves no median."""
    course = ended(memory=[[*QUARTERS[:-1], 900], [1, 2, 3]])
    assert course.growth == pytest.approx(1.025)
    assert course.passes
    assert ended(memory=[QUARTERS[1:]]).growth is None
    assert len(QUARTERS) == LEAST_READINGS


@pytest.mark.parametrize(
    "changes",
    [
        {"exit_code": 1},
        {"errors": ["Traceback"]},
        {"memory": [[100] * 20 + [106] * 20]},
        {"judgement": Judgement((Finding(Verdict.LOST, "a trade"),), TRADED)},
        {"judgement": Judgement()},
    ],
    ids=["not stopped by hand", "an error", "memory grows by 6 %", "a trade is lost", "nothing is traded"],
)
def test_a_soak_fails_by_any_of_these(changes: dict[str, object]) -> None:
    course = ended(**changes)
    assert not course.passes
    assert course.last_line.startswith("LOST ")


def test_faults_come_from_the_seed() -> None:
    first, again, other = (faults(random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other
    rng = random.Random(3)
    waits = [wait for wait, _ in islice(happenings(rng), 50)]
    assert min(waits) >= 15
    assert max(waits) <= 40


def test_the_pace_rises_while_everything_is_heard_and_falls_when_it_is_not(tmp_path: Path) -> None:
    """100 messages a second are sent, a line of status comes each second: 194 of 200 are enough, 180 are not."""
    soak = Soak(tmp_path, 1, 1, 1000, lambda _course: None)
    soak._sent.extend((tick / 50, 2 * tick) for tick in range(300))
    rates = []
    for line, heard in enumerate([0, 100, 194, 294, 374]):
        soak._heard.append((float(line), heard))
        soak._pace()
        rates.append(soak.course.rate / FIRST_RATE)
    assert rates == pytest.approx([1, 1, FASTER, FASTER**2, FASTER**2 * SLOWER])


@pytest.mark.parametrize(("stalled", "confirm_secs"), [(0.9, 3.0), (4.0, 11.0)])
def test_a_stop_may_be_late_by_what_the_venue_stood_still_before_it_came_and_before_it_was_answered(
    stalled: float, confirm_secs: float
) -> None:
    assert ended(stalled=stalled).facts.confirm_secs == confirm_secs


def test_faults_end_with_the_market_and_a_session_has_to_trade_on_in_peace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute of market; the session that trades since 55 s ends at 64, the next one trades from 80 on: over at 80 + 10."""
    clock, disarmed = SimpleNamespace(now=0.0), list[float]()
    monkeypatch.setattr(soaking, "time", SimpleNamespace(monotonic=lambda: clock.now))
    faults = SimpleNamespace(disarm=lambda: disarmed.append(clock.now))
    server: Any = SimpleNamespace(venue=SimpleNamespace(faults=faults))
    soak = Soak(tmp_path, 1, 1, 1000, lambda _course: None)
    over = []
    for now in range(50, 100):
        clock.now = soak.course.secs = float(now)
        soak._trades_since = 55.0 if 55 <= now < 64 else 80.0 if now >= 80 else None
        over += [now] if soak._over(server) else []
    assert (over[0], disarmed) == (90, [60.0])


def test_what_never_trades_again_ends_the_market_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=60.0)
    monkeypatch.setattr(soaking, "time", SimpleNamespace(monotonic=lambda: clock.now))
    server: Any = SimpleNamespace(venue=SimpleNamespace(faults=SimpleNamespace(disarm=lambda: None)))
    soak = Soak(tmp_path, 1, 1, 1000, lambda _course: None)
    soak.course.secs = 60.0
    assert not soak._over(server)
    clock.now += CALMING_SECS
    assert soak._over(server)
    assert soak.course.errors == ["no session traded on for 10 s within 120 s without faults"]


@pytest.mark.soak
@pytest.mark.req("P-1")
def test_three_minutes_of_faults_lose_nothing_and_memory_stays(tmp_path: Path) -> None:
    course = asyncio.run(Soak(tmp_path, 7, 3, DAY_MESSAGES, lambda _course: None).run())
    assert course.passes, (course.last_line, course.errors, course.restarts, course.judgement.findings)
