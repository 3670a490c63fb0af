"""What the fault script does to events and to the venue itself, action by action."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from errors import ConfigError
from tests.adapters.simulated_binance.support import (
    Client,
    Desk,
    eventually,
    fault,
    order_params,
    run,
    still_scenario,
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


@pytest.mark.parametrize(
    ("action", "heard"),
    [
        ({"act": "drop"}, [2, 3]),
        ({"act": "duplicate", "copies": 2}, [1, 1, 1, 2, 3]),
        ({"act": "reorder"}, [2, 1, 3]),
        ({"act": "delay", "secs": 1}, [2, 3, 1]),
        ({"act": "stall", "secs": 1}, [1, 2, 3]),
    ],
)
def test_events_are_lost_doubled_shuffled_and_late(action: dict[str, Any], heard: list[int]) -> None:
    desk = Desk()
    arm(desk, {"event": "user/ORDER_TRADE_UPDATE/NEW"}, action)
    ear = desk.listen_user()
    for number in (1, 2, 3):
        desk.place("BUY", "0.100", "59000.0", newClientOrderId=f"{number}")
    desk.wait(1)
    assert [int(message["o"]["c"]) for message in ear.messages] == heard


@pytest.mark.parametrize("action", [{"act": "truncate", "keep": 0.9}, {"act": "corrupt"}])
def test_a_spoiled_event_is_no_json(action: dict[str, Any]) -> None:
    desk = Desk()
    arm(desk, {"event": "btcusdt@trade"}, action)
    ear = desk.listen("market", "btcusdt@trade")
    desk.place("BUY", "0.100")
    with pytest.raises(ValueError, match=r"Expecting|delimiter|control character|Unterminated|Invalid"):
        _ = ear.messages


def test_a_skipped_depth_update_breaks_the_chain() -> None:
    desk = Desk()
    ear = desk.listen("market", DEPTH)
    desk.show({60000.0: 1.0}, {})
    arm(desk, {"at_secs": 0}, {"act": "skip_depth", "symbol": "BTCUSDT"})
    desk.show({60000.0: 2.0}, {})
    desk.show({60000.0: 3.0}, {})
    first, second = ear.messages
    assert second["pu"] > first["u"]


def test_a_crossed_book_is_published_once_and_mended() -> None:
    desk = Desk()
    ear = desk.listen("market", DEPTH)
    arm(desk, {"at_secs": 0}, {"act": "cross_book", "symbol": "BTCUSDT", "ticks": 3})
    desk.show({60000.0: 2.0}, {})
    crossing, mending = ear.messages
    assert crossing["b"] == [["60000.40", "0.001"]]
    assert ["60000.40", "0.000"] in mending["b"]
    assert mending["pu"] == crossing["u"]


def test_a_gap_moves_the_market() -> None:
    desk = Desk()
    arm(desk, {"at_secs": 0}, {"act": "gap_price", "symbol": "BTCUSDT", "bps": 50})
    assert desk.market.feed.quote()["b"] == "60300.00"


@pytest.mark.parametrize(
    ("which", "closed"), [("market", [True, False]), ("user", [False, True]), ("all", [True, True])]
)
def test_sockets_are_closed_by_kind(which: str, closed: list[bool]) -> None:
    desk = Desk()
    ears = [desk.listen("market", DEPTH), desk.listen_user()]
    arm(desk, {"at_secs": 0}, {"act": "close_sockets", "which": which})
    assert [ear.closed for ear in ears] == closed


def test_a_silenced_socket_stays_open_and_hears_nothing_for_a_while() -> None:
    desk = Desk()
    ear = desk.listen_user()
    arm(desk, {"at_secs": 0}, {"act": "silence_sockets", "which": "user", "secs": 5})
    desk.place("BUY", "0.100")
    assert (ear.messages, ear.closed) == ([], False)
    desk.wait(5)
    desk.place("SELL", "0.100")
    assert len(ear.messages) == 4


def test_an_outage_answers_errors_closes_sockets_and_ends() -> None:
    async def story(client: Client) -> None:
        ear = client.desk.listen_user()
        arm(client.desk, {"at_secs": 0}, {"act": "outage", "secs": 60, "status": 503, "code": -1001})
        assert ear.closed
        assert await client.refused(*ORDERS, **RESTING) == -1001
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.session.ws_connect(client.server.ws_url)
        client.desk.wait(60)
        await client.ok(*ORDERS, **RESTING)

    run(story)


@pytest.mark.parametrize(("act", "status"), [("ban", 418), ("rate_limit", 429)])
def test_a_ban_lasts_and_says_how_long(act: str, status: int) -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"at_secs": 0}, {"act": act, "secs": 60})
        assert (await client.ask(*ORDERS, **RESTING))[0] == status
        assert client.headers["Retry-After"] == "60"
        client.desk.wait(60)
        await client.ok(*ORDERS, **RESTING)

    run(story)


def test_connections_are_refused_then_accepted_on_the_same_port() -> None:
    async def story(client: Client) -> None:
        port = client.server.port
        await client.ok("GET", "/fapi/v1/ping")
        arm(client.desk, {"at_secs": 0}, {"act": "refuse_connections", "secs": 30})
        await eventually(lambda: client.server.is_listening is False)
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.ask("GET", "/fapi/v1/ping")
        client.desk.wait(30)
        await eventually(lambda: client.server.is_listening)
        assert client.server.port == port
        await client.ok("GET", "/fapi/v1/ping")

    run(story)


def unused_port() -> int:
    """A free port below those that systems give to whoever asks for any: nobody is given it in between."""
    for port in range(20_000 + os.getpid() % 5000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def test_the_listener_may_open_again_somewhere_else() -> None:
    async def story(client: Client) -> None:
        elsewhere = unused_port()
        arm(client.desk, {"at_secs": 0}, {"act": "refuse_connections", "secs": 1, "port": elsewhere})
        await eventually(lambda: client.server.is_listening is False)
        client.desk.wait(1)
        await eventually(lambda: client.server.is_listening)
        assert client.server.port == elsewhere
        await client.ok("GET", "/fapi/v1/ping")

    run(story)


def test_by_id_queries_lag_behind_acceptance() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"at_secs": 0}, {"act": "lag_queries", "lag_secs": 3, "secs": 100})
        placed = await client.ok(*ORDERS, **RESTING)
        query = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        assert await client.refused("GET", "/fapi/v1/order", **query) == -2013
        assert len(await client.ok("GET", "/fapi/v1/openOrders")) == 1
        client.desk.wait(3)
        await client.ok("GET", "/fapi/v1/order", **query)

    run(story)


def test_the_listen_key_is_expired_or_deleted() -> None:
    desk = Desk()
    ear = desk.listen_user()
    arm(desk, {"at_secs": 0}, {"act": "expire_listen_key"})
    assert [message["e"] for message in ear.messages] == ["listenKeyExpired"]
    ear = desk.listen_user()
    arm(desk, {"at_secs": 0}, {"act": "delete_listen_key"})
    desk.place("BUY", "0.100")
    assert ear.messages == []


def test_a_skewed_clock_refuses_requests_of_a_client_with_the_right_time() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"at_secs": 0}, {"act": "skew_clock", "ms": -2000})
        assert await client.refused("GET", "/fapi/v2/account", age_ms=-2000) == -1021

    run(story)


def test_status_and_position_mode_are_changed_under_us() -> None:
    async def story(client: Client) -> None:
        arm(client.desk, {"at_secs": 0}, {"act": "set_status", "symbol": "BTCUSDT", "status": "HALT"})
        assert await client.refused(*ORDERS, **RESTING) == -4140
        arm(client.desk, {"at_secs": 0}, {"act": "set_hedge_mode", "on": True})
        assert (await client.ok("GET", "/fapi/v1/positionSide/dual"))["dualSidePosition"] is True

    run(story, still_scenario())


def test_what_a_person_may_not_do_either_is_written_down() -> None:
    desk = Desk()
    trade = {"act": "person_trade", "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1"}
    arm(desk, {"at_secs": 0}, {"act": "set_status", "symbol": "BTCUSDT", "status": "BREAK"}, trade)
    assert [(row["act"], row["code"]) for row in desk.venue.ledger.of("fault_refused")] == [("person_trade", -4140)]
    assert desk.exchange.desk.fills == []


def test_a_fault_on_a_symbol_that_is_not_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="ETHUSDT"):
        arm(Desk(), {"at_secs": 0}, {"act": "skip_depth", "symbol": "ETHUSDT"})


def test_faults_are_armed_over_http_and_the_state_is_shown() -> None:
    async def story(client: Client) -> None:
        one = {"name": "x", "when": {"request": ORDER}, "do": [{"act": "answer", "code": -1007, "execute": True}]}
        async with client.session.post(f"{client.server.url}/simulated/faults", json=one) as answer:
            assert await answer.json() == {"armed": "x"}
        async with client.session.post(f"{client.server.url}/simulated/faults", json={"name": "x"}) as answer:
            assert answer.status == 400
        await client.refused(*ORDERS, **RESTING)
        async with client.session.get(f"{client.server.url}/simulated/state") as answer:
            state = await answer.json()
        assert (state["orders"], state["open_orders"][0]["price"]) == (1, "59000.00")

    run(story)
