"""The waterfall against hand-worked accounts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.report import load, summarise
from monitoring.report.models import BoundSummary
from monitoring.report.waterfall import explain
from tests.monitoring.build_run import Scene, fill, paid, quote, random_scene

D = Decimal


def figures(scene: Scene, path: Path) -> BoundSummary:
    return summarise(load(scene.write(path))).bounds["conservative"]


@pytest.mark.req("B-5", "X-7")
def test_a_maker_fill_whose_spread_capture_is_eaten_by_the_markout(tmp_path: Path) -> None:
    found = figures(
        Scene(
            quotes=[quote(0, 99, 101), quote(30, 97, 99), quote(120, 96, 98)],
            fills=[fill(10, "BUY", "2", "99", fee=D("0.02"))],
        ),
        tmp_path,
    ).waterfall
    # mid 100 at the fill, 98 a minute later, 97 at the end: 2·(100−99), 2·(98−100), 2·(97−98)
    assert (found.spread, found.markout, found.inventory) == (D(2), D(-4), D(-2))
    assert (found.fees, found.net) == (D("0.02"), D("-4.02"))


@pytest.mark.req("B-3", "B-5")
def test_a_funding_payment_between_two_fills_is_its_own_step(tmp_path: Path) -> None:
    found = figures(
        Scene(
            quotes=[quote(0, 99, 101), quote(300, 109, 111)],
            fills=[fill(10, "SELL", "1", "100.5"), fill(200, "BUY", "1", "99.5")],
            funding=[paid(100, "0.0618", "-1")],
        ),
        tmp_path,
    )
    # sell 0.5 above mid, buy 0.5 below mid 100: 1.0 captured; both then see the mid rise by 10 after their minute
    assert found.waterfall.spread == D(1)
    assert (found.waterfall.markout, found.waterfall.inventory) == (D(0), D(0))
    assert (found.funding, found.net_pnl, found.residual) == (D("0.0618"), D("1.0618"), D(0))


def test_markout_horizon_is_cut_at_the_end_of_the_data(tmp_path: Path) -> None:
    found = figures(
        Scene(quotes=[quote(0, 99, 101), quote(20, 103, 105)], fills=[fill(10, "BUY", "1", "100")]), tmp_path
    ).waterfall
    assert (found.markout, found.inventory) == (D(4), D(0))


def test_a_taker_pays_the_spread(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101)], fills=[fill(1, "BUY", "3", "101", liquidity="TAKER", fee=D("0.15"))])
    found = figures(scene, tmp_path)
    assert (found.waterfall.spread, found.net_pnl) == (D(-3), D("-3.15"))


def test_a_missing_cent_is_a_residual_and_a_doubt(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101)], fills=[fill(1, "BUY", "1", "100")], account={"net_pnl": "0.01"})
    summary = summarise(load(scene.write(tmp_path)))
    assert summary.residual == D("0.01")
    assert summary.doubts[0].name == "residual"


def test_a_fee_that_the_account_forgot_is_found(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101)], fills=[fill(1, "BUY", "1", "100", fee=D("0.05"))])
    scene.account = {"net_pnl": "0"}
    assert figures(scene, tmp_path).residual == D("0.05")


def test_rounding_of_bookings_is_shown_but_is_no_residual() -> None:
    # 48 postings: 6·√(48/12) = 12 units
    within, beyond = explain(D("1.00000012"), D(1), 48), explain(D("1.00000013"), D(1), 48)
    assert (within.residual, within.rounding, within.allowance) == (D(0), D("0.00000012"), D("0.00000012"))
    assert (beyond.residual, beyond.rounding) == (D("0.00000013"), D(0))


def test_fees_in_another_asset_are_listed_and_not_summed(tmp_path: Path) -> None:
    fills = [fill(1, "BUY", "1", "100", fee=D("0.001"), fee_asset="BNB")]
    scene = Scene(quotes=[quote(0, 99, 101)], fills=fills, account={"net_pnl": "0", "ending_balance": "10000"})
    summary = summarise(load(scene.write(tmp_path)))
    assert summary.fees == D(0)
    assert summary.bounds["conservative"].other_fees == {"BNB": D("0.001")}
    assert "fee_currency" in [doubt.name for doubt in summary.doubts]


def test_float_noise_in_the_market_table_does_not_reach_the_sums(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 61844.700000000004, 61844.8)], fills=[fill(1, "BUY", "1", "61844.7")])
    assert figures(scene, tmp_path).waterfall.spread == D("0.05")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parts_sum_to_the_account_in_both_bounds_of_a_long_session(seed: int, tmp_path: Path) -> None:
    summary = summarise(load(random_scene(seed, minutes=15, trades=120).write(tmp_path)))
    for bound in summary.bounds.values():
        parts = bound.waterfall
        total = parts.spread + parts.markout + parts.inventory - parts.fees + parts.funding
        assert bound.residual == 0
        assert total + bound.rounding == bound.net_pnl


def test_strategies_parts_add_up_to_the_netted_account(tmp_path: Path) -> None:
    bound = figures(random_scene(4, minutes=15, trades=120, strategies=3), tmp_path)
    assert [s.strategy_id for s in bound.strategies] == ["S-1", "S-2", "S-3"]
    for key in ("spread", "markout", "inventory", "fees", "funding"):
        assert sum(getattr(s.waterfall, key) for s in bound.strategies) == getattr(bound.waterfall, key)
    assert sum(s.waterfall.net for s in bound.strategies) + bound.rounding == bound.net_pnl


_TRADES = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 500), st.integers(900, 1100)), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(trades=_TRADES, mids=st.lists(st.integers(900, 1100), min_size=3, max_size=8))
def test_any_sequence_of_fills_is_explained(
    trades: list[tuple[str, int, int]], mids: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    quotes = [quote(i * 40, mid / 10 - 0.1, mid / 10 + 0.1) for i, mid in enumerate(mids)]
    fills = [
        fill(1 + i * 3, side, f"{D(size).scaleb(-3)}", f"{D(price).scaleb(-1)}", fee=D(size).scaleb(-5))
        for i, (side, size, price) in enumerate(trades)
    ]
    path = tmp_path_factory.mktemp("run")
    assert figures(Scene(quotes=quotes, fills=fills, funding=[paid(20, "-0.003")]), path).residual == 0
