"""Lists that do not say which end of a span they show are read whole all the same."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from execution.safety.budget import RateBudget, RateLimits
from execution.safety.reads import LONGEST_SPAN_MS, Reads
from execution.safety.rows import OrderRow, TradeRow
from execution.safety.venue_clock import VenueClock

D = Decimal
NOW = 3 * LONGEST_SPAN_MS


class Venue(Reads):
    """Answers from a list, a page at a time."""

    def __init__(self, rows: list[Any], page: int, *, newest: bool) -> None:
        super().__init__(
            "http://127.0.0.1:9", None, RateBudget(RateLimits(), lambda: 0), VenueClock(lambda: 0, lambda: 0)
        )
        self.rows, self.page, self.newest = rows, page, newest
        self.asked: list[dict[str, Any]] = []

    async def _ask(self, endpoint: Any, shape: Any, params: Any, timeout_secs: float | None = None) -> Any:
        self.asked.append(dict(params))
        first, last = params.get("startTime"), params.get("endTime")
        number = params.get("fromId")
        found = [
            row for row in self.rows
            if (first is None or first <= row.time_ms) and (last is None or row.time_ms <= last)
            and (number is None or row.trade_id >= number)
        ]  # fmt: skip
        return tuple(found[-self.page :] if self.newest else found[: self.page])


def order(number: int, time_ms: int) -> OrderRow:
    return OrderRow(
        symbol="BTCUSDT", order_id=number, wire_id=f"w{number}", side="BUY", status="FILLED", type="LIMIT", quantity=D(1),
        filled=D(1), time_ms=time_ms,
    )  # fmt: skip


def trade(number: int, time_ms: int) -> TradeRow:
    return TradeRow(
        symbol="BTCUSDT", trade_id=number, order_id=1, side="BUY", price=D(1), quantity=D(1), realised=D(0), fee=D(0),
        fee_asset="USDT", time_ms=time_ms, maker=True,
    )  # fmt: skip


@pytest.mark.req("O-6")
@pytest.mark.parametrize("newest", [True, False], ids=["newest first", "oldest first"])
def test_orders_of_a_span_are_listed_whole_whichever_end_a_full_page_shows(newest: bool) -> None:
    rows = [order(number, number * 97_000) for number in range(1, 40)] + [order(99, NOW - 1)]
    venue = Venue(rows, 4, newest=newest)
    found = asyncio.run(venue.orders_between("BTCUSDT", 0, NOW, page=4))
    assert [row.order_id for row in found] == [row.order_id for row in rows]
    assert all(one["endTime"] - one["startTime"] <= LONGEST_SPAN_MS for one in venue.asked)


def test_orders_of_one_instant_that_fill_a_page_do_not_halve_for_ever() -> None:
    venue = Venue([order(number, 5) for number in range(4)], 4, newest=True)
    assert len(asyncio.run(venue.orders_between("BTCUSDT", 0, 1000, page=4))) == 4


@pytest.mark.req("O-6")
def test_trades_are_listed_over_weeks_and_page_by_page() -> None:
    spread = [trade(number, number * LONGEST_SPAN_MS // 2) for number in range(1, 6)]
    assert asyncio.run(Venue(spread, 1000, newest=False).trades_since("BTCUSDT", 0, NOW)) == spread
    dense = [trade(number, 10 + number) for number in range(1, 2500)]
    assert asyncio.run(Venue(dense, 1000, newest=False).trades_since("BTCUSDT", 0, NOW)) == dense
