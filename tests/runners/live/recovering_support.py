"""A dead node: rows in a journal file and orders at a venue; and a recovery of the account in this process."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters.binance.environments import environment
from adapters.simulated_binance.orders import Order
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from execution.ids import ClientOrderIds
from execution.journal_live import LiveJournal
from execution.journal_read import JournalState, read_journal
from execution.journal_venue import Whose
from execution.journal_writes import Run
from execution.recovery.from_journal import CHECKPOINT, Checkpoint
from execution.recovery.model import Policy
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from execution.safety.wire_ids import wire_id
from risk.request import OrderRequest, Purpose, Side
from runners.config.account import AccountConfig
from runners.live.opening import Case, policy_of, recovery_of
from runners.live.recovering import Recovered
from tests.adapters.simulated_binance.support import order_params, still_scenario

D = Decimal
BTC, IID = "BTCUSDT", "BTCUSDT-PERP.BINANCE"
WHOSE = Whose("simulated-1", "local", "127.0.0.1")
QUICK = {"recv_window_ms": 700, "clock_bound_ms": 100, "slack_ms": 200, "apart_ms": 300}
"""A fence of one second, so that a test need not wait for ten."""
KEY, SECRET = "local-key", "local-secret"


@dataclass
class World:
    """One venue, one journal file, and what has been said."""

    server: Server
    journal: Path
    client: SafetyClient
    lines: list[tuple[str, str]] = field(default_factory=list)
    tripped: list[str] = field(default_factory=list)

    @property
    def exchange(self) -> Any:
        """Of the venue."""
        return self.server.venue.exchange

    @property
    def file(self) -> JournalState:
        """The journal as it is on disk."""
        return read_journal(self.journal)

    def row(self, name: str) -> Any:
        """One order of the journal."""
        return self.file.order(name)

    def actions(self) -> list[tuple[str, str]]:
        """Rows and kinds of everything that recoveries have done."""
        with closing(sqlite3.connect(self.journal)) as db:
            return [(str(kind), str(subject)) for kind, subject in db.execute("SELECT kind, subject FROM actions")]

    def place(
        self, name: str, side: str = "BUY", quantity: str = "0.010", price: str | None = "59000.0", symbol: str = BTC
    ) -> Order:
        """An order reaches the venue; `name` is on the wire as the engine spells it, unless it has a prefix of its own."""
        wire = name if "_" in name or "-" in name else wire_id(name)
        params = order_params(side, quantity, price, symbol=symbol, newClientOrderId=wire) if price is not None else {
            "symbol": symbol, "side": side, "type": "MARKET", "quantity": quantity, "newClientOrderId": wire,
        }  # fmt: skip
        market = self.exchange.markets[symbol]
        made: Order = self.exchange.place(
            market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False)
        )
        return made

    def held(self) -> Decimal:
        """Position at the venue."""
        amount: Decimal = self.exchange.account.positions[BTC].amount
        return amount


class DeadNode:
    """Writes what a node would have written before it died."""

    def __init__(self, world: World, *, age_ms: int = 0) -> None:
        run = Run(f"dead-{time.time_ns()}", time.time_ns(), "testnet", "test", "0" * 64, epoch=0)
        self.journal = LiveJournal(world.journal, run, WHOSE, venue_ms=lambda: world.client.clock.ms() - age_ms)
        self._ids = ClientOrderIds("t1", self.journal.run.epoch)
        began = world.client.clock.ms() - 1000 - age_ms
        self.journal.save_risk_state(time.time_ns(), CHECKPOINT, Checkpoint(began, began).to_json())

    def row(self, side: str = "BUY", quantity: str = "0.010", price: str | None = "59000.0", iid: str = IID) -> str:
        """Commit the row of an order that is about to leave; return its id."""
        name = self._ids.next()
        kind = "MARKET" if price is None else "LIMIT"
        self.journal.order(OrderRequest(
            "s1", iid, name, Side[side], kind, D(quantity), None if price is None else D(price), False, False, "GTC",
            time.time_ns(), Purpose(why="a test"),
        ), None)  # fmt: skip
        return name

    def hears(self, name: str, event: str, status: str) -> None:
        """The node hears of an order."""
        self.journal.event(time.time_ns(), name, event, status)

    def dies(self) -> None:
        """What was queued is on disk, and nothing more is."""
        self.journal.flush()
        self.journal.close()


@asynccontextmanager
async def world(folder: Path, scenario: Scenario | None = None) -> AsyncIterator[World]:
    """A venue whose market stands still, and a client that knows its time."""
    async with Server(Venue(scenario or still_scenario())) as server:
        place = environment("local", server.url)
        client = SafetyClient(
            place.rest_url,
            Credentials(SecretStr(KEY), SecretStr(SECRET)),
            RateBudget(RateLimits(), time.monotonic_ns),
            VenueClock(),
        )
        async with client:
            await client.measure_clock()
            yield World(server, folder / "journal.sqlite", client)


async def recover(here: World, *, seen_before: bool = True, ready_secs: float = 30.0, **changes: Any) -> Recovered:
    """Recover the account as a start does."""
    account = AccountConfig(alias="test", environment="local", url=here.server.url, order_tag="t1")
    policy: Policy = replace(policy_of(account, (BTC,)), **(QUICK | changes))
    case = Case(account, policy, here.journal, "process", WHOSE, seen_before, ready_secs=ready_secs)
    with recovery_of(
        case, here.client, here.tripped.append, lambda kind, text: here.lines.append((kind, text))
    ) as made:
        return await made.run()


def told(folder: Path, story: Callable[[World], Awaitable[None]], scenario: Scenario | None = None) -> None:
    """Run a story."""

    async def whole() -> None:
        async with world(folder, scenario) as here:
            await story(here)

    asyncio.run(asyncio.wait_for(whole(), 90))


def said(here: World) -> str:
    """Everything that was shown, for a failed test."""
    text = io.StringIO()
    for kind, line in here.lines:
        text.write(f"{kind}: {line}\n")
    return text.getvalue()
