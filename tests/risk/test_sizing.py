"""Sizes with worked numbers, rounded down and refused below the minimum."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breach import Breach, Limit
from risk.sizing import (
    Sized,
    Sizing,
    drawdown_factor,
    fixed_notional,
    risk_per_trade,
    scaled,
    to_venue,
    volatility_target,
)
from tests.risk.requests import RULES

D = Decimal


def quantity(size: Sizing) -> Decimal:
    assert isinstance(size, Sized), size
    return size.quantity


def refused(size: Sizing) -> Limit:
    assert isinstance(size, Breach), size
    return size.limit


def test_a_fixed_notional_is_rounded_down() -> None:
    assert quantity(fixed_notional(D(500), D(60_000), RULES)) == D("0.008")  # 0.008333


def test_risk_per_trade_is_equity_share_over_stop_distance() -> None:
    # 1 % of 10,000 = 100; stop 2 x ATR 120 = 240 away: 0.41666
    assert quantity(risk_per_trade(D(10_000), D(1), D(240), D(60_000), RULES)) == D("0.416")


def test_a_wider_stop_gives_a_smaller_size_at_equal_risk() -> None:
    near = quantity(risk_per_trade(D(10_000), D(1), D(100), D(60_000), RULES))
    far = quantity(risk_per_trade(D(10_000), D(1), D(400), D(60_000), RULES))
    assert (near, far) == (D(1), D("0.25"))
    assert near * 100 == far * 400


@pytest.mark.parametrize("distance", [D(0), D(-5)])
def test_without_a_stop_distance_there_is_no_size(distance: Decimal) -> None:
    assert refused(risk_per_trade(D(10_000), D(1), distance, D(60_000), RULES)) is Limit.NO_STOP_DISTANCE


def test_a_volatility_target_scales_equity_and_never_above_it() -> None:
    assert quantity(volatility_target(D(12_000), D(20), D(60), D(60_000), RULES)) == D("0.066")  # 4,000 / 60,000
    assert quantity(volatility_target(D(12_000), D(20), D(10), D(60_000), RULES)) == D("0.200")  # not 24,000
    assert refused(volatility_target(D(12_000), D(20), D(0), D(60_000), RULES)) is Limit.NO_STOP_DISTANCE


@pytest.mark.req("O-13")
@pytest.mark.parametrize(
    ("raw", "price", "size"),
    [
        ("0.0019999", "60000", "0.001"), ("0.00167", "60000", None), ("0.001", "100000", "0.001"),
        ("0.001", "99999", None), ("0.0009999", "1000000", None), ("0", "60000", None), ("-1", "60000", None),
        ("5000", "60000", "1000"),
    ],
)  # fmt: skip
def test_venue_minimum_step_and_maximum(raw: str, price: str, size: str | None) -> None:
    sized = to_venue(D(raw), D(price), RULES)
    if size is None or raw in ("0.0019999",):
        assert refused(sized) is Limit.SIZE_TOO_SMALL  # 0.001 x 60,000 = 60 is below the minimum notional of 100
    else:
        assert quantity(sized) == D(size)


def test_a_size_that_is_too_small_says_by_how_much() -> None:
    sized = to_venue(D("0.0015"), D(60_000), RULES)
    assert isinstance(sized, Breach)
    assert sized.detail == "notional 60.000 is below the venue's 100"


@pytest.mark.parametrize(
    ("drawdown", "factor"), [("0", "1"), ("2", "1"), ("3", "0.75"), ("4", "0.5"), ("6", "0"), ("9", "0")]
)
def test_the_drawdown_throttle_falls_in_a_straight_line(drawdown: str, factor: str) -> None:
    assert drawdown_factor(D(drawdown), D(2), D(6)) == D(factor)


@pytest.mark.parametrize(("start", "stop"), [(D(6), D(6)), (D(7), D(6)), (D(-1), D(6))])
def test_a_throttle_that_stops_before_it_starts_is_refused(start: Decimal, stop: Decimal) -> None:
    with pytest.raises(ValueError, match="must be at least 0 and below"):
        drawdown_factor(D(1), start, stop)


def test_a_factor_makes_an_entry_smaller_and_never_larger() -> None:
    size = to_venue(D("0.9"), D(60_000), RULES)
    assert quantity(scaled(size, D("0.5"), D(60_000), RULES)) == D("0.45")
    assert quantity(scaled(size, D(3), D(60_000), RULES)) == D("0.9")
    assert refused(scaled(size, D(0), D(60_000), RULES)) is Limit.SIZE_TOO_SMALL
    refusal = to_venue(D(0), D(60_000), RULES)
    assert scaled(refusal, D(1), D(60_000), RULES) is refusal


def test_without_a_price_there_is_no_size() -> None:
    assert refused(fixed_notional(D(500), D(0), RULES)) is Limit.SIZE_TOO_SMALL


@given(
    st.decimals("1", "1000000", places=2), st.decimals("0.01", "5", places=2), st.decimals("0.01", "10000", places=2),
    st.decimals("1", "100000", places=1),
)  # fmt: skip
def test_a_stopped_trade_never_loses_more_than_the_risk(
    equity: Decimal, risk_pct: Decimal, distance: Decimal, price: Decimal
) -> None:
    size = risk_per_trade(equity, risk_pct, distance, price, RULES)
    if isinstance(size, Sized):
        assert size.quantity * distance <= equity * risk_pct / 100 * (1 + D("1e-20"))
        assert size.quantity % RULES.step == 0
        assert size.quantity * price >= 100
