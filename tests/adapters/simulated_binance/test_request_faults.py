"""What the fault script does to requests, action by action."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.adapters.simulated_binance.support import (
    Client,
    Desk,
    eventually,
    fault,
    order_params,
    run,
    while_moving,
)

pytestmark = pytest.mark.req("X-2")
ORDER = "POST /fapi/v1/order"
ORDERS = ("POST", "/fapi/v1/order")
RESTING = order_params("BUY", "0.100", "59000.0")
DEPTH = "btcusdt@depth@0ms"


def arm(desk: Desk, when: dict[str, Any], *do: dict[str, Any]) -> None:
    desk.venue.arm(fault("f", when, *do))
    desk.venue.advance()


def orders(client: Client) -> int:
    return len(client.desk.exchange.desk.orders)


async def lost(client: Client) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.ask(*ORDERS, **RESTING)


def test_a_dropped_request_never_happened() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "drop"})
        await lost(client)
        assert orders(client) == 0
        await client.ok(*ORDERS, **RESTING)

    run(story)


def test_a_dropped_answer_hides_what_happened() -> None:
    async def story(client: Client) -> None:
        placed = await client.ok(*ORDERS, **RESTING)
        arm(client.desk, {"request": "DELETE /fapi/v1/order"}, {"act": "drop_answer"})
        # aiohttp sends a DELETE again by itself when its connection dies: the second answer shows what the first did.
        assert await client.refused("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=placed["orderId"]) == -2011
        assert [row["lost"] for row in client.desk.venue.ledger.of("response")] == [False, True, False]
        assert client.desk.exchange.desk.open_orders() == []

    run(story)


def test_a_delayed_request_counts_from_when_the_venue_sees_it() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "delay", "secs": 4})
        arm(client.desk, {"request": ORDER, "nth": 2}, {"act": "delay", "secs": 6})
        body = await while_moving(client, client.ok(*ORDERS, **RESTING), 4)
        assert body["time"] == client.desk.venue.clock.ms()
        assert await while_moving(client, client.refused(*ORDERS, **RESTING), 6) == -1021

    run(story)


def test_a_delayed_answer_leaves_the_order_in_place_meanwhile() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "delay_answer", "secs": 4})
        asking = asyncio.create_task(client.ok(*ORDERS, **RESTING))
        await eventually(lambda: orders(client) == 1)
        assert not asking.done()
        client.desk.wait(4)
        assert (await asking)["status"] == "NEW"

    run(story)


@pytest.mark.parametrize("execute", [False, True])
def test_a_hanging_request_is_never_answered(execute: bool) -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "hang", "execute": execute})
        asking = asyncio.create_task(client.ask(*ORDERS, **RESTING))
        await eventually(lambda: len(client.desk.venue.ledger.of("request")) == 1)
        client.desk.wait(100)
        assert not asking.done()
        assert orders(client) == execute
        asking.cancel()

    run(story)


@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize(("status", "code"), [(400, -1000), (503, -1001), (408, -1007), (400, -2019)])
def test_an_error_is_answered_whether_or_not_the_order_was_accepted(status: int, code: int, execute: bool) -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "answer", "status": status, "code": code, "execute": execute})
        answered, body = await client.ask(*ORDERS, **RESTING)
        assert (answered, body["code"]) == (status, code)
        assert body["msg"]
        assert orders(client) == execute

    run(story)


def test_an_answer_may_be_no_json_and_ask_for_patience() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "answer", "status": 502, "retry_after_secs": 3})
        status, body = await client.ask(*ORDERS, **RESTING)
        assert (status, client.headers["Retry-After"]) == (502, "3")
        assert body.startswith("<html>")

    run(story)


@pytest.mark.parametrize(("secs", "enforce", "accepted"), [(4, True, True), (6, True, False), (6, False, True)])
def test_an_order_is_accepted_late_inside_its_window_and_outside_only_if_the_venue_does_not_look(
    secs: int, enforce: bool, accepted: bool
) -> None:
    async def story(client: Client) -> None:
        answer = {"act": "answer", "status": 503, "code": -1007}
        late = {"act": "accept_late", "secs": secs, "enforce_window": enforce, "answer": answer}
        arm(client.desk, {"request": ORDER}, late)
        assert await client.refused(*ORDERS, **RESTING) == -1007
        assert orders(client) == 0
        await asyncio.sleep(0)
        client.desk.wait(secs)
        await eventually(lambda: len(client.desk.venue.ledger.of("late")) == 1)
        assert orders(client) == accepted
        assert client.desk.venue.ledger.of("late")[0]["code"] == (None if accepted else -1021)

    run(story)


def test_a_late_order_may_lose_its_connection_or_be_waited_for() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, {"act": "accept_late", "secs": 2, "lose_connection": True})
        await lost(client)
        client.desk.wait(2)
        await eventually(lambda: orders(client) == 1)
        client.desk.venue.arm(fault("g", {"request": ORDER}, {"act": "accept_late", "secs": 2}))
        assert (await while_moving(client, client.ok(*ORDERS, **RESTING), 2))["status"] == "NEW"

    run(story)


@pytest.mark.parametrize("action", [{"act": "truncate"}, {"act": "corrupt"}])
def test_a_spoiled_answer_cannot_be_read(action: dict[str, Any]) -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"request": ORDER}, action)
        with pytest.raises(ValueError, match=r"Expecting|delimiter|control character|Unterminated"):
            await client.ask(*ORDERS, **RESTING)
        assert orders(client) == 1

    run(story)
