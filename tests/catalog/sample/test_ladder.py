from __future__ import annotations

import pytest

from catalog.sample.ladder import Ladder


def _three_levels() -> Ladder:
    ladder = Ladder(100, 5)
    ladder.put(97, 8)
    ladder.put(90, 3)
    ladder.drain()
    return ladder


def test_taking_part_of_the_best_level_leaves_the_rest() -> None:
    ladder = _three_levels()
    ladder.take(2)
    assert (ladder.best, ladder.size()) == (100, 3)
    assert ladder.drain() == [(100, 3)]


def test_taking_all_of_the_best_level_uncovers_the_next() -> None:
    ladder = _three_levels()
    ladder.take(5)
    assert (ladder.best, ladder.size()) == (97, 8)
    assert ladder.drain() == [(100, 0)]


def test_more_than_the_level_holds_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="6 lots cannot be taken from a level of 5"):
        _three_levels().take(6)


def test_the_last_level_never_goes() -> None:
    ladder = Ladder(100, 5)
    ladder.take(5)
    assert (ladder.best, ladder.size()) == (100, 1)
    assert not ladder.drop(100)


def test_a_better_level_becomes_the_best_and_changes_are_drained_once_from_the_best_down() -> None:
    ladder = _three_levels()
    ladder.put(90, 4)
    ladder.put(101, 1)
    ladder.drop(97)
    assert ladder.best == 101
    assert ladder.drain() == [(101, 1), (97, 0), (90, 4)]
    assert ladder.drain() == []
