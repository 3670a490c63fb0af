"""Keys, signatures, the receive window and rate limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.simulated_binance.support import Client, order_params, run, still_scenario

ACCOUNT = ("GET", "/fapi/v2/account")


def test_a_wrong_or_missing_key_or_secret_is_refused() -> None:
    async def story(client: Client) -> None:
        assert await client.refused(*ACCOUNT, key=None) == -2014
        assert await client.refused(*ACCOUNT, key="other") == -2015
        assert await client.refused(*ACCOUNT, secret="other") == -1022
        assert await client.refused(*ACCOUNT, signed=False) == -1102
        assert (await client.ask(*ACCOUNT, key="other"))[0] == 401

    run(story)


def test_a_key_without_trading_may_look_but_not_trade() -> None:
    async def story(client: Client) -> None:
        await client.ok(*ACCOUNT)
        assert await client.refused("POST", "/fapi/v1/order", **order_params("BUY", "0.1")) == -2015
        assert (await client.ok("GET", "/sapi/v1/account/apiRestrictions"))["enableFutures"] is False
        assert (await client.ok("GET", "/sapi/v1/account/apiRestrictions"))["enableWithdrawals"] is True

    keys = [{"key": "local-key", "secret": "local-secret", "can_trade": False, "can_withdraw": True}]
    run(story, still_scenario(account={"keys": keys}))


@pytest.mark.parametrize(
    ("age_ms", "more", "accepted"), [(5000, {}, True), (5001, {}, False), (5001, {"recvWindow": 6000}, True)]
)
def test_a_request_older_than_its_window_is_refused(age_ms: int, more: dict[str, Any], accepted: bool) -> None:
    async def story(client: Client) -> None:
        status, body = await client.ask(*ACCOUNT, age_ms=age_ms, **more)
        assert (status == 200) is accepted
        assert accepted or body["code"] == -1021

    run(story)


def test_a_request_from_the_future_is_refused() -> None:
    async def story(client: Client) -> None:
        assert await client.refused(*ACCOUNT, age_ms=-1000) == -1021
        await client.ok(*ACCOUNT, age_ms=-999)

    run(story)


def test_a_form_body_is_signed_together_with_the_query() -> None:
    async def story(client: Client) -> None:
        import hmac
        from hashlib import sha256

        query = "symbol=BTCUSDT"
        body = f"leverage=7&timestamp={client.desk.venue.clock.ms()}"
        sign = hmac.new(b"local-secret", (query + body).encode(), sha256).hexdigest()
        url = f"{client.server.url}/fapi/v1/leverage?{query}"
        headers = {"X-MBX-APIKEY": "local-key", "Content-Type": "application/x-www-form-urlencoded"}
        async with client.session.post(url, data=f"{body}&signature={sign}", headers=headers) as answer:
            assert (await answer.json())["leverage"] == 7

    run(story)


def test_every_answer_says_how_much_of_the_limits_is_used() -> None:
    async def story(client: Client) -> None:
        await client.ok(*ACCOUNT)  # weight 5
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "5"
        await client.order("BUY", "0.001", "59000.0")
        assert client.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert client.headers["X-MBX-ORDER-COUNT-1M"] == "1"
        client.desk.wait(60)
        await client.ok("GET", "/fapi/v1/ping")
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "1"

    run(story)


def test_too_much_weight_is_429_then_418_then_forgiven() -> None:
    async def story(client: Client) -> None:
        for _ in range(3):
            await client.ok("GET", "/fapi/v1/ping")
        status, body = await client.ask("GET", "/fapi/v1/ping")
        assert (status, body["code"], client.headers["Retry-After"]) == (429, -1003, "60")
        await client.ask("GET", "/fapi/v1/ping")
        assert (await client.ask("GET", "/fapi/v1/ping"))[0] == 418
        client.desk.wait(60)
        assert (await client.ask("GET", "/fapi/v1/ping"))[0] == 418
        client.desk.wait(60)
        await client.ok("GET", "/fapi/v1/ping")

    run(story, still_scenario(limits={"weight_per_minute": 3, "ban_after": 2, "ban_secs": 120}))


def test_too_many_orders_are_429_while_cancels_still_pass() -> None:
    async def story(client: Client) -> None:
        first = await client.order("BUY", "0.001", "59000.0")
        assert await client.refused("POST", "/fapi/v1/order", **order_params("BUY", "0.001", "59000.0")) == -1003
        await client.ok("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=first["orderId"])
        client.desk.wait(10)
        await client.order("BUY", "0.001", "59000.0")

    run(story, still_scenario(limits={"orders_per_10_secs": 1}))
