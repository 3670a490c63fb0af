"""Fetches REST order books, one after the other, until each tape has one that its depth messages continue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import aiohttp
import msgspec

from adapters.binance.recorder.events import Event, Tell, What
from adapters.binance.recorder.messages import snapshot_id
from adapters.binance.recorder.pause import pauses
from adapters.binance.recorder.settings import RecorderSettings
from adapters.binance.recorder.tape import Tape
from errors import UsageError

_BAD_SYMBOL = -1121


class _Failed(Exception):
    """A request brought no order book."""

    def __init__(self, why: str, wait_secs: float = 0.0) -> None:
        super().__init__(why)
        self.wait_secs = wait_secs


class Snapshots:
    """All REST requests of one recorder.

    Parameters
    ----------
    settings
        Addresses and patience.
    tell
        Told about every snapshot.
    clock
        Receipt time.
    """

    def __init__(self, settings: RecorderSettings, tell: Tell, clock: Callable[[], int], random: Random) -> None:
        self._settings, self._report, self._clock, self._random = settings, tell, clock, random
        self._endpoints = settings.endpoints()
        self._turn = asyncio.Lock()
        self._next_at = 0.0

    async def keep(self, session: aiohttp.ClientSession, tape: Tape) -> None:
        """Fetch whenever a tape wants one, until cancelled.

        Raises
        ------
        UsageError
            When the venue does not know the symbol.
        """
        while True:
            await tape.wants_snapshot.wait()
            for wait in pauses(self._settings.first_pause_secs, self._settings.longest_pause_secs, self._random):
                try:
                    connects = await self._fetch(session, tape)
                except _Failed as error:
                    self._tell("snapshot_failed", tape, f"{error}: again in {max(wait, error.wait_secs):.1f} s")
                    await asyncio.sleep(max(wait, error.wait_secs))
                    continue
                if connects:
                    break
                self._tell("snapshot_failed", tape, f"older than the depth messages: again in {wait:.1f} s")
                await asyncio.sleep(wait)

    async def _fetch(self, session: aiohttp.ClientSession, tape: Tape) -> bool:
        async with self._turn:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._next_at - loop.time()))
            self._next_at = loop.time() + self._settings.snapshot_spacing_secs
            body = await self._ask(session, tape.symbol)
            received = self._clock()
        update_id = snapshot_id(body)
        if update_id is None:
            raise _Failed("the answer is no order book")
        connects = tape.add_snapshot(received, body, update_id)
        if connects:
            self._tell("snapshot", tape, f"update id {update_id}")
        return connects

    async def _ask(self, session: aiohttp.ClientSession, symbol: str) -> bytes:
        try:
            async with (
                asyncio.timeout(self._settings.request_secs),
                session.get(self._endpoints.snapshot_url(symbol)) as answer,
            ):
                body = await answer.read()
                if answer.status == 200:
                    return body
                retry_after = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _Failed(f"no answer ({str(error) or type(error).__name__})") from error
        if _code(body) == _BAD_SYMBOL:
            raise UsageError(f"the venue has no symbol {symbol} on {self._settings.market}.")
        raise _Failed(f"HTTP {answer.status}", float(retry_after) if retry_after.isdigit() else 0.0)

    def _tell(self, what: What, tape: Tape, text: str) -> None:
        self._report(Event(self._clock(), what, tape.symbol, text))


class _Error(msgspec.Struct):
    code: int


def _code(body: bytes) -> int | None:
    try:
        return msgspec.json.decode(body, type=_Error).code
    except msgspec.DecodeError:
        return None
