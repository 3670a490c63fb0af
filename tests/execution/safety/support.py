"""The safety client at a served venue on manual time: both clocks are the venue's, so nothing moves unless a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from tests.adapters.simulated_binance.support import Desk, eventually, fault

__all__ = ["Rig", "eventually", "run"]
PATIENCE_SECS = 20.0
KEYS = Credentials(SecretStr("local-key"), SecretStr("local-secret"))


@dataclass
class Rig:
    """A client, the venue's desk and its server."""

    client: SafetyClient
    desk: Desk
    server: Server

    @property
    def budget(self) -> RateBudget:
        return self.client.budget

    def fault(self, when: dict[str, Any], *do: dict[str, Any]) -> None:
        """Arm a fault at once."""
        self.desk.venue.arm(fault("f", when, *do))
        self.desk.venue.advance()

    def requests(self) -> list[str]:
        """'METHOD /path' of all requests that the venue has heard, in order."""
        return [f"{row['method']} {row['path']}" for row in self.desk.venue.ledger.of("request")]

    def open_ids(self) -> list[str]:
        """Client ids of open regular orders."""
        return [order.client_id for order in self.desk.exchange.desk.open_orders()]

    def rest(self, client_id: str, price: str = "59000.0") -> None:
        """Let an order of ours stand in the book."""
        self.desk.place("BUY", "0.100", price, newClientOrderId=client_id)


Story = Callable[[Rig], Awaitable[None]]


def run(
    story: Story,
    scenario: Scenario | None = None,
    *,
    keys: Credentials | None = KEYS,
    limits: RateLimits | None = None,
    timeout_secs: float = 5.0,
    wallet: bool = True,
) -> Desk:
    """Run a story against a served venue; return the venue's desk."""

    async def whole() -> Desk:
        desk = Desk(scenario)
        clock, budget = VenueClock(desk.time, desk.time), RateBudget(limits or RateLimits(), desk.time)
        async with Server(desk.venue, started=True) as server:
            wallet_url = server.url if wallet else None
            client = SafetyClient(server.url, keys, budget, clock, wallet_url=wallet_url, timeout_secs=timeout_secs)
            async with client:
                await asyncio.wait_for(story(Rig(client, desk, server)), PATIENCE_SECS)
        return desk

    return asyncio.run(whole())
