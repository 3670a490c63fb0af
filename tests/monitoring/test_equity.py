"""Equity, drawdown, grid."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from execution.records import EQUITY
from monitoring.report import equity_table, load
from monitoring.report.equity import curve_table, drawdowns, grid, max_drawdown, time_weighted
from monitoring.report.summarise import curve_of
from tests.monitoring.build_run import SECOND, START, Scene, at, fill, paid, quote


def hold_two(path: Path) -> Path:
    """Buy 2 at 99 with mid 100; the mid dips to 90 between two minutes, ends at 103; funding −1; fee 0.5."""
    return Scene(
        quotes=[quote(0, 99, 101), quote(70, 89, 91), quote(80, 99, 101), quote(150, 102, 104)],
        fills=[fill(10, "BUY", "2", "99", fee=Decimal("0.5"))],
        funding=[paid(100, "-1", "2")],
        starting="1000",
    ).write(path)


@pytest.mark.req("B-5")
def test_equity_is_cash_plus_position_at_mid_less_fees_plus_funding(tmp_path: Path) -> None:
    run = load(hold_two(tmp_path))
    curve = curve_of(run, run.headline)
    # 0 s: 1000 · 10 s: 1000 − 198 − 0.5 + 2·100 = 1001.5 · 70 s: 2·90 → 981.5 · 80 s: 1001.5 · 100 s: −1 · 150 s: 2·103
    assert curve.equity == pytest.approx([1000, 1001.5, 981.5, 1001.5, 1000.5, 1006.5])
    assert curve.exposure == pytest.approx([0, 200, 180, 200, 200, 206])


def test_equity_table_stands_on_the_utc_minute_grid_with_both_ends(tmp_path: Path) -> None:
    table = equity_table(load(hold_two(tmp_path)), "conservative")
    assert table.schema == EQUITY
    assert table.column("ts_ns").to_pylist() == [at(0), at(60), at(120), at(150)]
    assert table.column("equity").to_pylist() == pytest.approx([1000, 1001.5, 1000.5, 1006.5])


def test_drawdown_on_the_grid_sees_the_dip_between_two_grid_points(tmp_path: Path) -> None:
    table = equity_table(load(hold_two(tmp_path)), "conservative")
    # peak 1001.5, dip 981.5 at 70 s: 20 / 1001.5; at the end equity is at its peak again
    assert table.column("drawdown").to_pylist() == pytest.approx([0, 0, 20 / 1001.5, 0])


def test_max_drawdown_is_taken_from_the_running_peak() -> None:
    found = max_drawdown(np.array([100.0, 110.0, 99.0, 120.0, 90.0]), 100.0)
    assert (found.quote, found.fraction) == pytest.approx((30.0, 0.25))


def test_peak_starts_at_the_starting_balance() -> None:
    fall, fraction = drawdowns(np.array([95.0, 97.0]), 100.0)
    assert fall == pytest.approx([5.0, 3.0])
    assert fraction == pytest.approx([0.05, 0.03])


def test_deepest_quote_and_deepest_fraction_may_be_different_falls() -> None:
    found = max_drawdown(np.array([100.0, 80.0, 1000.0, 850.0]), 100.0)
    assert (found.quote, found.fraction) == pytest.approx((150.0, 0.20))


def test_grid_is_utc_minutes_and_the_ends() -> None:
    assert ((grid(START + 30 * SECOND, START + 130 * SECOND) - START) // SECOND).tolist() == [30, 60, 120, 130]


def test_position_that_float_sums_leave_behind_is_no_exposure(tmp_path: Path) -> None:
    fills = [fill(1, "BUY", "0.1", "100"), fill(2, "BUY", "0.2", "100"), fill(3, "SELL", "0.3", "100")]
    run = load(Scene(quotes=[quote(0, 99, 101), quote(9, 99, 101)], fills=fills).write(tmp_path))
    assert curve_of(run, run.headline).exposure[-1] == 0.0


def test_time_weighted_mean_counts_how_long_a_value_stood(tmp_path: Path) -> None:
    run = load(hold_two(tmp_path))
    curve = curve_of(run, run.headline)
    # 0 for 10 s, 200 for 60, 180 for 10, 200 for 70
    assert time_weighted(curve, curve.exposure) == pytest.approx((200 * 60 + 180 * 10 + 200 * 70) / 150)


def test_curve_table_ends_with_the_accounts_net(tmp_path: Path) -> None:
    run = load(hold_two(tmp_path))
    table = curve_table(curve_of(run, run.headline), 1000.0)
    assert table.column("equity").to_pylist()[-1] - 1000 == pytest.approx(float(run.headline.account.net_pnl))
