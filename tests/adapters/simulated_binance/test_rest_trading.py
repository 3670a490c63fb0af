"""Order endpoints, over HTTP."""

from __future__ import annotations

import json

import pytest

from tests.adapters.simulated_binance.support import Client, order_params, run, still_scenario

BTC = {"symbol": "BTCUSDT"}


def test_an_order_is_placed_found_listed_and_cancelled() -> None:
    async def story(client: Client) -> None:
        placed = await client.order("BUY", "0.100", "59000.0", newClientOrderId="mine")
        by_id = await client.ok("GET", "/fapi/v1/order", **BTC, orderId=placed["orderId"])
        by_client = await client.ok("GET", "/fapi/v1/order", **BTC, origClientOrderId="mine")
        assert placed["status"] == "NEW"
        assert by_id == by_client == (await client.ok("GET", "/fapi/v1/openOrders"))[0]
        assert await client.ok("GET", "/fapi/v1/openOrder", **BTC, origClientOrderId="mine") == by_id
        gone = await client.ok("DELETE", "/fapi/v1/order", **BTC, origClientOrderId="mine")
        assert gone["status"] == "CANCELED"
        assert await client.ok("GET", "/fapi/v1/openOrders", **BTC) == []
        assert [one["status"] for one in await client.ok("GET", "/fapi/v1/allOrders", **BTC)] == ["CANCELED"]
        assert await client.refused("DELETE", "/fapi/v1/order", **BTC, origClientOrderId="mine") == -2011
        assert await client.refused("GET", "/fapi/v1/openOrder", **BTC, origClientOrderId="mine") == -2013

    run(story)


def test_what_does_not_exist_is_not_found() -> None:
    async def story(client: Client) -> None:
        assert await client.refused("GET", "/fapi/v1/order", **BTC, orderId=1) == -2013
        assert await client.refused("DELETE", "/fapi/v1/order", **BTC, orderId=1) == -2011
        assert await client.refused("GET", "/fapi/v1/order", **BTC) == -1102
        assert await client.refused("GET", "/fapi/v1/order", symbol="DOGEUSDT", orderId=1) == -1121
        assert await client.refused("GET", "/fapi/v1/order", orderId=1) == -1102

    run(story)


def test_a_market_order_answers_as_accepted_or_as_filled() -> None:
    async def story(client: Client) -> None:
        ack = await client.order("BUY", "0.100")
        assert (ack["status"], ack["executedQty"]) == ("NEW", "0.000")
        result = await client.order("SELL", "0.100", newOrderRespType="RESULT", reduceOnly="true")
        assert (result["status"], result["avgPrice"], result["cumQuote"]) == ("FILLED", "60000.00", "6000.00000000")
        trades = await client.ok("GET", "/fapi/v1/userTrades", **BTC)
        assert [(t["side"], t["realizedPnl"], t["commission"], t["maker"]) for t in trades] == [
            ("BUY", "0.00000000", "3.00000500", False),
            ("SELL", "-0.01000000", "3.00000000", False),
        ]
        only = await client.ok("GET", "/fapi/v1/userTrades", **BTC, orderId=result["orderId"])
        assert [t["id"] for t in only] == [trades[1]["id"]]
        assert await client.ok("GET", "/fapi/v1/userTrades", **BTC, fromId=trades[1]["id"]) == only

    run(story)


@pytest.mark.req("L-4")
def test_crossing_post_only_and_reduce_only_without_position_are_refused() -> None:
    async def story(client: Client) -> None:
        crossing = order_params("BUY", "0.1", "60000.1") | {"timeInForce": "GTX"}
        assert await client.refused("POST", "/fapi/v1/order", **crossing) == -5022
        assert await client.refused("POST", "/fapi/v1/order", **order_params("SELL", "0.1"), reduceOnly="true") == -2022

    run(story)


def test_an_order_is_amended() -> None:
    async def story(client: Client) -> None:
        placed = await client.order("BUY", "0.100", "59000.0")
        changes = {"side": "BUY", "quantity": "0.200", "price": "59001.0", "orderId": placed["orderId"]}
        amended = await client.ok("PUT", "/fapi/v1/order", **BTC, **changes)
        assert (amended["price"], amended["origQty"], amended["orderId"]) == ("59001.00", "0.200", placed["orderId"])
        assert await client.refused("PUT", "/fapi/v1/order", **BTC, **changes) == -5027

    run(story)


def test_a_batch_answers_one_by_one() -> None:
    async def story(client: Client) -> None:
        good, bad = order_params("BUY", "0.100", "59000.0"), order_params("BUY", "0.100", "59000.05")
        answers = await client.ok("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([good, bad]))
        assert answers[1]["code"] == -4014
        gone = await client.ok(
            "DELETE", "/fapi/v1/batchOrders", **BTC, orderIdList=json.dumps([answers[0]["orderId"], 5])
        )
        assert [gone[0]["status"], gone[1]["code"]] == ["CANCELED", -2011]
        assert await client.refused("POST", "/fapi/v1/batchOrders", batchOrders="[") == -1102
        assert await client.refused("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([good] * 6)) == -1102

    run(story)


def test_cancel_all_reaches_every_order_of_the_symbol() -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100", "59000.0")
        await client.order("SELL", "0.100", "61000.0")
        assert (await client.ok("DELETE", "/fapi/v1/allOpenOrders", **BTC))["code"] == 200
        assert await client.ok("GET", "/fapi/v1/openOrders") == []
        assert await client.refused("DELETE", "/fapi/v1/allOpenOrders") == -1102

    run(story)


STOP = BTC | {"side": "SELL", "type": "STOP_MARKET", "algoType": "CONDITIONAL", "triggerPrice": "59000.0"}


@pytest.mark.parametrize("reaches", [False, True])
def test_the_countdown_cancels_all_orders_and_leaves_the_position(reaches: bool) -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100")
        await client.order("BUY", "0.100", "59000.0")
        await client.ok("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true")
        answer = await client.ok("POST", "/fapi/v1/countdownCancelAll", **BTC, countdownTime=30_000)
        assert answer == {"symbol": "BTCUSDT", "countdownTime": "30000"}
        client.desk.wait(29)
        await client.ok("POST", "/fapi/v1/countdownCancelAll", **BTC, countdownTime=30_000)
        client.desk.wait(29.9)
        assert len(await client.ok("GET", "/fapi/v1/openOrders")) == 1
        client.desk.wait(0.2)
        assert await client.ok("GET", "/fapi/v1/openOrders") == []
        assert len(await client.ok("GET", "/fapi/v1/openAlgoOrders")) == (0 if reaches else 1)
        assert str(client.desk.position) == "0.100"
        assert client.desk.venue.ledger.of("countdown")[-1]["fired"] is True

    run(story, still_scenario(behaviour={"countdown_reaches_algo_orders": reaches}))


def test_a_countdown_of_zero_disarms() -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100", "59000.0")
        await client.ok("POST", "/fapi/v1/countdownCancelAll", **BTC, countdownTime=1000)
        await client.ok("POST", "/fapi/v1/countdownCancelAll", **BTC, countdownTime=0)
        client.desk.wait(5)
        assert len(await client.ok("GET", "/fapi/v1/openOrders")) == 1
        assert await client.refused("POST", "/fapi/v1/countdownCancelAll", **BTC) == -1102

    run(story)


def test_an_order_test_places_nothing() -> None:
    async def story(client: Client) -> None:
        assert await client.ok("POST", "/fapi/v1/order/test", **order_params("BUY", "0.1")) == {}
        assert await client.ok("GET", "/fapi/v1/allOrders", **BTC) == []

    run(story)
