"""Market streams and the user stream, over real sockets and past them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import aiohttp

from adapters.simulated_binance.orders import Side
from tests.adapters.simulated_binance.support import Client, Desk, eventually, run, still_scenario


class LocalBook:
    """A book as a client keeps it, by Binance's rules for `pu`, `U` and `u`."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.last = snapshot["lastUpdateId"]
        self.sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
        self.begun = False

    def apply(self, update: dict[str, Any]) -> None:
        if update["u"] < self.last:
            return
        if self.begun:
            assert update["pu"] == self.last
        else:
            assert update["U"] <= self.last <= update["u"]
        self.begun, self.last = True, update["u"]
        for name, levels in self.sides.items():
            for price, quantity in update[name]:
                levels[price] = quantity
                if Decimal(quantity) == 0:
                    del levels[price]


def test_a_local_book_follows_the_venue_exactly() -> None:
    desk = Desk()
    early = desk.listen("market", "btcusdt@depth@0ms")
    desk.show({59999.0: 1.0}, {})
    book = LocalBook(desk.market.feed.snapshot(1000))
    desk.place("BUY", "0.300", "59999.5")
    desk.others(Side.SELL, 60000.0, 5.1)
    desk.show({60000.0: 2.0, 59999.0: 0.0}, {60000.1: 1.0})
    desk.exchange.cancel_all("BTCUSDT", why="test", algo=False)
    for update in early.messages:
        book.apply(update)
    truth = desk.market.feed.snapshot(1000)
    assert book.sides == {"b": dict(truth["bids"]), "a": dict(truth["asks"])}
    assert book.begun


def test_the_best_quote_of_an_update_id_is_the_top_of_the_book_at_that_id() -> None:
    desk = Desk()
    ear = desk.listen("market", "btcusdt@bookTicker", "btcusdt@depth@0ms")
    book = LocalBook(desk.market.feed.snapshot(1000))
    desk.show({60000.0: 1.5}, {})
    desk.place("BUY", "0.200")
    tops = {m["u"]: m for m in ear.of("bookTicker")}
    for update in ear.of("depthUpdate"):
        book.apply(update)
        top = tops[update["u"]]
        assert book.sides["b"][top["b"]] == top["B"]
        assert book.sides["a"][top["a"]] == top["A"]
    assert len(tops) == 2


def test_an_execution_is_printed_with_its_aggressor() -> None:
    desk = Desk()
    ear = desk.listen("market", "btcusdt@trade", "btcusdt@aggTrade")
    desk.place("SELL", "0.100")
    trade, agg = ear.messages
    assert (trade["p"], trade["q"], trade["m"], trade["X"]) == ("60000.00", "0.100", True, "MARKET")
    assert (agg["a"], agg["f"], agg["l"], agg["m"]) == (trade["t"], trade["t"], trade["t"], True)
    assert desk.exchange.desk.fills[0].trade_id == trade["t"]


def test_mark_price_and_bars_come_each_second() -> None:
    desk = Desk()
    ear = desk.listen("market", "btcusdt@markPrice@1s", "btcusdt@kline_1m")
    desk.place("BUY", "0.100")
    desk.wait(61)
    assert len(ear.of("markPriceUpdate")) == 61
    assert ear.of("markPriceUpdate")[0]["p"] == "60000.05000000"
    closed = [m["k"] for m in ear.of("kline") if m["k"]["x"]]
    assert [(k["c"], k["v"], k["n"]) for k in closed] == [("60000.10", "0.10100000", 2)]


def test_sockets_subscribe_and_unsubscribe() -> None:
    async def story(client: Client) -> None:
        async with client.session.ws_connect(client.server.ws_url) as ws:
            await ws.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 7})
            assert await ws.receive_json() == {"result": None, "id": 7}
            client.desk.place("BUY", "0.001")
            assert (await ws.receive_json())["e"] == "trade"
            await ws.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 8})
            assert (await ws.receive_json())["result"] == ["btcusdt@trade"]
            await ws.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 9})
            assert (await ws.receive_json())["id"] == 9
            client.desk.place("BUY", "0.001")
            await ws.send_str("what")
            assert (await ws.receive_json())["code"] == 3
            await ws.send_json({"method": "DANCE", "id": 1})
            assert (await ws.receive_json())["code"] == 2

    run(story)


def test_a_combined_socket_wraps_its_messages() -> None:
    async def story(client: Client) -> None:
        url = f"ws://127.0.0.1:{client.server.port}/stream?streams=btcusdt@trade/btcusdt@bookTicker"
        async with client.session.ws_connect(url) as ws:
            await eventually(lambda: len(client.desk.venue.hub.of("market")) == 1)
            client.desk.place("BUY", "0.001")
            messages = [await ws.receive_json() for _ in range(2)]
            assert [message["stream"] for message in messages] == ["btcusdt@trade", "btcusdt@bookTicker"]
            assert messages[0]["data"]["e"] == "trade"

    run(story)


def test_fills_reach_every_socket_of_the_shared_listen_key() -> None:
    async def story(client: Client) -> None:
        key = (await client.ok("POST", "/fapi/v1/listenKey", signed=False))["listenKey"]
        assert (await client.ok("POST", "/fapi/v1/listenKey", signed=False))["listenKey"] == key
        async with (
            client.session.ws_connect(f"{client.server.ws_url}?listenKey={key}") as one,
            client.session.ws_connect(f"{client.server.ws_url}/{key}") as two,
        ):
            await eventually(lambda: len(client.desk.venue.hub.of("user")) == 2)
            await client.order("BUY", "0.100", newClientOrderId="mine")
            for ws in (one, two):
                messages = [await ws.receive_json() for _ in range(4)]
                names = ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
                assert [message["e"] for message in messages] == names
                fill = messages[3]["o"]
                assert (fill["c"], fill["x"], fill["X"], fill["l"], fill["n"]) == (
                    "mine",
                    "TRADE",
                    "FILLED",
                    "0.100",
                    "3.00000500",
                )
                assert messages[2]["a"]["P"][0]["pa"] == "0.100"
                assert messages[2]["a"]["B"][0]["wb"] == "9996.99999500"

    run(story)


def test_a_listen_key_lives_as_long_as_it_is_renewed_and_says_when_it_ends() -> None:
    async def story(client: Client) -> None:
        desk = client.desk
        ear = desk.listen_user()
        desk.wait(3000)
        await client.ok("PUT", "/fapi/v1/listenKey", signed=False)
        desk.wait(3000)
        assert ear.messages == []
        desk.wait(601)
        assert [message["e"] for message in ear.messages] == ["listenKeyExpired"]
        desk.place("BUY", "0.100")
        assert len(ear.messages) == 1
        assert await client.refused("PUT", "/fapi/v1/listenKey", signed=False) == -1125

    run(story, still_scenario())


def test_a_deleted_listen_key_dies_without_a_word() -> None:
    async def story(client: Client) -> None:
        ear = client.desk.listen_user()
        await client.ok("DELETE", "/fapi/v1/listenKey", signed=False)
        client.desk.place("BUY", "0.100")
        assert ear.messages == []
        assert not ear.closed
        fresh = client.desk.listen_user()
        client.desk.place("SELL", "0.100")
        assert len(fresh.messages) == 4
        assert ear.messages == []

    run(story)


def test_the_trading_socket_places_and_cancels() -> None:
    async def story(client: Client) -> None:
        async with client.session.ws_connect(client.server.trading_url) as ws:
            placed = await ask(client, ws, "order.place", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC")
            assert (placed["status"], placed["error"]["code"]) == (400, -1102)
            order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "59000.0"}
            placed = await ask(client, ws, "order.place", **order, quantity="0.100", newClientOrderId="ws1")
            assert (placed["status"], placed["result"]["clientOrderId"]) == (200, "ws1")
            gone = await ask(client, ws, "order.cancel", symbol="BTCUSDT", orderId=placed["result"]["orderId"])
            assert gone["result"]["status"] == "CANCELED"
            await ws.send_json({"id": "x", "method": "order.dance", "params": {}})
            assert (await ws.receive_json())["status"] == 400

    run(story)


async def ask(client: Client, ws: aiohttp.ClientWebSocketResponse, method: str, **params: Any) -> Any:
    import hmac
    from hashlib import sha256

    full = params | {"apiKey": "local-key", "timestamp": client.desk.venue.clock.ms()}
    text = "&".join(f"{name}={value}" for name, value in sorted(full.items()))
    full["signature"] = hmac.new(b"local-secret", text.encode(), sha256).hexdigest()
    await ws.send_str(json.dumps({"id": "1", "method": method, "params": full}))
    return await ws.receive_json()
