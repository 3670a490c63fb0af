"""A venue whose time stands still until a test moves it, and a client that signs its requests."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from adapters.simulated_binance.clock import Clock, ManualTime
from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.hub import Kind, Socket
from adapters.simulated_binance.market.background import LevelChanges, MarketOrder
from adapters.simulated_binance.orders import Order, Side
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue

START_NS = 1_723_161_600_000_000_000  # 2024-08-09 00:00 UTC
STILL = {"kind": "synthetic", "mid": "60000", "levels": 2, "events_per_sec": 0, "trades_per_sec": 0}
PATIENCE_SECS = 20.0


def still_scenario(**changes: Any) -> Scenario:
    """A scenario whose market moves only when a test moves it; `symbol` changes the contract."""
    symbol = {"market": STILL} | changes.pop("symbol", {})
    return Scenario.model_validate({"symbols": {"BTCUSDT": symbol}} | changes)


def fault(name: str, when: dict[str, Any], *do: dict[str, Any]) -> Fault:
    """Read a fault as a script file would give it."""
    return Fault.model_validate({"name": name, "when": when, "do": list(do)})


class Ear:
    """A wire that keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed = False

    def send(self, text: str) -> None:
        self.texts.append(text)

    def close(self) -> None:
        self.closed = True

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("e") == kind]


class Desk:
    """A venue on manual time with a book of one level a side: 5.000 at 60,000.0 and 5.000 at 60,000.1."""

    def __init__(self, scenario: Scenario | None = None, ledger_path: Path | None = None) -> None:
        self.time = ManualTime(START_NS)
        self.venue = Venue(scenario or still_scenario(), Clock(self.time), ledger_path)
        self.venue.start()
        self.exchange = self.venue.exchange
        self.market = self.exchange.markets["BTCUSDT"]
        self.account = self.exchange.account
        self.show({60000.0: 5.0}, {60000.1: 5.0}, snapshot=True)
        self.market.feed.update_mark()

    def wait(self, secs: float) -> None:
        """Let venue time pass, second by second, as a driver would."""
        end = self.time.now_ns + round(secs * 1e9)
        while (due := self.venue.agenda.next_due()) is not None and due <= end:
            self.time.now_ns = max(due, self.time.now_ns)
            self.venue.advance()
        self.time.now_ns = end
        self.venue.advance()

    def show(self, bids: dict[float, float], asks: dict[float, float], *, snapshot: bool = False) -> None:
        """Let others change levels: price → quantity."""
        levels = [tuple((round(p * 100), round(q * 1000)) for p, q in side.items()) for side in (bids, asks)]
        self.venue.backgrounds["BTCUSDT"].apply(LevelChanges(levels[0], levels[1], snapshot))

    def others(self, side: Side, price: float, quantity: float) -> None:
        """Let somebody else's market order trade at a price."""
        self.venue.backgrounds["BTCUSDT"].apply(MarketOrder(side, round(price * 100), round(quantity * 1000)))

    def place(self, side: str, quantity: str, price: str | None = None, **more: str) -> Order:
        """Place an order of ours past REST."""
        params = {"side": side, "quantity": quantity, "type": "MARKET" if price is None else "LIMIT"}
        params |= {"timeInForce": "GTC", "price": price} if price is not None else {}
        market = self.market
        ticket = read_order(market.contract, params | more, market.feed.mark, hedge_mode=False)
        return self.exchange.place(market.contract, ticket)

    @property
    def position(self) -> Decimal:
        return self.account.positions["BTCUSDT"].amount

    def listen(self, kind: Kind, *streams: str) -> Ear:
        """Open a socket that only this test hears."""
        ear = Ear()
        self.venue.hub.add(Socket(ear, kind, streams))
        return ear

    def listen_user(self) -> Ear:
        """Open a user stream."""
        return self.listen("user", self.venue.listen_keys.create())


class Client:
    """Speaks REST to a served venue, signing with the venue's own time."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, desk: Desk) -> None:
        self.session, self.server, self.desk = session, server, desk
        self.headers: dict[str, str] = {}

    async def ask(
        self,
        method: str,
        path: str,
        *,
        signed: bool = True,
        key: str | None = "local-key",
        secret: str = "local-secret",
        age_ms: int = 0,
        **params: Any,
    ) -> tuple[int, Any]:
        """Send a request; return status and decoded body."""
        query = urlencode(params)
        if signed:
            query = urlencode(params | {"timestamp": self.desk.venue.clock.ms() - age_ms})
            query += "&signature=" + hmac.new(secret.encode(), query.encode(), sha256).hexdigest()
        url = URL(f"{self.server.url}{path}?{query}", encoded=True)
        headers = {} if key is None else {"X-MBX-APIKEY": key}
        async with self.session.request(method, url, headers=headers) as answer:
            self.headers = dict(answer.headers)
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def ok(self, method: str, path: str, **params: Any) -> Any:
        """Send a request that must succeed."""
        status, body = await self.ask(method, path, **params)
        assert status == 200, body
        return body

    async def refused(self, method: str, path: str, **params: Any) -> int:
        """Send a request that must be refused; return the code."""
        status, body = await self.ask(method, path, **params)
        assert status >= 400, body
        code: int = body["code"]
        return code

    async def order(self, side: str, quantity: str, price: str | None = None, **more: Any) -> Any:
        """Place an order on BTCUSDT."""
        return await self.ok("POST", "/fapi/v1/order", **order_params(side, quantity, price, **more))


def order_params(side: str, quantity: str, price: str | None = None, **more: Any) -> dict[str, Any]:
    """Parameters of an order on BTCUSDT."""
    kind = {"type": "MARKET"} if price is None else {"type": "LIMIT", "timeInForce": "GTC", "price": price}
    return {"symbol": "BTCUSDT", "side": side, "quantity": quantity} | kind | more


@asynccontextmanager
async def served(scenario: Scenario | None = None) -> AsyncIterator[Client]:
    """Serve a venue on manual time."""
    desk = Desk(scenario)
    async with Server(desk.venue, started=True) as server, aiohttp.ClientSession() as session:
        yield Client(session, server, desk)


def run(story: Callable[[Client], Awaitable[None]], scenario: Scenario | None = None) -> None:
    """Run a story against a served venue, within a generous deadline."""

    async def whole() -> None:
        async with served(scenario) as client:
            await story(client)

    async def patiently() -> None:
        await asyncio.wait_for(whole(), PATIENCE_SECS)

    asyncio.run(patiently())


async def eventually(truth: Callable[[], bool]) -> None:
    """Yield to other tasks until something is true; the story's deadline ends it otherwise."""
    while not truth():
        await asyncio.sleep(0.001)


async def while_moving[T](client: Client, work: Coroutine[Any, Any, T], secs: float) -> T:
    """Await something while venue time moves on by `secs`, once the request has reached the venue."""
    before = len(client.desk.venue.ledger.of("request"))
    task = asyncio.create_task(work)
    await eventually(lambda: len(client.desk.venue.ledger.of("request")) > before)
    await settled()
    client.desk.wait(secs)
    return await task


async def settled() -> None:
    """Let everybody else come as far as they can: turns of the loop, not time, which a busy machine takes away."""
    for _ in range(20):
        await asyncio.sleep(0.0005)
