"""One cancel-all and flatten, kept for the first permitted instant."""

from __future__ import annotations

import pytest

from execution.safety.budget import Heard, RateBudget, RateLimits
from execution.safety.emergency import Emergency, Wanted
from tests.execution.safety.test_budget import SEC, Hands


def banned(secs: float) -> tuple[Emergency, Hands]:
    clock = Hands()
    budget = RateBudget(RateLimits(), clock)
    budget.hear(Heard(clock.ns, 418, {}, retry_after_secs=secs))
    return Emergency(budget, clock), clock


@pytest.mark.req("L-8")
def test_a_wish_in_a_ban_is_carried_out_once_at_its_end() -> None:
    emergency, clock = banned(90)
    emergency.want(["BTCUSDT"], flatten=False)
    assert emergency.wait_ns() == 90 * SEC
    clock.ns += 90 * SEC - 1
    assert emergency.take() is None
    clock.ns += 1
    assert emergency.take() == Wanted(("BTCUSDT",), flatten=False)
    assert emergency.take() is None
    assert emergency.wait_ns() is None


@pytest.mark.req("L-8")
def test_many_wishes_become_one_and_flatten_stays_wanted() -> None:
    emergency, clock = banned(1)
    emergency.want(["ETHUSDT"], flatten=True)
    emergency.want(["BTCUSDT", "ETHUSDT"], flatten=False)
    clock.ns += SEC
    assert emergency.take() == Wanted(("BTCUSDT", "ETHUSDT"), flatten=True)


def test_without_a_ban_a_wish_is_due_at_once() -> None:
    clock = Hands()
    emergency = Emergency(RateBudget(RateLimits(), clock), clock)
    emergency.want(["BTCUSDT"], flatten=True)
    assert emergency.wait_ns() == 0
    assert emergency.take() == Wanted(("BTCUSDT",), flatten=True)


@pytest.mark.req("O-10")
def test_a_wish_that_failed_is_tried_again_after_growing_pauses() -> None:
    clock = Hands()
    emergency = Emergency(RateBudget(RateLimits(), clock), clock)
    emergency.want(["BTCUSDT"], flatten=True)
    pauses = []
    for _ in range(6):
        taken = emergency.take()
        assert taken is not None
        emergency.put_back(taken)
        pauses.append((emergency.wait_ns() or 0) / SEC)
        assert emergency.take() is None
        clock.ns += emergency.wait_ns() or 0
    assert pauses == [0.25, 0.5, 1, 2, 4, 4]
    assert emergency.take() == Wanted(("BTCUSDT",), flatten=True)
    emergency.done()
    emergency.put_back(Wanted(("BTCUSDT",), flatten=False))
    assert emergency.wait_ns() == SEC // 4
