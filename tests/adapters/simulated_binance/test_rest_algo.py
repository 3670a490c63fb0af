"""Conditional orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.adapters.simulated_binance.support import Client, run

BTC = {"symbol": "BTCUSDT"}
STOP = BTC | {"side": "SELL", "type": "STOP_MARKET", "algoType": "CONDITIONAL", "triggerPrice": "59900.0"}
TAKE = STOP | {"type": "TAKE_PROFIT_MARKET", "triggerPrice": "60100.0"}


def test_a_protective_stop_waits_then_closes_the_position() -> None:
    async def story(client: Client) -> None:
        desk, ear = client.desk, client.desk.listen_user()
        await client.order("BUY", "0.100")
        placed = await client.ok("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true", clientAlgoId="stop1")
        assert placed["algoStatus"] == "NEW"
        assert [one["algoId"] for one in await client.ok("GET", "/fapi/v1/openAlgoOrders", **BTC)] == [placed["algoId"]]
        assert await client.ok("GET", "/fapi/v1/openOrders") == []
        desk.show({60000.0: 0, 59890.0: 5.0}, {})
        desk.venue.backgrounds["BTCUSDT"].gap(-1100)
        desk.place("SELL", "0.001")
        assert desk.position == Decimal(0)
        states = [m["o"]["X"] for m in ear.of("ALGO_UPDATE")]
        assert states == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
        done = await client.ok("GET", "/fapi/v1/algoOrder", clientAlgoId="stop1")
        child = await client.ok("GET", "/fapi/v1/order", **BTC, orderId=done["actualOrderId"])
        assert (child["clientOrderId"], child["status"], child["closePosition"]) == ("stop1", "FILLED", True)

    run(story)


def test_a_take_profit_triggers_in_the_other_direction() -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100")
        await client.ok("POST", "/fapi/v1/algoOrder", **TAKE, closePosition="true", workingType="MARK_PRICE")
        client.desk.venue.backgrounds["BTCUSDT"].gap(2000)
        assert client.desk.position == Decimal(0)
        assert client.desk.exchange.desk.fills[-1].realised == Decimal("19.99")  # 0.1 × (60,200.0 − 60,000.1)

    run(story)


def test_a_stop_limit_becomes_a_limit_order() -> None:
    async def story(client: Client) -> None:
        stop = STOP | {"type": "STOP", "price": "59950.0", "quantity": "0.100", "workingType": "MARK_PRICE"}
        await client.ok("POST", "/fapi/v1/algoOrder", **stop)
        client.desk.venue.backgrounds["BTCUSDT"].gap(-2000)
        order = (await client.ok("GET", "/fapi/v1/openOrders"))[0]
        assert (order["type"], order["price"]) == ("LIMIT", "59950.00")
        client.desk.venue.backgrounds["BTCUSDT"].gap(2000)
        assert (await client.ok("GET", "/fapi/v1/allAlgoOrders", **BTC))[0]["algoStatus"] == "FINISHED"

    run(story)


def test_a_stop_without_a_position_to_close_expires() -> None:
    async def story(client: Client) -> None:
        await client.ok("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true", workingType="MARK_PRICE")
        client.desk.venue.backgrounds["BTCUSDT"].gap(-2000)
        assert (await client.ok("GET", "/fapi/v1/allAlgoOrders", **BTC))[0]["algoStatus"] == "EXPIRED"
        assert client.desk.exchange.desk.orders == {}

    run(story)


def test_conditional_orders_are_cancelled_one_by_one_and_all_at_once() -> None:
    async def story(client: Client) -> None:
        one = await client.ok("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true")
        gone = await client.ok("DELETE", "/fapi/v1/algoOrder", algoId=one["algoId"])
        assert gone["code"] == "200"
        assert await client.refused("DELETE", "/fapi/v1/algoOrder", algoId=one["algoId"]) == -2011
        await client.ok("POST", "/fapi/v1/algoOrder", **TAKE, quantity="0.1")
        await client.ok("DELETE", "/fapi/v1/allOpenOrders", **BTC)
        assert len(await client.ok("GET", "/fapi/v1/openAlgoOrders")) == 1
        await client.ok("DELETE", "/fapi/v1/algoOpenOrders", **BTC)
        assert await client.ok("GET", "/fapi/v1/openAlgoOrders") == []

    run(story)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"triggerPrice": "60500.0"}, -2021),
        ({"triggerPrice": "59900.05"}, -4014),
        ({"type": "TRAILING_STOP_MARKET"}, -1116),
        ({"triggerPrice": ""}, -1102),
        ({"positionSide": "LONG"}, -4061),
        ({"algoType": "TWAP"}, -1102),
    ],
)
def test_a_conditional_order_that_makes_no_sense_is_refused(change: dict[str, str], code: int) -> None:
    async def story(client: Client) -> None:
        assert await client.refused("POST", "/fapi/v1/algoOrder", **(STOP | {"closePosition": "true"} | change)) == code

    run(story)


def test_a_second_closing_stop_on_the_same_side_is_refused() -> None:
    async def story(client: Client) -> None:
        await client.ok("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true")
        assert await client.refused("POST", "/fapi/v1/algoOrder", **STOP, closePosition="true") == -4130
        await client.ok("POST", "/fapi/v1/algoOrder", **TAKE, closePosition="true", clientAlgoId="tp")
        twin = TAKE | {"quantity": "0.1", "clientAlgoId": "tp"}
        assert await client.refused("POST", "/fapi/v1/algoOrder", **twin) == -4116

    run(story)
