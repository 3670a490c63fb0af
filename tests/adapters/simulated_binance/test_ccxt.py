"""ccxt as an outside client, with nothing changed but its URLs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import ccxt
import pytest

from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from tests.adapters.simulated_binance.support import still_scenario

SYMBOL = "BTC/USDT:USDT"
DEADLINE_SECS = 90


def exchange_at(url: str) -> Any:
    options = {"fetchCurrencies": False, "fetchMarkets": {"types": ["linear"]}}
    exchange = ccxt.binanceusdm(
        {"apiKey": "local-key", "secret": "local-secret", "enableRateLimit": True, "options": options}
    )

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: moved(inner) for name, inner in value.items()}
        return url + urlsplit(value).path

    exchange.urls["api"] = moved(exchange.urls["api"])
    return exchange


def with_ccxt(story: Callable[[Any], None], **changes: Any) -> Venue:
    """Run a story of the blocking client in a thread, against a venue at wall time with a still book."""

    async def whole() -> Venue:
        async with Server(Venue(still_scenario(**changes), Clock())) as server:
            client = exchange_at(server.url)
            try:
                await asyncio.wait_for(asyncio.to_thread(story, client), DEADLINE_SECS)
            finally:
                client.session.close()
            return server.venue

    return asyncio.run(whole())


def asked(venue: Venue) -> set[str]:
    """Endpoints that ccxt has used."""
    return {f"{row['method']} {row['path'].rpartition('/')[2]}" for row in venue.ledger.of("request")}


@pytest.mark.req("X-2")
def test_markets_prices_and_history_are_read() -> None:
    def story(client: Any) -> None:
        market = client.load_markets()[SYMBOL]
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
        assert market["limits"]["cost"]["min"] == 5
        book = client.fetch_order_book(SYMBOL, 5)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert len(client.fetch_ohlcv(SYMBOL, "1m", limit=50)) == 50
        assert client.fetch_trades(SYMBOL)[0]["price"] == 60000.1
        assert client.fetch_ticker(SYMBOL)["last"] == 60000.1
        assert client.fetch_funding_rate(SYMBOL)["fundingRate"] == 0.0001
        assert len(client.fetch_funding_rate_history(SYMBOL, limit=3)) == 3
        assert client.fetch_time() > 1_700_000_000_000

    with_ccxt(story)


@pytest.mark.req("X-2")
def test_balances_positions_orders_and_fills_are_read_and_changed() -> None:
    def story(client: Any) -> None:
        client.load_markets()
        assert client.fetch_balance()["USDT"]["total"] == 10000
        assert client.fetch_positions([SYMBOL]) == []
        order = client.create_order(
            SYMBOL, "limit", "buy", 0.01, 59900, {"timeInForce": "GTX", "clientOrderId": "mine"}
        )
        assert client.fetch_order(order["id"], SYMBOL)["status"] == "open"
        assert client.fetch_order(None, SYMBOL, {"clientOrderId": "mine"})["id"] == order["id"]
        assert [one["id"] for one in client.fetch_open_orders(SYMBOL)] == [order["id"]]
        assert client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, 59899)["amount"] == 0.02
        assert client.cancel_order(order["id"], SYMBOL)["status"] == "canceled"
        bought = client.create_order(SYMBOL, "market", "buy", 0.01)
        assert (bought["status"], bought["filled"]) == ("closed", 0.01)
        assert client.fetch_positions([SYMBOL])[0]["contracts"] == 0.01
        assert client.fetch_my_trades(SYMBOL)[0]["fee"] == {"cost": 0.3000005, "currency": "USDT"}
        sold = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
        assert sold["reduceOnly"] is True
        assert {entry["type"] for entry in client.fetch_ledger("USDT")} >= {"commission"}
        assert client.fetch_trading_fee(SYMBOL)["maker"] == 0.0002

    assert asked(with_ccxt(story)) == {
        "GET exchangeInfo", "GET account", "GET positionRisk", "GET leverageBracket", "GET commissionRate", "GET income",
        "POST order", "GET order", "PUT order", "DELETE order", "GET openOrders", "GET userTrades",
    }  # fmt: skip


@pytest.mark.req("X-2")
def test_cancel_all_countdown_and_conditional_orders_work() -> None:
    def story(client: Any) -> None:
        client.load_markets()
        client.create_order(SYMBOL, "limit", "buy", 0.01, 59900)
        client.create_order(SYMBOL, "STOP_MARKET", "sell", 0.01, None, {"stopPrice": 59000, "closePosition": True})
        answer = client.fapiPrivatePostCountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 60000})
        assert answer == {"symbol": "BTCUSDT", "countdownTime": "60000"}
        client.cancel_all_orders(SYMBOL)
        assert client.fetch_open_orders(SYMBOL) == []
        assert len(client.fetch_open_orders(SYMBOL, params={"trigger": True})) == 1
        client.cancel_all_orders(SYMBOL, {"trigger": True})
        assert client.fetch_open_orders(SYMBOL, params={"trigger": True}) == []

    venue = with_ccxt(story)
    assert asked(venue) >= {
        "POST countdownCancelAll",
        "POST algoOrder",
        "DELETE allOpenOrders",
        "DELETE algoOpenOrders",
    }
    assert [row["countdown_ms"] for row in venue.ledger.of("countdown")] == [60000]


@pytest.mark.req("X-2", "L-4")
def test_refusals_arrive_as_the_errors_that_ccxt_knows() -> None:
    def story(client: Any) -> None:
        client.load_markets()
        with pytest.raises(ccxt.InvalidOrder, match="-5022"):
            client.create_order(SYMBOL, "limit", "buy", 0.01, 60100, {"timeInForce": "GTX"})
        with pytest.raises(ccxt.ExchangeError, match="-2022"):
            client.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
        with pytest.raises(ccxt.ExchangeError, match="-2019"):
            client.create_order(SYMBOL, "limit", "buy", 100, 59900)
        with pytest.raises(ccxt.OrderNotFound):
            client.fetch_order("1", SYMBOL)
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError):
            client.fetch_balance()

    with_ccxt(story)


def test_a_taken_port_is_said_in_one_sentence() -> None:
    from errors import UsageError

    async def story() -> None:
        async with Server(Venue(still_scenario())) as server:
            with pytest.raises(UsageError, match=f"port {server.port} of 127.0.0.1 is taken"):
                async with Server(Venue(still_scenario()), server.port):
                    pass
            async with aiohttp.ClientSession() as session, session.get(f"{server.url}/fapi/v1/ping") as answer:
                assert answer.status == 200

    asyncio.run(story())
