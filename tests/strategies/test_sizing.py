"""How large an entry is: worked numbers, bounds, and what is recorded where there is no size."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from risk.breach import Breach, Limit
from risk.sizing import Sized
from strategies.breakout import BreakoutParams
from strategies.intents import Side
from strategies.mean_reversion import MeanReversionParams
from strategies.order_flow import OrderFlowParams
from strategies.params import RiskPerTrade, SizedParams, VolatilityTarget
from strategies.sizing import exact, size_of, volatility_of_range, volatility_pct_per_year
from tests.engine import FREE, Entry, Ran, Stepped, entry, quiet, quote, run
from tests.risk.requests import RULES
from tests.strategies.test_in_the_engine import sided_book

D = Decimal
RISK = SizedParams(order_notional_quote=20_000, sizing=RiskPerTrade(risk_pct=0.5))
TARGET = SizedParams(order_notional_quote=20_000, sizing=VolatilityTarget(volatility_pct_per_year=10))


def quantity(params: SizedParams, **more: float) -> str:
    size = size_of(params, RULES, D(10_000), 60_000.0, **more)
    assert isinstance(size, Sized), size
    return str(size.quantity)


def test_a_fixed_size_is_a_notional_and_asks_for_neither_stop_nor_volatility() -> None:
    assert quantity(SizedParams(order_notional_quote=500)) == "0.008"  # 0.00833


def test_risk_per_trade_loses_the_stated_share_of_equity_at_the_stop() -> None:
    """0.5 % of 10 000 are 50; a stop 240 away: 50 / 240 = 0.2083."""
    assert quantity(RISK, stop_distance=240.0) == "0.208"
    assert quantity(RISK, stop_distance=480.0) == "0.104"


def test_a_volatility_target_takes_the_share_of_equity_that_fluctuates_as_asked() -> None:
    """10 % wanted of a market of 50 %: 2000 of 10 000, 0.0333 at 60 000."""
    assert quantity(TARGET, volatility_pct_per_year=50.0) == "0.033"


def test_the_largest_notional_bounds_what_equity_and_a_near_stop_would_allow() -> None:
    assert quantity(RISK, stop_distance=1.0) == "0.333"  # 50 coins, were it not for 20 000
    assert quantity(TARGET, volatility_pct_per_year=0.001) == "0.166"  # never above equity


@pytest.mark.parametrize(
    ("params", "more", "limit"),
    [
        (RISK, {}, Limit.NO_STOP_DISTANCE),
        (RISK, {"stop_distance": 1e5}, Limit.SIZE_TOO_SMALL),
        (TARGET, {}, Limit.NO_STOP_DISTANCE),
        (TARGET, {"volatility_pct_per_year": 1e5}, Limit.SIZE_TOO_SMALL),
        (SizedParams(order_notional_quote=59), {}, Limit.SIZE_TOO_SMALL),
    ],
)
def test_where_there_is_no_size_it_says_why(params: SizedParams, more: dict[str, float], limit: Limit) -> None:
    size = size_of(params, RULES, D(10_000), 60_000.0, **more)
    assert isinstance(size, Breach)
    assert size.limit is limit


@given(
    st.floats(1, 1e6), st.floats(1e-3, 100), st.floats(1e-2, 1e5), st.floats(1, 1e5), st.floats(1, 1e6),
)  # fmt: skip
def test_a_stopped_entry_never_loses_more_than_its_share_and_is_never_worth_more_than_allowed(
    equity: float, risk_pct: float, distance: float, price: float, most: float
) -> None:
    params = SizedParams(order_notional_quote=most, sizing=RiskPerTrade(risk_pct=risk_pct))
    size = size_of(params, RULES, exact(equity), price, stop_distance=distance)
    if isinstance(size, Sized):
        assert float(size.quantity) * distance <= equity * risk_pct / 100 * (1 + 1e-9)
        assert float(size.quantity) * price <= most * (1 + 1e-9)
        assert size.quantity % RULES.step == 0


def test_volatility_of_a_year_and_of_a_bars_range() -> None:
    assert volatility_pct_per_year(1.0, 50_000.0) == pytest.approx(100 / 50_000 * math.sqrt(31_536_000))  # 11.2 %
    assert volatility_pct_per_year(1.0, 0.0) == 0.0
    assert volatility_of_range(math.sqrt(8 * 60 / math.pi), 60) == pytest.approx(1.0)


def test_the_mean_range_of_a_simulated_walk_is_what_the_formula_says() -> None:
    steps = np.random.default_rng(7).standard_normal((2000, 4000))
    walks = np.concatenate([np.zeros((2000, 1)), steps.cumsum(axis=1)], axis=1)
    mean_range = float((walks.max(axis=1) - walks.min(axis=1)).mean())
    assert volatility_of_range(mean_range, 4000.0) == pytest.approx(1.0, rel=0.03)  # discrete steps miss a little


@pytest.mark.parametrize("model", [OrderFlowParams, MeanReversionParams, BreakoutParams])
def test_every_directional_strategy_takes_every_kind_of_size(model: type[SizedParams]) -> None:
    assert model.model_validate({"sizing": "fixed"}).sizing == "fixed"
    assert model.model_validate({"sizing": {"risk_pct": 0.2}}).sizing == RiskPerTrade(risk_pct=0.2)
    target = model.model_validate({"sizing": {"volatility_pct_per_year": 15}}).sizing
    assert target == VolatilityTarget(volatility_pct_per_year=15)
    again = model.model_validate(model(sizing=RiskPerTrade(risk_pct=0.2)).model_dump(mode="json"))
    assert again.sizing == RiskPerTrade(risk_pct=0.2)


@pytest.mark.parametrize(
    "sizing", ["atr", {}, {"risk_pct": 0}, {"risk_pct": 101}, {"risk_pct": float("nan")}, {"risk": 1},
               {"risk_pct": 1, "volatility_pct_per_year": 10}],
)  # fmt: skip
def test_what_is_no_kind_of_size_is_refused(sizing: Any) -> None:
    with pytest.raises(ValidationError, match="sizing"):
        SizedParams.model_validate({"sizing": sizing})


# In the engine ------------------------------------------------------------------------------------------------------------


class Asking(Stepped):
    """Asks for sizes at the third message; equity is 100 000, one step 0.001, the least notional 5."""

    def at(self, number: int) -> None:
        if number == 1:
            self.early = self.sized(SizedParams(), Side.BUY, 100.0)
        if number == 3:
            self.sizes = [
                self.sized(SizedParams(order_notional_quote=500), Side.BUY, 100.0),
                self.sized(RISK, Side.SELL, 100.0, stop_distance=2.5, why="broke down"),
                self.sized(RISK, Side.SELL, 100.0, why="broke down"),
                self.sized(SizedParams(order_notional_quote=4), Side.BUY, 100.0, why="tiny"),
                self.sized(TARGET, Side.BUY, 100.0, volatility_pct_per_year=500.0),
            ]


def asked() -> Ran:
    ran = run(Asking, quiet(), start_ms=1100, policy=FREE)
    assert ran.faults.first is None, ran.faults.trace
    return ran


@pytest.mark.req("R-11", "O-13")
def test_a_strategy_is_given_a_size_of_the_accounts_equity_or_a_recorded_refusal() -> None:
    """0.5 % of 100 000 are 500, 200 at a stop of 2.5: the 20 000 allowed at 100. 10 / 500 of equity: 2000, 20 coins."""
    ran = asked()
    assert ran.strategy.early == 0.0  # warming up: nothing is asked for, nothing refused
    assert ran.strategy.sizes == [5.0, 200.0, 0.0, 0.0, 20.0]
    refused = [(r["reason"], r["side"], r["detail"]) for r in ran.rows("refusals")]
    assert refused == [
        ("no_stop_distance", "SELL", "stop distance 0 gives no size"),
        ("size_too_small", "BUY", "notional 4.000 is below the venue's 5.00000000"),
    ]
    assert [float(row["quantity"]) for row in ran.rows("refusals")] == [0.0, 0.04]
    assert ran.rows("orders") == []


@pytest.mark.req("R-11")
def test_without_equity_there_is_a_recorded_refusal_and_no_size() -> None:
    class Poor(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                kept, self.desk.view.cache = self.desk.view.cache, None
                self.size = self.sized(RISK, Side.BUY, 100.0, stop_distance=1.0)
                self.desk.view.cache = kept

    ran = run([entry(Poor, policy=FREE)], quiet())
    assert ran.strategy.size == 0.0
    assert [row["reason"] for row in ran.rows("refusals")] == ["no_price"]


@pytest.mark.req("R-11", "O-13")
def test_an_order_flow_entry_without_a_size_is_refused_once_per_attempt_and_not_at_every_look() -> None:
    data: list[Any] = [quote(1000, 100.0, 100.1)]
    data += [sided_book(True, 1000 + 100 * k, k % 2) for k in range(60)]
    params = {"book_levels": 2, "order_notional_quote": 4, "retry_secs": 2}
    ran = run([Entry("s", "strategies.order_flow:OrderFlow", params=params, policy=FREE)], data)
    assert ran.faults.first is None, ran.faults.trace
    times = [row["ts_ns"] for row in ran.rows("refusals") if row["reason"] == "size_too_small"]
    assert 2 <= len(times) <= 3
    assert all(later - earlier >= 2_000_000_000 for earlier, later in pairwise(times))


def test_two_ways_at_once_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValidationError, match="risk_pct or volatility_pct_per_year, not both"):
        BreakoutParams.model_validate({"sizing": {"risk_pct": 1, "volatility_pct_per_year": 3}})


def test_the_example_on_the_breakout_page() -> None:
    """5 may be lost, 2 x 40 away: 0.0625, rounded down; 3720 at 60 000 are above the default of 500."""
    wide = BreakoutParams(order_notional_quote=5000)
    assert wide.sizing == RiskPerTrade(risk_pct=0.05)
    assert quantity(wide, stop_distance=2 * 40.0) == "0.062"
    assert quantity(wide, stop_distance=4 * 40.0) == "0.031"
    assert quantity(BreakoutParams(), stop_distance=2 * 40.0) == "0.008"
