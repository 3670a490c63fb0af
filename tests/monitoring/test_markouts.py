"""Markouts, their interval, shortfall."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from monitoring.report import load
from monitoring.report.bootstrap import block_length, weighted_mean_interval
from monitoring.report.columns import F64
from monitoring.report.markouts import Markout, markouts
from monitoring.report.shortfall import shortfall
from tests.monitoring.build_run import SECOND, Scene, at, fill, quote

D = Decimal


def found(scene: Scene, path: Path, kind: str, horizon: float) -> Markout:
    run = load(scene.write(path))
    rows = markouts(run.headline.fills, run.mids, run.options.markout_secs)
    return next(row for row in rows if (row.liquidity, row.horizon_secs) == (kind, horizon))


def two_fills() -> Scene:
    """Maker buy of 1 and taker sell of 3 at 100; the mid is 100.05 a second later; data ends after 70 s."""
    return Scene(
        quotes=[quote(0, 99.5, 100.5), quote(1.5, 99.5, 100.6), quote(70, 99.5, 100.6)],
        fills=[
            fill(1, "BUY", "1", "100", fee=D("0.02")),
            fill(1.2, "SELL", "3", "100", liquidity="TAKER", fee=D("0.15")),
        ],
    )


@pytest.mark.req("B-5")
def test_markout_is_gross_and_after_fee_maker_and_taker_apart(tmp_path: Path) -> None:
    maker, taker = (found(two_fills(), tmp_path, kind, 1.0) for kind in ("MAKER", "TAKER"))
    # +0.05 on 100 = 5 bps, fee 2 bps; −5 bps, fee 0.15 / 300 = 5 bps
    assert (maker.gross_bps, maker.net_bps) == pytest.approx((5.0, 3.0))
    assert (taker.gross_bps, taker.net_bps) == pytest.approx((-5.0, -10.0))


def test_markout_is_weighted_by_notional(tmp_path: Path) -> None:
    both = found(two_fills(), tmp_path, "ALL", 1.0)
    assert both.gross_bps == pytest.approx((1 * 5 - 3 * 5) / 4)
    assert both.net_bps == pytest.approx((1 * 3 - 3 * 10) / 4)


def test_mid_exactly_at_the_horizon_counts(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101), quote(11, 100, 102)], fills=[fill(1, "BUY", "1", "100")])
    assert found(scene, tmp_path, "ALL", 10.0).gross_bps == pytest.approx(100.0)


def test_fills_with_less_than_the_horizon_left_are_excluded_and_counted(tmp_path: Path) -> None:
    late = found(two_fills(), tmp_path, "ALL", 300.0)
    assert (late.gross_bps, late.fills, late.excluded) == (None, 0, 2)
    assert found(two_fills(), tmp_path, "ALL", 60.0).excluded == 0


def test_two_fills_have_a_mean_but_no_interval(tmp_path: Path) -> None:
    row = found(two_fills(), tmp_path, "ALL", 1.0)
    assert (row.net_low_bps, row.net_high_bps) == (None, None)


def test_interval_of_independent_values_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, 2000)
    low, high = weighted_mean_interval(values, np.ones(2000), 1) or (0.0, 0.0)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(2000), rel=0.1)
    assert low < values.mean() < high


def test_blocks_widen_the_interval_of_values_that_come_in_runs() -> None:
    values: F64 = np.asarray(np.repeat(np.random.default_rng(2).normal(0.0, 1.0, 200), 10), dtype=np.float64)
    narrow, wide = (weighted_mean_interval(values, np.ones(2000), length) or (0.0, 0.0) for length in (1, 10))
    assert wide[1] - wide[0] > 2.0 * (narrow[1] - narrow[0])


def test_interval_is_the_same_twice() -> None:
    values, weights = np.random.default_rng(3).normal(0.0, 1.0, 300), np.arange(1.0, 301.0, dtype=np.float64)
    assert weighted_mean_interval(values, weights, 7) == weighted_mean_interval(values, weights, 7)


def test_equal_values_have_an_interval_without_width() -> None:
    assert weighted_mean_interval(np.full(50, 2.5), np.arange(1.0, 51.0, dtype=np.float64), 4) == pytest.approx(
        (2.5, 2.5)
    )


def test_blocks_are_as_long_as_the_horizon_overlaps() -> None:
    seconds = np.arange(1000, dtype=np.int64) * SECOND
    assert block_length(seconds, SECOND // 2) == 10  # n^(1/3)
    assert block_length(seconds, 60 * SECOND) == 59  # 61 fills share a horizon, fewer towards the end


@pytest.mark.req("B-5")
def test_shortfall_splits_into_delay_and_spread(tmp_path: Path) -> None:
    scene = Scene(
        quotes=[quote(0, 99.9, 100.1), quote(1, 100.0, 100.2), quote(2, 100.2, 100.4)],
        fills=[
            fill(2, "BUY", "2", "100.4", mid_decision=100.0, ts_decision=at(0), ts_arrival=at(1)),
            fill(2.5, "BUY", "1", "100.4"),
        ],
    )
    run = load(scene.write(tmp_path))
    split = shortfall(run.headline.fills, run.mids)
    # decided at mid 100, arrived at mid 100.1, filled at 100.4: 10 + 30 bps, 0.8 in money; the other has no decision mid
    assert (split.delay_bps, split.spread_impact_bps, split.total_bps) == pytest.approx((10.0, 30.0, 40.0))
    assert split.quote == pytest.approx(0.8)
    assert (split.fills, split.excluded) == (1, 1)


def test_a_fill_without_arrival_arrived_when_it_was_filled(tmp_path: Path) -> None:
    scene = Scene(
        quotes=[quote(0, 99.9, 100.1), quote(1, 100.0, 100.2)],
        fills=[fill(1.5, "SELL", "1", "100", mid_decision=100.0, ts_decision=at(0), liquidity="TAKER")],
    )
    run = load(scene.write(tmp_path))
    split = shortfall(run.headline.fills, run.mids)
    assert (split.delay_bps, split.spread_impact_bps) == pytest.approx((-10.0, 10.0))
