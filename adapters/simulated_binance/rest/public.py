"""Market data endpoints."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from adapters.simulated_binance.market.bars import Bars, row
from adapters.simulated_binance.market.feed import Feed, Print
from adapters.simulated_binance.outlet import Message
from adapters.simulated_binance.rest.endpoint import Endpoint, Params, Routes, bounded
from adapters.simulated_binance.scale import plain
from adapters.simulated_binance.tickets import need, whole
from adapters.simulated_binance.venue import Venue


def exchange_info(venue: Venue, params: Params) -> object:
    """Contracts, filters and limits."""
    del params
    limits = venue.scenario.limits
    caps = [
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        ("ORDERS", "MINUTE", 1, limits.orders_per_minute),
    ]
    caps.append(("ORDERS", "SECOND", 10, limits.orders_per_10_secs))
    return {
        "timezone": "UTC",
        "serverTime": venue.clock.ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in caps
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [contract.describe() for contract in venue.exchange.contracts.values()],
    }


def depth(venue: Venue, params: Params) -> object:
    """Order book snapshot."""
    return venue.exchange.market(need(params, "symbol")).feed.snapshot(bounded(params, "limit", 500, 1000))


def _prints(venue: Venue, params: Params) -> tuple[Feed, list[Print]]:
    feed = venue.exchange.market(need(params, "symbol")).feed
    start, end, first = (whole(params, name) for name in ("startTime", "endTime", "fromId"))
    chosen = [
        one
        for one in feed.trades
        if (start is None or one.time_ms >= start)
        and (end is None or one.time_ms <= end)
        and (first is None or one.trade_id >= first)
    ]
    limit = bounded(params, "limit", 500, 1000)
    return feed, chosen[-limit:] if start is None and first is None else chosen[:limit]


def trades(venue: Venue, params: Params) -> object:
    """Recent public trades."""
    feed, chosen = _prints(venue, params)
    price, size = feed.contract.price, feed.contract.size
    return [
        {
            "id": one.trade_id,
            "price": price.text(one.price),
            "qty": size.text(one.quantity),
            "quoteQty": plain(price.value(one.price) * size.value(one.quantity)),
            "time": one.time_ms,
            "isBuyerMaker": one.buyer_is_maker,
        }
        for one in chosen
    ]


def agg_trades(venue: Venue, params: Params) -> object:
    """Recent public trades in their aggregated form; here each is its own aggregate."""
    feed, chosen = _prints(venue, params)
    return [
        {"a": one.trade_id, "p": feed.contract.price.text(one.price), "q": feed.contract.size.text(one.quantity)}
        | {"f": one.trade_id, "l": one.trade_id, "T": one.time_ms, "m": one.buyer_is_maker}
        for one in chosen
    ]


def klines(venue: Venue, params: Params) -> object:
    """Bars; before the start of the venue they are made up from smooth waves."""
    feed = venue.exchange.market(params.get("symbol") or need(params, "pair")).feed
    interval, now = need(params, "interval"), venue.clock.ms()
    end = min(whole(params, "endTime") or now, now)
    bars = feed.bars.history(interval, end, whole(params, "startTime"), bounded(params, "limit", 500, 1500))
    return [row(bar, Bars.INTERVALS[interval]) for bar in bars]


def _for_symbols(venue: Venue, params: Params, show: Callable[[Feed], Message]) -> object:
    name = params.get("symbol")
    if name:
        return show(venue.exchange.market(name).feed)
    return [show(market.feed) for market in venue.exchange.markets.values()]


def premium_index(venue: Venue, params: Params) -> object:
    """Mark price and funding."""

    def show(feed: Feed) -> Message:
        mark = plain(feed.mark or Decimal(0))
        shown = {"symbol": feed.contract.name, "markPrice": mark, "indexPrice": mark, "estimatedSettlePrice": mark}
        return shown | {
            "lastFundingRate": plain(feed.funding_rate),
            "interestRate": "0.00010000",
            "nextFundingTime": feed.next_funding_ms,
            "time": venue.clock.ms(),
        }

    return _for_symbols(venue, params, show)


def funding_rate(venue: Venue, params: Params) -> object:
    """Settled funding rates: what was settled here, and the symbol's rate at each time before the start."""
    feed = venue.exchange.market(need(params, "symbol")).feed
    step = round(feed.contract.settings.funding_interval_secs * 1000)
    limit, now = bounded(params, "limit", 100, 1000), venue.clock.ms()
    end = min(whole(params, "endTime") or now, now)
    start = whole(params, "startTime")
    last = feed.next_funding_ms - step * max(1, -(-(feed.next_funding_ms - end) // step))
    times = [last - step * back for back in range(10_000) if start is None or last - step * back >= start]
    chosen = sorted(times)[:limit] if start is not None else sorted(times[:limit])
    mark = plain(feed.mark or Decimal(0))
    rate = {"symbol": feed.contract.name, "fundingRate": plain(feed.funding_rate), "markPrice": mark}
    return [rate | {"fundingTime": moment} for moment in chosen if moment > 0]


def funding_info(venue: Venue, params: Params) -> object:
    """Funding interval of each symbol."""
    del params
    return [
        {"symbol": name, "fundingIntervalHours": max(1, round(contract.settings.funding_interval_secs / 3600))}
        | {"adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000", "disclaimer": False}
        for name, contract in venue.exchange.contracts.items()
    ]


def open_interest(venue: Venue, params: Params) -> object:
    """Our own position stands for everybody's."""
    name = need(params, "symbol")
    venue.exchange.market(name)
    held = abs(venue.exchange.account.positions[name].amount)
    return {"openInterest": f"{held:f}", "symbol": name, "time": venue.clock.ms()}


def ticker_price(venue: Venue, params: Params) -> object:
    """Last price."""
    now = venue.clock.ms()

    def show(feed: Feed) -> Message:
        return {"symbol": feed.contract.name, "price": feed.contract.price.text(feed.last_price or 0), "time": now}

    return _for_symbols(venue, params, show)


def ticker_book(venue: Venue, params: Params) -> object:
    """Best quotes."""

    def show(feed: Feed) -> Message:
        quote = feed.quote()
        named = {"bidPrice": quote["b"], "bidQty": quote["B"], "askPrice": quote["a"], "askQty": quote["A"]}
        return {"symbol": feed.contract.name, **named, "time": venue.clock.ms()}

    return _for_symbols(venue, params, show)


def ticker_day(venue: Venue, params: Params) -> object:
    """Statistics of what traded since the start."""
    now = venue.clock.ms()

    def show(feed: Feed) -> Message:
        bars = list(feed.bars.minutes.values())
        last = feed.contract.price.text(feed.last_price or 0)
        first = bars[0].open if bars else Decimal(0)
        change = Decimal(last) - first
        volume, quote = (sum((getattr(bar, name) for bar in bars), Decimal(0)) for name in ("volume", "quote"))
        return {
            "symbol": feed.contract.name,
            "priceChange": plain(change),
            "priceChangePercent": f"{change / first * 100 if first else Decimal(0):.3f}",
            "weightedAvgPrice": plain(quote / volume if volume else Decimal(0)),
            "lastPrice": last,
            "lastQty": feed.contract.size.text(feed.trades[-1].quantity if feed.trades else 0),
            "openPrice": plain(first),
            "highPrice": plain(max((bar.high for bar in bars), default=Decimal(0))),
            "lowPrice": plain(min((bar.low for bar in bars), default=Decimal(0))),
            "volume": plain(volume),
            "quoteVolume": plain(quote),
            "openTime": bars[0].open_ms if bars else now,
            "closeTime": now,
            "firstId": feed.trades[0].trade_id if feed.trades else 0,
            "lastId": feed.trades[-1].trade_id if feed.trades else 0,
            "count": sum(bar.trades for bar in bars),
        }

    return _for_symbols(venue, params, show)


ROUTES: Routes = {
    "GET /fapi/v1/ping": Endpoint(lambda _venue, _params: {}, "open"),
    "GET /fapi/v1/time": Endpoint(lambda venue, _params: {"serverTime": venue.clock.ms()}, "open"),
    "GET /fapi/v1/exchangeInfo": Endpoint(exchange_info, "open"),
    "GET /fapi/v1/depth": Endpoint(depth, "open"),
    "GET /fapi/v1/trades": Endpoint(trades, "open"),
    "GET /fapi/v1/aggTrades": Endpoint(agg_trades, "open"),
    "GET /fapi/v1/klines": Endpoint(klines, "open"),
    "GET /fapi/v1/premiumIndex": Endpoint(premium_index, "open"),
    "GET /fapi/v1/fundingRate": Endpoint(funding_rate, "open"),
    "GET /fapi/v1/fundingInfo": Endpoint(funding_info, "open"),
    "GET /fapi/v1/openInterest": Endpoint(open_interest, "open"),
    "GET /fapi/v1/ticker/price": Endpoint(ticker_price, "open"),
    "GET /fapi/v2/ticker/price": Endpoint(ticker_price, "open"),
    "GET /fapi/v1/ticker/bookTicker": Endpoint(ticker_book, "open"),
    "GET /fapi/v1/ticker/24hr": Endpoint(ticker_day, "open"),
}
