"""Round trips: flat to flat."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitoring.report import load
from monitoring.report.round_trips import RoundTrip, hit_rate, holding_secs, round_trips
from tests.monitoring.build_run import Scene, at, fill, paid, quote

D = Decimal


def trips(path: Path, fills: list[dict[str, Any]], funding: list[dict[str, Any]] | None = None) -> list[RoundTrip]:
    """Mid 100 throughout, 104 at the end (200 s)."""
    quotes = [quote(0, 99, 101), quote(200, 103, 105)]
    run = load(Scene(quotes=quotes, fills=fills, funding=funding or []).write(path))
    return round_trips(run.headline.fills, run.headline.funding, run.mids)


@pytest.mark.req("B-5")
def test_in_and_out_is_one_round_trip(tmp_path: Path) -> None:
    (trip,) = trips(tmp_path, [fill(10, "BUY", "2", "99", fee=D("0.1")), fill(40, "SELL", "2", "101", fee=D("0.2"))])
    assert (trip.price_pnl, trip.fees, trip.net) == (D(4), D("0.3"), D("3.7"))
    assert (trip.side, trip.quantity, trip.holding_secs) == (1, D(2), 30.0)
    assert trip.mid_pnl == D(0)


def test_scaling_in_and_out_stays_one_round_trip(tmp_path: Path) -> None:
    fills = [
        fill(1, "SELL", "1", "102"),
        fill(2, "SELL", "1", "104"),
        fill(3, "BUY", "0.5", "100"),
        fill(4, "BUY", "1.5", "100"),
    ]
    (trip,) = trips(tmp_path, fills)
    assert (trip.side, trip.quantity, trip.price_pnl, trip.fills) == (-1, D(2), D(6), 4)


def test_a_partial_round_trip_at_the_end_is_open_and_valued_at_the_last_mid(tmp_path: Path) -> None:
    (trip,) = trips(tmp_path, [fill(1, "BUY", "3", "100"), fill(2, "SELL", "1", "102")])
    # −300 + 102 + 2·104
    assert (trip.closed_ns, trip.holding_secs, trip.price_pnl) == (None, None, D(10))
    assert hit_rate([trip]) is None


def test_a_flip_by_one_order_closes_one_round_trip_and_opens_the_next(tmp_path: Path) -> None:
    first, second = trips(
        tmp_path, [fill(1, "BUY", "1", "100"), fill(2, "SELL", "3", "101", fee=D("0.3")), fill(3, "BUY", "2", "99")]
    )
    assert (first.price_pnl, first.fees, first.closed_ns) == (D(1), D("0.1"), at(2))
    assert (second.side, second.price_pnl, second.fees, second.opened_ns) == (-1, D(4), D("0.2"), at(2))


def test_a_flip_by_two_orders_gives_the_same_two_round_trips(tmp_path: Path) -> None:
    one = trips(tmp_path / "one", [fill(1, "BUY", "1", "100"), fill(2, "SELL", "3", "101"), fill(3, "BUY", "2", "99")])
    two = trips(
        tmp_path / "two",
        [
            fill(1, "BUY", "1", "100"),
            fill(2, "SELL", "1", "101", number=21),
            fill(2, "SELL", "2", "101", number=22),
            fill(3, "BUY", "2", "99"),
        ],
    )
    assert [(t.side, t.price_pnl, t.closed_ns) for t in one] == [(t.side, t.price_pnl, t.closed_ns) for t in two]


def test_funding_belongs_to_the_round_trip_that_was_open(tmp_path: Path) -> None:
    fills = [
        fill(1, "BUY", "1", "100"),
        fill(10, "SELL", "1", "100"),
        fill(20, "SELL", "1", "100"),
        fill(30, "BUY", "1", "100"),
    ]
    first, second = trips(tmp_path, fills, [paid(5, "-0.5", "1"), paid(25, "0.7", "-1")])
    assert (first.net, second.net) == (D("-0.5"), D("0.7"))
    assert hit_rate([first, second]) == 0.5


def test_each_strategy_has_its_own_round_trips_on_one_symbol(tmp_path: Path) -> None:
    fills = [
        fill(1, "BUY", "1", "100", strategy_id="A"),
        fill(2, "SELL", "1", "101", strategy_id="B"),
        fill(3, "SELL", "1", "102", strategy_id="A"),
        fill(4, "BUY", "1", "103", strategy_id="B"),
    ]
    found = trips(tmp_path, fills)
    assert [(t.strategy, t.price_pnl) for t in found] == [("A", D(2)), ("B", D(-2))]


def test_holding_time_is_over_closed_round_trips_only(tmp_path: Path) -> None:
    fills = [
        fill(0, "BUY", "1", "100"),
        fill(10, "SELL", "1", "100"),
        fill(20, "BUY", "1", "100"),
        fill(50, "SELL", "1", "100"),
        fill(60, "BUY", "1", "100"),
    ]
    assert holding_secs(trips(tmp_path, fills)) == (20.0, 20.0)
    assert holding_secs([]) is None
