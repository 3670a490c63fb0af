"""What is seen and done from outside while a node runs, hangs or is dead: `halt`, `status` and `incident`."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from adapters.simulated_binance.server import Server
from risk.latch_log import Act
from runners import halting, status_view
from runners.accounts import AccountPlace, find_account
from runners.config import Trust
from runners.incidents.finding import list_incidents
from runners.incidents.replaying import replay_incident
from runners.status_file import Status, read_status
from tests.runners.live.support import RESTING, Node, running, told, written
from tests.runners.live.test_stops import holds, rests

REASON = "spread looks wrong"


def seen(state: Path, place: AccountPlace, later_secs: float = 0.0) -> str:
    """The line about the node, as `status` prints it."""
    look = status_view.of_account(state, place, time.time_ns() + round(later_secs * 1e9))
    return next(line for line in status_view._lines(look) if line.startswith("node:"))


def status_of(place: AccountPlace) -> Status:
    found = read_status(place.path)
    assert found is not None
    return found


async def trading(node: Node, state: Path, orders: int = 1) -> AccountPlace:
    """Wait until its status says that it trades."""

    def trades() -> bool:
        status = read_status(state / "test")
        return status is not None and status.phase == "trading" and status.orders >= orders

    await node.until(trades, "a status")
    return find_account(state, "test")


@pytest.mark.req("R-3", "R-10", "X-8")
def test_a_halt_beside_a_node_cancels_stops_with_exit_code_4_and_leaves_an_incident_that_replays(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params=RESTING)
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            place = await trading(node, state)
            status = status_of(place)
            assert (status.pid, status.halted, status.working) == (node.process.pid, None, 1)
            assert seen(state, place).startswith(f"node: process {node.process.pid} runs; the figures are ")
            done = halting.halt(state, place, REASON, "ann", time.time_ns())
            assert f"a node runs (process {node.process.pid}): within two seconds" in done.lines[2]
            assert await node.ended() == 4, node.story
        assert node.said("stopping")[0]["text"].startswith(f"stopping: halted from outside: {REASON}")
        assert server.venue.exchange.desk.open_orders() == []
        tripped = [record for record in place.log.records() if record.act is Act.TRIPPED]
        assert [(record.operator, record.reason) for record in tripped] == [("ann", REASON)]
        left(node, place)

    def left(node: Node, place: AccountPlace) -> None:
        status = status_of(place)
        assert (status.phase, status.halted, status.latched, status.working) == ("finished", REASON, True, 0)
        assert seen(state, place).startswith("node: no node runs; the figures are ")
        (found,) = list_incidents(tmp_path / "runs", state)
        assert found.place.as_posix() in node.said("incident")[0]["text"]
        incident = found.incident
        assert incident is not None
        assert (incident.cause, incident.reason, incident.account) == ("kill_switch", REASON, "test")
        assert {row["client_order_id"] for row in incident.order_events} >= {incident.orders[0]["client_order_id"]}
        done = replay_incident(found.place, incident, Trust(everything=True))
        assert done.orders >= 1  # the same strategy decided on the incident's own market
        assert "the halt has no figures: a person made it, or a fault, and no market brings it back" in done.remarks

    told(story)


@pytest.mark.req("R-3", "X-8")
def test_a_hung_node_and_a_dead_one_are_told_as_what_they_are(tmp_path: Path) -> None:
    state = tmp_path / "state"

    async def story(server: Server) -> None:
        async with running(written(tmp_path, server.url, params={"hold_secs": 600})) as node:
            await node.until(holds(server), "a position")
            place = await trading(node, state)
            node.interrupt(signal.SIGSTOP)
            assert seen(state, place, 60).endswith("and has not said so since: it hangs")
            node.process.kill()
            await node.ended()
        look = status_view.of_account(state, place, time.time_ns())
        assert (look.node, look.halted) == (None, None)
        assert "no node runs, and the last one was gone without a word while it was trading" in seen(state, place)

    told(story)
