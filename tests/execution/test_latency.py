"""Latencies of a session, on clocks that the test moves."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from execution.latency import (
    ACK_TO_FILL,
    DECISION_TO_ACK,
    FEED,
    MOST_WAITING,
    TICK_TO_DECISION,
    LatencyProbe,
    timing_line,
    timing_rows,
)
from tests.engine import IID, Stepped, quiet, run

MS = 1_000_000


class Clock:
    """Both clocks, moved by hand; the wall is an hour ahead of the monotonic one."""

    def __init__(self) -> None:
        self.ns = 0

    def wall(self) -> int:
        return self.ns + 3600 * 1000 * MS


def counts(probe: LatencyProbe) -> dict[str, int]:
    return {name: histogram.count for name, histogram in probe.histograms.items() if histogram.count}


def longest(probe: LatencyProbe) -> dict[str, int | None]:
    """Longest of each, whole milliseconds."""
    told = {name: histogram.quantiles().max for name, histogram in probe.histograms.items()}
    return {name: value // MS for name, value in told.items() if value is not None}


@pytest.mark.req("D-3")
def test_one_order_from_tick_to_fill() -> None:
    """Received at 0, decided at 2 ms, acknowledged at 12 ms, filled at 512 ms and again at 900: 2, 10 and 500 ms."""
    clock = Clock()
    probe = LatencyProbe(clock.wall, lambda: clock.ns)
    probe.market(clock.wall())
    clock.ns = 2 * MS
    probe.decided("a")
    probe.market_over()
    clock.ns = 12 * MS
    probe.answered("a", accepted=True)
    for at_ms in (512, 900):
        clock.ns = at_ms * MS
        probe.filled("a")
    assert longest(probe) == {TICK_TO_DECISION: 2, DECISION_TO_ACK: 10, ACK_TO_FILL: 500}
    assert set(counts(probe).values()) == {1}


@pytest.mark.req("D-3")
def test_feed_latency_has_the_clock_offset_taken_out() -> None:
    """Our clock is 300 ms ahead; an event of 1,000 ms is received at 1,340: it took 40 ms. Ahead of time it is left out."""
    probe = LatencyProbe()
    probe.feed(1340 * MS, 1000 * MS, 300 * MS)
    probe.feed(1290 * MS, 1000 * MS, 300 * MS)
    assert (longest(probe), probe.histograms[FEED].negative) == ({FEED: 40}, 1)


@pytest.mark.req("D-3")
def test_what_is_decided_on_a_timer_answers_no_tick_and_a_rejection_is_an_answer() -> None:
    probe = LatencyProbe()
    probe.decided("a")
    probe.over("a")
    probe.filled("a")
    assert (probe.on_timer, counts(probe)) == (1, {DECISION_TO_ACK: 1})


def test_an_order_filled_without_an_acceptance_is_answered_by_its_first_fill() -> None:
    probe = LatencyProbe()
    probe.decided("a")
    probe.filled("a")
    probe.filled("a")
    assert counts(probe) == {DECISION_TO_ACK: 1}


def test_orders_that_are_never_answered_do_not_pile_up() -> None:
    probe = LatencyProbe()
    for number in range(MOST_WAITING + 5):
        probe.decided(str(number))
    probe.answered("0", accepted=True)  # forgotten
    probe.answered("5", accepted=True)
    assert counts(probe) == {DECISION_TO_ACK: 1}


def test_rows_and_status_line() -> None:
    probe = LatencyProbe()
    probe.feed(1_000_000, 0, 0)
    row: dict[str, Any] = timing_rows(probe)[0]
    assert (row["name"], row["count"], row["p50_ms"], row["mean_ms"], row["buckets"]) == (
        "feed",
        1,
        1.0,
        1.0,
        [[1.015807, 1]],
    )
    assert timing_line(probe) == {"feed": "1 / 1 ms"}
    assert (timing_rows(None), timing_line(None)) == ([], {})


class Trader(Stepped):
    """An order from a market event, one from a timer, one that rests until the end."""

    def at(self, number: int) -> None:
        if number == 2:
            self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))
            self.every(0.35, self.later)

    def later(self) -> None:
        if self.clock.timestamp_ns() < 1500 * MS:
            self.submit_order(
                self.order_factory.limit(IID, OrderSide.BUY, Quantity(0.1, 3), Price(90.0, 1), post_only=True)
            )


@pytest.mark.req("D-3")
def test_in_the_engine_every_answer_is_heard_once() -> None:
    probe = LatencyProbe(wall_ns=lambda: 1200 * MS)
    ran = run(Trader, quiet(), prepare=lambda package: package.services.measure(probe))
    assert ran.faults.first is None
    assert probe.on_timer == 1
    assert counts(probe) == {TICK_TO_DECISION: 1, DECISION_TO_ACK: 2}
