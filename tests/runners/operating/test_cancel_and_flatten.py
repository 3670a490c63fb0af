"""`cancel` and `flatten` at a venue that works: what is meant goes, what is not stays, and the ledger says so."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest

from errors import HyperTradingError
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.venue_clock import VenueClock
from runners import halting
from runners.accounts import AccountPlace
from runners.live.clearing import QUIET_SECS
from runners.operating import clearing
from runners.operating.commanding import Declined, Wish
from runners.operating.reach import Reach, Target
from runners.operating.standing import orders_of
from tests.execution.safety.support import KEYS
from tests.runners.operating.support import LONG, TAG, Scene, done, told


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks a little apart: what they prove is tested once, with the real distance."""
    monkeypatch.setattr(clearing, "QUIET_SECS", 0.2)


@pytest.mark.req("O-9", "R-10")
def test_cancel_takes_ours_of_every_symbol_and_leaves_a_persons_order_and_the_position(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        scene.rest(f"{TAG}2", "ETHUSDT", "2900.0")  # on a symbol that no file names
        scene.rest("web_1", price="58000.0")
        outcome = await scene.do(Wish(flatten=False))
        assert (outcome.exit_code, outcome.clean) == (0, True)
        assert done(outcome) == {
            "t1zzzzzz000001": "cancelled", "t1zzzzzz000002": "cancelled", "web_1": "left (--all)", "BTCUSDT": "kept",
        }  # fmt: skip
        assert (scene.open_ids(), scene.held()) == (["web_1"], 10)
        assert outcome.verdict.startswith("clean: two looks ")

    told(tmp_path, story, account=LONG)


def test_the_two_looks_are_at_least_two_seconds_apart(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        outcome = await scene.do(Wish(flatten=False))
        assert outcome.verdict.startswith("nothing to do: two looks ")
        assert float(outcome.verdict.split()[5]) >= QUIET_SECS
        asked = [row for row in scene.server.venue.ledger.of("request") if row["path"] == "/fapi/v1/openOrders"]
        whole = [int(str(row["ts_ns"])) for row in asked if "symbol" not in row["params"]]
        assert whole[-1] - whole[-2] >= QUIET_SECS * 1e9

    told(tmp_path, story)


@pytest.mark.usefixtures("quick")
def test_one_symbol_means_that_symbol_only(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        scene.rest(f"{TAG}2", "ETHUSDT", "2900.0")
        outcome = await scene.do(Wish(flatten=False, symbols=("ETHUSDT",)))
        assert outcome.verdict.endswith("show no order of ours on ETHUSDT")
        assert scene.open_ids() == [f"{TAG}1"]

    told(tmp_path, story)


@pytest.mark.usefixtures("quick")
def test_all_takes_the_orders_of_others_as_well(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest("web_1")
        outcome = await scene.do(Wish(flatten=False, everyone=True))
        assert (scene.open_ids(), outcome.verdict[-13:]) == ([], "no open order")

    told(tmp_path, story)


@pytest.mark.usefixtures("quick")
@pytest.mark.req("R-10")
def test_flatten_closes_reduce_only_in_parts_that_the_venue_takes_and_leaves_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1", side="SELL", price="61000.0", reduceOnly="true")  # covers the position: it must go first
        outcome = await scene.do(Wish(flatten=True))
        assert (scene.open_ids(), scene.held(), outcome.exit_code) == ([], 0, 0)
        sent = [row["params"] for row in scene.server.venue.ledger.of("request") if row["method"] == "POST"]
        assert [(one["quantity"], one["reduceOnly"]) for one in sent] == [
            ("0.004", "true"),
            ("0.004", "true"),
            ("0.002", "true"),
        ]
        assert all(
            one["newClientOrderId"].startswith("operator-t1") for one in sent
        )  # a person's, for the next recovery
        assert done(outcome)["BTCUSDT"].startswith("closed: SELL 0.01 at 60000")

    told(tmp_path, story, account=LONG, symbol={"market_max_quantity": "0.004"})


@pytest.mark.usefixtures("quick")
def test_on_a_shared_account_a_position_on_somebody_elses_symbol_stays_unless_all_is_asked_for(tmp_path: Path) -> None:
    held = {"positions": LONG["positions"] | {"ETHUSDT": {"quantity": "-0.5", "entry_price": "3000"}}}

    async def story(scene: Scene) -> None:
        shared = scene.target(", foreign_orders: count")
        outcome = await scene.do(Wish(flatten=True), shared)
        assert (scene.held(), scene.held("ETHUSDT")) == (0, -500)
        assert done(outcome)["ETHUSDT"].startswith("kept, not our symbol")
        await scene.do(Wish(flatten=True, everyone=True), shared)
        assert scene.held("ETHUSDT") == 0

    told(tmp_path, story, account=held)


@pytest.mark.usefixtures("quick")
@pytest.mark.req("R-10")
def test_a_stop_protects_until_the_position_is_gone(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        budget = RateBudget(RateLimits(), time.monotonic_ns)
        async with SafetyClient(scene.server.url, KEYS, budget, VenueClock()) as client:
            await client.protect("BTCUSDT", "SELL", Decimal("55000.0"), f"{TAG}7")
        assert done(await scene.do(Wish(flatten=False)))["t1zzzzzz000007"] == "kept: protects"
        outcome = await scene.do(Wish(flatten=True))
        assert done(outcome)["t1zzzzzz000007"] in ("cancelled", "gone")
        order = [path for path in scene.changed() if "algoOrder" in path or path == "POST /fapi/v1/order"]
        assert order[:2] == [
            "POST /fapi/v1/algoOrder",
            "POST /fapi/v1/order",
        ]  # its cancel, if any, comes after the close
        assert (scene.held(), scene.server.venue.exchange.algo.open_orders()) == (0, [])

    told(tmp_path, story, account=LONG)


@pytest.mark.usefixtures("quick")
@pytest.mark.req("R-10")
def test_flatten_shuts_entries_first_and_leaves_a_record_of_who_did_what(tmp_path: Path) -> None:
    place = AccountPlace("test", tmp_path / "state" / "test")

    async def story(scene: Scene) -> None:
        place.path.mkdir(parents=True)
        scene.rest(f"{TAG}1")
        outcome = await scene.do(Wish(flatten=True))
        assert outcome.halted == ("test",)
        assert [record.reason for record in place.log.records()] == ["flatten by hand"]
        kept = scene.record()[-1]
        assert (kept["command"], kept["clean"], kept["rows"][0]["done"]) == ("flatten", True, "cancelled")
        assert "--reset --reason … --account test" in outcome.lines[-1]

    told(tmp_path, story)


@pytest.mark.usefixtures("quick")
def test_with_nothing_to_do_nothing_is_sent_and_nothing_is_halted(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        (tmp_path / "state" / "test").mkdir(parents=True)
        outcome = await scene.do(Wish(flatten=True), answer=False)  # nobody is asked either
        assert (outcome.exit_code, outcome.halted, scene.changed(), scene.asked) == (0, (), [], [])
        assert outcome.verdict.startswith("nothing to do: ")
        assert outcome.verdict.endswith("no order of ours and no position")

    told(tmp_path, story)


@pytest.mark.usefixtures("quick")
def test_a_person_is_asked_with_everything_named_and_may_say_no(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        with pytest.raises(Declined, match="nothing was done"):
            await scene.do(Wish(flatten=True), answer=False)
        assert scene.asked == [
            "shut entries, cancel 1 order, close BTCUSDT long 0.01 at the market on test (local)?"
        ]  # fmt: skip
        assert (scene.changed(), scene.open_ids(), scene.held()) == ([], [f"{TAG}1"], 10)
        assert (await scene.do(Wish(flatten=True), answer=True)).clean
        assert (scene.open_ids(), scene.held()) == ([], 0)

    told(tmp_path, story, account=LONG)


@pytest.mark.req("L-1")
def test_another_accounts_key_is_asked_nothing_more_and_nothing_is_sent(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        folder = tmp_path / "state" / "test"
        folder.mkdir(parents=True)
        mine = {
            "environment": "local",
            "host": "127.0.0.1",
            "account_id": "somebody-else",
            "key_fingerprint": "5d9f436f6da6",
        }
        (folder / "account.json").write_text(json.dumps(mine), encoding="utf-8")
        scene.rest(f"{TAG}1")
        with pytest.raises(HyperTradingError) as caught:
            await scene.do(Wish(flatten=True))
        said = str(caught.value)
        assert said.startswith("alias test belongs to account id somebody-else, this is simulated-1: ")
        assert (caught.value.exit_code, len(said.splitlines()), scene.changed()) == (4, 1, [])

    told(tmp_path, story)


@pytest.mark.req("L-1")
def test_a_key_that_the_venue_refuses_or_that_is_not_pinned_is_one_sentence(tmp_path: Path) -> None:
    strange = {"LOCAL_API_KEY": "not-the-key-4711", "LOCAL_API_SECRET": "not-the-secret-4711"}

    async def story(scene: Scene) -> None:
        with pytest.raises(HyperTradingError, match=r"refuses the key LOCAL_API_KEY") as caught:
            await scene.do(Wish(flatten=False), environ=strange)
        assert (caught.value.exit_code, "4711" in str(caught.value)) == (4, False)
        await scene.do(Wish(flatten=False))
        folder = tmp_path / "state" / "test"
        folder.mkdir(parents=True)
        mine = {
            "environment": "local",
            "host": "127.0.0.1",
            "account_id": "simulated-1",
            "key_fingerprint": "5d9f436f6da6",
        }
        (folder / "account.json").write_text(json.dumps(mine), encoding="utf-8")
        before = len(scene.server.venue.ledger.of("request"))
        with pytest.raises(HyperTradingError, match=r"belongs to key fingerprint 5d9f436f6da6, this is"):
            await scene.do(Wish(flatten=False), environ=strange)
        assert len(scene.server.venue.ledger.of("request")) == before  # the key was shown to nobody

    told(tmp_path, story)


@pytest.mark.req("R-3")
def test_a_halt_is_not_taken_back_while_an_order_is_open_but_for_a_stop_that_protects(tmp_path: Path) -> None:
    place = AccountPlace("test", tmp_path / "state" / "test")

    async def story(scene: Scene) -> None:
        place.path.mkdir(parents=True)
        remember_target(scene.target(), place.path)
        scene.rest("web_1")

        def reset() -> halting.Done:
            venue = orders_of(place, tmp_path / "state", {}, tmp_path / ".env", scene.said.append)
            return halting.reset(tmp_path / "state", place, "looked", "ann", 2, venue)

        halting.halt(tmp_path / "state", place, "test", "ann", 1)
        with pytest.raises(
            HyperTradingError, match=r"1 orders are open, the first is order web_1 BTCUSDT BUY"
        ) as caught:
            await asyncio.to_thread(reset)
        assert caught.value.exit_code == 4
        await scene.do(Wish(flatten=False, everyone=True))
        budget = RateBudget(RateLimits(), time.monotonic_ns)
        async with SafetyClient(scene.server.url, KEYS, budget, VenueClock()) as client:
            await client.protect("BTCUSDT", "SELL", Decimal("55000.0"), f"{TAG}7")
        done_now = await asyncio.to_thread(reset)
        assert done_now.lines[3] == "the venue shows no open order but protective stops"

    told(tmp_path, story, account=LONG)


def remember_target(target: Target, folder: Path) -> None:
    """Leave behind what a node leaves at its start."""
    reach = Reach(account=target.account, symbols=target.symbols)
    (folder / "reach.json").write_text(reach.model_dump_json(), encoding="utf-8")
