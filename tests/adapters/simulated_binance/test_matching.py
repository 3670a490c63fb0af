"""What our orders experience at the venue, on a book that moves only when the test moves it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulated_binance.codes import Refused
from adapters.simulated_binance.orders import Side, Status
from tests.adapters.simulated_binance.support import Desk, still_scenario


def test_a_resting_order_fills_after_the_queue_ahead_of_it_and_in_parts() -> None:
    desk = Desk()
    order = desk.place("BUY", "1.000", "60000.0")
    assert desk.market.book.queue_ahead(order) == 5000
    desk.others(Side.SELL, 60000.0, 5.0)
    assert order.filled == 0
    desk.others(Side.SELL, 60000.0, 0.4)
    assert (order.status, order.filled) == (Status.PARTIALLY_FILLED, 400)
    desk.others(Side.SELL, 60000.0, 2.0)
    assert (order.status, desk.position) == (Status.FILLED, Decimal(1))
    # Maker: 60,000 × 1 × 2 bps = 12.
    assert desk.account.wallet == Decimal(9988)


def test_a_market_order_walks_the_levels_and_its_rest_expires() -> None:
    desk = Desk()
    desk.show({}, {60000.1: 0.3, 60000.2: 0.2})
    order = desk.place("BUY", "1.000")
    assert (order.status, order.filled) == (Status.EXPIRED, 500)
    assert [(f.price, f.quantity, f.maker) for f in desk.exchange.desk.fills] == [
        (6_000_010, 300, False),
        (6_000_020, 200, False),
    ]


def test_others_who_quote_through_our_price_trade_with_us_at_our_price() -> None:
    desk = Desk()
    order = desk.place("BUY", "1.000", "60000.0")
    desk.show({60000.0: 0.0}, {59999.0: 0.7})
    assert order.filled == 700
    assert desk.exchange.desk.fills[0].price == 6_000_000
    assert desk.market.book.others(Side.SELL, 5_999_900) == 0


def test_our_earlier_order_fills_before_our_later_one() -> None:
    desk = Desk()
    desk.show({60000.0: 0.0}, {})
    first, second = desk.place("BUY", "0.100", "60000.0"), desk.place("BUY", "0.100", "60000.0")
    desk.others(Side.SELL, 60000.0, 0.15)
    assert (first.status, second.filled) == (Status.FILLED, 50)


def test_a_better_price_fills_before_an_earlier_order() -> None:
    desk = Desk()
    desk.show({60000.0: 0.0}, {60000.1: 0.0, 60001.0: 1.0})
    early, better = desk.place("BUY", "0.100", "60000.0"), desk.place("BUY", "0.100", "60000.5")
    desk.others(Side.SELL, 60000.0, 0.1)
    assert (early.filled, better.status) == (0, Status.FILLED)


@pytest.mark.req("L-4")
def test_a_crossing_post_only_order_is_rejected_with_5022() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="-5022"):
        desk.place("BUY", "0.100", "60000.1", timeInForce="GTX")
    assert desk.exchange.desk.orders == {}


def test_a_crossing_post_only_order_expires_where_the_scenario_says_so() -> None:
    desk = Desk(still_scenario(behaviour={"post_only": "expire"}))
    order = desk.place("BUY", "0.100", "60000.1", timeInForce="GTX")
    assert (order.status, order.filled) == (Status.EXPIRED, 0)


RICH = still_scenario(account={"balance_quote": 100_000})


def test_fill_or_kill_fills_whole_or_not_at_all() -> None:
    desk = Desk(RICH)
    with pytest.raises(Refused, match="-5021"):
        desk.place("BUY", "5.001", "60000.1", timeInForce="FOK")
    assert desk.place("BUY", "0.100", "60000.1", timeInForce="FOK").status is Status.FILLED


def test_immediate_or_cancel_does_not_rest() -> None:
    desk = Desk(RICH)
    order = desk.place("BUY", "6.000", "60000.1", timeInForce="IOC")
    assert (order.status, order.filled) == (Status.EXPIRED, 5000)
    assert list(desk.market.book.orders()) == []


def test_an_order_with_a_date_expires_on_it() -> None:
    desk = Desk()
    until = desk.venue.clock.ms() + 600_000
    order = desk.place("BUY", "0.100", "59000.0", timeInForce="GTD", goodTillDate=str(until))
    desk.wait(599)
    assert order.is_open
    desk.wait(2)
    assert order.status is Status.EXPIRED


@pytest.mark.req("L-4")
def test_reduce_only_without_a_position_is_rejected_with_2022() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="-2022"):
        desk.place("SELL", "0.100", reduceOnly="true")


def test_a_second_exit_is_rejected_while_the_first_covers_the_position() -> None:
    desk = Desk()
    desk.place("BUY", "0.100")
    desk.place("SELL", "0.100", "60100.0", reduceOnly="true")
    with pytest.raises(Refused, match="-2022"):
        desk.place("SELL", "0.100", reduceOnly="true")


def test_a_reduce_only_order_larger_than_the_position_never_turns_it_over() -> None:
    desk = Desk()
    desk.place("BUY", "0.100")
    order = desk.place("SELL", "0.300", reduceOnly="true")
    assert (desk.position, order.filled, order.status) == (Decimal(0), 100, Status.EXPIRED)


def test_a_resting_exit_expires_when_the_position_is_gone() -> None:
    desk = Desk()
    desk.place("BUY", "0.100")
    exit_ = desk.place("SELL", "0.100", "60100.0", reduceOnly="true")
    desk.place("SELL", "0.100")
    assert (desk.position, exit_.status) == (Decimal(0), Status.EXPIRED)


def test_an_order_that_would_trade_with_ourselves_expires_the_resting_one() -> None:
    desk = Desk()
    desk.show({60000.0: 0.0}, {})
    resting = desk.place("BUY", "0.100", "60000.0")
    desk.place("SELL", "0.100", "60000.0")
    assert (resting.status, desk.position) == (Status.EXPIRED_IN_MATCH, Decimal(0))


@pytest.mark.parametrize(
    ("mode", "resting_ends", "taker_ends"),
    [("EXPIRE_TAKER", False, True), ("EXPIRE_BOTH", True, True), ("EXPIRE_MAKER", True, False)],
)
def test_an_order_may_say_whose_end_a_self_trade_is(mode: str, resting_ends: bool, taker_ends: bool) -> None:
    desk = Desk()
    desk.show({60000.0: 0.0}, {})
    resting = desk.place("BUY", "0.100", "60000.0")
    taker = desk.place("SELL", "0.100", "60000.0", selfTradePreventionMode=mode)
    assert (resting.status is Status.EXPIRED_IN_MATCH, taker.status is Status.EXPIRED_IN_MATCH) == (
        resting_ends,
        taker_ends,
    )
    assert desk.position == Decimal(0)


def test_without_self_trade_prevention_both_orders_fill() -> None:
    desk = Desk(still_scenario(behaviour={"self_trade": "NONE"}))
    desk.show({60000.0: 0.0}, {})
    resting = desk.place("BUY", "0.100", "60000.0")
    taker = desk.place("SELL", "0.100", "60000.0")
    assert (resting.status, taker.status, desk.position) == (Status.FILLED, Status.FILLED, Decimal(0))


def test_margin_that_is_not_there_cannot_be_used() -> None:
    desk = Desk()
    # 10,000 × 20 = 200,000 of notional at most; 3.4 × 60,000 = 204,000.
    with pytest.raises(Refused, match="-2019"):
        desk.place("BUY", "3.400", "60000.0")
    desk.place("BUY", "3.200", "59990.0")
    with pytest.raises(Refused, match="-2019"):
        desk.place("BUY", "0.200", "59990.0")


def test_amending_the_price_loses_the_place_in_the_queue_but_less_quantity_keeps_it() -> None:
    desk = Desk()
    order = desk.place("BUY", "0.100", "60000.0")
    desk.show({60000.0: 9.0}, {})
    desk.exchange.amend(order, 6_000_000, 50)
    assert desk.market.book.queue_ahead(order) == 5000
    desk.exchange.amend(order, 6_000_000, 100)
    assert desk.market.book.queue_ahead(order) == 9000
    with pytest.raises(Refused, match="-5027"):
        desk.exchange.amend(order, 6_000_000, 100)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ours", "exit", "others", "quote", "cancel"]),
            st.sampled_from([Side.BUY, Side.SELL]),
            st.integers(min_value=-20, max_value=20),
            st.integers(min_value=1, max_value=900),
        ),
        max_size=25,
    )
)
def test_whatever_happens_the_venue_stays_consistent(steps: list[tuple[str, Side, int, int]]) -> None:
    desk = Desk()
    for what, side, ticks, quantity in steps:
        price, amount = 60000.0 + ticks / 10, f"{quantity / 1000:.3f}"
        before = desk.position
        try:
            if what == "ours":
                desk.place(side.name, amount, f"{price:.1f}")
            elif what == "exit":
                desk.place(side.name, amount, reduceOnly="true")
                assert abs(desk.position) <= abs(before)
                assert desk.position * before >= 0
            elif what == "others":
                desk.others(side, price, quantity / 1000)
            elif what == "quote":
                desk.show(
                    {price: quantity / 1000} if side is Side.BUY else {}, {} if side is Side.BUY else {price: 0.5}
                )
            elif desk.exchange.desk.open_orders():
                desk.exchange.cancel(desk.exchange.desk.open_orders()[0])
        except Refused as refused:
            if refused.code not in {-2022, -2019, -4164} or desk.position != before:
                raise
        check(desk)


def check(desk: Desk) -> None:
    """Orders, fills, position, wallet and book tell one story."""
    orders, fills = desk.exchange.desk.orders.values(), desk.exchange.desk.fills
    for order in orders:
        assert 0 <= order.filled <= order.quantity
        assert order.filled == sum(fill.quantity for fill in fills if fill.order is order)
        assert (order.status is Status.FILLED) == (order.left == 0)
    assert sorted(o.order_id for o in desk.market.book.orders()) == [o.order_id for o in orders if o.is_open]
    assert desk.account.positions["BTCUSDT"].quantity == sum(f.order.side * f.quantity for f in fills)
    earned = sum((fill.realised - fill.fee for fill in fills), Decimal(0))
    assert desk.account.wallet == Decimal(10000) + earned
    bid, ask = desk.market.book.best(Side.BUY), desk.market.book.best(Side.SELL)
    ours = {(o.side, o.price) for o in orders if o.is_open}
    crossed = bid is not None and ask is not None and bid >= ask
    assert not (crossed and ((Side.BUY, bid) in ours or (Side.SELL, ask) in ours))
