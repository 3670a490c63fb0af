"""A served venue, orders placed past REST, and an operation on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.orders import Order
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from runners.operating.commanding import Operation, Talk, Wish
from runners.operating.found import Row
from runners.operating.reach import Target, find_target
from runners.operating.view import Outcome
from tests.adapters.simulated_binance.support import STILL, order_params

PATIENCE_SECS = 60.0
TAG = "x-aHRE4BCj-Rt1zzzzzz00000"
"""Begins the wire ids of a dead node's orders."""
CONFIG = """\
version: 1
mode: testnet
instruments: [BTCUSDT-PERP.BINANCE]
account: {{alias: test, environment: local, url: "{url}", order_tag: t1{more}}}
safety: {{state_dir: "{folder}/state"}}
strategies: [{{this: is wrong, and of no concern here}}]
"""
LONG = {"positions": {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}}


def scenario(**changes: Any) -> Scenario:
    """Two still markets."""
    eth = {"base": "ETH", "market": STILL | {"mid": "3000"}}
    symbols = {"BTCUSDT": {"market": STILL} | changes.pop("symbol", {}), "ETHUSDT": eth}
    return Scenario.model_validate({"symbols": symbols} | changes)


def config(folder: Path, server: Server, more: str = "") -> Path:
    """A live file of which only account, instruments and safety are right."""
    path = folder / "live.yaml"
    path.write_text(CONFIG.format(url=server.url, folder=folder.as_posix(), more=more), encoding="utf-8")
    return path


class Scene:
    """One story's venue and account."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.said: list[str] = []
        self.asked: list[str] = []

    def rest(self, wire_id: str, symbol: str = "BTCUSDT", price: str = "59000.0", **more: str) -> Order:
        """Leave an order in the book."""
        market = self.server.venue.exchange.markets[symbol]
        side = more.pop("side", "BUY")
        params = order_params(side, "0.010", price, newClientOrderId=wire_id) | {"symbol": symbol} | more
        ticket = read_order(market.contract, params, market.feed.mark, hedge_mode=False)
        return self.server.venue.exchange.place(market.contract, ticket)

    def arm(self, when: dict[str, Any], *do: dict[str, Any], times: int | None = 1) -> None:
        """Arm a fault at once."""
        given = {"name": "f", "when": when | {"times": times}, "do": list(do)}
        self.server.venue.arm(Fault.model_validate(given))
        self.server.venue.advance()

    def open_ids(self) -> list[str]:
        """Client ids of open regular orders."""
        return sorted(order.client_id for order in self.server.venue.exchange.desk.open_orders())

    def held(self, symbol: str = "BTCUSDT") -> int:
        """Position in steps."""
        return self.server.venue.exchange.account.positions[symbol].quantity

    def changed(self) -> list[str]:
        """Requests that changed anything at the venue."""
        return [
            f"{row['method']} {row['path']}" for row in self.server.venue.ledger.of("request") if row["method"] != "GET"
        ]

    def target(self, more: str = "") -> Target:
        """The account as a person names it by its file."""
        return find_target(config(self.folder, self.server, more), None, None)

    async def do(
        self,
        wish: Wish,
        target: Target | None = None,
        *,
        answer: bool | None = None,
        environ: dict[str, str] | None = None,
    ) -> Outcome:
        """Carry a wish out; `answer` stands for a person at a terminal."""

        def confirm(rows: list[Row], question: str) -> bool:
            self.asked.append(question)
            return bool(answer)

        talk = Talk(self.said.append, None if answer is None else confirm)
        operation = Operation(target or self.target(), wish, talk, environ or {}, self.folder / ".env")
        return await operation.run()

    def record(self) -> list[dict[str, Any]]:
        """What was kept of operators' acts."""
        lines = (self.folder / "state" / "test" / "operator.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def told(folder: Path, story: Callable[[Scene], Awaitable[None]], **changes: Any) -> None:
    """Run a story against a served venue."""

    async def whole() -> None:
        async with Server(Venue(scenario(**changes))) as server:
            await story(Scene(server, folder))

    asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECS))


def done(outcome: Outcome) -> dict[str, str]:
    """What became of everything, by id; positions by symbol."""
    return {row.name or row.symbol: row.done for row in outcome.rows}
