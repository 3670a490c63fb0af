"""Order endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from adapters.simulated_binance.codes import Code, Refused, missing
from adapters.simulated_binance.orders import Order, Status
from adapters.simulated_binance.rest.endpoint import Endpoint, Params, Routes, bounded
from adapters.simulated_binance.tickets import need, read_order, read_side, whole
from adapters.simulated_binance.venue import Venue
from adapters.simulated_binance.views import order_view, trade_view

BATCH = 5


def new_order(venue: Venue, params: Params) -> object:
    """Place an order."""
    market = venue.exchange.market(need(params, "symbol"))
    ticket = read_order(market.contract, params, market.feed.mark, hedge_mode=venue.exchange.account.hedge_mode)
    order = venue.exchange.place(market.contract, ticket)
    died_at_once = order.status is Status.EXPIRED and order.filled == 0 and order.tif == "GTX"
    return order_view(market.contract, order, at_acceptance=not (ticket.full_answer or died_at_once))


def _wanted(venue: Venue, params: Params) -> Order | None:
    symbol = need(params, "symbol")
    venue.exchange.market(symbol)
    order_id, client_id = whole(params, "orderId"), params.get("origClientOrderId")
    if order_id is None and not client_id:
        raise missing("orderId")
    return venue.exchange.desk.find(symbol, order_id, client_id)


def query_order(venue: Venue, params: Params) -> object:
    """Show one order; young orders may not be found yet (a configured lag)."""
    order = _wanted(venue, params)
    if order is None or venue.is_still_hidden(order.accepted_ns):
        raise Refused(Code.NO_SUCH_ORDER)
    return order_view(venue.exchange.contracts[order.symbol], order)


def query_open_order(venue: Venue, params: Params) -> object:
    """Show one order if it is open."""
    order = _wanted(venue, params)
    if order is None or not order.is_open or venue.is_still_hidden(order.accepted_ns):
        raise Refused(Code.NO_SUCH_ORDER)
    return order_view(venue.exchange.contracts[order.symbol], order)


def cancel_order(venue: Venue, params: Params) -> object:
    """Cancel one order."""
    order = venue.exchange.cancel(_wanted(venue, params))
    return order_view(venue.exchange.contracts[order.symbol], order)


def amend_order(venue: Venue, params: Params) -> object:
    """Change price or quantity of an order."""
    order = _wanted(venue, params)
    market = venue.exchange.market(need(params, "symbol"))
    side = read_side(params)
    price = market.contract.read_price(need(params, "price"), side, market.feed.mark)
    quantity = market.contract.read_quantity(need(params, "quantity"), market=False)
    return order_view(market.contract, venue.exchange.amend(order, price, quantity))


def open_orders(venue: Venue, params: Params) -> object:
    """List open orders, of one symbol or of all."""
    symbol = params.get("symbol") or None
    if symbol is not None:
        venue.exchange.market(symbol)
    contracts = venue.exchange.contracts
    return [order_view(contracts[order.symbol], order) for order in venue.exchange.desk.open_orders(symbol)]


def all_orders(venue: Venue, params: Params) -> object:
    """List orders of a symbol, whatever became of them."""
    market = venue.exchange.market(need(params, "symbol"))
    start, end, first = (whole(params, name) for name in ("startTime", "endTime", "orderId"))
    chosen = [
        order
        for order in venue.exchange.desk.orders.values()
        if order.symbol == market.contract.name
        and (first is None or order.order_id >= first)
        and (start is None or order.time_ms >= start)
        and (end is None or order.time_ms <= end)
    ]
    limit = bounded(params, "limit", 500, 1000)
    chosen = chosen[:limit] if first is not None else chosen[-limit:]
    return [order_view(market.contract, order) for order in chosen]


def cancel_all(venue: Venue, params: Params) -> object:
    """Cancel all open orders of a symbol."""
    symbol = need(params, "symbol")
    venue.exchange.market(symbol)
    algo = venue.scenario.behaviour.cancel_all_reaches_algo_orders
    venue.exchange.cancel_all(symbol, why="cancel all", algo=algo)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def countdown(venue: Venue, params: Params) -> object:
    """Arm, renew or disarm the countdown of a symbol."""
    symbol, length = need(params, "symbol"), whole(params, "countdownTime")
    if length is None or length < 0:
        raise missing("countdownTime")
    venue.exchange.market(symbol)
    venue.exchange.countdown(symbol, length)
    return {"symbol": symbol, "countdownTime": str(length)}


def user_trades(venue: Venue, params: Params) -> object:
    """List fills of a symbol."""
    market = venue.exchange.market(need(params, "symbol"))
    start, end, first, order_id = (whole(params, name) for name in ("startTime", "endTime", "fromId", "orderId"))
    chosen = [
        fill
        for fill in venue.exchange.desk.fills
        if fill.order.symbol == market.contract.name
        and (order_id is None or fill.order.order_id == order_id)
        and (first is None or fill.trade_id >= first)
        and (start is None or fill.time_ms >= start)
        and (end is None or fill.time_ms <= end)
    ]
    limit = bounded(params, "limit", 500, 1000)
    chosen = chosen[:limit] if first is not None or start is not None else chosen[-limit:]
    return [trade_view(market.contract, fill) for fill in chosen]


def _each(handler: Callable[[Venue, Params], object]) -> Callable[[Venue, Params], object]:
    def batch(venue: Venue, params: Params) -> object:
        return [_outcome(handler, venue, item) for item in _items(params)]

    return batch


def _items(params: Params) -> list[Mapping[str, str]]:
    if "batchOrders" in params:
        decoded = _json_list(params["batchOrders"])
        items: list[Mapping[str, str]] = [
            {name: _text(value) for name, value in item.items()} for item in decoded if isinstance(item, dict)
        ]
    else:
        symbol = need(params, "symbol")
        ids = [{"orderId": str(one)} for one in _json_list(params.get("orderIdList", "[]"))]
        ids += [{"origClientOrderId": str(one)} for one in _json_list(params.get("origClientOrderIdList", "[]"))]
        items = [{"symbol": symbol} | one for one in ids]
    if not 0 < len(items) <= max(BATCH, 10 if "batchOrders" not in params else BATCH):
        raise missing("batchOrders")
    return items


def _json_list(text: str) -> list[object]:
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise missing("batchOrders") from error
    if not isinstance(decoded, list):
        raise missing("batchOrders")
    return decoded


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _outcome(handler: Callable[[Venue, Params], object], venue: Venue, item: Params) -> object:
    try:
        return handler(venue, item)
    except Refused as refused:
        return refused.body()


def check_order(venue: Venue, params: Params) -> object:
    """Hold an order against the filters without placing it."""
    market = venue.exchange.market(need(params, "symbol"))
    read_order(market.contract, params, market.feed.mark or Decimal(0), hedge_mode=venue.exchange.account.hedge_mode)
    return {}


ROUTES: Routes = {
    "POST /fapi/v1/order": Endpoint(new_order, "trade"),
    "POST /fapi/v1/order/test": Endpoint(check_order, "trade"),
    "GET /fapi/v1/order": Endpoint(query_order, "signed"),
    "GET /fapi/v1/openOrder": Endpoint(query_open_order, "signed"),
    "PUT /fapi/v1/order": Endpoint(amend_order, "trade"),
    "DELETE /fapi/v1/order": Endpoint(cancel_order, "trade"),
    "GET /fapi/v1/openOrders": Endpoint(open_orders, "signed"),
    "GET /fapi/v1/allOrders": Endpoint(all_orders, "signed"),
    "DELETE /fapi/v1/allOpenOrders": Endpoint(cancel_all, "trade"),
    "POST /fapi/v1/countdownCancelAll": Endpoint(countdown, "trade"),
    "GET /fapi/v1/userTrades": Endpoint(user_trades, "signed"),
    "POST /fapi/v1/batchOrders": Endpoint(_each(new_order), "trade"),
    "PUT /fapi/v1/batchOrders": Endpoint(_each(amend_order), "trade"),
    "DELETE /fapi/v1/batchOrders": Endpoint(_each(cancel_order), "trade"),
}
