"""Quotes of Avellaneda and Stoikov against numbers worked by hand, and what holds for every state."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.avellaneda_stoikov import (
    AvellanedaStoikovParams,
    QuotingFeatures,
    QuotingState,
    decide,
    half_spread,
    optimal_spread,
    reservation_price,
)
from strategies.intents import CancelAll, Quote

SEC = 1_000_000_000
PARAMS = AvellanedaStoikovParams(
    order_notional_quote=500, risk_aversion=0.01, horizon_secs=25, max_inventory_lots=3, min_edge_bps=0.5,
    widen_by_toxicity=1.0, max_toxicity=0.9, requote_ticks=20,
)  # fmt: skip
FLAT = QuotingState(
    bid=49_999.95, ask=50_000.05, fair=50_000.0, sigma=8.0, kappa=0.05, toxicity=0.0, position=0.0, maker_bps=2.0
)
LOT = 500.0 / 50_000.0


def quote(state: QuotingState, params: AvellanedaStoikovParams = PARAMS) -> Quote:
    (intent,) = decide(state, params)
    assert isinstance(intent, Quote)
    return intent


def test_reservation_price_leans_against_the_inventory() -> None:
    # 2 lots * 0.01 * 64 * 25 = 32 below the fair price
    assert reservation_price(50_000.0, 2.0, 0.01, 8.0, 25.0) == pytest.approx(49_968.0)
    assert reservation_price(50_000.0, -2.0, 0.01, 8.0, 25.0) == pytest.approx(50_032.0)


def test_optimal_spread_of_the_worked_example() -> None:
    # 0.01 * 64 * 25 = 16, and 200 * ln(1 + 0.01 / 0.05) = 200 * 0.1823216 = 36.46431
    assert optimal_spread(0.01, 8.0, 25.0, 0.05) == pytest.approx(52.46431, abs=1e-5)


def test_spread_tends_to_two_over_kappa_when_risk_does_not_matter() -> None:
    assert optimal_spread(1e-9, 8.0, 25.0, 0.05) == pytest.approx(2.0 / 0.05, rel=1e-6)


def test_flat_quotes_stand_half_the_optimal_spread_from_the_fair_price() -> None:
    wanted = quote(FLAT)
    half = 52.46431 / 2
    assert wanted.bids[0].price == pytest.approx(50_000.0 - half, abs=1e-4)
    assert wanted.asks[0].price == pytest.approx(50_000.0 + half, abs=1e-4)
    assert wanted.bids[0].size == pytest.approx(LOT)
    assert wanted.edge_bps == pytest.approx(half / 50_000.0 * 1e4, abs=1e-4)
    assert wanted.requote_ticks == 20


def test_a_long_inventory_moves_both_quotes_down() -> None:
    wanted = quote(replace(FLAT, position=LOT))  # one lot: 16 down
    assert wanted.bids[0].price == pytest.approx(50_000.0 - 16.0 - 26.232155, abs=1e-4)
    assert wanted.asks[0].price == pytest.approx(50_000.0 - 16.0 + 26.232155, abs=1e-4)


def test_a_half_spread_below_the_fee_is_lifted_to_fee_plus_least_edge() -> None:
    # optimum tiny: floor (2 + 0.5) bps of 50,000 = 12.5
    assert half_spread(replace(FLAT, sigma=0.01, kappa=100.0), PARAMS) == pytest.approx(12.5)


def test_a_maker_rebate_does_not_narrow_the_floor_below_the_least_edge() -> None:
    assert half_spread(replace(FLAT, sigma=0.01, kappa=100.0, maker_bps=-1.0), PARAMS) == pytest.approx(2.5)


def test_toxic_flow_widens_and_then_clears_the_quotes() -> None:
    assert half_spread(replace(FLAT, toxicity=0.5), PARAMS) == pytest.approx(1.5 * 26.232155, abs=1e-4)
    assert decide(replace(FLAT, toxicity=0.9), PARAMS) == [CancelAll(why="toxic flow")]


@pytest.mark.parametrize(
    ("state", "why"),
    [(replace(FLAT, sigma=0.0), "no volatility yet"), (replace(FLAT, bid=50_000.0, ask=50_000.0), "crossed book")],
)
def test_nothing_rests_on_what_cannot_be_believed(state: QuotingState, why: str) -> None:
    assert decide(state, PARAMS) == [CancelAll(why=why)]


@pytest.mark.parametrize(("lots", "bids", "asks"), [(2.0, 1, 1), (2.5, 0, 1), (3.0, 0, 1), (-2.5, 1, 0), (-3.0, 1, 0)])
def test_no_quote_could_exceed_the_inventory_cap(lots: float, bids: int, asks: int) -> None:
    wanted = quote(replace(FLAT, position=lots * LOT))
    assert (len(wanted.bids), len(wanted.asks)) == (bids, asks)


states = st.builds(
    QuotingState,
    bid=st.floats(40_000, 49_999.9),
    ask=st.floats(50_000.1, 60_000),
    fair=st.floats(49_999.9, 50_000.1),
    sigma=st.floats(1e-3, 200),
    kappa=st.floats(1e-3, 20),
    toxicity=st.floats(0, 0.89),
    position=st.floats(-0.1, 0.1),
    maker_bps=st.floats(-1, 10),
)


@pytest.mark.req("O-12")
@given(states)
def test_a_quote_never_crosses_and_never_costs_more_in_fees_than_its_spread(state: QuotingState) -> None:
    wanted = quote(state)
    assert wanted.bids or wanted.asks
    assert all(level.price <= state.bid and level.price > 0.0 for level in wanted.bids)
    assert all(level.price >= state.ask for level in wanted.asks)
    if wanted.bids and wanted.asks:
        spread_bps = (wanted.asks[0].price - wanted.bids[0].price) / state.fair * 1e4
        assert spread_bps >= 2.0 * max(state.maker_bps, 0.0) - 1e-9


@given(states, st.floats(0.001, 0.05))
def test_more_inventory_never_raises_a_quote(state: QuotingState, more: float) -> None:
    ours, heavier = quote(state), quote(replace(state, position=state.position + more))
    for side in ("bids", "asks"):
        for one, other in zip(getattr(ours, side), getattr(heavier, side), strict=False):
            assert other.price <= one.price


def test_features_learn_depth_and_toxicity_from_prints() -> None:
    features = QuotingFeatures(AvellanedaStoikovParams(toxicity_bucket_quote=1000.0, toxicity_buckets=2))
    for index in range(4):
        features.on_trade(index * SEC, index, -1, 48.0, 50.0, 50.0)  # sells reaching 2.0 below the mid
    assert features.reach.kappa(floor=0.05) == pytest.approx(0.5)
    assert features.vpin.value == pytest.approx(1.0)
    assert math.isclose(features.sigma.value, 0.0)
