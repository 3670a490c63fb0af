"""Sharpe ratio and its standard error."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.report.sharpe import DAY_NS, daily_returns, sharpe

MIDNIGHT = 1_723_075_200_000_000_000


@pytest.mark.req("B-5")
def test_sixty_days_of_alternating_returns_give_the_worked_ratio_and_error() -> None:
    returns = np.tile([0.02, -0.01], 30)
    # mean 0.005, deviation 0.015·√(60/59) → daily 0.3305439; × √365 = 6.31503; √((1 + 0.1092593/2)/60)·√365 = 2.53292
    found = sharpe(returns)
    assert found.ratio == pytest.approx(6.31503, abs=1e-5)
    assert found.error == pytest.approx(2.53292, abs=1e-5)
    assert (found.reason, found.days) == (None, 60)


def test_standard_error_at_ratio_two_is_three_and_a_half_after_a_month_and_one_after_a_year() -> None:
    errors = []
    for days in (30, 364):
        shape = np.tile([1.0, -1.0], days // 2) * np.sqrt((days - 1) / days)
        errors.append(sharpe(0.01 * (shape + 2 / np.sqrt(365))).error)
    assert errors == pytest.approx([3.4976, 1.0041], abs=1e-3)


def test_twenty_nine_days_are_too_few() -> None:
    found = sharpe(np.tile([0.01, -0.02], 15)[:29])
    assert (found.ratio, found.error) == (None, None)
    assert found.reason == "29 days of equity; 30 are needed"


def test_equity_that_never_moves_has_no_ratio() -> None:
    assert sharpe(np.zeros(40)).reason == "equity did not move"


def test_a_day_without_trades_counts_as_a_zero_return() -> None:
    ts = np.array([MIDNIGHT, MIDNIGHT + 100, MIDNIGHT + 2 * DAY_NS + 5])
    assert daily_returns(ts, np.array([100.0, 110.0, 99.0]), 100.0) == pytest.approx([0.10, 0.0, -0.10])


def test_a_period_that_ends_at_midnight_opens_no_new_day() -> None:
    ts = np.array([MIDNIGHT, MIDNIGHT + DAY_NS])
    assert daily_returns(ts, np.array([100.0, 104.0]), 100.0) == pytest.approx([0.04])


def test_first_day_starts_from_the_starting_balance() -> None:
    ts = np.array([MIDNIGHT + 7, MIDNIGHT + DAY_NS + 1])
    assert daily_returns(ts, np.array([90.0, 99.0]), 100.0) == pytest.approx([-0.10, 0.10])
