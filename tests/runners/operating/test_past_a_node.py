"""The commands as a person types them, while the node is dead, or frozen with the lock in its hands."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from runners import __main__ as root
from runners._cli import run
from runners.accounts import AccountPlace, operator
from runners.halting import standing
from tests.runners.live.support import RESTING, ROOT, Node, running, told, written
from tests.runners.live.test_stops import holds, lingering, rests

DEADLINE_SECS = 120.0
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP and SIGKILL on this system")
ORPHAN = "x-aHRE4BCj-Rt1zzzzzz000001"


async def typed(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Type a command; return its exit code, its JSON and what it said on the side."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runners", *arguments, "--yes", "--json", cwd=ROOT, env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_SECS)
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out else {}, err.decode()


def left(server: Server) -> tuple[int, int, int]:
    """Position, open orders and open conditional orders at the venue, by its own books."""
    exchange = server.venue.exchange
    orders, algos = exchange.desk.open_orders(), exchange.algo.open_orders()
    return exchange.account.positions["BTCUSDT"].quantity, len(orders), len(algos)


def pid_of(node: Node) -> int:
    """Process id of a node."""
    return int(node.process.pid)


@pytest.mark.req("R-10", "X-6")
def test_after_a_kill_cancel_leaves_no_order_and_flatten_no_position(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 600, "size": 0.1})
        async with running(config) as node:
            await node.until(holds(server), "a position")
            node.interrupt(signal.SIGKILL)
            await node.ended()
        lingering(server, ORPHAN)
        state = ("--account", "test", "--state", str(tmp_path / "state"))
        code, found, _ = await typed("cancel", *state)
        assert (code, found["clean"], found["holder"]) == (0, True, None), found
        assert (left(server)[0] != 0, left(server)[1]) == (True, 0)  # the position stays, with its stop if it has one
        code, found, _ = await typed("flatten", *state)
        assert (code, found["clean"], left(server)) == (0, True, (0, 0, 0)), found
        assert found["halted"] == ["test"]
        place = AccountPlace("test", tmp_path / "state" / "test")
        assert standing(place).halted == "flatten by hand (" + operator() + ")"  # until somebody resets it

    told(story)


@pytest.mark.req("R-10", "X-4", "X-6")
def test_a_frozen_node_that_holds_the_lock_is_named_and_cleared_past_and_enters_nothing_when_it_thaws(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params=RESTING)
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            node.interrupt(signal.SIGSTOP)
            try:
                code, found, said = await typed("cancel", "--account", "test", "--state", str(tmp_path / "state"))
                assert (code, left(server)[1]) == (0, 0), found
                assert f"a node holds it: process {pid_of(node)}, alias test" in said
                assert "--halt shuts entries first" in found["lines"][-1]
                lingering(server, ORPHAN)
                code, found, said = await typed("flatten", str(config))
                assert (code, found["clean"], left(server)) == (0, True, (0, 0, 0)), found
                assert said.splitlines()[0].startswith("entries of test are shut")  # before the venue is asked
            finally:
                node.interrupt(signal.SIGCONT)
            entered = len(server.venue.ledger.of("trade"))
            await node.until(lambda: bool(node.said("stopping")), "the stop")  # it finds itself halted from outside
            node.interrupt(signal.SIGKILL)
            await node.ended()
            assert left(server) == (0, 0, 0), node.story
            assert len(server.venue.ledger.of("trade")) == entered

    told(story)


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no such account": (("cancel", "--account", "nobody"), "there is no account nobody under"),
    "not reachable": (
        ("flatten", "--account", "other"),
        "so it is not known how other is reached: name its configuration",
    ),
    "named twice": (("cancel", "CONFIG", "--account", "test"), "by a configuration or by --account, not by both"),
    "no key": (("flatten", "CONFIG", "--set", "account.environment=demo", "--set", "account.url=null"), "is not set"),
    "no live file": (("audit", "backtest_configs/btc.yaml"), "has no account block, so it is no live file"),
    "--set alone": (("audit", "--account", "other", "--set", "a=1"), "--set changes a configuration: name one"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_wrong_words_are_one_sentence_and_exit_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[tuple[str, ...], str],
) -> None:
    words, sentence = case
    for name in ("DEMO_API_KEY", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "state" / "other").mkdir(parents=True)
    config = written(tmp_path, "http://127.0.0.1:9")
    arguments = [str(config) if word == "CONFIG" else word for word in words]
    with pytest.raises(SystemExit) as caught:
        run(root.app, [*arguments, "--state", str(tmp_path / "state")])
    said = capsys.readouterr().err
    assert (caught.value.code, len(said.splitlines())) == (2, 1), said
    assert sentence in said
