"""Faults of the live engine that `docs/run-live.md` lists, and refusals of the venue: what is left on the account afterwards.

SIGTERM, an exception in a callback and a dead stream are in `test_stops`, trades of others, and a reduce-only exit of a
position that is gone, in `test_strangers`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import ANSWER_FIRST, FALL, FALSE, PATIENT, RESTING, ROOT, Node, running, told, written
from tests.runners.live.test_session import agreed, exact, table
from tests.runners.live.test_stops import armed
from tests.runners.live.test_strangers import held

ORDER = "/fapi/v1/order"
IMPATIENT = """
import sys
from runners.live import node
node.CONNECT_SECS = 3
from runners._cli import run
from runners.live.__main__ import app
run(app, prog="live")
"""
"""The command, with less patience for the engine's connection."""


def fault(request: str, *do: dict[str, Any], **when: Any) -> dict[str, object]:
    return {"name": "fault", "when": {"request": request, **when}, "do": list(do)}


def asked(server: Server, method: str, path: str = ORDER) -> Callable[[], bool]:
    """Whether the venue has heard such a request."""
    return lambda: any((row["method"], row["path"]) == (method, path) for row in server.venue.ledger.of("request"))


def codes(server: Server) -> list[int]:
    """Codes with which the venue refused."""
    return [row["code"] for row in server.venue.ledger.of("response") if row["code"] is not None]


def clear(server: Server, node: Node) -> None:
    """Nothing is open or held, and the session has every trade of the venue."""
    exchange = server.venue.exchange
    assert (exchange.desk.open_orders(), held(server)) == ([], 0), node.story
    assert {(row["trade_id"], row["quantity"]) for row in table(node.directory, "fills")} == {
        (str(fill.trade_id), exact(server, fill.quantity, "size")) for fill in exchange.desk.fills
    }


@pytest.mark.req("O-4", "O-10")
def test_an_order_that_reaches_the_book_after_the_cancel_all_is_found_and_cancelled_by_the_next_look(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        late = {"act": "accept_late", "secs": 6, "lose_connection": True, "enforce_window": False}  # 10 is the fence
        late = fault(f"POST {ORDER}", late)
        await armed(server, late)
        async with running(written(tmp_path, server.url, params=RESTING)) as node:
            await node.until(asked(server, "POST"), "an order on its way")
            node.interrupt()  # its cancel-all finds nothing: the order is not there yet
            assert await node.ended() == 5, node.story
        rows = server.venue.ledger.rows
        first = next(row["seq"] for row in rows if row["kind"] == "request" and row["path"].endswith("/allOpenOrders"))
        assert first < next(row["seq"] for row in rows if row["kind"] == "order")
        assert {str(order.status) for order in server.venue.exchange.desk.orders.values()} == {"CANCELED"}
        clear(server, node)

    told(story)


@pytest.mark.req("O-3", "O-8", "O-10")
def test_an_order_that_the_engine_takes_for_rejected_is_found_when_it_fills_and_the_session_ends_flat(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        await armed(server, fault(f"POST {ORDER}", FALSE))
        await armed(server, ANSWER_FIRST)
        await armed(server, FALL)  # before anybody can cancel it
        config = written(tmp_path, server.url, on_stop="flatten", params=RESTING | {"hold_secs": 600, "size": 0.1})
        async with running(config, program=PATIENT) as node:
            assert await node.ended() == 1, node.story  # without any help
        assert next(str(order.status) for order in server.venue.exchange.desk.orders.values()) == "FILLED"
        clear(server, node)

    told(story)


@pytest.mark.req("O-3", "O-10")
def test_a_cancel_that_never_arrived_is_not_believed_and_the_order_goes_with_the_stop(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        await armed(server, fault(f"DELETE {ORDER}", {"act": "hang"}, times=None, every=1))
        async with running(written(tmp_path, server.url, params=RESTING | {"patience_secs": 1})) as node:
            await node.until(asked(server, "DELETE"), "a cancel")
            assert len(server.venue.exchange.desk.open_orders()) == 1
            node.interrupt()
            assert await node.ended() == 5, node.story
        clear(server, node)

    told(story)


@pytest.mark.req("O-8", "O-10")
def test_a_fill_of_which_the_user_stream_says_nothing_is_found_and_booked_once(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        await armed(server, {"name": "f", "when": {"event": "user/ORDER_TRADE_UPDATE/TRADE"}, "do": [{"act": "drop"}]})
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 600})
        async with running(config, program=PATIENT) as node:
            assert await node.ended() == 1, node.story  # without any help
        assert "the private stream is silent: order t1" in node.said("stopping")[0]["text"]
        agreed(server, node.directory, status="failed")

    told(story)


@pytest.mark.req("L-8", "L-6")
@pytest.mark.parametrize("nth", [1, 2])
def test_without_a_listen_key_the_session_does_not_start_and_nothing_was_sent(tmp_path: Path, nth: int) -> None:
    """The first request is preflight's, the second the engine's, which does not try again."""
    down = {"act": "answer", "status": 503, "code": -1001}

    async def story(server: Server) -> None:
        await armed(server, fault("POST /fapi/v1/listenKey", down, nth=nth, every=1, times=None))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", IMPATIENT, str(written(tmp_path, server.url)), "--trust-code", "--json",
            cwd=ROOT, env=dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        node = Node(process)
        assert await node.ended() == 1, node.story
        if nth == 1:
            assert "preflight, user stream: " in node.errors
            assert "the venue is in trouble" in node.errors
        else:
            assert "the engine ended before it was ready" in node.said("stopping")[0]["text"]
        assert not asked(server, "POST")()
        assert server.venue.exchange.desk.orders == {}

    told(story)


@pytest.mark.req("L-4")
def test_a_post_only_order_that_would_cross_is_rejected_by_the_venue_tried_as_often_as_allowed_and_trades_nothing(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        async with running(written(tmp_path, server.url, params={"offset_ticks": -50, "size": 0.05})) as node:
            await node.until(lambda: codes(server).count(-5022) >= 4, "four refusals")  # the first and three more tries
            node.interrupt()
            assert await node.ended() == 5, node.story
        orders = table(node.directory, "orders")
        refused = [row for row in orders if "-5022" in (row["reject_reason"] or "")]
        assert (len(refused), {row["status"] for row in refused}) == (codes(server).count(-5022), {"REJECTED"})
        assert server.venue.exchange.desk.fills == []
        clear(server, node)

    told(story)
