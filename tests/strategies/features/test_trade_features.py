"""Toxicity, volatility and fill intensity against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.features.intensity import TradeReach
from strategies.features.toxicity import SignedVolume, Vpin
from strategies.features.volatility import EwmaVolatility

SEC = 1_000_000_000


def test_signed_volume_is_the_net_share_of_buying() -> None:
    flow = SignedVolume(halflife_secs=1.0)
    assert flow.ratio == 0.0
    flow.add(0, 1, 4.0)
    flow.add(SEC, -1, 1.0)  # 2 bought against 1 sold by now
    assert flow.ratio == pytest.approx(1.0 / 3.0)


def test_vpin_of_two_buckets() -> None:
    vpin = Vpin(bucket_quote=100.0, buckets=2)
    vpin.add(1, 75.0)
    assert (vpin.value, vpin.full) == (0.0, False)
    vpin.add(-1, 25.0)  # 75 bought, 25 sold: 0.5
    assert vpin.value == pytest.approx(0.5)
    vpin.add(-1, 100.0)  # all sold: 1
    assert vpin.value == pytest.approx(0.75)
    assert vpin.full
    vpin.add(1, 50.0)
    vpin.add(-1, 50.0)  # balanced; the first bucket is forgotten
    assert vpin.value == pytest.approx(0.5)


def test_a_trade_fills_as_many_buckets_as_it_covers() -> None:
    vpin = Vpin(bucket_quote=100.0, buckets=3)
    vpin.add(-1, 50.0)
    vpin.add(1, 160.0)  # 50 closes a balanced bucket, 100 fills a one-sided one, 10 stays
    assert vpin.value == pytest.approx((0.0 + 1.0) / 2)
    vpin.add(-1, 90.0)  # 10 bought, 90 sold
    assert vpin.value == pytest.approx((0.0 + 1.0 + 0.8) / 3)


def test_an_enormous_trade_is_the_same_as_filling_the_mean() -> None:
    vpin = Vpin(bucket_quote=1.0, buckets=3)
    vpin.add(-1, 0.5)
    vpin.add(1, 1e12)
    assert vpin.value == 1.0


@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.floats(0.01, 500)), max_size=60))
def test_vpin_stays_in_its_range(prints: list[tuple[int, float]]) -> None:
    vpin = Vpin(bucket_quote=100.0, buckets=5)
    for side, notional in prints:
        vpin.add(side, notional)
    assert 0.0 <= vpin.value <= 1.0


@pytest.mark.parametrize(("bucket", "buckets"), [(0.0, 5), (10.0, 0)])
def test_vpin_without_buckets_is_refused(bucket: float, buckets: int) -> None:
    with pytest.raises(ValueError, match="bucket"):
        Vpin(bucket, buckets)


def test_volatility_is_per_square_root_second_whatever_the_spacing() -> None:
    sigma = EwmaVolatility(halflife_secs=1e9, sample_secs=1.0)
    assert sigma.update(0, 100.0) == 0.0
    sigma.update(SEC, 103.0)  # 9 in 1 s
    assert sigma.update(5 * SEC, 97.0) == pytest.approx(3.0)  # (9 + 36) / (1 + 4) = 9


def test_volatility_skips_mids_that_are_too_close_together() -> None:
    sigma = EwmaVolatility(halflife_secs=10.0, sample_secs=1.0)
    sigma.update(0, 100.0)
    sigma.update(SEC // 2, 500.0)
    assert sigma.update(SEC, 102.0) == pytest.approx(2.0)


def test_volatility_forgets_by_half_lives() -> None:
    sigma = EwmaVolatility(halflife_secs=1.0, sample_secs=1.0)
    sigma.update(0, 100.0)
    sigma.update(SEC, 106.0)
    # weights 1/2 and 1: (36/2 + 0) / (1/2 + 1) = 12
    assert sigma.update(2 * SEC, 106.0) == pytest.approx(12.0**0.5)


def test_volatility_of_a_random_walk_is_found() -> None:
    steps = np.random.default_rng(7).normal(0.0, 2.0, 20_000).cumsum()
    sigma = EwmaVolatility(halflife_secs=3000.0, sample_secs=1.0)
    for second, step in enumerate(steps):
        sigma.update(second * SEC, 60_000.0 + float(step))
    assert sigma.value == pytest.approx(2.0, rel=0.05)


def test_reach_counts_an_aggressive_order_once_at_its_farthest_print() -> None:
    reach = TradeReach(halflife_secs=1e9)
    reach.add(0, 1, 1, 100.5, 100.0)
    reach.add(0, 1, 1, 102.0, 101.9)  # same order, farther; the mid of its first print counts: 2.0
    reach.add(1, 2, -1, 99.0, 100.0)  # 1.0
    reach.add(2, 3, 1, 100.0, 100.0)  # not finished yet
    assert reach.kappa(floor=0.05) == pytest.approx(1.0 / 1.5)


def test_a_print_inside_the_mid_counts_as_no_distance_and_the_floor_bounds_kappa() -> None:
    reach = TradeReach(halflife_secs=10.0)
    assert reach.kappa(floor=0.05) == pytest.approx(20.0)
    reach.add(0, 1, 1, 99.0, 100.0)
    reach.add(1, 2, 1, 99.0, 100.0)
    assert reach.kappa(floor=0.05) == pytest.approx(20.0)


def test_kappa_of_exponential_distances_is_found() -> None:
    reach = TradeReach(halflife_secs=1e9)
    for index, distance in enumerate(np.random.default_rng(7).exponential(1.0 / 0.25, 20_000)):
        reach.add(index, index, -1, 60_000.0 - float(distance), 60_000.0)
    assert reach.kappa(floor=0.05) == pytest.approx(0.25, rel=0.03)
