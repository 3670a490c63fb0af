"""The streaming histogram: buckets worked out by hand, quantiles never below the truth and at most 1/32 above it."""

from __future__ import annotations

import random
import sys

import pytest

from execution.histogram import MOST_NS, SUB, LogHistogram, Quantiles


def of(*values: int) -> LogHistogram:
    made = LogHistogram()
    for value in values:
        made.add(value)
    return made


@pytest.mark.req("D-3")
@pytest.mark.parametrize(
    ("value", "end"),
    [
        (0, 0),
        (31, 31),
        (32, 32),
        (63, 63),
        (64, 65),
        (65, 65),
        (66, 67),
        (1000, 1007),
        (1_000_000, 1_015_807),
        (MOST_NS, MOST_NS),
    ],
)
def test_a_bucket_ends_where_the_hand_says(value: int, end: int) -> None:
    """1000 lies in 512 … 1023, where a bucket is 16 wide: 992 … 1007. 1,000,000 in 2^19 … 2^20, 16,384 wide: to 1,015,807."""
    assert [found for found, _ in of(value).buckets()] == [end]


@pytest.mark.req("D-3")
def test_quantiles_of_one_to_a_hundred() -> None:
    """The 50th value is 50, the 90th 90 (bucket 90 … 91), the 99th 99 (98 … 99); the mean is 50.5."""
    assert of(*range(1, 101)).quantiles() == Quantiles(100, 50, 91, 99, 100, 50.5, 100)


@pytest.mark.req("D-3")
def test_no_quantile_is_below_the_truth_nor_more_than_a_32nd_above_it() -> None:
    draw = random.Random(5)
    values = sorted(round(draw.lognormvariate(13, 2)) for _ in range(20_000))
    made = of(*values)
    for share in (0.01, 0.5, 0.9, 0.99, 0.999, 1.0):
        true = values[-(-len(values) * round(share * 10_000) // 10_000) - 1]
        found = made.quantile(share)
        assert found is not None
        assert true <= found <= true * 33 / 32 + 1


def test_empty_negative_and_endless_durations() -> None:
    made = LogHistogram()
    assert made.quantiles() == Quantiles(0, None, None, None, None, None, None)
    made.add(-1)
    assert (made.negative, made.count) == (1, 0)
    made.add(10 * MOST_NS)
    assert (made.quantile(0.5), made.quantiles().max) == (MOST_NS, 10 * MOST_NS)


def test_memory_does_not_grow_with_what_comes() -> None:
    made = of(*range(100_000))
    assert sum(1 for _ in made.buckets()) <= SUB * 13  # thirteen octaves up to 100,000
    assert sys.getsizeof(made._counts) < 12_000
