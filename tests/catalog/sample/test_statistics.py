from __future__ import annotations

import numpy as np
import pytest

from catalog.sample.depth import depth_of
from catalog.sample.statistics import (
    SECOND_NS,
    Depth,
    MarketData,
    Quotes,
    Trades,
    imbalance_correlation,
    impact_bps,
    market_orders,
    spread_ticks,
    volatility_bps,
)


def _quotes(secs: list[float], bids: list[float], asks: list[float]) -> Quotes:
    size = np.ones(len(secs))
    return Quotes((np.array(secs) * SECOND_NS).astype(np.int64), np.array(bids), size, np.array(asks), size)


def _trades(ms: list[int], sizes: list[float], sides: list[int]) -> Trades:
    price = np.full(len(ms), 100.0)
    return Trades(np.array(ms, dtype=np.int64) * 1_000_000, price, np.array(sizes), np.array(sides, dtype=np.int64))


def test_spread_is_weighted_by_the_time_it_stood() -> None:
    quotes = _quotes([0, 3, 4, 5], [100.0, 100.0, 100.0, 100.0], [100.1, 100.5, 100.1, 109.0])
    # One tick for 3 s, five for 1 s, one for 1 s; the last quote stands for no time: (3 + 5 + 1) / 5 = 1.8.
    assert spread_ticks(quotes, 0.1) == pytest.approx((1.8, 1.0))


def test_prints_of_one_instant_and_side_are_one_market_order() -> None:
    orders = market_orders(_trades([1, 1, 1, 2, 2], [0.5, 0.25, 1.0, 2.0, 3.0], [1, 1, -1, -1, -1]))
    assert orders.size.tolist() == [0.75, 1.0, 5.0]
    assert orders.side.tolist() == [1, -1, -1]
    assert orders.ts_ns.tolist() == [1_000_000, 1_000_000, 2_000_000]


def test_volatility_is_the_root_mean_square_change_of_the_mid() -> None:
    quotes = _quotes([0, 1, 2], [99.0, 102.0, 98.0], [101.0, 104.0, 100.0])
    # Mids 100, 103, 99: changes 3 and −4, root mean square √12.5 = 3.5355; over the mean mid 100.667.
    assert volatility_bps(quotes, SECOND_NS) == pytest.approx(3.5355339 / 100.6666667 * 1e4)


def test_impact_is_signed_by_the_order() -> None:
    quotes = _quotes([0, 1, 2, 4], [99.9, 100.9, 99.9, 99.9], [100.1, 101.1, 100.1, 100.1])
    # Buy at 0.5 s: mid 100 before, 101 at 1.5 s, +100 bps. Sell at 1.5 s: 101 before, 100 at 2.5 s, 1/101 = 99.0099 bps.
    orders = _trades([500, 1_500], [1.0, 1.0], [1, -1])
    assert impact_bps(quotes, orders, SECOND_NS) == pytest.approx((100.0 + 1e4 / 101) / 2)


def test_imbalance_that_always_tells_the_next_move_has_correlation_one() -> None:
    quotes = _quotes([0, 1, 2, 3], [100.0, 101.0, 100.0, 101.0], [100.1, 101.1, 100.1, 101.1])
    depth = Depth(np.array([0, 1, 2]) * SECOND_NS, np.array([3.0, 1.0, 3.0]), np.array([1.0, 3.0, 1.0]))
    assert imbalance_correlation(depth, quotes, SECOND_NS) == pytest.approx(1.0)


def test_between_keeps_the_start_and_leaves_out_the_end() -> None:
    quotes = _quotes([0, 1, 2], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    depth = Depth(np.array([0, 1, 2]) * SECOND_NS, np.ones(3), np.ones(3))
    part = MarketData(quotes, _trades([0, 1_000, 2_000], [1.0, 2.0, 3.0], [1, 1, 1]), depth).between(
        SECOND_NS, 2 * SECOND_NS
    )
    assert (part.quotes.bid.tolist(), part.trades.size.tolist(), len(part.depth.ts_ns)) == ([2.0], [2.0], 1)


def test_depth_counts_occupied_levels_only_and_starts_again_after_a_clear() -> None:
    rows = np.array(
        [
            # time, side, price, size, last
            (1, 1, 100, 5, 0),
            (1, 1, 98, 7, 0),
            (1, 1, 90, 100, 0),
            (1, -1, 101, 2, 1),
            (2, 1, 100, 0, 0),
            (2, -1, 103, 4, 1),
            (3, 0, 0, 0, 0),
            (3, 1, 99, 1, 0),
            (3, -1, 101, 1, 1),
        ],
        dtype=np.int64,
    )
    depth = depth_of(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4], levels=2, lot=0.5)
    # Two best bids: 5 + 7 lots, then 7 + 100, then 1; asks 2, then 2 + 4, then 1; half a unit each.
    assert depth.bid.tolist() == [6.0, 53.5, 0.5]
    assert depth.ask.tolist() == [1.0, 3.0, 0.5]
    assert depth.ts_ns.tolist() == [1, 2, 3]
