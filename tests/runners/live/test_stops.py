"""Every way to stop a session leaves the account as it was told to, and says so in its exit code."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.tickets import read_order
from tests.adapters.simulated_binance.support import order_params
from tests.runners.live.support import PATIENT, RESTING, running, told, written
from tests.runners.live.test_session import agreed


def cancels(server: Server) -> int:
    """Cancel-alls that reached the venue."""
    return len([row for row in server.venue.ledger.of("request") if row["path"] == "/fapi/v1/allOpenOrders"])


def rests(server: Server) -> Callable[[], bool]:
    """Whether an order of ours rests."""
    return lambda: bool(server.venue.exchange.desk.open_orders())


def holds(server: Server) -> Callable[[], bool]:
    """Whether we hold something."""
    return lambda: server.venue.exchange.account.positions["BTCUSDT"].quantity != 0


@pytest.mark.req("O-10", "P-5")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_cancels_verifies_and_exits_5_and_a_second_one_changes_nothing(tmp_path: Path, number: int) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params=RESTING)
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            node.interrupt(number)
            await node.until(lambda: bool(node.said("stopping")), "the stop")
            node.interrupt(number)
            node.interrupt(number)
            assert await node.ended() == 5, node.story
        assert server.venue.exchange.desk.open_orders() == []
        assert cancels(server) >= 1
        summary = json.loads((node.directory / "summary.json").read_text(encoding="utf-8"))
        assert summary["status"] == "completed"

    told(story)


@pytest.mark.req("R-10")
def test_stop_flatten_closes_what_the_policy_would_keep_and_a_second_node_is_refused_meanwhile(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 600})
        async with running(config) as node:
            await node.until(holds(server), "a position")
            async with running(config, "--set", "account.alias=other") as second:
                assert await second.ended() == 4
            assert "is traded by another node (process" in second.errors
            (tmp_path / "state" / "STOP_FLATTEN.txt").touch()
            assert await node.ended() == 5, node.story
        exchange = server.venue.exchange
        assert (exchange.account.positions["BTCUSDT"].quantity, exchange.desk.open_orders()) == (0, [])
        async with running(config) as third:
            assert await third.ended() == 4
        assert "STOP_FLATTEN.txt is there" in third.errors

    told(story)


@pytest.mark.req("O-10")
def test_an_exception_in_a_timer_stops_in_the_same_order_with_exit_code_1(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        params = RESTING | {"fails_after_secs": 1, "fails_resting": True}
        async with running(written(tmp_path, server.url, params=params)) as node:
            assert await node.ended() == 1, node.story
        assert [row["step"] for row in server.venue.ledger.of("order")] == ["NEW", "CANCELED"]
        assert server.venue.exchange.desk.open_orders() == []
        assert "planted in a timer" in node.said("stopping")[0]["text"]
        assert cancels(server) >= 1

    told(story)


SILENT = {"act": "silence_sockets", "secs": 600}


@pytest.mark.req("O-10")
@pytest.mark.parametrize(
    ("which", "silence_secs", "sentence"),
    [("user", 60, "the private stream is silent: order t1"), ("market", 6, "no market event for")],
)
def test_the_loss_of_a_stream_ends_the_session_with_the_account_in_order(
    tmp_path: Path, which: str, silence_secs: int, sentence: str
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 3})
        silence = ("--set", f"data.max_silence_secs={silence_secs}")
        async with running(config, *silence, program=PATIENT) as node:
            await node.until(holds(server), "a position")
            await armed(server, {"name": "dead", "when": {"at_secs": 0}, "do": [SILENT | {"which": which}]})
            assert await node.ended() == 1, node.story
        assert sentence in node.said("stopping")[0]["text"]
        agreed(server, node.directory, status="failed")

    told(story)


@pytest.mark.req("P-5")
def test_an_account_that_cannot_be_verified_exits_6_whatever_stopped_it(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params=RESTING)
        async with running(config) as node:
            await node.until(rests(server), "a resting order")
            outage = {"act": "outage", "secs": 600, "status": 503, "code": -1001}
            await armed(server, {"name": "gone", "when": {"request": "DELETE *"}, "do": [outage]})
            node.interrupt()
            assert await node.ended() == 6, node.story
        assert "still shows orders of ours, or could not be asked" in node.said("fault")[0]["text"]
        ended = [row for row in server.venue.ledger.of("order") if row["step"] == "CANCELED"]
        assert [row["why"] for row in ended] == ["countdown"]  # what the node could not, the venue did by itself

    told(story)


def lingering(server: Server, wire_id: str) -> None:
    """Leave an order far below the market, as a dead node would."""
    market = server.venue.exchange.markets["BTCUSDT"]
    params = order_params("BUY", "0.010", "59000.0", newClientOrderId=wire_id)
    server.venue.exchange.place(
        market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False)
    )


async def armed(server: Server, fault: Mapping[str, object]) -> None:
    """Arm a fault while the venue runs."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/simulated/faults", json=fault) as answer,
    ):
        assert answer.status == 200, await answer.text()


@pytest.mark.req("O-9")
def test_after_a_kill_the_position_is_adopted_and_counted(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_start="adopt", params={"size": 0.2, "hold_secs": 600})
        async with running(config) as node:
            await node.until(holds(server), "a position")
            node.process.kill()
            await node.ended()
        again = written(tmp_path, server.url, on_start="adopt", params=RESTING)
        async with running(again) as node:
            await node.until(lambda: bool(node.said("running")) and rests(server)(), "an order beside the position")
            node.interrupt()
            assert await node.ended() == 5, node.story
        held = server.venue.exchange.account.positions["BTCUSDT"].amount
        found = [line["text"].split(",")[0] for line in node.said("found")]
        assert f"position BTCUSDT long {held:f}: adopted" in found
        assert [line["holds"] for line in node.said("position")] == [True], node.said("position")
        assert server.venue.exchange.desk.open_orders() == []
        summary = json.loads((node.directory / "summary.json").read_text(encoding="utf-8"))
        assert float(summary["residual"]) == 0.0

    told(story)


@pytest.mark.req("R-3")
def test_a_tripped_kill_switch_exits_4_and_the_next_start_is_refused(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten")
        limit = ("--set", "risk.max_drawdown_pct=0.0001")  # the first fee is a fall of more than that
        async with running(config, *limit) as node:
            assert await node.ended() == 4, node.story
        assert (holds(server)(), rests(server)()) == (False, False)
        assert "drawdown" in node.said("stopping")[0]["text"]
        async with running(config, *limit) as again:
            assert await again.ended() == 4
        assert "latch log: the kill switch stands: drawdown" in again.errors

    told(story)
