"""The soak: its parts by worked numbers; three minutes of it where it is asked for (`-m soak`)."""

from __future__ import annotations

import asyncio
import random
from itertools import islice
from pathlib import Path

import pytest

from crash.judge.facts import Finding, Judgement, Verdict
from crash.soak import CLEAN_STOP, DAY_MESSAGES, FASTER, FIRST_RATE, SLOWER, Course, Soak, faults, happenings


def ended(**changes: object) -> Course:
    """A course that went well, but for what is changed."""
    course = Course(messages=10, secs=60, exit_code=CLEAN_STOP, memory=[[100, 100, 200, 200, 200, 200, 205, 205]])
    for name, value in changes.items():
        setattr(course, name, value)
    return course


def test_a_day_of_the_recorded_market_has_as_many_messages_as_its_first_minutes_promise() -> None:
    """93,954 messages in 344.803 s: 86,400 / 344.803 times as many a day."""
    assert pytest.approx(93_954 * 86_400 / 344.803, rel=0.005) == DAY_MESSAGES


def test_memory_is_the_last_quarter_over_the_second_of_the_longest_session() -> None:
    """Quarters 100 100 | 200 200 | 200 200 | 205 205: 205 / 200 = 1.025."""
    course = ended()
    course.memory.append([1, 2, 3])
    assert course.growth == pytest.approx(1.025)
    assert course.passes
    assert ended(memory=[[1, 2]]).growth is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exit_code": 1},
        {"errors": ["Traceback"]},
        {"memory": [[100] * 4 + [106] * 4]},
        {"judgement": Judgement((Finding(Verdict.LOST, "a trade"),))},
    ],
    ids=["not stopped by hand", "an error", "memory grows by 6 %", "a trade is lost"],
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
    soak = Soak(tmp_path, 1, 1, 1000, lambda _course: None)
    share = soak._pace(heard=200, applied=100, share=0.0)
    assert (share, soak.course.rate) == (2.0, FIRST_RATE * FASTER)
    share = soak._pace(heard=100, applied=100, share=share)
    assert soak.course.rate == pytest.approx(FIRST_RATE * FASTER * SLOWER)
    assert share == pytest.approx(0.9 * 2.0 + 0.1 * 1.0)


@pytest.mark.soak
@pytest.mark.req("P-1")
def test_three_minutes_of_faults_lose_nothing_and_memory_stays(tmp_path: Path) -> None:
    course = asyncio.run(Soak(tmp_path, 7, 3, DAY_MESSAGES, lambda _course: None).run())
    assert course.passes, (course.last_line, course.errors, course.restarts, course.judgement.findings)
