"""Cancel and flatten while the venue lets nobody in: nothing is sent meanwhile, and the cancel-all goes first after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from execution.safety.budget import Heard, RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.rows import OrderRow
from execution.safety.venue_clock import VenueClock
from runners.live import clearing as module
from runners.live.account import Account
from runners.live.clearing import Clearing
from tests.adapters.simulated_binance.support import still_scenario
from tests.execution.safety.support import KEYS
from tests.runners.live.test_stops import armed, lingering

OURS = "x-aHRE4BCj-Rt1zzzzzz000001"
CANCEL_ALL = "DELETE /fapi/v1/allOpenOrders"


class Named:
    """Names closing orders."""

    def __init__(self, mark: str = "9") -> None:
        self.mark = mark
        self.closed: list[tuple[str, Decimal]] = []

    def next_close(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal) -> str:
        del symbol
        self.closed.append((side, quantity))
        return f"t1zzzzzz{self.mark}{len(self.closed):05d}"

    def sent(self, client_order_id: str, row: OrderRow) -> None:
        """Nothing to keep."""

    def refused(self, client_order_id: str, why: str) -> None:
        """Nothing to keep."""


type Story = Callable[[Server, Clearing, SafetyClient], Awaitable[None]]


def cleared(
    story: Story, *, symbol: dict[str, object] | None = None, patience_secs: float = 30.0, **account: object
) -> None:
    """Tell a story of one account at a venue whose time is real."""

    async def whole() -> None:
        async with Server(Venue(still_scenario(symbol=symbol or {}, account=account), Clock())) as server:
            budget = RateBudget(RateLimits(), time.monotonic_ns)
            async with SafetyClient(server.url, KEYS, budget, VenueClock()) as client:
                await client.measure_clock()
                clearing = Clearing(Account(client, "t1", {"BTCUSDT"}), Named(), patience_secs)
                await story(server, clearing, client)

    asyncio.run(asyncio.wait_for(whole(), 60))


def heard(server: Server) -> list[tuple[str, int]]:
    """Requests and when they came."""
    return [(f"{row['method']} {row['path']}", row["ts_ns"]) for row in server.venue.ledger.of("request")]


@pytest.mark.req("L-8", "O-10")
def test_in_a_ban_nothing_is_sent_and_the_cancel_all_is_the_first_request_after_it(tmp_path: Path) -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        lingering(server, OURS)
        await armed(server, {"name": "ban", "when": {"at_secs": 0}, "do": [{"act": "ban", "secs": 2}]})
        before = len(heard(server))
        await clearing.cancel_at_once()
        assert client.budget.is_banned
        assert await clearing.cancel_until_none()
        assert server.venue.exchange.desk.open_orders() == []
        first, second = heard(server)[before : before + 2]
        assert (first[0], second[0]) == (CANCEL_ALL, CANCEL_ALL)
        assert second[1] - first[1] >= 1_000_000_000  # Retry-After is given in whole seconds
        assert [what for what, _ in heard(server)[before:]].count(CANCEL_ALL) == 2
        assert heard(server)[-1][1] - second[1] >= 2_000_000_000  # two looks, none of them in the ban
        assert any("HTTP 418" in problem for problem in clearing.problems)

    cleared(story)


@pytest.mark.req("L-8", "O-10", "R-10")
def test_a_position_is_closed_after_a_ban_that_began_in_the_middle_of_it(tmp_path: Path) -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        await armed(
            server, {"name": "ban", "when": {"request": "GET *positionRisk"}, "do": [{"act": "ban", "secs": 5}]}
        )
        assert await clearing.flatten()  # the ban is longer than its patience, which stands still meanwhile
        assert server.venue.exchange.account.positions["BTCUSDT"].quantity == 0
        after = [what for what, _ in heard(server)]
        banned = after.index("GET /fapi/v3/positionRisk")
        assert CANCEL_ALL in after[banned + 1 : banned + 3]

    cleared(story, patience_secs=4, positions={"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}})


@pytest.mark.req("L-8", "P-5")
def test_a_ban_of_hours_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FENCE_SECS", 0.0)
    monkeypatch.setattr(module, "QUIET_SECS", 0.2)

    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        client.budget.hear(Heard(time.monotonic_ns(), 418, {}, retry_after_secs=7200))
        before = len(heard(server))
        clearing._patience_secs = 1.0
        assert not await clearing.cancel_until_none()
        assert len(heard(server)) == before
        assert clearing.problems == ["GET /fapi/v1/openOrders: NOT_SENT kept back (banned)"]

    cleared(story)
