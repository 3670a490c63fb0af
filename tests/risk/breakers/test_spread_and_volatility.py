"""Spread and volatility against their own past, with worked numbers."""

from __future__ import annotations

import math

import pytest

from risk.atr import MinuteAtr
from risk.breakers.config import AtrConfig, RealisedConfig, SpreadConfig
from risk.breakers.machine import Level, State
from risk.breakers.spread import SpreadMultiple
from risk.breakers.volatility import AtrMultiple, RealisedMultiple

SEC = 1_000_000_000
MINUTE = 60 * SEC


def spread(**settings: float) -> SpreadMultiple:
    given = {"soft": 4, "window_secs": 60, "min_samples": 10, "cooldown_secs": 2, "clear_events": 2, **settings}
    breaker = SpreadMultiple("spread_multiple", SpreadConfig.model_validate(given))
    for second in range(10):
        assert breaker.update(second * SEC, 99.99, 100.01) == ()  # 0.02 / 100 = 2 bps
    return breaker


@pytest.mark.req("R-6")
@pytest.mark.parametrize(("half_spread", "opens"), [(0.0399, False), (0.0401, True)])  # limit 8 bps = 0.08
def test_a_spread_opens_beyond_its_multiple_of_the_median(half_spread: float, opens: bool) -> None:
    breaker = spread()
    assert bool(breaker.update(11 * SEC, 100 - half_spread, 100 + half_spread)) is opens


@pytest.mark.req("R-6")
def test_a_wide_spread_closes_after_cool_down_and_normal_updates() -> None:
    breaker = spread()
    (edge,) = breaker.update(11 * SEC, 99.95, 100.05)
    assert edge.level is Level.SOFT
    assert edge.figures["multiple"] == pytest.approx(5.0)
    assert edge.reason == "spread 10.00 bps is 5.0 times its median 2.00"
    assert breaker.update(12 * SEC, 99.99, 100.01) == ()
    assert [e.to_state for e in breaker.update(13 * SEC, 99.99, 100.01)] == [State.HALF_OPEN]
    assert [e.to_state for e in breaker.update(14 * SEC, 99.99, 100.01)] == [State.CLOSED]


def test_a_tight_market_is_judged_by_the_floor() -> None:
    breaker = spread(floor_bps=5)
    assert breaker.update(11 * SEC, 99.91, 100.09) == ()  # 18 bps, 9 times the median, 3.6 times the floor
    assert breaker.update(12 * SEC, 99.89, 100.11) != ()  # 22 bps


def test_a_crossed_book_is_not_a_spread() -> None:
    breaker = spread()
    assert breaker.update(11 * SEC, 100.2, 100.0) == ()
    assert breaker.update(11 * SEC, 0.0, 100.0) == ()


def test_a_lasting_change_becomes_the_new_normal_within_the_window() -> None:
    breaker = spread()
    for second in range(10, 70):
        breaker.update(second * SEC, 99.90, 100.10)
    assert breaker.state is State.CLOSED


def test_average_true_range_follows_wilder() -> None:
    atr = MinuteAtr(2)
    bars = [(100, 103, 99, 101), (101, 102, 98, 100), (104, 105, 104, 105), (105, 105, 101, 102)]
    seen = []
    for minute, bar in enumerate(bars):
        for i, price in enumerate(bar):
            if atr.update(minute * MINUTE + i * SEC, price):
                seen.append(atr.value)
    assert atr.update(4 * MINUTE, 102)
    seen.append(atr.value)
    # TR: 103-99 = 4; 102-98 = 4 -> mean 4; gap from 100: 105-100 = 5 -> (4+5)/2 = 4.5; 105-101 = 4 -> (4.5+4)/2
    assert seen == [None, 4.0, 4.5, 4.25]


def test_an_atr_period_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MinuteAtr(0)


def test_a_price_of_an_earlier_minute_counts_for_the_current_bar() -> None:
    atr = MinuteAtr(1)
    atr.update(5 * MINUTE, 100)
    assert not atr.update(4 * MINUTE, 110)
    assert atr.update(6 * MINUTE, 100)
    assert atr.value == 10


@pytest.mark.req("R-6")
@pytest.mark.parametrize(("high", "opens"), [(104.0, False), (104.1, True)])  # median ATR 1, limit 4
def test_atr_opens_beyond_its_multiple_when_the_minute_is_complete(high: float, opens: bool) -> None:
    config = AtrConfig(soft=4, window_secs=1200, min_samples=10, period_minutes=1)
    breaker = AtrMultiple("atr_multiple", config)
    for minute in range(12):
        assert breaker.update(minute * MINUTE, 100.0) == ()
        assert breaker.update(minute * MINUTE + SEC, 101.0) == ()
        assert breaker.update(minute * MINUTE + 2 * SEC, 100.0) == ()
    assert breaker.update(12 * MINUTE, 100.0) == ()
    assert breaker.update(12 * MINUTE + SEC, high) == ()
    assert bool(breaker.update(13 * MINUTE, 100.0)) is opens


@pytest.mark.req("R-6")
def test_realised_volatility_opens_on_a_worked_jump() -> None:
    config = RealisedConfig(soft=4, window_secs=60, min_samples=20, horizon_secs=4)
    breaker = RealisedMultiple("realised_vol_multiple", config)
    mids = [100.0 * math.exp(1e-4 * (second % 2)) for second in range(30)]  # r = ±1 bp a second, RV of 4 = 2 bps
    for second, mid in enumerate(mids):
        assert breaker.update(second * SEC, mid) == ()
    jump = mids[-1] * math.exp(-9e-4)  # RV = sqrt(3 + 81) = 9.165 bps: 4.58 times the median
    assert breaker.update(30 * SEC, jump) == ()
    (edge,) = breaker.update(31 * SEC, jump)
    assert edge.figures["realised_bps"] == pytest.approx(math.sqrt(84), rel=1e-6)
    assert edge.figures["multiple"] == pytest.approx(math.sqrt(84) / 2, rel=1e-6)


def test_realised_volatility_below_the_limit_passes() -> None:
    config = RealisedConfig(soft=4, window_secs=60, min_samples=20, horizon_secs=4)
    breaker = RealisedMultiple("realised_vol_multiple", config)
    mids = [100.0 * math.exp(1e-4 * (second % 2)) for second in range(30)]
    for second, mid in enumerate(mids):
        breaker.update(second * SEC, mid)
    jump = mids[-1] * math.exp(-7.8e-4)  # sqrt(3 + 60.84) = 7.99 bps: 3.995 times
    breaker.update(30 * SEC, jump)
    assert breaker.update(31 * SEC, jump) == ()
