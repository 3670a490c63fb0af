"""Finished recordings into a catalog, one after the other, in a process of their own.

Reading a day takes minutes of one core: in the recorder's process every receipt time would suffer.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from adapters.binance.recorder.events import Event, Tell

PROJECT = Path(__file__).resolve().parents[1]
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows; elsewhere a session of its own


class Ingesting:
    """A queue of files for `ingest recording`.

    Parameters
    ----------
    catalog
        Where they go.
    market
        Of all files.
    tell
        Told of each outcome.

    Attributes
    ----------
    refused
        Names of files that were not taken.
    """

    def __init__(self, catalog: Path, market: str, tell: Tell) -> None:
        self._catalog, self._market, self._tell = catalog.resolve(), market, tell
        self._queue: asyncio.Queue[tuple[str, Path]] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._given_up = False
        self.refused: list[str] = []

    def add(self, symbol: str, path: Path) -> None:
        """Queue a finished file."""
        self._queue.put_nowait((symbol, path))

    async def run(self) -> None:
        """Take files until cancelled."""
        while True:
            symbol, path = await self._queue.get()
            try:
                await self._take(symbol, path)
            finally:
                self._queue.task_done()

    async def finish(self) -> None:
        """Wait until the queue is empty."""
        await self._queue.join()

    def give_up(self) -> None:
        """End the file at work and skip the rest; a catalog takes a file whole or not at all."""
        self._given_up = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def _take(self, symbol: str, path: Path) -> None:
        if self._given_up:
            self.refused.append(path.name)
            return
        started = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runners", "ingest", "recording", str(path.resolve())),
            *("--market", self._market, "--symbol", symbol, "--catalog", str(self._catalog)),
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal is for the recorder, not for it
            creationflags=_OWN_GROUP,
        )
        out, errors = await self._process.communicate()
        lines = (out if self._process.returncode == 0 else errors).decode(errors="replace").splitlines()
        if self._process.returncode != 0:
            self.refused.append(path.name)
            said = f"not ingested: {lines[-1] if lines else 'ended by a signal'}"
        else:
            said = f"{'; '.join(lines)} ({time.monotonic() - started:.1f} s)"
        self._tell(Event(time.time_ns(), "ingested", path.name, said))
