from __future__ import annotations

import hashlib

import pytest

from catalog.sample.draws import EXPONENTIAL, TABLE_SIZE, UNIT, Draws, quantile_table


def test_quantile_table_runs_linearly_between_knots() -> None:
    table = quantile_table(((0.0, 0), (0.5, 1_024), (1.0, 3_072)))
    # 512 values rise by 2 each from the middle of the first cell, the other 512 by 4 each.
    assert table[:3] == (1, 3, 5)
    assert table[511:514] == (1_023, 1_026, 1_030)
    assert table[-1] == 3_070


@pytest.mark.parametrize(
    "knots", [((0.1, 0), (1.0, 1)), ((0.0, 0), (0.9, 1)), ((0.0, 0), (0.5, 1), (0.5, 2), (1.0, 3))]
)
def test_quantile_table_refuses_knots_that_do_not_rise_from_zero_to_one(knots: tuple[tuple[float, int], ...]) -> None:
    with pytest.raises(ValueError, match="rise strictly"):
        quantile_table(knots)


@pytest.mark.req("D-9")
def test_exponential_table_is_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(",".join(map(str, EXPONENTIAL)).encode()).hexdigest()
    assert digest == "476a8398df15ccb4df2e2b7a1a6009b4287989604299469f282273f1da958bb5"


def test_exponential_table_has_mean_one() -> None:
    assert sum(EXPONENTIAL) / TABLE_SIZE / UNIT == pytest.approx(1.0, abs=0.001)


@pytest.mark.req("D-9")
def test_words_of_seed_seven_are_these() -> None:
    draws = Draws(7)
    assert [draws.word() for _ in range(3)] == [2755113807, 2992447438, 3793771777]


def test_words_differ_between_seeds() -> None:
    first, second = Draws(1), Draws(2)
    assert [first.word() for _ in range(4)] != [second.word() for _ in range(4)]


def test_chance_happens_as_often_as_asked() -> None:
    draws = Draws(3)
    assert sum(draws.chance(0.3) for _ in range(20_000)) / 20_000 == pytest.approx(0.3, abs=0.01)


def test_a_wait_is_never_zero_and_has_its_mean() -> None:
    draws = Draws(4)
    waits = [draws.wait(1_000) for _ in range(20_000)]
    assert min(waits) >= 1
    assert sum(waits) / len(waits) == pytest.approx(1_000, rel=0.03)


def test_picks_come_from_the_table() -> None:
    table = quantile_table(((0.0, 5), (1.0, 9)))
    picked = Draws(5).picks(table, 1_000)
    assert set(picked.tolist()) == {5, 6, 7, 8}
