"""Lists that do not say which end of a span they show are read whole all the same."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from execution.recovery.from_journal import NOT_OURS_MS
from execution.recovery.model import JournalState, Policy
from execution.recovery.reading import VenueReader, order_of
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


class Asked:
    """Answers by-id questions from a list."""

    def __init__(self, *rows: OrderRow) -> None:
        self.clock = VenueClock(lambda: 0, lambda: 0)
        self.rows = {row.order_id: row for row in rows}
        self.numbers: list[int] = []

    async def order(self, symbol: str, *, wire_id: str | None = None, order_id: int = 0) -> OrderRow | None:
        """See `Reads.order`."""
        assert (symbol, wire_id) == ("BTCUSDT", None)
        self.numbers.append(order_id)
        return self.rows.get(order_id)


@pytest.mark.req("O-6")
def test_without_its_journal_an_account_is_asked_about_every_trade_since_its_oldest_order() -> None:
    """A position that the venue closed by force, an order older than the list: both are resolved, and nothing waits for ever."""
    policy, missing = Policy("h1", ("BTCUSDT",)), JournalState(began_ms=NOT_OURS_MS)
    ours = order(1, NOW - 50_000)
    listed = {(False, "BTCUSDT", 1): order_of(msgspec.structs.replace(ours, wire_id="x-aHRE4BCj-Rh1k7q2mz000001"))}
    forced, unlisted, before = order(2, NOW - 40_000), order(3, NOW - 9 * LONGEST_SPAN_MS), order(4, NOW - 60_000)
    client: Any = Asked(forced, unlisted)
    trades = [
        msgspec.structs.replace(trade(number, row.time_ms if number != 3 else NOW - 30_000), order_id=row.order_id)
        for number, row in ((1, ours), (2, forced), (3, unlisted), (4, before))
    ] + [msgspec.structs.replace(trade(5, NOW - 20_000), order_id=9)]
    unknown = asyncio.run(VenueReader(client, ("BTCUSDT",), policy)._of_trades(missing, trades, listed, NOW))
    assert client.numbers == [2, 3, 9]  # what happened before our oldest order is nobody's business
    assert {number for _, _, number in listed} == {1, 2, 3}
    assert unknown == {("BTCUSDT", 9)}  # the venue denies it: that refuses, and does not wait
    first = JournalState(began_ms=NOT_OURS_MS, first_start=True)
    client.numbers.clear()
    asyncio.run(VenueReader(client, ("BTCUSDT",), policy)._of_trades(first, trades, listed, NOW))
    assert client.numbers == []
