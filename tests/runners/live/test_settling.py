"""The end of a journal: what the engine believes to be over is believed where the venue shows nothing that is open."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from execution.journal import MemoryJournal
from execution.safety.rows import PositionRow
from execution.settle import settle_orders
from runners.live.settling import Settling
from tests.execution.test_journals import BTC, fill, order

IDS = ("t1aaaaaa000001", "t1aaaaaa000002", "t1aaaaaa000003")


class Venue:
    """Shows the first order open, the second cancelled, and has never had the third; notes since when it is asked."""

    def __init__(self, now_ms: int = 5) -> None:
        self.asked: list[str] = []
        self.since: list[tuple[str, int]] = []
        self.clock = SimpleNamespace(ms=lambda: now_ms)

    async def order(self, symbol: str, *, wire_id: str) -> Any:
        """See `Reads.order`."""
        self.asked.append(f"{symbol} {wire_id[-1]}")
        status = {"1": "NEW", "2": "CANCELED"}.get(wire_id[-1])
        return None if status is None else SimpleNamespace(status=status, updated_ms=5)

    async def user_trades(self, symbol: str, *, start_ms: int) -> list[Any]:
        """Nothing traded."""
        self.since.append((symbol, start_ms))
        return []

    async def income_since(self, since_ms: int, *, kind: str) -> list[Any]:
        """No funding."""
        self.since.append((kind, since_ms))
        return []


class Cache:
    """The engine takes every order for cancelled."""

    def order(self, _order_id: object) -> Any:
        """One order."""
        return SimpleNamespace(is_closed=True, ts_last=9, events=list)


@pytest.mark.req("O-3", "O-10")
@pytest.mark.parametrize(
    ("no_orders", "states", "asked"),
    [
        (True, ["CANCELED", "CANCELED", "CANCELED"], []),
        (False, ["ACK", "CANCELED", "ACK"], ["BTCUSDT 1", "BTCUSDT 2", "BTCUSDT 3"]),
    ],
    ids=["seen without orders", "not seen so"],
)
def test_the_engines_word_ends_an_order_only_where_the_venue_was_seen_without_any(
    no_orders: bool, states: list[str], asked: list[str]
) -> None:
    journal, venue, cache = MemoryJournal(), Venue(), Cache()
    for name in IDS:
        journal.order(order(name), None)
        journal.event(200, name, "OrderAccepted", "ACK")
    client: Any = venue
    closes: Any = SimpleNamespace(by_number={})
    opening: Any = SimpleNamespace(ts_ms=1)
    settling = Settling(journal, closes, client, cache, opening)

    def settle(cache: Any, *, over: bool) -> None:
        settle_orders(journal, cache, over=over)

    asyncio.run(settling.complete(("BTCUSDT",), settle, no_orders=no_orders))
    assert [row["status"] for row in journal.orders.values()] == states
    assert venue.asked == asked


@pytest.mark.req("O-10")
def test_a_session_of_months_asks_for_the_trades_of_a_day_and_for_all_of_its_funding() -> None:
    """The venue lists trades of seven days at most, and a hundred thousand fees are a hundred pages."""
    day, anything = 86_400_000, SimpleNamespace(by_number={})
    venue: Any = Venue(now_ms=100 * day)
    opening: Any = SimpleNamespace(ts_ms=40 * day)
    settling = Settling(MemoryJournal(), anything, venue, Cache(), opening)  # type: ignore[arg-type]
    asyncio.run(settling.complete(("BTCUSDT",), lambda _cache, **_: None))
    assert venue.since == [("BTCUSDT", 99 * day), ("FUNDING_FEE", 40 * day)]


def test_the_three_accounts_agree_though_the_engine_adds_floats() -> None:
    """0.147 - 0.128 is 0.019; the engine's sum of floats is 0.01900000000000002."""
    journal, anything = MemoryJournal(), SimpleNamespace()
    journal.fill(fill("1", "0.147"))
    journal.fill(fill("2", "0.128", side="SELL"))
    portfolio = SimpleNamespace(net_position=lambda _iid: Decimal("0.01900000000000002"))
    held = {"BTCUSDT": PositionRow(symbol="BTCUSDT", amount=Decimal("0.019"), entry_price=Decimal(60000))}
    settling = Settling(journal, anything, anything, anything, anything)  # type: ignore[arg-type]
    (found,) = settling.agreements((BTC,), held, portfolio)
    assert found.holds
