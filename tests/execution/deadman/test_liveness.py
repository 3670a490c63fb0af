"""D2: a refresh needs a trading loop that advanced, news of the account, and a journal that still commits."""

from __future__ import annotations

import pytest

from execution.deadman.liveness import ProofOfLife, Signs
from execution.deadman.stall import Stalls

LIVING = Signs(loops=7, private_ns=50, looked_ns=None)


@pytest.mark.req("X-4")
@pytest.mark.parametrize(
    ("signs", "lacks"),
    [
        (Signs(8, 101, None), None),
        (Signs(8, None, 101), None),
        (Signs(8, 20, 101), None),
        (Signs(7, 101, 101), "the trading loop has not advanced"),
        (Signs(8, 100, 100), "neither the private stream nor a look"),
        (Signs(8, None, None), "neither the private stream nor a look"),
        (Signs(8, 101, 101, "disk full"), "the journal failed: disk full"),
    ],
)
def test_every_sign_must_have_advanced_since_the_last_refresh(signs: Signs, lacks: str | None) -> None:
    proof = ProofOfLife()
    assert proof.lacks(LIVING) is None
    proof.refreshed(LIVING, 100)
    found = proof.lacks(signs)
    assert found is None if lacks is None else lacks in str(found)


@pytest.mark.req("X-4")
def test_a_loop_that_never_turned_arms_nothing() -> None:
    assert ProofOfLife().lacks(Signs(0, 1, 1)) == "the trading loop has not advanced since the last refresh"


@pytest.mark.req("X-4", "R-8")
@pytest.mark.parametrize(
    ("ran", "passed", "stalled"),
    [(2.0, 2.0, False), (2.1, 2.1, True), (0.1, 60.0, True), (2.1, -5.0, True), (0.2, 0.2, False)],
)
def test_a_stall_is_seen_on_either_clock_and_before_the_next_beat(ran: float, passed: float, stalled: bool) -> None:
    clocks = {"monotonic": 0, "wall": 10**18}
    stalls = Stalls(lambda: clocks["monotonic"], lambda: clocks["wall"])
    assert stalls.beat() is None
    clocks["monotonic"] += round(ran * 1e9)
    clocks["wall"] += round(passed * 1e9)
    assert stalls.stands is stalled
    assert (stalls.beat() is not None) is stalled
    assert stalls.stands is False
