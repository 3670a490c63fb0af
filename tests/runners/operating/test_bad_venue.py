"""`cancel` and `flatten` while the venue fails: they try on, wait out a ban, and never say clean where they have not seen it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from execution.safety.budget import Heard, RateBudget, RateLimits
from execution.safety.failures import Answer, Banned, OutcomeUnknown, VenueError
from execution.safety.response_class import BANNED, UNKNOWN
from runners.operating import clearing
from runners.operating.commanding import Wish
from runners.operating.patience import Patience
from tests.runners.operating.support import LONG, TAG, Scene, told

OUTAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "503 for a while": ({"at_secs": 0}, {"act": "outage", "secs": 2, "status": 503, "code": -1001}),
    "429 for a while": ({"at_secs": 0}, {"act": "rate_limit", "secs": 2}),
    "418 for a while": ({"at_secs": 0}, {"act": "ban", "secs": 2}),
    "no connection for a while": ({"at_secs": 0}, {"act": "refuse_connections", "secs": 2}),
    "a question that hangs": ({"request": "GET /fapi/v1/openOrders"}, {"act": "hang"}),
    "a cancel whose answer is lost": ({"request": "DELETE /fapi/v1/order"}, {"act": "drop_answer"}),
    "a close that is executed and answered 503": (
        {"request": "POST /fapi/v1/order"}, {"act": "answer", "status": 503, "code": -1000, "execute": True},
    ),
    "a close that the venue takes late": (
        {"request": "POST /fapi/v1/order"}, {"act": "accept_late", "secs": 1, "lose_connection": True},
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks a little apart."""
    monkeypatch.setattr(clearing, "QUIET_SECS", 0.3)


@pytest.mark.req("R-10", "L-8")
@pytest.mark.parametrize("case", OUTAGES.values(), ids=OUTAGES.keys())
def test_whatever_fails_for_a_while_nothing_is_left_in_the_end_and_nothing_is_flipped(
    tmp_path: Path, case: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        scene.rest(f"{TAG}2", price="58000.0")
        scene.arm(*case)
        outcome = await scene.do(Wish(flatten=True, patience_secs=30))
        assert (outcome.exit_code, outcome.clean) == (0, True), outcome
        assert (scene.open_ids(), scene.held()) == ([], 0)
        side = {row["side"] for row in scene.server.venue.ledger.of("trade")}
        assert side == {"SELL"}

    told(tmp_path, story, account=LONG)


@pytest.mark.req("P-5")
def test_what_was_not_seen_is_not_called_clean_and_exits_6(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        scene.arm({"request": "DELETE *"}, {"act": "outage", "secs": 600, "status": 503, "code": -1001})
        outcome = await scene.do(Wish(flatten=False, patience_secs=2))
        assert (outcome.exit_code, outcome.clean) == (6, False)
        assert outcome.verdict.startswith("NOT CLEAN: ")
        assert scene.open_ids() == [f"{TAG}1"]

    told(tmp_path, story)


def test_an_order_that_cannot_be_cancelled_is_named_as_still_there(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        scene.arm({"request": "DELETE *"}, {"act": "answer", "status": 503, "code": -1001}, times=None)
        outcome = await scene.do(Wish(flatten=False, patience_secs=5))
        assert (outcome.exit_code, [row.left for row in outcome.rows]) == (6, [True])
        assert "DELETE /fapi/v1/order: UNKNOWN HTTP 503 -1001" in outcome.problems[0]

    told(tmp_path, story)


def test_a_strangers_exit_that_covers_the_position_is_named(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest("web_1", side="SELL", price="61000.0", reduceOnly="true")
        outcome = await scene.do(Wish(flatten=True, patience_secs=5))
        assert (outcome.exit_code, scene.held(), scene.open_ids()) == (6, 10, ["web_1"])
        assert (
            "web_1 BTCUSDT SELL 0.010 is not ours and covers the position: --all cancels it as well"
            in outcome.problems[0]
        )
        assert (await scene.do(Wish(flatten=True, everyone=True))).clean
        assert (scene.held(), scene.open_ids()) == (0, [])

    told(tmp_path, story, account=LONG)


def test_a_node_that_quotes_again_and_again_is_no_clean_account(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        async def quote() -> None:
            number = 0
            while True:
                if not scene.open_ids():
                    number += 1
                    scene.rest(f"x-aHRE4BCj-Rt1zzzzzz{number:06d}")
                await asyncio.sleep(0.02)

        quoting = asyncio.create_task(quote())
        outcome = await scene.do(Wish(flatten=False, patience_secs=30))
        quoting.cancel()
        assert (outcome.exit_code, outcome.clean) == (6, False)
        assert outcome.verdict.endswith("quotes again and again; type it again with --halt, which shuts entries first")
        assert 4 <= len(outcome.rows) <= 12

    told(tmp_path, story)


class StillTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.ns = 10**12

    def __call__(self) -> int:
        return self.ns

    async def sleep(self, secs: float) -> None:
        self.ns += round(secs * 1e9)


def patient(secs: float, said: list[str]) -> tuple[Patience, RateBudget, StillTime]:
    """Patience on a clock of its own."""
    clock = StillTime()
    budget = RateBudget(RateLimits(), clock)

    def now() -> datetime:
        return datetime.fromtimestamp(clock.ns / 1e9, UTC)

    return Patience(budget, secs, said.append, clock, clock.sleep, now), budget, clock


def failing(times: int, error: VenueError, then: Callable[[], None] | None = None) -> tuple[Any, list[int]]:
    """Work that fails some times."""
    tries: list[int] = []

    async def work() -> str:
        tries.append(len(tries))
        if len(tries) <= times:
            if then is not None:
                then()
            raise error
        return "done"

    return work, tries


@pytest.mark.req("L-8")
def test_a_ban_longer_than_the_patience_is_waited_out_and_told_with_its_end() -> None:
    said: list[str] = []
    patience, budget, clock = patient(60, said)
    ban = Heard(clock.ns, 418, {}, retry_after_secs=300.0)
    work, tries = failing(1, Banned(Answer("GET /x", 418), BANNED), lambda: budget.hear(ban))
    began = clock.ns
    assert asyncio.run(patience.insist(work)) == "done"
    assert (len(tries), round((clock.ns - began) / 1e9)) == (2, 300)
    assert said[-1] == "the venue shuts this address out (418) until 00:21:40 UTC: waiting for that instant"
    assert not patience.over  # 1,000 s after the epoch, and 300 more


def test_failures_are_tried_again_after_growing_pauses_until_the_time_is_up() -> None:
    said: list[str] = []
    patience, _, clock = patient(10, said)
    silence = OutcomeUnknown(Answer("GET /x", 503), UNKNOWN)
    work, tries = failing(10**6, silence)
    began = clock.ns
    with pytest.raises(OutcomeUnknown):
        asyncio.run(patience.insist(work))
    # 0.25 + 0.5 + 1 + 2 + 4 s = 7.75 s, and the next pause of 4 s ends after the ten
    assert (len(tries), (clock.ns - began) / 1e9) == (7, 11.75)
    assert len(said) == 1  # one sentence, however often
