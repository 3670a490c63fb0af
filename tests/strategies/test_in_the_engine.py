"""The thin classes in a real engine: from market data to orders, through the gate."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from nautilus_trader.model import AggressorSide

from risk.policy import Policy, WaiveEdge
from tests.engine import FREE, MAKER, MS, Entry, Ran, book, quote, run, trade

POST_ONLY = Policy(edge=WaiveEdge(waived="a test"), max_open_entries=1)


def go(path: str, data: list[Any], policy: Policy, **params: Any) -> Ran:
    ran = run([Entry("s", f"strategies.{path}", params=params, policy=policy)], data)
    assert ran.faults.first is None, ran.faults.trace
    return ran


def sided_book(bid_heavy: bool, ms: float, mid_tick: int = 0) -> Any:
    bid = 100.0 + 0.1 * mid_tick
    heavy, thin = (8.0, 1.0) if bid_heavy else (1.0, 8.0)
    bids, asks = [(bid, heavy), (bid - 0.1, heavy), (90.0, 99.0)], [(bid + 0.1, thin), (bid + 0.2, thin), (110.0, 99.0)]
    return book(ms, bids, asks, snapshot=True)


@pytest.mark.req("O-12", "P-2")
def test_order_flow_rests_behind_a_heavy_bid_fills_and_leaves_reduce_only_when_the_book_turns() -> None:
    data: list[Any] = [quote(1000, 100.0, 100.1)]
    data += [sided_book(True, 1000 + 100 * k, k % 2) for k in range(30)]
    data += [trade(4000, 99.9, 50.0, AggressorSide.SELL), book(4001, [], [(99.9, 8)], snapshot=True)]  # sold through us
    data += [sided_book(False, 4100 + 100 * k) for k in range(60)]
    ran = go(
        "order_flow:OrderFlow", data, POST_ONLY,
        book_levels=2, min_hold_secs=1, decide_every_ms=100, order_notional_quote=500, entry_offset_ticks=1, stop_bps=1000,
    )  # fmt: skip
    orders = ran.rows("orders")
    entry, leave = orders[0], next(row for row in orders if row["reduce_only"])
    assert (entry["side"], entry["order_type"], entry["post_only"], entry["status"]) == ("BUY", "LIMIT", True, "FILLED")
    assert (leave["side"], leave["order_type"], leave["reduce_only"]) == ("SELL", "MARKET", True)
    assert (leave["why"], leave["status"]) == ("sign flip", "FILLED")
    assert entry["quantity"] == leave["quantity"]


def test_avellaneda_stoikov_keeps_one_quote_a_side_outside_the_fee_floor() -> None:
    data: list[Any] = [quote(1000, 100.0, 100.1)]
    data += [sided_book(True, 1000 + 100 * k, k // 7 % 2) for k in range(60)]
    data.insert(20, trade(2950, 100.1, 0.5, AggressorSide.BUY))
    ran = go("avellaneda_stoikov:AvellanedaStoikov", data, MAKER, decide_every_ms=500, requote_ticks=1)
    orders = ran.rows("orders")
    assert {row["side"] for row in orders} == {"BUY", "SELL"}
    assert all(row["post_only"] for row in orders)
    half_spread = 100.05 * 2.5e-4  # maker fee 2 bps and 0.5 bps
    assert all(
        float(row["price"]) <= row["mid_decision"] + 0.05 - half_spread for row in orders if row["side"] == "BUY"
    )
    assert all(
        float(row["price"]) >= row["mid_decision"] - 0.05 + half_spread for row in orders if row["side"] == "SELL"
    )
    for side in ("BUY", "SELL"):  # one after the other, never two at once
        mine = [row for row in orders if row["side"] == side]
        assert len(mine) > 1
        assert all(old["ts_closed"] <= new["ts_accepted"] for old, new in pairwise(mine))


START_MS = 3_600_000


def bars_of(closes: list[float], secs: int, size: float = 1.0) -> list[Any]:
    """Two prints a bar, and a book whose bid stands at the last print."""
    data: list[Any] = [quote(START_MS, closes[0], closes[0] + 0.1)]
    for index, close in enumerate(closes):
        start = START_MS + 1 + index * secs * 1000
        data.append(book(start, [(close, 50.0)], [(close + 0.1, 50.0)], snapshot=True))
        data.append(trade(start + 200, close, size * (5.0 if index >= 5 else 1.0), AggressorSide.BUY, 2 * index))
        data.append(trade(start + secs * 700, close, size, AggressorSide.SELL, 2 * index + 1))
    return data


@pytest.mark.req("B-1", "B-4")
def test_breakout_buys_after_the_breaking_bar_and_the_stop_takes_it_out_inside_a_bar() -> None:
    closes = [100.0, 100.2, 100.0, 100.2, 100.0, 103.0, 103.0, 101.0, 101.0, 101.0]
    ran = go(
        "breakout:Breakout", bars_of(closes, 5), FREE,
        bar_secs=5, channel_bars=4, volume_bars=4, atr_bars=4, stop_atr=1.0, trail_atr=1.0, sizing={"risk_pct": 0.001},
    )  # fmt: skip
    enter, leave = ran.rows("orders")
    assert (enter["side"], enter["why"].split()[0]) == ("BUY", "break")
    # True ranges 0, 0.2, 0.2, 0.2 make an ATR of 0.15; 0.2 and 3.0 follow: 0.871875. 1 of 100 000 at risk: 1.1469.
    assert str(enter["quantity"].normalize()) == "1.146"
    assert enter["ts_ns"] == (START_MS + 30_000) * MS  # the sixth bar of 5 s has closed; not before
    assert (leave["side"], leave["reduce_only"], leave["why"]) == ("SELL", True, "stop")
    assert leave["ts_ns"] % 5_000_000_000 != 0  # inside a bar
    assert ran.net == 0


def test_mean_reversion_fades_a_far_close_post_only_and_leaves_when_it_is_back() -> None:
    swings = [100.0, 100.1] * 10
    ran = go(
        "mean_reversion:MeanReversion", bars_of([*swings, 101.0, 101.3, 100.9, 100.0, 100.0, 100.0], 5), POST_ONLY,
        bar_secs=5, ema_bars=10, adx_bars=4, max_adx=100, z_exit=0.5, stop_bps=1000,
    )  # fmt: skip
    orders = ran.rows("orders")
    assert (orders[0]["side"], orders[0]["post_only"], orders[0]["status"]) == ("SELL", True, "FILLED")
    assert orders[0]["ts_ns"] == (START_MS + 105_000) * MS  # the bar that closed at 101.0
    assert (orders[1]["side"], orders[1]["reduce_only"], orders[1]["why"]) == ("BUY", True, "back at the mean")
    assert ran.net == 0
