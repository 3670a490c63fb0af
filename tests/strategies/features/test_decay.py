"""Decayed sums and means: halves, not opinions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.features.decay import DecayedSum, TimeMean, WeightedMean

SEC = 1_000_000_000


def test_a_value_halves_after_each_half_life() -> None:
    total = DecayedSum(halflife_secs=2.0)
    total.add(0, 8.0)
    assert total.add(2 * SEC, 1.0) == pytest.approx(5.0)  # 8/2 + 1
    assert total.at(6 * SEC) == pytest.approx(1.25)  # two more half-lives
    assert total.last == pytest.approx(5.0)


def test_time_that_steps_back_neither_decays_nor_raises() -> None:
    total = DecayedSum(halflife_secs=1.0)
    total.add(10 * SEC, 4.0)
    assert total.add(9 * SEC, 1.0) == pytest.approx(5.0)


@pytest.mark.parametrize("halflife", [0.0, -1.0, math.nan, math.inf])
def test_a_half_life_that_is_no_duration_is_refused(halflife: float) -> None:
    with pytest.raises(ValueError, match="halflife_secs"):
        DecayedSum(halflife)


def test_time_mean_weighs_a_value_by_how_long_it_stood() -> None:
    mean = TimeMean(halflife_secs=1.0)
    assert mean.update(0, 0.0) == 0.0
    assert mean.update(3 * SEC, 1.0) == 0.0  # 1.0 has stood for no time yet
    assert mean.update(4 * SEC, 0.0) == pytest.approx(0.5)  # one half-life of 1.0
    assert mean.update(5 * SEC, 0.0) == pytest.approx(0.25)


def test_time_mean_ignores_a_spike_that_stood_for_no_time() -> None:
    mean = TimeMean(halflife_secs=1.0)
    mean.update(0, 0.2)
    mean.update(SEC, 1e9)
    mean.update(SEC, 0.2)
    assert mean.update(2 * SEC, 0.2) == pytest.approx(0.2)


@given(st.lists(st.tuples(st.integers(0, 10 * SEC), st.floats(-1, 1)), min_size=1, max_size=50))
def test_time_mean_never_leaves_the_range_of_its_values(steps: list[tuple[int, float]]) -> None:
    mean, now = TimeMean(1.0), 0
    for gap, value in steps:
        now += gap
        mean.update(now, value)
    values = [value for _, value in steps]
    assert min(values) - 1e-12 <= mean.value <= max(values) + 1e-12


def test_weighted_mean_of_two_observations_one_half_life_apart() -> None:
    mean = WeightedMean(halflife_secs=1.0)
    assert math.isnan(mean.value)
    mean.add(0, 10.0)
    assert mean.add(SEC, 1.0) == pytest.approx((5.0 + 1.0) / 1.5)
