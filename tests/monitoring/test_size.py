"""Participation, ratios, capacity."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from monitoring.report import load, summarise
from monitoring.report.capacity import capacity, minute_volatility_bps
from monitoring.report.mids import Mids
from monitoring.report.participation import Minutes, fill_ratio, maker_share, own_minutes, quantiles, size_of_level
from tests.monitoring.build_run import IID, SECOND, START, Scene, at, fill, order, quote

D = Decimal


def volume(minute: int, buy: float, sell: float) -> dict[str, object]:
    return {"minute_ns": at(60 * minute), "instrument_id": IID, "buy_volume": buy, "sell_volume": sell, "trades": 1}


def busy() -> Scene:
    return Scene(
        quotes=[quote(0, 99, 101, 4.0, 5.0), quote(200, 99, 101)],
        fills=[
            fill(10, "BUY", "0.5", "100"),
            fill(50, "BUY", "0.5", "100"),
            fill(70, "SELL", "1", "100", liquidity="TAKER"),
            fill(130, "BUY", "1", "100"),
        ],
        orders=[
            order(1, quantity=D("0.5"), filled_quantity=D("0.5"), queue_ahead=2.0),
            order(2, quantity=D("1.5"), filled_quantity=D("0.5"), queue_ahead=0.0, status="CANCELED"),
            order(3, "SELL", order_type="MARKET", price=None, quantity=D(1)),
            order(4, quantity=D(9), filled_quantity=D(0), status="DENIED"),
        ],
        volume=[volume(0, 3.0, 1.0), volume(1, 5.0, 5.0)],
    )


@pytest.mark.req("B-5")
def test_participation_is_own_over_market_volume_minute_by_minute(tmp_path: Path) -> None:
    run = load(busy().write(tmp_path))
    minutes = own_minutes(run.headline.fills, run.volume)
    assert minutes.share[:2] == pytest.approx([0.25, 0.10])
    found = quantiles(minutes.share)
    # the third minute had no market volume: no share, but counted
    assert (found.p50, found.p95) == pytest.approx((0.175, 0.2425))
    assert (found.count, found.excluded) == (2, 1)


def test_size_of_level_is_order_size_over_what_was_displayed(tmp_path: Path) -> None:
    run = load(busy().write(tmp_path))
    # 0.5 behind 2; nothing displayed; a market sell of 1 into a bid of 4; a denied order never got there
    assert size_of_level(run.headline.orders, run.mids) == pytest.approx([0.25, np.nan, 0.25], nan_ok=True)


def test_fill_ratio_counts_only_orders_that_were_sent(tmp_path: Path) -> None:
    run = load(busy().write(tmp_path))
    assert fill_ratio(run.headline.orders, run.mids) == pytest.approx(2.0 / 3.0)


def test_maker_share_is_by_notional(tmp_path: Path) -> None:
    run = load(busy().write(tmp_path))
    assert maker_share(run.headline.fills) == pytest.approx(2 / 3)


def test_without_fills_shares_are_null(tmp_path: Path) -> None:
    bound = summarise(load(Scene(quotes=[quote(0, 99, 101)]).write(tmp_path))).bounds["conservative"]
    assert (bound.maker_share, bound.fill_ratio, bound.hit_rate, bound.net_bps) == (None, None, None, None)
    assert {c.reason for c in bound.capacity} == {"no fills"}


def one_minute(share: float) -> Minutes:
    ids = np.array([IID], dtype=np.object_)
    return Minutes(np.array([START]), ids, np.array([share]), np.array([1.0]), np.array([100.0]))


def test_capacity_charges_square_root_impact() -> None:
    half, one, two, five, ten = capacity(-1.0, one_minute(0.04), np.array([5.0]))
    # 5·√0.04 = 1 bp at the size that was run
    assert (one.impact_bps, one.net_bps) == pytest.approx((1.0, -2.0))
    assert (half.net_bps, ten.net_bps) == pytest.approx((-1 - 5 * 0.02**0.5, -1 - 5 * 0.4**0.5))
    assert [c.beyond_data for c in (half, one, two, five, ten)] == [False, False, False, True, True]


def test_capacity_beyond_the_whole_market_is_null_with_the_reason() -> None:
    last = capacity(2.0, one_minute(0.2), np.array([5.0]))[-1]
    assert (last.net_bps, last.reason) == (None, "would need more than the whole market's volume")


def test_capacity_without_market_volume_is_null_with_the_reason() -> None:
    empty = Minutes(np.array([START]), np.array([IID]), np.array([1.0]), np.array([0.0]), np.array([100.0]))
    assert {c.reason for c in capacity(1.0, empty, np.array([5.0]))} == {"no market volume in the minutes traded"}


def test_minute_volatility_is_the_deviation_of_log_returns() -> None:
    prices = 100.0 * np.exp(np.cumsum([0.0, 0.001, -0.001, 0.001, -0.001]))
    ts = START + 60 * SECOND * np.arange(5)
    market = Mids(ts, prices, prices, np.ones(5), np.ones(5))
    # returns ±10 bps, mean 0: √(4·100/3)
    assert minute_volatility_bps(market) == pytest.approx((400 / 3) ** 0.5)
