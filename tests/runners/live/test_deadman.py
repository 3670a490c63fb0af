"""The dead-man end to end: the plug is pulled in every way, and the venue's ledger says what was left. Countdown 5 s."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from execution.deadman.guarding import State
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.venue_clock import VenueClock
from runners.watchdog import fence, watching
from runners.watchdog.charge import find_charge
from runners.watchdog.fence import Process, process_of
from runners.watchdog.watching import Watching
from tests.execution.safety.support import KEYS
from tests.runners.live.support import AT_MARKET, PATIENCE_SECS, PATIENT, RESTING, Node, lively, running, told, written
from tests.runners.live.test_session import table
from tests.runners.live.test_stops import armed, holds, lingering, rests

COUNTDOWN_SECS = 5.0
LATE_SECS = 5.0
"""How late the venue of these tests, a task of this process, may be with its own timer."""
WORKING = "x-aHRE4BCj-Rt1zzzzzz000001"
"""An order of the node that works far from the market."""


def stops(server: Server) -> list[str]:
    """Sides of the conditional orders that wait at the venue."""
    return [order.ticket.side.name for order in server.venue.exchange.algo.open_orders()]


def reaching(reaches: bool) -> Any:
    return lively(behaviour={"countdown_reaches_algo_orders": reaches})


async def eventually(truth: Callable[[], bool], secs: float) -> None:
    """Wait for something at the venue."""
    began = time.monotonic()
    while not truth():
        assert time.monotonic() - began < secs, f"not within {secs} s"
        await asyncio.sleep(0.02)


@pytest.mark.req("X-4", "O-10")
@pytest.mark.parametrize("reaches", [False, True], ids=["stops stay", "stops go too"])
def test_a_host_that_dies_leaves_no_order_within_the_countdown_and_its_stop_where_the_venue_lets_it(
    tmp_path: Path, reaches: bool
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 600, "patience_secs": 3, "size": 0.05})
        async with running(config) as node:
            await node.until(lambda: holds(server)() and stops(server) == ["SELL"], "a position with its stop")
            lingering(server, WORKING)
            node.process.kill()
            assert await node.ended() == -signal.SIGKILL
        await eventually(lambda: not rests(server)(), PATIENCE_SECS)  # nobody is left who could cancel it
        *_, refreshed, fired = server.venue.ledger.of("countdown")
        assert (refreshed["fired"], fired["fired"]) == (False, True)
        assert (fired["ts_ns"] - refreshed["ts_ns"]) / 1e9 < COUNTDOWN_SECS + LATE_SECS
        assert all(row["countdown_ms"] > 0 for row in server.venue.ledger.of("countdown") if not row["fired"])
        assert stops(server) == ([] if reaches else ["SELL"])
        assert holds(server)()
        if not reaches:
            do = [{"act": "gap_price", "symbol": "BTCUSDT", "bps": -300}]  # the stop stands 2 % away at leverage 20
            await armed(server, {"name": "crash", "when": {"at_secs": 0}, "do": do})
            await eventually(lambda: not holds(server)(), PATIENCE_SECS)

    told(story, reaching(reaches))


@pytest.mark.soak
@pytest.mark.req("X-4", "O-10")
def test_a_position_that_is_kept_has_its_stop_when_the_node_is_gone_and_no_countdown_can_take_it(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 600, "patience_secs": 3, "size": 0.1})
        async with running(config) as node:
            await node.until(lambda: holds(server)() and stops(server) == ["SELL"], "a position with its stop")
            (tmp_path / "state" / "STOP").touch()
            assert await node.ended() == 5, node.story
        assert "with its protective stop at the venue" in node.said("protected")[0]["text"]
        taken = [row for row in server.venue.ledger.of("algo_order") if row["why"] == "countdown"]
        assert taken  # the venue's countdown did take one, and it was placed again
        await asyncio.sleep(COUNTDOWN_SECS / 2)
        assert (stops(server), rests(server)()) == (["SELL"], False)
        rows = [row["status"] for row in table(node.directory, "orders") if row["source"] == "protective"]
        assert (rows[-1], set(rows[:-1])) == ("ACK", {"CANCELED"})

    told(story, reaching(True))


@pytest.mark.req("X-4", "R-13")
def test_a_stop_that_is_reached_is_booked_as_ours_and_latches(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 600, "size": 0.1})
        async with running(config, *AT_MARKET, program=PATIENT) as node:
            full = Decimal("0.1")
            await node.until(
                lambda: server.venue.exchange.account.positions["BTCUSDT"].amount == full and stops(server) == ["SELL"],
                "it",
            )
            do = [{"act": "gap_price", "symbol": "BTCUSDT", "bps": -250}]
            await armed(server, {"name": "crash", "when": {"at_secs": 0}, "do": do})
            assert await node.ended() == 4, node.story
        assert "the protective stop of BTCUSDT was reached: BTCUSDT SELL" in node.said("stopping")[0]["text"]
        assert [line["holds"] for line in node.said("position")] == [True], node.said("position")
        booked = {row["trade_id"]: row["strategy_id"] for row in table(node.directory, "fills")}
        own = [str(fill.trade_id) for fill in server.venue.exchange.desk.fills if fill.order.close_position]
        assert own
        assert {booked[trade] for trade in own} == {"protective"}
        assert (stops(server), holds(server)()) == ([], False)

    told(story)


class Undying:
    """The node, if nothing ended it."""

    def __init__(self, real: Process) -> None:
        self._real, self.mark = real, real.mark

    @property
    def alive(self) -> bool:
        return self._real.alive

    def kill(self) -> str | None:
        return "it cannot be ended"

    def close(self) -> None:
        self._real.close()


def undying(facts: Mapping[str, Any]) -> Process | None:
    real = process_of(facts)
    return None if real is None else Undying(real)


async def watched(
    config: Path, server: Server, then: str, hold: Callable[[Mapping[str, Any]], Process | None], lines: list[str]
) -> int:
    """Run a watchdog of this node here."""
    settings = ["safety.watchdog.suspect_secs=2", "safety.watchdog.fence_secs=4", f"safety.watchdog.then={then}"]
    charge = find_charge(config, None, None, settings)
    async with SafetyClient(server.url, KEYS, RateBudget(RateLimits(), time.monotonic_ns), VenueClock()) as client:
        await client.measure_clock()
        return await Watching(
            charge, client, lambda event, text: lines.append(f"{event}: {text}"), lambda: False, hold
        ).run()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "FENCE_SECS", 1.0)
    monkeypatch.setattr(fence, "GONE_SECS", 2.0)
    monkeypatch.setattr(fence, "LOCK_SECS", 2.0)


async def frozen(node: Node, config: Path, server: Server, then: str, hold: Any, lines: list[str]) -> int:
    """Freeze a node under a watchdog; return the watchdog's exit code."""
    dog = asyncio.create_task(watched(config, server, then, hold, lines))
    await node.until(lambda: any("observe" in line for line in lines), "the watchdog to see it")
    os.kill(node.process.pid, signal.SIGSTOP)
    return await asyncio.wait_for(dog, 90)


@pytest.mark.req("X-4")
def test_a_node_that_hangs_is_ended_and_its_account_left_flat_without_orders_and_latched(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        lines: list[str] = []
        config = written(tmp_path, server.url, params={"hold_secs": 600, "patience_secs": 3, "size": 0.05})
        async with running(config, "--set", "safety.watchdog.required=true") as node:
            dog = asyncio.create_task(watched(config, server, "flatten", process_of, lines))
            await node.until(holds(server), "a position: so the node has seen its watchdog")
            lingering(server, WORKING)
            os.kill(node.process.pid, signal.SIGSTOP)
            assert await asyncio.wait_for(dog, 90) == 4, lines
            assert await node.ended() == -signal.SIGKILL
        assert (holds(server)(), rests(server)(), stops(server)) == (False, False, [])
        states = [line.split("→ ")[1].split(":")[0] for line in lines if "→" in line]
        named = [
            str(one) for one in (State.SUSPECT, State.FENCE, State.CANCEL, State.VERIFY, State.FLATTEN, State.LATCHED)
        ]
        assert states[-6:] == named
        keys = [row for row in server.venue.ledger.of("listen_key") if row["step"] == "deleted"]
        assert keys == []

    told(story)


@pytest.mark.req("X-4")
def test_a_node_that_is_frozen_past_the_fence_and_resumed_sends_nothing_before_it_has_seen_the_token_gone(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        lines: list[str] = []
        config = written(tmp_path, server.url, params=RESTING | {"patience_secs": 0.5})  # always something to send
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            assert await frozen(node, config, server, "flatten", undying, lines) == 6, lines
            assert "alert: it cannot be ended" in lines
            assert any(line.startswith("kept: positions are not closed: the node could not be ended") for line in lines)
            before = len(server.venue.ledger.of("request"))
            os.kill(node.process.pid, signal.SIGCONT)
            assert await node.ended() == 4, node.story
        sent = [
            row
            for row in server.venue.ledger.of("request")[before:]
            if (row["method"], row["path"]) == ("POST", "/fapi/v1/order")
        ]
        assert [row for row in sent if row["params"].get("reduceOnly") != "true"] == []
        assert "watchdog: the node made no progress" in node.said("stopping")[0]["text"]
        assert not rests(server)()

    told(story)


@pytest.mark.soak
@pytest.mark.req("X-4")
def test_a_countdown_that_fires_pauses_entries_until_a_look_and_the_second_within_an_hour_latches(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"offset_ticks": 30, "patience_secs": 600})
        async with running(config) as node:
            for number in (1, 2):
                await node.until(rests(server), "a resting order")
                when = {"request": "POST /fapi/v1/countdownCancelAll", "times": 7}  # one try a second: the link is lost
                await armed(server, {"name": f"link {number}", "when": when, "do": [{"act": "drop"}]})
                await node.until(lambda: len(node.said("alert")) == number, "the firing")  # noqa: B023 - awaited here
            assert await node.ended() == 4, node.story
        assert node.said("stopping")[0]["text"].startswith(
            "stopping: the venue's countdown has fired twice within an hour"
        )
        told_of = ["is in force" in line["text"] for line in node.said("deadman")]
        assert told_of[:4] == [True, False, True, False]
        assert not rests(server)()

    told(story)
