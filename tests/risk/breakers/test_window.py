"""Windowed median and MAD against the standard library on the same samples."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breakers.window import RunningMedian

SEC = 1_000_000_000


def test_median_and_mad_of_a_worked_window() -> None:
    window = RunningMedian(10, 3)
    for second, value in enumerate([1.0, 2.0, 3.0, 4.0, 100.0]):
        window.add(second * SEC, value)
    assert window.median == 3.0
    assert window.mad == 1.0  # |x - 3| = 2, 1, 0, 1, 97
    assert (len(window), window.ready) == (5, True)


def test_a_sample_leaves_the_window_exactly_when_it_is_as_old_as_the_window() -> None:
    window = RunningMedian(10, 1)
    window.add(0, 7.0)
    window.add(10 * SEC - 1, 1.0)
    assert len(window) == 2
    window.add(10 * SEC + 10_000_000, 3.0)
    assert (len(window), window.median) == (2, 2.0)


def test_an_empty_window_has_a_zero_median_and_is_not_ready() -> None:
    window = RunningMedian(10, 2)
    assert (window.median, window.mad, window.ready) == (0.0, 0.0, False)


def test_memory_is_bounded_and_samples_are_spread_over_the_window() -> None:
    window = RunningMedian(10, 1, capacity=100)
    taken = sum(window.add(ms * 1_000_000, float(ms)) for ms in range(20_001))
    assert taken == 201  # one per 100 ms
    assert len(window) == 100
    assert window.median == pytest.approx((10_100 + 20_000) / 2)


def test_time_that_steps_back_adds_nothing() -> None:
    window = RunningMedian(10, 1)
    assert window.add(5 * SEC, 1.0)
    assert not window.add(4 * SEC, 9.0)
    assert len(window) == 1


@pytest.mark.parametrize(("window", "samples"), [(0, 1), (-1, 1), (10, 0), (10, 5000)])
def test_nonsense_is_refused(window: float, samples: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        RunningMedian(window, samples)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))), min_size=1),
    st.integers(1, 40),
)
def test_it_is_always_the_median_and_mad_of_what_the_window_holds(
    steps: list[tuple[int, float]], window_secs: int
) -> None:
    window, now = RunningMedian(window_secs, 1), 0
    held: list[tuple[int, float]] = []
    for wait, value in steps:
        now += wait
        assert window.add(now * SEC, value)
        held = [(t, v) for t, v in held if t > now - window_secs] + [(now, value)]
        samples = [v for _, v in held]
        middle = statistics.median(samples)
        assert len(window) == len(samples)
        assert window.median == middle
        assert window.mad == pytest.approx(statistics.median(abs(v - middle) for v in samples), rel=1e-12, abs=1e-12)
