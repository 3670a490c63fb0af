"""Whether the public streams deliver: a socket that opens and stays silent is not health (D-1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from adapters.binance.environments import Environment

MARK, QUOTE = "markPriceUpdate", "bookTicker"
GRACE_SECS = 2.0
"""Quotes are waited for no longer than this after the mark prices: a book may stand still, marks come each second."""
_UNREACHABLE = (aiohttp.ClientError, OSError)


@dataclass(slots=True)
class Heard:
    """What came.

    Attributes
    ----------
    after_secs
        By symbol and event: time from the start to the first one.
    marks
        Mark prices by symbol.
    problems
        Why a socket brought nothing.
    """

    after_secs: dict[tuple[str, str], float] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lacks(self, symbols: Sequence[str], event: str) -> list[str]:
        """Symbols of which nothing of a kind came."""
        return [symbol for symbol in symbols if (symbol, event) not in self.after_secs]

    def take(self, text: str, secs: float) -> None:
        """Note a message; what is none of ours, or cannot be read, has not been delivered."""
        try:
            event: Any = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return
        if not isinstance(event, dict) or event.get("e") not in (MARK, QUOTE):
            return
        symbol, kind = str(event.get("s")), str(event["e"])
        if kind == MARK:
            try:
                self.marks[symbol] = Decimal(str(event.get("p")))
            except ArithmeticError:
                return
        self.after_secs.setdefault((symbol, kind), secs)


async def listen(place: Environment, symbols: Sequence[str], deadline_secs: float) -> Heard:
    """Wait for a mark price and a quote of each symbol.

    Parameters
    ----------
    place
        Names the sockets; books and mark prices are on different ones in production.
    deadline_secs
        For all of it.
    """
    heard, loop = Heard(), asyncio.get_running_loop()
    began = loop.time()
    routes: dict[str, list[str]] = {}
    for url, channel in ((place.public_ws_url, "bookTicker"), (place.market_ws_url, "markPrice@1s")):
        routes.setdefault(url, []).extend(f"{symbol.lower()}@{channel}" for symbol in symbols)
    async with aiohttp.ClientSession() as session:
        tasks = [
            asyncio.create_task(_take(session, f"{url}/{'/'.join(names)}", heard, began))
            for url, names in routes.items()
        ]
        try:
            await _until(heard, symbols, tasks, began + deadline_secs)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return heard


async def _until(heard: Heard, symbols: Sequence[str], tasks: Sequence[asyncio.Task[None]], end: float) -> None:
    now = asyncio.get_running_loop().time
    while now() < end and not all(task.done() for task in tasks):
        if not heard.lacks(symbols, MARK):
            if not heard.lacks(symbols, QUOTE):
                return
            end = min(end, now() + GRACE_SECS)
        await asyncio.sleep(0.02)


async def _take(session: aiohttp.ClientSession, url: str, heard: Heard, began: float) -> None:
    now = asyncio.get_running_loop().time
    try:
        async with session.ws_connect(url) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    heard.take(message.data, now() - began)
    except _UNREACHABLE as error:
        heard.problems.append(f"{type(error).__name__} at {url.partition('/ws')[0]}")
