"""Funding on a known position, booked by the engine at the right time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import FundingRateUpdate

from runners.funding import constant_rates, merged
from tests.runners.tiny import IID, NAME, START, S, beat, opening, run

HOUR = 3600 * S


def rate(secs: float, value: str, due_secs: float) -> FundingRateUpdate:
    ts = START + round(secs * S)
    return FundingRateUpdate(IID, Decimal(value), ts, ts, 480, START + round(due_secs * S))


EVENTS: list[Any] = [*opening(), *[beat(secs) for secs in (1, 2, 3, 4, 5, 6, 7)]]
LONG = [{"at": 1, "do": "market", "size": "1.000"}]
SHORT = [{"at": 1, "do": "market", "side": "SELL", "size": "1.000"}]


@pytest.mark.req("B-3")
def test_a_long_pays_notional_times_rate_at_the_funding_time() -> None:
    outcome = run([*EVENTS, rate(0, "0.0003", 3.5)], LONG)
    row = outcome.tables["funding"].to_pylist()[0]
    # 1 × mid 100.1 × 0.0003 = 0.03003
    assert (row["ts_ns"] - START, row["amount"], row["position"]) == (3_500_000_000, Decimal("-0.03003"), 1)
    assert row["rate"] == Decimal("0.0003")
    assert row["strategy_id"] == "script"


@pytest.mark.req("B-3")
def test_a_short_receives_what_a_long_pays() -> None:
    outcome = run([*EVENTS, rate(0, "0.0003", 3.5)], SHORT)
    assert [row["amount"] for row in outcome.tables["funding"].to_pylist()] == [Decimal("0.03003")]


@pytest.mark.req("B-3")
def test_the_balance_moves_by_the_funding_and_nothing_else_does() -> None:
    without = run(EVENTS, LONG).account
    paid = run([*EVENTS, rate(0, "0.0003", 3.5)], LONG).account
    assert Decimal(paid["ending_balance"]) - Decimal(without["ending_balance"]) == Decimal("-0.03003")
    assert Decimal(paid["funding"]) == Decimal("-0.03003")
    assert paid["fees"] == without["fees"]


@pytest.mark.req("B-3")
def test_a_position_opened_after_the_funding_time_pays_nothing() -> None:
    outcome = run([*EVENTS, rate(0, "0.0003", 3.5)], [{"at": 4, "do": "market"}])
    assert outcome.tables["funding"].num_rows == 0


@pytest.mark.req("B-3")
def test_funding_of_a_position_that_was_closed_and_opened_again_is_kept() -> None:
    steps = [
        *LONG,
        {"at": 4, "do": "market", "side": "SELL", "reduce_only": True},
        {"at": 5, "do": "market", "side": "SELL"},
    ]
    outcome = run([*EVENTS, rate(0, "0.0003", 3.5), rate(5.5, "0.0001", 6.5)], steps)
    rows = [(float(r["position"]), float(r["amount"])) for r in outcome.tables["funding"].to_pylist()]
    assert rows == [(1.0, -0.03003), (-1.0, 0.01001)]


def test_constant_funding_is_announced_at_the_start_and_settles_at_0_8_and_16_utc() -> None:
    start = START + 7 * HOUR
    found = constant_rates(NAME, 1.0, start, start + 10 * HOUR)
    assert [(u.ts_init - START) / HOUR for u in found] == [7.0, 8.0, 16.0]
    assert [((u.next_funding_ns or 0) - START) / HOUR for u in found] == [8.0, 16.0, 24.0]
    assert {u.rate for u in found} == {Decimal("0.0001")}


def test_announcements_are_put_into_the_stream_wherever_it_is_cut() -> None:
    updates = [rate(2.5, "0.0001", 9), rate(4, "0.0001", 9)]
    for size in (1, 3, 100):
        chunks = [EVENTS[i : i + size] for i in range(0, len(EVENTS), size)]
        stream = [event for chunk in merged(chunks, updates) for event in chunk]
        times = [event.ts_init for event in stream]
        assert times == sorted(times)
        assert [type(e).__name__ for e in stream if e.ts_init == START + 4 * S] == [
            "FundingRateUpdate",
            "OrderBookDeltas",
        ]
