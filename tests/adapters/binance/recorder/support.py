"""A fast made-up market on a simulated venue, a recorder on it, and what it wrote read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from adapters.binance.recorder.events import Event
from adapters.binance.recorder.recorder import Recorder
from adapters.binance.recorder.settings import RecorderSettings
from adapters.simulated_binance.settings import Scenario
from catalog.certificate import Certificate
from catalog.recording.ingest import ingest_recording
from catalog.recording.source import read_blocks

BUSY = {"kind": "synthetic", "mid": "60000", "levels": 5, "events_per_sec": 300, "trades_per_sec": 60}
PATIENCE_SECS = 30.0
QUICK: dict[str, Any] = {
    "market": "usdm",
    "symbols": ("BTCUSDT",),
    "flush_secs": 0.05,
    "silence_secs": 20.0,
    "first_pause_secs": 0.05,
    "longest_pause_secs": 0.2,
    "snapshot_spacing_secs": 0.0,
}


def busy_scenario(*faults: dict[str, Any], symbols: tuple[str, ...] = ("BTCUSDT",)) -> Scenario:
    """A market with 300 book changes a second; faults as a script file gives them."""
    named = [{"name": f"fault {number}"} | fault for number, fault in enumerate(faults)]
    settings = {name: {"base": name.removesuffix("USDT"), "market": BUSY} for name in symbols}
    return Scenario.model_validate({"seed": 5, "symbols": settings, "faults": named})


class Watched:
    """A recorder at work, and what it told."""

    running: asyncio.Task[None]

    def __init__(self, settings: RecorderSettings, **more: Any) -> None:
        self.events: list[Event] = []
        self.finished: list[Path] = []
        self.recorder = Recorder(
            settings,
            tell=self.events.append,
            on_finished=lambda _, path: self.finished.append(path),
            random=Random(1),
            **more,
        )

    def told(self, what: str) -> list[Event]:
        return [event for event in self.events if event.what == what]

    @property
    def lines(self) -> int:
        return self.recorder.standings()[0].lines

    async def until(self, truth: Callable[[], bool]) -> None:
        """Wait for something, within a generous deadline."""
        async with asyncio.timeout(PATIENCE_SECS):
            while not truth() and not self.running.done():
                await asyncio.sleep(0.005)

    async def more(self, lines: int) -> None:
        """Let so many more lines come."""
        goal = self.lines + lines
        await self.until(lambda: self.lines >= goal)


@asynccontextmanager
async def recording(
    url: str, folder: Path, changes: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[Watched]:
    """Record while the block runs; afterwards everything is on the disk."""
    settings = RecorderSettings.model_validate(QUICK | {"folder": folder, "url": url} | (changes or {}))
    watched = Watched(settings, **more)
    watched.running = asyncio.create_task(watched.recorder.run())
    try:
        yield watched
    finally:
        watched.recorder.stop()
        await watched.running


def lines_of(path: Path) -> list[bytes]:
    """Lines of a file, as the reader of recordings has them."""
    blocks = list(read_blocks(path, lambda _: None))
    assert [block.truncated for block in blocks if block.truncated] == []
    return [line for block in blocks for line in block.lines]


def ingest(path: Path, catalog: Path, symbol: str = "BTCUSDT") -> tuple[Certificate, ...]:
    """Bring a file into a catalog as the command does; return the certificates it has then."""
    return ingest_recording(path, market="usdm", symbol=symbol, catalog=catalog).certificates


def run(story: Callable[[], Any]) -> None:
    """Run an async test."""

    async def patiently() -> None:
        async with asyncio.timeout(2 * PATIENCE_SECS):
            await story()

    asyncio.run(patiently())
