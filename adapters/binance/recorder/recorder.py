"""The recorder: sockets, snapshots, tapes and disk put together, in the event loop that it is started in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import aiohttp

from adapters.binance.recorder.channel import Channel
from adapters.binance.recorder.events import Event, Standing, Tell
from adapters.binance.recorder.messages import Message, symbol_of_damaged
from adapters.binance.recorder.settings import RecorderSettings
from adapters.binance.recorder.shelf import Opener, Shelf, open_new
from adapters.binance.recorder.snapshots import Snapshots
from adapters.binance.recorder.tape import Tape
from adapters.binance.streams import channel_of, streams_of
from errors import HyperTradingError, RunFailed


class Recorder:
    """Records the public streams of some symbols of one market.

    Parameters
    ----------
    settings
        What, where to, how patiently.
    tell
        Called in the loop with each event.
    on_finished
        Called in the loop with the symbol and path of each finished file.
    clock
        Receipt time, ns since 1970.
    random
        Spreads the waits between attempts.
    opener
        How files are created.

    Notes
    -----
    Everything runs in one event loop but compressing and writing, which one worker thread does. ``run`` is to be
    awaited once; ``stop`` makes it return after the last line is on the disk.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        *,
        tell: Tell = lambda _: None,
        on_finished: Callable[[str, Path], None] = lambda _symbol, _path: None,
        clock: Callable[[], int] = time.time_ns,
        random: Random | None = None,
        opener: Opener = open_new,
    ) -> None:
        self.settings, self._tell, self._on_finished, self._clock = settings, tell, on_finished, clock
        self._random = random or Random()  # noqa: S311 (spreads waits, keeps no secret)
        self._opener = opener
        self._tapes = {symbol.lower(): self._tape(symbol) for symbol in settings.symbols}
        self._channels = self._open_channels()
        self._stop = asyncio.Event()
        self._reported = dict.fromkeys(self._tapes, 0)
        self._broken: HyperTradingError | None = None

    @property
    def reconnects(self) -> int:
        """Connections beyond the first of each socket; replacements without a gap are none."""
        return sum(max(0, channel.connections - 1) for channel in self._channels)

    @property
    def is_connected(self) -> bool:
        """Whether every socket is open."""
        return all(channel.is_open for channel in self._channels)

    def standings(self) -> tuple[Standing, ...]:
        """How each symbol stands."""
        return tuple(tape.standing() for tape in self._tapes.values())

    def stop(self) -> None:
        """Make ``run`` write what it has and return; call it in the loop's thread."""
        self._stop.set()

    async def run(self) -> None:
        """Record until stopped or cancelled.

        Raises
        ------
        RunFailed
            When the disk refuses or is too slow; the files are readable up to there.
        SafetyRefusal
            When another process records one of the symbols into the folder.
        UsageError
            When the venue does not know a symbol.
        """
        claimed: list[Tape] = []
        pool = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        try:
            for tape in self._tapes.values():
                tape.shelf.claim()
                claimed.append(tape)
            self._report_finished()
            async with aiohttp.ClientSession() as session:
                await self._work(session, pool)
        except HyperTradingError as error:
            self._broken = self._broken or error
        finally:
            await self._put_away(claimed, pool)
        if self._broken is not None:
            raise self._broken

    async def _work(self, session: aiohttp.ClientSession, pool: ThreadPoolExecutor) -> None:
        snapshots = Snapshots(self.settings, self._tell, self._clock, self._random)
        jobs = [
            self._stop.wait(),
            self._flush_often(pool),
            *(channel.run(session) for channel in self._channels),
            *(snapshots.keep(session, tape) for tape in self._tapes.values()),
        ]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _flush_often(self, pool: ThreadPoolExecutor) -> None:
        while True:
            await asyncio.sleep(self.settings.flush_secs)
            waiting = sum(tape.waiting_bytes for tape in self._tapes.values())
            if waiting > self.settings.most_waiting_bytes:
                raise RunFailed(
                    f"the disk is too slow: {waiting:,} bytes wait to be written to {self.settings.folder}."
                )
            await self._flush(pool)

    async def _flush(self, pool: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        for tape in self._tapes.values():
            if chunks := tape.hand_out():
                # Shielded: a write that has begun is awaited even when this task is cancelled, so that the order stands.
                await asyncio.shield(loop.run_in_executor(pool, tape.shelf.store, chunks))
        self._report_finished()

    async def _put_away(self, claimed: Sequence[Tape], pool: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        for tape in claimed:
            try:
                await loop.run_in_executor(pool, partial(_finish, tape))
            except HyperTradingError as error:
                self._broken = self._broken or error
        pool.shutdown()
        for tape in claimed:
            tape.shelf.release()
        self._report_finished()

    def _report_finished(self) -> None:
        for name, tape in self._tapes.items():
            for path in tape.shelf.finished[self._reported[name] :]:
                self._tell(Event(self._clock(), "finished", tape.symbol, path.name))
                self._on_finished(tape.symbol, path)
            self._reported[name] = len(tape.shelf.finished)

    def _tape(self, symbol: str) -> Tape:
        name = f"binance_{self.settings.market}_{symbol.lower()}"
        return Tape(self.settings.market, symbol, Shelf(self.settings.folder, name, self._opener), self._tell)

    def _open_channels(self) -> list[Channel]:
        settings = self.settings
        streams = [name for symbol in settings.symbols for name in streams_of(settings.market, symbol, settings.trades)]
        return [
            Channel(url, names, settings, self._take, self._begin, self._tell, self._clock, self._random)
            for url, names in settings.endpoints().sockets(streams)
        ]

    def _take(self, ts_ns: int, text: bytes, message: Message | None) -> None:
        symbol = symbol_of_damaged(text) if message is None else message.symbol
        tape = self._tapes.get(symbol or "")
        if tape is not None:
            tape.take(ts_ns, text, message)
        else:
            self._tell(Event(ts_ns, "left_out", "recorder", f"a message of no symbol was left out: {text[:120]!r}"))

    def _begin(self, streams: tuple[str, ...]) -> None:
        for stream in streams:
            if channel_of(stream).startswith("depth"):
                self._tapes[stream.partition("@")[0]].begin()


def _finish(tape: Tape) -> None:
    """Write what is left and close the file; on the worker thread, after everything that was given to it."""
    tape.shelf.store(tape.hand_out())
    tape.shelf.close()
