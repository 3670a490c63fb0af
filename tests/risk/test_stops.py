"""Stops: placed, trailed, hit and gone with their position."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.request import Side
from risk.stops import Stop, StopHit, Stops

D = Decimal
KEY = ("flow-1", "BTCUSDT-PERP.BINANCE")


def standing(stops: Stops) -> Stop:
    stop = stops.get(KEY)
    assert stop is not None
    return stop


def test_a_long_and_a_short_are_mirror_images() -> None:
    long, short = Stops(), Stops()
    long.on_position(KEY, D(2), D(100), D(5))
    short.on_position(KEY, D(-2), D(100), D(5))
    assert (standing(long).price, standing(short).price) == (D(95), D(105))
    long.on_prices(KEY, D(100), D(110), trail=D(4))
    short.on_prices(KEY, D(90), D(100), trail=D(4))
    assert (standing(long).price, standing(short).price) == (D(106), D(94))
    long_hit, short_hit = long.on_prices(KEY, D(106), D(107)), short.on_prices(KEY, D(93), D(94))
    assert long_hit == StopHit(KEY, 1, Side.SELL, D(2), D(106))
    assert short_hit == StopHit(KEY, 1, Side.BUY, D(2), D(94))


@pytest.mark.req("B-4")
@pytest.mark.parametrize(("low", "hit"), [("95.1", False), ("95", True), ("94.9", True)])
def test_a_stop_is_hit_inside_the_bar(low: str, hit: bool) -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    assert (stops.on_prices(KEY, D(low), D(101)) is not None) is hit


@pytest.mark.parametrize(("opened", "price"), [("97", "95"), ("95", "95"), ("93", "93")])
def test_a_bar_that_gaps_beyond_the_stop_fills_at_its_open(opened: str, price: str) -> None:
    assert Stop(1, Side.BUY, D(95), D(1), D(100)).fill_price(D(opened)) == D(price)


def test_a_short_that_gaps_fills_at_its_open_too() -> None:
    assert Stop(1, Side.SELL, D(105), D(1), D(100)).fill_price(D(107)) == D(107)


def test_the_trail_of_a_bar_cannot_be_hit_by_the_same_bar() -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    assert stops.on_prices(KEY, D(98), D(110), trail=D(3)) is None  # 107 only counts from the next bar on
    assert standing(stops).price == D(107)


def test_a_larger_average_true_range_widens_nothing() -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    stops.on_prices(KEY, D(100), D(104), trail=D(4))
    stops.on_prices(KEY, D(101), D(104), trail=D(50))
    assert standing(stops).price == D(100)


def test_a_partial_fill_and_an_add_on_change_the_quantity_and_not_the_price() -> None:
    stops = Stops()
    stops.on_position(KEY, D("0.3"), D(100), D(5))
    stops.on_position(KEY, D("1.0"), D(100), D(5))  # the rest of the entry
    stops.on_position(KEY, D("2.0"), D(90), D(5))  # an add-on at a worse price would put it at 85
    stops.on_position(KEY, D("1.5"), D(99), D(5))  # part of an exit
    assert (standing(stops).price, standing(stops).quantity, standing(stops).round_trip) == (D(95), D("1.5"), 1)


@pytest.mark.parametrize("turned", [False, True])
def test_the_stop_of_a_round_trip_can_never_close_the_next_one(turned: bool) -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    hit = stops.on_prices(KEY, D(94), D(96))
    assert hit is not None
    assert stops.is_current(hit)
    if not turned:
        stops.on_position(KEY, D(0), D(94), D(5))
        assert stops.get(KEY) is None
        assert not stops.is_current(hit)
    stops.on_position(KEY, D(-1 if turned else 1), D(80), D(5))
    assert not stops.is_current(hit)
    assert standing(stops).round_trip == 2
    assert standing(stops).price == D(85 if turned else 75)


def test_positions_of_others_are_left_alone() -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    assert stops.on_prices(("other", KEY[1]), D(1), D(1)) is None
    assert stops.get(("other", KEY[1])) is None


@pytest.mark.parametrize("distance", [D(0), D(-1)])
def test_a_stop_without_a_distance_is_refused(distance: Decimal) -> None:
    with pytest.raises(ValueError, match="distance above 0"):
        Stops().on_position(KEY, D(1), D(100), distance)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(-3, 3), st.integers(1, 20)),
        st.tuples(st.just("price"), st.integers(-5, 5), st.integers(1, 20)),
    ),
    max_size=60,
)


@given(moves)
def test_a_stop_never_widens_within_a_round_trip_and_always_covers_the_whole_position(
    trace: list[tuple[str, int, int]],
) -> None:
    stops, position, price = Stops(), 0, 100
    last: Stop | None = None
    for what, change, distance in trace:
        if what == "fill":
            position += change
            stops.on_position(KEY, D(position), D(price), D(distance))
        else:
            price = max(1, price + change)
            stops.on_prices(KEY, D(price), D(price), trail=D(distance))
        stop = stops.get(KEY)
        assert (stop is None) is (position == 0)
        if stop is None:
            last = None
            continue
        assert stop.quantity == abs(position)
        assert int(stop.side) * position > 0
        if last is not None and last.round_trip == stop.round_trip:
            assert int(stop.side) * (stop.price - last.price) >= 0
        elif last is not None:
            assert stop.round_trip > last.round_trip
        last = stop


def test_the_best_price_counts_from_the_entry_on_also_where_the_stop_did_not_trail_yet() -> None:
    stops = Stops()
    stops.on_position(KEY, D(1), D(100), D(5))
    stops.on_prices(KEY, D(100), D(110))
    assert (standing(stops).price, standing(stops).best) == (D(95), D(110))
    stops.on_prices(KEY, D(107), D(108), trail=D(4))
    assert standing(stops).price == D(106)
