"""Fills on books that can be checked on paper."""

from __future__ import annotations

import pytest
from nautilus_trader.model import Price

from tests.runners.tiny import START, beat, change, fills, opening, quote, run, statuses, trade

BEATS = [beat(secs) for secs in (1, 2, 3, 4, 5, 6)]


@pytest.mark.req("B-2")
def test_taker_larger_than_the_best_level_fills_level_by_level() -> None:
    outcome = run(opening() + BEATS, [{"at": 1, "do": "market", "size": "2.500"}])
    assert fills(outcome) == [(1.0, "BUY", 100.2, 1.0), (1.0, "BUY", 100.3, 1.5)]


@pytest.mark.req("B-2")
def test_next_order_finds_the_liquidity_gone() -> None:
    steps = [{"at": 1, "do": "market", "size": "2.500"}, {"at": 2, "do": "market", "size": "1.000"}]
    outcome = run(opening() + BEATS, steps)
    assert fills(outcome)[2:] == [(2.0, "BUY", 100.3, 0.5), (2.0, "BUY", 100.4, 0.5)]


@pytest.mark.req("B-2")
def test_without_liquidity_consumption_the_next_order_finds_it_again() -> None:
    steps = [{"at": 1, "do": "market", "size": "1.000"}, {"at": 2, "do": "market", "size": "1.000"}]
    outcome = run(opening() + BEATS, steps, liquidity_consumption=False)
    assert [fill[2] for fill in fills(outcome)] == [100.2, 100.2]


@pytest.mark.req("B-2")
def test_taker_pays_the_taker_fee_and_maker_the_maker_fee() -> None:
    events = [
        *opening(),
        *BEATS,
        change(2.5, asks=[(100.2, 0), (100.3, 0), (100.4, 0), (99.9, 1)], bids=[(100.0, 0), (99.9, 0)]),
    ]
    steps = [
        {"at": 1, "do": "market", "size": "1.000"},
        {"at": 2, "do": "limit", "size": "1.000", "price": "99.9", "post_only": True},
    ]
    rows = run(events, steps).tables["fills"].to_pylist()
    assert [(row["liquidity"], float(row["fee"])) for row in rows] == [
        ("TAKER", 0.0501),  # 100.2 × 1 × 5 bps
        ("MAKER", 0.01998),  # 99.9 × 1 × 2 bps
    ]


@pytest.mark.req("B-2")
def test_resting_order_fills_after_exactly_the_queue_ahead_has_traded() -> None:
    steps = [{"at": 1, "do": "limit", "size": "0.500", "price": "100.0", "post_only": True}]
    prints = [
        trade(2, 100.0, 0.6, "SELL"),
        trade(3, 100.0, 0.4, "SELL"),
        trade(4, 100.0, 0.3, "SELL"),
        trade(5, 100.0, 0.9, "SELL"),
    ]
    outcome = run(
        [*opening(), *BEATS, *prints], steps
    )  # 1.000 displayed ahead: 0.6 + 0.4 clear it, then it is our turn
    assert fills(outcome) == [(4.0, "BUY", 100.0, 0.3), (5.0, "BUY", 100.0, 0.2)]


@pytest.mark.req("B-2")
def test_one_print_that_reaches_past_the_queue_fills_only_what_is_left_of_it() -> None:
    steps = [{"at": 1, "do": "limit", "size": "0.500", "price": "100.0", "post_only": True}]
    outcome = run([*opening(), *BEATS, trade(2, 100.0, 1.2, "SELL")], steps)
    assert fills(outcome) == [(2.0, "BUY", 100.0, 0.2)]


@pytest.mark.req("B-2")
def test_optimistic_bound_does_not_wait_for_the_queue() -> None:
    steps = [{"at": 1, "do": "limit", "size": "0.500", "price": "100.0", "post_only": True}]
    outcome = run([*opening(), *BEATS, trade(2, 100.0, 0.6, "SELL")], steps, queue_position=False)
    assert fills(outcome) == [(2.0, "BUY", 100.0, 0.5)]


@pytest.mark.req("B-2")
def test_queue_ahead_is_recorded_as_the_size_displayed_at_acceptance() -> None:
    steps = [{"at": 1, "do": "limit", "size": "0.500", "price": "99.9", "post_only": True}]
    assert run(opening() + BEATS, steps).tables["orders"].to_pylist()[0]["queue_ahead"] == 2.0


@pytest.mark.req("B-2")
def test_queue_ahead_is_found_at_a_price_whose_nautilus_float_is_not_the_nearest_one() -> None:
    assert float(Price.from_str("61659.8")) != 61659.8  # what rc6 does: 61659.80000000001
    moved = change(
        0.5,
        bids=[(100.0, 0), (99.9, 0), (99.8, 0), (61659.8, 3.0)],
        asks=[(100.2, 0), (100.3, 0), (100.4, 0), (61660.0, 1.0)],
    )
    steps = [{"at": 1, "do": "limit", "size": "0.010", "price": "61659.8", "post_only": True}]
    outcome = run([*opening(), moved, beat(1), beat(2)], steps, starting_balance_quote=100_000)
    assert outcome.tables["orders"].to_pylist()[0]["queue_ahead"] == 3.0


@pytest.mark.req("B-2", "O-12")
def test_crossing_post_only_is_rejected() -> None:
    outcome = run(opening() + BEATS, [{"at": 1, "do": "limit", "price": "100.2", "post_only": True}])
    assert statuses(outcome) == ["REJECTED"]
    assert "POST_ONLY" in outcome.tables["orders"].to_pylist()[0]["reject_reason"].upper()


@pytest.mark.req("B-2", "O-12")
def test_reduce_only_on_a_flat_position_is_rejected() -> None:
    outcome = run(opening() + BEATS, [{"at": 1, "do": "market", "side": "SELL", "reduce_only": True}])
    assert statuses(outcome) == ["REJECTED"]
    assert fills(outcome) == []


@pytest.mark.req("B-2", "O-12")
def test_reduce_only_larger_than_the_position_closes_it_and_never_flips() -> None:
    steps = [
        {"at": 1, "do": "market", "size": "0.400"},
        {"at": 2, "do": "market", "side": "SELL", "size": "0.900", "reduce_only": True},
    ]
    outcome = run(opening() + BEATS, steps)
    assert fills(outcome)[1:] == [(2.0, "SELL", 100.0, 0.4)]
    assert outcome.account["positions"] == {}


@pytest.mark.req("B-1")
def test_latency_moves_a_fill_to_the_first_event_after_it() -> None:
    events = [*opening(), beat(1), beat(1.1), change(1.22, asks=[(100.2, 0)]), beat(1.3)]
    outcome = run(events, [{"at": 1, "do": "market"}], latency_ms={"insert": 200, "cancel": 0})
    assert fills(outcome) == [(1.22, "BUY", 100.3, 1.0)]  # 100.2 was taken away in the message at which we arrive


@pytest.mark.req("B-1")
def test_insert_and_cancel_have_their_own_latency() -> None:
    events = [*opening(), *[beat(1 + 0.1 * i) for i in range(30)]]
    steps = [{"at": 1, "do": "limit", "price": "99.0"}, {"at": 2, "do": "cancel"}]
    row = run(events, steps, latency_ms={"insert": 250, "cancel": 50}).tables["orders"].to_pylist()[0]
    assert (row["ts_accepted"] - START, row["ts_closed"] - START) == (1_300_000_000, 2_100_000_000)


@pytest.mark.req("B-0")
def test_top_of_book_fidelity_fills_at_the_quote() -> None:
    events = [
        quote(0, 100.0, 1.0, 100.2, 1.0),
        trade(0.5, 100.0, 0.1, "SELL"),
        quote(1, 100.0, 1.0, 100.2, 1.0),
        quote(2, 100.1, 1.0, 100.3, 2.0),
    ]
    outcome = run(events, [{"at": 1, "do": "market", "size": "0.500"}], top_only=True)
    assert fills(outcome) == [(1.0, "BUY", 100.2, 0.5)]
    assert outcome.market is not None
    assert outcome.market.num_rows == 2
