"""Buy and hold, random side."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from monitoring.report.baselines import buy_and_hold, random_side
from monitoring.report.mids import Mids
from monitoring.report.round_trips import RoundTrip
from tests.monitoring.build_run import IID, at

D = Decimal


def trip(closed: float, mid_pnl: str, spread: str = "1", fees: str = "0.5") -> RoundTrip:
    price = D(mid_pnl) + D(spread)
    return RoundTrip("S", IID, 1, at(0), at(closed), D(1), price, D(mid_pnl), D(fees), D(0), 2)


def test_buy_and_hold_pays_the_ask_and_one_taker_fee() -> None:
    market = Mids(np.array([0, 10]), np.array([98.0, 109.0]), np.array([100.0, 111.0]), np.ones(2), np.ones(2))
    # 10 units at 100 and 0.50 of fee; mid 99, then 110
    assert buy_and_hold(market, np.array([0, 10]), 1000.0, 5.0) == pytest.approx([-10.5, 99.5])


def test_random_side_turns_what_the_market_gave_and_keeps_the_costs() -> None:
    null = random_side([trip(5, "10")], at(9))
    assert null is not None
    assert null.actual == pytest.approx([10.5])
    assert (null.low[0], null.high[0]) == pytest.approx((-9.5, 10.5))
    assert 0.45 < null.beaten < 0.55


def test_random_side_walks_through_round_trips_as_they_close() -> None:
    null = random_side([trip(8, "3"), trip(5, "10")], at(9))
    assert null is not None
    assert null.closed_ns.tolist() == [at(5), at(8)]
    assert null.actual == pytest.approx([10.5, 14.0])


def test_a_result_made_of_costs_alone_beats_nothing() -> None:
    null = random_side([trip(i + 1, "0", spread="-1") for i in range(20)], at(99))
    assert null is not None
    assert null.beaten == 0.0


def test_without_round_trips_there_is_no_null() -> None:
    assert random_side([], at(1)) is None
