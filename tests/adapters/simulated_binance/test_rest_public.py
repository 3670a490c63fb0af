"""Market data endpoints."""

from __future__ import annotations

from decimal import Decimal

from tests.adapters.simulated_binance.support import START_NS, Client, run

START_MS = START_NS // 1_000_000


def test_exchange_info_lists_filters_and_limits() -> None:
    async def story(client: Client) -> None:
        info = await client.ok("GET", "/fapi/v1/exchangeInfo", signed=False, key=None)
        filters = {one["filterType"]: one for one in info["symbols"][0]["filters"]}
        assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
        assert filters["LOT_SIZE"] == {
            "filterType": "LOT_SIZE",
            "minQty": "0.001",
            "maxQty": "1000",
            "stepSize": "0.001",
        }
        assert filters["MIN_NOTIONAL"]["notional"] == "5"
        assert filters["PERCENT_PRICE"]["multiplierUp"] == "1.05"
        assert [one["limit"] for one in info["rateLimits"]] == [2400, 1200, 300]

    run(story)


def test_time_is_the_venues_time() -> None:
    async def story(client: Client) -> None:
        assert await client.ok("GET", "/fapi/v1/time") == {"serverTime": START_MS}
        client.desk.venue.clock.skew_ms = -2000
        assert await client.ok("GET", "/fapi/v1/time") == {"serverTime": START_MS - 2000}

    run(story)


def test_depth_shows_others_and_ours_together() -> None:
    async def story(client: Client) -> None:
        client.desk.place("BUY", "1.000", "60000.0")
        book = await client.ok("GET", "/fapi/v1/depth", symbol="BTCUSDT", limit=5)
        assert book["bids"] == [["60000.00", "6.000"]]
        assert book["asks"] == [["60000.10", "5.000"]]
        assert await client.refused("GET", "/fapi/v1/depth", symbol="DOGEUSDT") == -1121

    run(story)


def test_trades_and_aggregated_trades_list_what_was_printed() -> None:
    async def story(client: Client) -> None:
        client.desk.place("SELL", "0.250")
        trade = (await client.ok("GET", "/fapi/v1/trades", symbol="BTCUSDT", limit=1))[0]
        assert (trade["price"], trade["qty"], trade["isBuyerMaker"]) == ("60000.00", "0.250", True)
        agg = await client.ok("GET", "/fapi/v1/aggTrades", symbol="BTCUSDT", fromId=trade["id"])
        assert [(one["a"], one["p"], one["m"]) for one in agg] == [(trade["id"], "60000.00", True)]

    run(story)


def test_klines_reach_back_before_the_start_without_a_gap() -> None:
    async def story(client: Client) -> None:
        client.desk.wait(90)
        client.desk.place("BUY", "0.001")
        bars = await client.ok("GET", "/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit=100)
        opens = [bar[0] for bar in bars]
        assert opens == list(range(START_MS + 60_000 - 99 * 60_000, START_MS + 60_001, 60_000))
        assert all(Decimal(bar[3]) <= Decimal(bar[1]) <= Decimal(bar[2]) for bar in bars)
        assert abs(Decimal(bars[-3][4]) - Decimal(60000)) < 1
        assert await client.refused("GET", "/fapi/v1/klines", symbol="BTCUSDT", interval="7m") == -1120
        hours = await client.ok(
            "GET", "/fapi/v1/klines", symbol="BTCUSDT", interval="1h", startTime=START_MS - 7_200_000
        )
        assert [bar[0] - START_MS for bar in hours] == [-7_200_000, -3_600_000, 0]

    run(story)


def test_premium_index_and_funding_history() -> None:
    async def story(client: Client) -> None:
        index = await client.ok("GET", "/fapi/v1/premiumIndex", symbol="BTCUSDT")
        assert index["markPrice"] == "60000.05000000"
        assert index["nextFundingTime"] == START_MS + 8 * 3_600_000
        rates = await client.ok("GET", "/fapi/v1/fundingRate", symbol="BTCUSDT", limit=2)
        assert [rate["fundingTime"] - START_MS for rate in rates] == [-28_800_000, 0]
        client.desk.wait(8 * 3600)
        rates = await client.ok("GET", "/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=START_MS)
        assert [rate["fundingTime"] - START_MS for rate in rates] == [0, 28_800_000]

    run(story)


def test_tickers_show_best_quotes_last_price_and_the_day() -> None:
    async def story(client: Client) -> None:
        client.desk.place("BUY", "0.010")
        best = await client.ok("GET", "/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
        assert (best["bidPrice"], best["askQty"]) == ("60000.00", "4.990")
        assert (await client.ok("GET", "/fapi/v1/ticker/price", symbol="BTCUSDT"))["price"] == "60000.10"
        day = await client.ok("GET", "/fapi/v1/ticker/24hr")
        assert day[0]["highPrice"] == "60000.10000000"
        assert Decimal(day[0]["volume"]) == Decimal("0.011")

    run(story)


def test_an_unknown_path_says_so() -> None:
    async def story(client: Client) -> None:
        status, body = await client.ask("GET", "/fapi/v1/nothing")
        assert status == 404
        assert "GET /fapi/v1/nothing" in body["msg"]

    run(story)
