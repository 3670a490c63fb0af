"""Imbalance, weighted mid and order-flow imbalance against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.features.imbalance import depth_imbalance, level_weights
from strategies.features.microprice import weighted_mid
from strategies.features.order_flow_imbalance import OrderFlowImbalance, flow_event

SEC = 1_000_000_000
sizes = st.lists(st.floats(0, 1e6), min_size=0, max_size=10)


def test_imbalance_of_two_levels_with_the_second_counting_half() -> None:
    weights = level_weights(2, math.log(2.0))
    assert weights == pytest.approx((1.0, 0.5))
    # B = 3 + 0.5 * 2 = 4, A = 1 + 0.5 * 2 = 2
    assert depth_imbalance([3.0, 2.0], [1.0, 2.0], weights) == pytest.approx(2.0 / 6.0)


def test_imbalance_reads_no_level_beyond_its_weights_and_survives_missing_ones() -> None:
    weights = level_weights(1, 0.0)
    assert depth_imbalance([1.0, 99.0], [1.0], weights) == 0.0
    assert depth_imbalance([1.0], [], weights) == 1.0
    assert depth_imbalance([], [], weights) == 0.0


@given(sizes, sizes)
def test_imbalance_stays_in_range_and_changes_sign_with_the_sides(bids: list[float], asks: list[float]) -> None:
    weights = level_weights(5, 0.3)
    value = depth_imbalance(bids, asks, weights)
    assert -1.0 <= value <= 1.0
    assert depth_imbalance(asks, bids, weights) == -value


@pytest.mark.parametrize(("levels", "decay"), [(0, 0.1), (3, -0.1)])
def test_weights_that_make_no_sense_are_refused(levels: int, decay: float) -> None:
    with pytest.raises(ValueError, match=r"levels|decay"):
        level_weights(levels, decay)


def test_weighted_mid_leans_towards_the_thin_side() -> None:
    # three units bid, one offered: three quarters of the way to the ask
    assert weighted_mid(100.0, 3.0, 101.0, 1.0) == pytest.approx(100.75)


def test_weighted_mid_of_an_empty_top_is_the_mid() -> None:
    assert weighted_mid(100.0, 0.0, 101.0, 0.0) == pytest.approx(100.5)


@given(st.floats(1, 1e5), st.floats(0, 100), st.floats(0, 1e6), st.floats(0, 1e6))
def test_weighted_mid_is_never_outside_the_spread(bid: float, spread: float, b: float, a: float) -> None:
    assert bid - 1e-9 <= weighted_mid(bid, b, bid + spread, a) <= bid + spread + 1e-9


TOP = (100.0, 5.0, 101.0, 4.0)


@pytest.mark.parametrize(
    ("after", "flow"),
    [
        ((100.0, 7.0, 101.0, 4.0), 2.0),  # two more bid at the same price
        ((100.5, 1.0, 101.0, 4.0), 1.0),  # bid raised: the whole new queue counts
        ((99.5, 9.0, 101.0, 4.0), -5.0),  # bid gone: the whole old queue counts
        ((100.0, 5.0, 101.0, 1.0), 3.0),  # three of the ask taken
        ((100.0, 5.0, 101.5, 6.0), 4.0),  # ask gone
        ((100.0, 5.0, 100.5, 2.0), -2.0),  # ask lowered
        ((100.0, 3.0, 101.0, 6.0), -4.0),  # both sides press down: -2 - 2
    ],
)
def test_flow_of_one_quote_change(after: tuple[float, float, float, float], flow: float) -> None:
    assert flow_event(TOP, after) == pytest.approx(flow)


def test_order_flow_imbalance_decays_and_is_a_share_of_all_flow() -> None:
    ofi = OrderFlowImbalance(halflife_secs=1.0)
    ofi.update(0, *TOP)
    assert ofi.ratio == 0.0
    assert ofi.update(0, 100.0, 9.0, 101.0, 4.0) == pytest.approx(4.0)
    assert ofi.update(SEC, 100.0, 8.0, 101.0, 4.0) == pytest.approx(4.0 / 2 - 1.0)
    assert ofi.ratio == pytest.approx((2.0 - 1.0) / (2.0 + 1.0))


def test_order_flow_imbalance_of_a_quiet_top_only_fades() -> None:
    ofi = OrderFlowImbalance(halflife_secs=1.0)
    ofi.update(0, *TOP)
    ofi.update(0, 100.0, 9.0, 101.0, 4.0)
    assert ofi.update(2 * SEC, 100.0, 9.0, 101.0, 4.0) == pytest.approx(1.0)
