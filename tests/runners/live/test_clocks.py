"""R-8, R-9 in the node: a clock that is off, a process that stood still and a budget that runs out shut entries, and clear."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import RESTING, Node, lively, running, told, written
from tests.runners.live.test_session import table
from tests.runners.live.test_stops import armed, holds, rests

NO_STEP, STEP = "clock_step_ms: null", "clock_step_ms: {soft: 1500, hard: 2500, clear_events: 2}"


def edges(node: Node, name: str) -> list[tuple[str, str]]:
    """State and level of each edge of one breaker, in order, without the step between open and closed."""
    rows = [row for row in table(node.directory, "risk_events") if row["name"] == name and row["state"] != "half_open"]
    return [(row["state"], row["level"]) for row in rows]


def refusals(node: Node, words: str) -> int:
    """Entries refused with these words."""
    return len([row for row in table(node.directory, "refusals") if words in row["detail"]])


def refused_for(folder: Path, words: str) -> bool:
    """Whether the running node's journal has an entry refused with these words."""
    db = sqlite3.connect(folder / "state" / "test" / "journal.sqlite")
    try:
        return bool(db.execute("SELECT 1 FROM refusals WHERE instr(detail, ?)", (words,)).fetchone())
    finally:
        db.close()


async def stopped(node: Node, folder: Path) -> None:
    """Stop it by file."""
    (folder / "state" / "test" / "STOP").touch()
    assert await node.ended() == 5, node.story


@pytest.mark.req("R-8")
def test_a_clock_that_goes_wrong_shuts_entries_and_opens_them_when_it_is_right_again(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        async with running(written(tmp_path, server.url, on_stop="flatten")) as node:
            await node.until(holds(server), "a position")
            await skewed(server, 600)
            await node.until(lambda: refused_for(tmp_path, "ms off the venue's"), "a refusal")
            await skewed(server, 0)
            known = set(server.venue.exchange.desk.orders)
            await node.until(lambda: set(server.venue.exchange.desk.orders) > known, "a new entry")
            await stopped(node, tmp_path)
        told_of = edges(node, "clock_offset_ms")
        assert told_of[0] == ("open", "soft")
        assert ("closed", "none") in told_of
        assert refusals(node, "ms off the venue's") > 0

    told(story)


async def skewed(server: Server, ms: int) -> None:
    """Set the venue's clock ahead."""
    await armed(server, {"name": f"skew {ms}", "when": {"at_secs": 0}, "do": [{"act": "skew_clock", "ms": ms}]})


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process is stood still by SIGSTOP here")
@pytest.mark.req("R-8")
def test_a_process_that_stood_still_takes_everything_back_until_the_offset_is_measured_again(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params=RESTING)
        config.write_text(config.read_text(encoding="utf-8").replace(NO_STEP, STEP), encoding="utf-8")
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            lived = len(node.said("status")) + 2  # five seconds apart on its own clock: it reads its clocks meanwhile
            await node.until(lambda: len(node.said("status")) >= lived, "two lines of status")
            first = set(server.venue.exchange.desk.orders)
            node.interrupt(signal.SIGSTOP)
            await asyncio.sleep(5)
            node.interrupt(signal.SIGCONT)
            await node.until(lambda: set(server.venue.exchange.desk.orders) > first, "a new entry after the pause")
            await stopped(node, tmp_path)
        told_of = edges(node, "clock_step_ms")
        assert ("closed", "none") in told_of[told_of.index(("open", "hard")) :]
        events = table(node.directory, "risk_events")
        event = next(e for e in events if e["name"] == "clock_step_ms" and e["level"] == "hard")
        assert 2500 < float(figure(event, "stall_ms")) < 60_000
        assert {server.venue.exchange.desk.orders[number].status for number in first} == {"CANCELED"}

    told(story)


def figure(event: dict[str, Any], name: str) -> Any:
    """One figure of a risk event."""
    return json.loads(event["figures"])[name]


async def spending(server: Server, most: int) -> None:
    """Somebody else behind the same address keeps the used weight of each minute near `most`."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{server.url}/fapi/v1/time") as answer:
                used = int(answer.headers["X-MBX-USED-WEIGHT-1M"])
            await asyncio.sleep(0 if used < most else 1)


@pytest.mark.req("R-9", "L-8")
def test_a_budget_that_others_use_up_shuts_entries_and_leaves_cancels_and_queries_their_share(tmp_path: Path) -> None:
    scenario = lively(limits={"weight_per_minute": 2400, "ban_after": 10_000})

    async def story(server: Server) -> None:
        async with running(written(tmp_path, server.url, on_stop="flatten")) as node:
            await node.until(holds(server), "a position")
            others = asyncio.create_task(spending(server, 1960))
            await node.until(lambda: refused_for(tmp_path, "of budget weight_1m is used"), "a refusal")
            others.cancel()
            await stopped(node, tmp_path)
        assert edges(node, "api_budget_pct")[0] == ("open", "soft")
        event = next(e for e in table(node.directory, "risk_events") if e["name"] == "api_budget_pct")
        assert (figure(event, "budget"), 80 < figure(event, "used_pct") < 95) == ("weight_1m", True)
        assert refusals(node, "of budget weight_1m is used") > 0
        assert server.venue.exchange.desk.open_orders() == []

    told(story, scenario)
