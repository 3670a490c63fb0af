"""A socket that is always there: opened anew when it ends, and replaced without a gap before the venue's 24 hours are over.

The replacement is opened while the old one still serves. What it receives is held until the old one has delivered the
point at which each stream begins on the new one; then the rest is taken from there, by the streams' own numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import aiohttp

from adapters.binance.recorder.events import Event, Tell, What
from adapters.binance.recorder.link import Held, Link, Take, open_link
from adapters.binance.recorder.messages import Message, MessageReader
from adapters.binance.recorder.pause import pauses
from adapters.binance.recorder.settings import RecorderSettings

_LIVED_SECS = 10.0
_OVERLAP_SECS = 1.0
_LOOK_SECS = 0.02
_UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)


class Channel:
    """One combined socket with its successors.

    Parameters
    ----------
    url, streams
        Address, and what it carries.
    take
        Given each message.
    on_new
        Told of each new connection that is not a replacement.
    """

    def __init__(
        self,
        url: str,
        streams: tuple[str, ...],
        settings: RecorderSettings,
        take: Take,
        on_new: Callable[[tuple[str, ...]], None],
        tell: Tell,
        clock: Callable[[], int],
        random: Random,
    ) -> None:
        self._url, self._streams, self._settings = url, streams, settings
        self._forward, self._on_new, self._report, self._clock, self._random = take, on_new, tell, clock, random
        self._reader = MessageReader()
        self._newest: dict[str, int] = {}
        self._held = Held(self._reader)
        self.connections = 0
        self.is_open = False

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Serve until cancelled."""
        loop, waits = asyncio.get_running_loop(), self._pauses()
        while True:
            link = await self._connect(session, self._take)
            self.is_open, began = True, loop.time()
            self.connections += 1
            self._tell("connected", f"{len(self._streams)} streams")
            self._on_new(self._streams)
            try:
                why = await self._live(session, link)
            finally:
                self.is_open = False
            self._tell("disconnected", why)
            if loop.time() - began >= _LIVED_SECS:
                waits = self._pauses()
            else:
                await asyncio.sleep(next(waits))

    async def _live(self, session: aiohttp.ClientSession, link: Link) -> str:
        """Stay with a link and those that take over from it; return why the last one ended."""
        while True:
            heir = asyncio.create_task(self._raise_heir(session))
            watch = asyncio.create_task(self._miss())
            try:
                await asyncio.wait({link.ended, heir}, return_when=asyncio.FIRST_COMPLETED)
                if not heir.done():
                    return link.ended.result()
                successor = heir.result()
                self._held.replay(dict(self._newest), self._deliver, self._clock())
                link.sink, successor.sink = _ignore, self._take
            finally:
                heir.cancel()
                watch.cancel()
                await asyncio.gather(heir, watch, return_exceptions=True)
                await link.close()
            link = successor
            self._tell("handed_over", "replaced before the venue ends it, nothing lost")

    async def _raise_heir(self, session: aiohttp.ClientSession) -> Link:
        await asyncio.sleep(self._settings.handover_secs)
        while True:
            self._held = Held(self._reader)
            link = await self._connect(session, self._held.add)
            try:
                async with asyncio.timeout(self._settings.silence_secs):
                    await asyncio.sleep(_OVERLAP_SECS)
                    while not self._held.is_reached(self._newest):
                        await asyncio.sleep(_LOOK_SECS)
                if not link.ended.done():
                    return link
            except TimeoutError:
                self._tell("silent", "the successor of the socket brings nothing: another is opened")
            except asyncio.CancelledError:
                await link.close()
                raise
            await link.close()

    async def _connect(self, session: aiohttp.ClientSession, sink: Callable[[int, bytes], None]) -> Link:
        waits = self._pauses()
        while True:
            wait = next(waits)
            try:
                async with asyncio.timeout(self._settings.request_secs):
                    return await open_link(session, self._url, sink, self._clock, self._settings.silence_secs)
            except _UNREACHABLE as error:
                why = str(error) or type(error).__name__
                self._tell("disconnected", f"cannot connect ({why}): again in {wait:.1f} s")
            await asyncio.sleep(wait)

    async def _miss(self) -> None:
        """Say which streams bring nothing: asked for on a wrong route, they would be silent for ever."""
        await asyncio.sleep(self._settings.silence_secs)
        for stream in self._streams:
            if stream not in self._newest:
                self._tell("silent", f"no message of {stream} in {self._settings.silence_secs:g} s")

    def _take(self, ts_ns: int, text: bytes) -> None:
        self._deliver(ts_ns, text, self._reader.read(text))

    def _deliver(self, ts_ns: int, text: bytes, message: Message | None) -> None:
        if message is not None:
            self._newest[message.stream] = message.number
        self._forward(ts_ns, text, message)

    def _pauses(self) -> Iterator[float]:
        return pauses(self._settings.first_pause_secs, self._settings.longest_pause_secs, self._random)

    def _tell(self, what: What, text: str) -> None:
        self._report(Event(self._clock(), what, self._url.partition("?")[0], text))


def _ignore(_ts_ns: int, _text: bytes) -> None:
    """Take nothing more from a socket that was replaced."""
