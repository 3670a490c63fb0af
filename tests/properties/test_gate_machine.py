"""R-1…R-14 together: random episodes against an oracle that was written without a look at the checks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.__main__ import main
from tests.properties.coverage import missing, refusals_missing
from tests.properties.driver import first_failure
from tests.properties.machine import GateMachine

STEPS = 20_000


@pytest.mark.req("R-1", "R-2", "R-3", "R-9", "R-13", "R-14")
def test_no_limit_breaks_and_no_position_is_trapped_whatever_happens() -> None:
    GateMachine.seen = Counter()
    run_state_machine_as_test(
        GateMachine,
        settings=settings(
            max_examples=260, stateful_step_count=100, database=None, derandomize=True, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert GateMachine.seen["steps"] >= STEPS
    assert len(refusals_missing(GateMachine.seen)) <= 12  # the seeded episodes below reach every one


def test_seeded_episodes_reach_everything_that_a_long_run_must() -> None:
    seen: Counter[str] = Counter()
    assert first_failure(1, STEPS, seen) is None
    assert refusals_missing(seen) == []
    assert len(missing(seen)) <= 5


def test_the_command_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--steps", "200", "--seed", "3"]) == 0
    assert "200 steps in" in capsys.readouterr().out
