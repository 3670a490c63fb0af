"""Conditional (algo) order endpoints."""

from __future__ import annotations

from adapters.simulated_binance.codes import Code, Refused, missing
from adapters.simulated_binance.rest.endpoint import Endpoint, Params, Routes, bounded
from adapters.simulated_binance.tickets import need, whole
from adapters.simulated_binance.venue import Venue


def new_algo(venue: Venue, params: Params) -> object:
    """Place a conditional order."""
    market = venue.exchange.market(need(params, "symbol"))
    if params.get("algoType", "CONDITIONAL") != "CONDITIONAL":
        raise missing("algoType")
    if market.contract.status != "TRADING":
        raise Refused(Code.SYMBOL_NOT_OPEN)
    return venue.exchange.algo.place(market, params).view()


def query_algo(venue: Venue, params: Params) -> object:
    """Show one conditional order."""
    order = venue.exchange.algo.find(whole(params, "algoId"), params.get("clientAlgoId"))
    if order is None:
        raise Refused(Code.NO_SUCH_ORDER)
    return order.view()


def cancel_algo(venue: Venue, params: Params) -> object:
    """Cancel one conditional order."""
    order = venue.exchange.algo.find(whole(params, "algoId"), params.get("clientAlgoId"))
    cancelled = venue.exchange.algo.cancel(order)
    return {"algoId": cancelled.algo_id, "clientAlgoId": cancelled.client_id, "code": "200", "msg": "success"}


def open_algos(venue: Venue, params: Params) -> object:
    """List conditional orders that wait."""
    return [order.view() for order in venue.exchange.algo.open_orders(params.get("symbol") or None)]


def all_algos(venue: Venue, params: Params) -> object:
    """List conditional orders, whatever became of them."""
    symbol = need(params, "symbol")
    chosen = [order for order in venue.exchange.algo.orders.values() if order.contract.name == symbol]
    return [order.view() for order in chosen[-bounded(params, "limit", 500, 1000) :]]


def cancel_algos(venue: Venue, params: Params) -> object:
    """Cancel all conditional orders of a symbol."""
    symbol = need(params, "symbol")
    venue.exchange.market(symbol)
    venue.exchange.algo.cancel_all(symbol, why="cancel all")
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


ROUTES: Routes = {
    "POST /fapi/v1/algoOrder": Endpoint(new_algo, "trade"),
    "GET /fapi/v1/algoOrder": Endpoint(query_algo, "signed"),
    "DELETE /fapi/v1/algoOrder": Endpoint(cancel_algo, "trade"),
    "GET /fapi/v1/openAlgoOrders": Endpoint(open_algos, "signed"),
    "GET /fapi/v1/allAlgoOrders": Endpoint(all_algos, "signed"),
    "DELETE /fapi/v1/algoOpenOrders": Endpoint(cancel_algos, "trade"),
}
