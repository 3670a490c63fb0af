"""The book of a whole stretch at once equals the book built message by message."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import book
from catalog.book import EMPTY, Levels
from catalog.tables import Action, BookSide

Row = tuple[int, int, int]


def make(rows: list[Row]) -> Levels:
    side, price, size = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    return Levels(side.astype(np.int8), price, size)


def one_by_one(batches: list[list[Row]]) -> list[tuple[int, int, int, int]]:
    sides: dict[int, dict[int, int]] = {BookSide.BUY: {}, BookSide.SELL: {}}
    out = []
    for batch in batches:
        for side, price, size in batch:
            if side == BookSide.NO_ORDER_SIDE:
                sides = {BookSide.BUY: {}, BookSide.SELL: {}}
            elif size:
                sides[side][price] = size
            else:
                sides[side].pop(price, None)
        bid, ask = max(sides[1], default=EMPTY), min(sides[2], default=EMPTY)
        out.append((bid, sides[1].get(bid, 0), ask, sides[2].get(ask, 0)))
    return out


def all_at_once(batches: list[list[Row]], near: tuple[int, int] | None = None) -> list[tuple[int, int, int, int]]:
    rows = [row for batch in batches for row in batch]
    ends = np.cumsum([len(batch) for batch in batches])
    action = np.array([Action.CLEAR if row[0] == 0 else Action.UPDATE for row in rows], np.int8)
    tops = book.tops(action, make(rows), ends, near)
    return list(zip(*(column.tolist() for column in (tops.bid, tops.bid_size, tops.ask, tops.ask_size)), strict=True))


LEVEL = st.tuples(st.sampled_from((1, 2)), st.integers(90, 110), st.integers(0, 3))
WIDE = st.tuples(st.sampled_from((1, 2)), st.integers(1, 10**9), st.integers(0, 3))
BATCHES = st.lists(st.lists(LEVEL | WIDE, min_size=1, max_size=6), min_size=1, max_size=40)


def test_top_of_book_follows_a_worked_example() -> None:
    batches = [
        [(0, 0, 0), (1, 1000, 5), (1, 999, 7), (2, 1001, 6), (2, 1002, 8)],
        [(1, 1000, 0), (2, 1001, 2)],
        [(2, 1001, 0)],
        [(1, 1000, 1), (1, 1000, 4)],
    ]
    assert all_at_once(batches) == [(1000, 5, 1001, 6), (999, 7, 1001, 2), (999, 7, 1002, 8), (1000, 4, 1002, 8)]


@given(BATCHES)
@settings(deadline=None, max_examples=150)
def test_top_of_book_always_equals_the_book_built_one_by_one(batches: list[list[Row]]) -> None:
    assert all_at_once(batches) == one_by_one(batches)


@given(BATCHES, st.integers(80, 120), st.integers(80, 120))
@settings(deadline=None, max_examples=100)
def test_a_wrong_guess_of_the_price_range_never_changes_the_result(
    batches: list[list[Row]], low: int, high: int
) -> None:
    assert all_at_once(batches, (low, high)) == one_by_one(batches)


@given(BATCHES, st.data())
@settings(deadline=None, max_examples=100)
def test_a_clear_always_empties_the_book(batches: list[list[Row]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(batches) - 1))
    alone = data.draw(st.booleans())
    batches = [*batches[:at], *([[(0, 0, 0)]] if alone else []), *batches[at:]]
    if not alone:
        batches[at] = [(0, 0, 0), *batches[at]]
    assert all_at_once(batches) == one_by_one(batches)


def test_segments_hand_the_book_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "_SEGMENT", 3)
    batches = [[(1, 100 + i % 7, i % 3), (2, 110 - i % 5, (i + 1) % 3)] for i in range(50)]
    assert all_at_once(batches) == one_by_one(batches)


@given(st.lists(LEVEL | WIDE, max_size=60))
@settings(deadline=None, max_examples=100)
def test_settling_leaves_the_last_size_of_each_level_best_first(rows: list[Row]) -> None:
    last = {(side, price): size for side, price, size in rows}
    bids = sorted(((p, s) for (side, p), s in last.items() if side == 1 and s), reverse=True)
    asks = sorted((p, s) for (side, p), s in last.items() if side == 2 and s)
    left = book.settle(make(rows))
    assert list(zip(left.price.tolist(), left.size.tolist(), strict=True)) == bids + asks


def test_crossed_batches_are_seen() -> None:
    rows = make([(1, 100, 1), (2, 101, 1), (1, 101, 1), (1, 101, 0)])
    tops = book.tops(np.full(4, Action.UPDATE, np.int8), rows, np.array([2, 3, 4]))
    assert tops.crossed.tolist() == [False, True, False]
