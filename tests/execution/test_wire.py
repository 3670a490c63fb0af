"""Sampled latency: what is sent first arrives first, whatever is drawn."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.wire import Wire
from strategies.intents import CancelAll, Enter, Side
from tests.engine import MAKER, MS, Stepped, quiet, run


class Clock:
    """A clock that fires alerts when it is moved."""

    def __init__(self) -> None:
        self.now = 0
        self.alerts: list[tuple[int, str, Callable[[Any], None]]] = []

    def timestamp_ns(self) -> int:
        return self.now

    def set_time_alert_ns(self, name: str, due: int, callback: Callable[[Any], None]) -> None:
        assert due > self.now
        heapq.heappush(self.alerts, (due, name, callback))

    def advance(self, to: int) -> None:
        while self.alerts and self.alerts[0][0] <= to:
            self.now, _, callback = heapq.heappop(self.alerts)
            callback(None)
        self.now = to


class Drawn:
    """Latencies from a list, the same for inserts and cancels."""

    def __init__(self, values: list[int]) -> None:
        self.values = iter(values)

    def insert_ns(self) -> int:
        return next(self.values)

    cancel_ns = insert_ns


STEP = st.tuples(st.booleans(), st.integers(0, 50), st.integers(0, 100))


@settings(database=None, max_examples=200)
@given(st.lists(STEP, min_size=1, max_size=30), st.integers(0, 80), st.integers(0, 80), st.booleans())
def test_what_is_sent_first_is_handed_over_first_and_arrives_first(
    steps: list[tuple[bool, int, int]], insert_ns: int, cancel_ns: int, sampled: bool
) -> None:
    clock = Clock()
    wire = Wire(Drawn([drawn for _, _, drawn in steps]) if sampled else None, insert_ns, cancel_ns)
    handed: list[tuple[int, int]] = []  # number, arrival
    for number, (is_insert, wait, drawn) in enumerate(steps):
        clock.advance(clock.now + wait)
        constant, sent = (insert_ns if is_insert else cancel_ns), clock.now

        def send(number: int = number, constant: int = constant, least: int = sent + (drawn if sampled else 0)) -> None:
            assert clock.now >= least
            handed.append((number, clock.now + constant))

        (wire.insert if is_insert else wire.cancel)(clock, send)
    clock.advance(10**9)
    assert [number for number, _ in handed] == list(range(len(steps)))
    arrivals = [arrival for _, arrival in handed]
    assert arrivals == sorted(arrivals)


def test_without_latency_everything_is_sent_at_once() -> None:
    clock, sent = Clock(), []
    wire = Wire(None)
    wire.insert(clock, lambda: sent.append("insert"))
    wire.cancel(clock, lambda: sent.append("cancel"))
    assert (sent, clock.alerts) == (["insert", "cancel"], [])


class InAndOut(Stepped):
    """Sends an entry, and cancels it one message later."""

    def at(self, number: int) -> None:
        if number == 2:
            self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
        if number == 3:
            self.act([CancelAll("out")])


@pytest.mark.parametrize(
    ("insert_ms", "cancel_ms", "sampled"),
    [(250, 50, None), (50, 250, None), (0, 0, [300 * MS, 0]), (250, 50, [100 * MS, 0]), (50, 250, [100 * MS, 0])],
)
def test_a_cancel_never_overtakes_its_order(insert_ms: int, cancel_ms: int, sampled: list[int] | None) -> None:
    latency = Drawn(sampled) if sampled else None
    ran = run(InAndOut, quiet(), policy=MAKER, insert_ms=insert_ms, cancel_ms=cancel_ms, sampled=latency)
    assert not ran.faults.count
    told = [kind for kind in ran.strategy.seen if kind != "OrderPendingCancel"]
    assert told == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderCanceled"]
    assert ran.rows("orders")[0]["status"] == "CANCELED"


def test_a_sampled_latency_is_waited_out_on_top_of_the_constant() -> None:
    ran = run(InAndOut, quiet(), policy=MAKER, insert_ms=30, cancel_ms=30, sampled=Drawn([200 * MS, 0]))
    row = ran.rows("orders")[0]
    assert (row["ts_ns"] // MS, row["ts_accepted"] // MS) == (1100, 1400)  # 1100 + 230, the next message is at 1400
