from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.sample.model import Market
from catalog.sample.parameters import CALIBRATED
from catalog.sample.schedule import MINUTE_US, plan
from catalog.sample.tape import Chunk


def _play(seed: int, minutes: int = 1) -> Chunk:
    market = Market(seed, CALIBRATED, plan(minutes))
    market.run(minutes * MINUTE_US)
    return market.tape.cut()


seeds = st.integers(min_value=0, max_value=2**63 - 1)
few = settings(max_examples=12, deadline=None, derandomize=True)


@pytest.mark.req("D-9")
@given(seed=seeds)
@few
def test_the_book_is_never_crossed_and_sizes_are_always_positive(seed: int) -> None:
    chunk = _play(seed)
    bid, bid_size, ask, ask_size = chunk.quotes[:, 1:].T
    assert np.all(bid < ask)
    assert bid_size.min() > 0
    assert ask_size.min() > 0
    assert chunk.trades[:, 2].min() > 0
    assert chunk.deltas[:, 3].min() >= 0


@given(seed=seeds)
@few
def test_time_never_goes_back(seed: int) -> None:
    chunk = _play(seed)
    assert np.all(np.diff(chunk.quotes[:, 0]) > 0)
    for rows in (chunk.trades, chunk.deltas, chunk.marks):
        assert np.all(np.diff(rows[:, 0]) >= 0)


@given(seed=seeds)
@few
def test_a_market_order_takes_no_more_than_the_best_level_holds_and_the_quote_shows_it_gone(seed: int) -> None:
    chunk = _play(seed)
    trades = chunk.trades
    starts = np.flatnonzero(np.append(True, np.diff(trades[:, 0]) != 0))
    for first, stop in zip(starts, np.append(starts[1:], len(trades)), strict=True):
        when, price, _, side = trades[first]
        order = trades[first:stop]
        before = chunk.quotes[np.searchsorted(chunk.quotes[:, 0], when) - 1]
        after = chunk.quotes[np.searchsorted(chunk.quotes[:, 0], when)]
        best, held = (before[3], before[4]) if side > 0 else (before[1], before[2])
        taken = int(order[order[:, 1] == price, 2].sum())
        assert price == best
        assert taken <= held
        assert after[0] == when
        left = (after[3], after[4]) if side > 0 else (after[1], after[2])
        assert (left == (price, held - taken)) if taken < held else side * left[0] > side * price


@given(seed=seeds)
@few
def test_a_walking_order_goes_level_by_level_away_from_the_other_side(seed: int) -> None:
    trades = _play(seed).trades
    same = np.diff(trades[:, 0]) == 0
    assert np.all((np.diff(trades[:, 1]) * trades[1:, 3])[same] >= 0)


def test_deltas_rebuild_the_book_that_the_model_holds() -> None:
    market = Market(11, CALIBRATED, plan(1))
    sides = {1: dict(market.book.bids.levels), -1: {-key: lots for key, lots in market.book.asks.levels.items()}}
    market.run(MINUTE_US)
    for _, side, price, lots, _ in market.tape.cut().deltas.tolist():
        sides[side][price] = lots
    changed = market.book.bids.dirty
    rebuilt = {price: lots for price, lots in sides[1].items() if lots and price not in changed}
    assert rebuilt == {price: lots for price, lots in market.book.bids.levels.items() if price not in changed}
    assert len(rebuilt) > 50


def test_every_batch_ends_in_one_last_row() -> None:
    deltas = _play(12).deltas
    ends = np.append(np.diff(deltas[:, 0]) != 0, True)
    assert np.array_equal(deltas[:, 4] == 1, ends)


def test_cutting_the_run_into_pieces_changes_nothing() -> None:
    pieces = Market(13, CALIBRATED, plan(1))
    quotes = []
    for until in (1, 700_000, 700_001, 31_000_000, MINUTE_US):
        pieces.run(until)
        quotes.append(pieces.tape.cut().quotes)
    assert np.array_equal(np.concatenate(quotes), _play(13).quotes)
