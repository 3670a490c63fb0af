"""Each filter, with Binance's code for it."""

from __future__ import annotations

import pytest

from adapters.simulated_binance.codes import Refused
from tests.adapters.simulated_binance.support import Desk, still_scenario

BUY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.100",
    "price": "60000.0",
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": "60000.05"}, -4014),
        ({"price": "60000.001"}, -1111),
        ({"price": "0"}, -4001),
        ({"price": "0.01"}, -4013),
        ({"price": "63001.0"}, -4016),  # mark 60,000.05 + 5 % = 63,000.05
        ({"side": "SELL", "price": "56999.0"}, -4024),
        ({"price": "sixty"}, -1100),
        ({"price": ""}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "1000.001"}, -4005),
        ({"quantity": ""}, -1102),
        ({"quantity": "0.001", "price": "4000.0"}, -4164),
        ({"type": "LIMIT_MAKER"}, -1116),
        ({"type": "STOP_MARKET"}, -4120),
        ({"side": "LONG"}, -1117),
        ({"timeInForce": "FOREVER"}, -1115),
        ({"timeInForce": ""}, -1102),
        ({"newClientOrderId": "a" * 37}, -4015),
        ({"newClientOrderId": "a b"}, -4015),
        ({"positionSide": "LONG"}, -4061),
        ({"goodTillDate": "soon", "timeInForce": "GTD"}, -1100),
    ],
)
def test_a_request_that_breaks_a_filter_is_refused_with_its_code(change: dict[str, str], code: int) -> None:
    desk = Desk()
    with pytest.raises(Refused) as refused:
        place(desk, **change)
    assert refused.value.code == code
    assert desk.exchange.desk.orders == {}


def place(desk: Desk, **change: str) -> None:
    params = BUY | change
    desk.place(params.pop("side"), params.pop("quantity"), params.pop("price"), **params)


def test_a_market_order_has_its_own_largest_quantity() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="-4005"):
        desk.place("BUY", "120.001")


def test_a_coarse_step_is_held() -> None:
    desk = Desk(still_scenario(symbol={"step": "0.010"}))
    with pytest.raises(Refused, match="-4023"):
        desk.place("BUY", "0.015", "60000.0")
    with pytest.raises(Refused, match="-4004"):
        desk.place("BUY", "0.005", "60000.0")


def test_a_bid_far_below_the_market_may_rest() -> None:
    assert Desk().place("BUY", "0.100", "30000.0").is_open


def test_the_smallest_notional_does_not_bind_an_exit() -> None:
    desk = Desk(still_scenario(symbol={"min_notional": 100}))
    desk.place("BUY", "0.002")
    desk.place("SELL", "0.001", reduceOnly="true")
    with pytest.raises(Refused, match="-4164"):
        desk.place("SELL", "0.001")


def test_the_open_orders_of_a_symbol_are_limited() -> None:
    desk = Desk(still_scenario(symbol={"max_orders": 2}))
    desk.place("BUY", "0.001", "59000.0")
    desk.place("BUY", "0.001", "59000.0")
    with pytest.raises(Refused, match="-2025"):
        desk.place("BUY", "0.001", "59000.0")


def test_a_client_id_may_be_used_again_once_its_order_is_closed() -> None:
    desk = Desk()
    first = desk.place("BUY", "0.001", "59000.0", newClientOrderId="mine")
    with pytest.raises(Refused, match="-4116"):
        desk.place("BUY", "0.001", "59000.0", newClientOrderId="mine")
    desk.exchange.cancel(first)
    assert desk.place("BUY", "0.001", "59000.0", newClientOrderId="mine").is_open


def test_a_halted_symbol_takes_cancels_only() -> None:
    desk = Desk()
    order = desk.place("BUY", "0.001", "59000.0")
    desk.market.contract.status = "HALT"
    with pytest.raises(Refused, match="-4140"):
        desk.place("BUY", "0.001", "59000.0")
    assert not desk.exchange.cancel(order).is_open


def test_hedge_mode_refuses_one_way_orders() -> None:
    desk = Desk(still_scenario(account={"hedge_mode": True}))
    market = desk.market
    from adapters.simulated_binance.tickets import read_order

    with pytest.raises(Refused, match="-4061"):
        read_order(market.contract, BUY, market.feed.mark, hedge_mode=desk.account.hedge_mode)
