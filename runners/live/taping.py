"""The decision tape of a running session: taken from memory, written beside trading, put into the session's directory."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from execution.tape.file import TapeFile, encoded
from execution.tape.tape import Tape
from runners.config import LiveResolved
from runners.manifest import code_version

FOLDER = "tapes"
NAME = "decisions.tape.gz"
EVERY_SECS = 0.1
"""How often rows become lines, so that the loop is never held for long."""
TURNS = 10
"""So many of these make one member of the file."""


def tape_head(resolved: LiveResolved, instruments: Mapping[str, Any], trading_start_ns: int) -> dict[str, Any]:
    """What a reader needs to play a tape, without anything else of the session."""
    config = resolved.config
    return {
        "config": config.model_dump(mode="json", by_alias=True), "hash": resolved.hash, "code_version": code_version(),
        "instruments": {iid: found.to_dict() for iid, found in instruments.items()}, "trading_start_ns": trading_start_ns,
    }  # fmt: skip


class Taping:
    """Writes the tape of one session; a failure ends the tape, is told, and stops nothing.

    Parameters
    ----------
    tape
        What the session fills.
    path
        Of the file, while the session runs.
    head
        See `tape_head`.
    say
        Tells a person: kind of line, text.

    Attributes
    ----------
    failed
        Why nothing more is written; None while it is.
    spent_secs
        Time of the loop that it has cost.
    longest_secs
        Longest single hold of the loop.
    """

    def __init__(self, tape: Tape, path: Path, head: dict[str, Any], say: Callable[[str, str], None]) -> None:
        self._tape, self._path, self._head, self._say = tape, path, head, say
        self._file: TapeFile | None = None
        self._lines: list[bytes] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tape")
        self._over = asyncio.Event()
        self.failed: str | None = None
        self.spent_secs = self.longest_secs = 0.0

    async def run(self) -> None:
        """Write until `stop`."""
        await self._safely(self._open)
        turn = 0
        while not self._over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), EVERY_SECS)
            self._encode()
            turn += 1
            if turn % TURNS == 0:
                await self._safely(self._write)
        self._encode()
        await self._safely(self._write)

    async def stop(self, running: asyncio.Task[None], place: Path | None) -> None:
        """Write the rest and put the file into the session's directory; without one it stays where it is."""
        self._tape.close()
        self._over.set()
        await asyncio.wait({running})
        self._pool.shutdown()
        if self._file is None:
            return
        self._file.close()
        where = self._path
        if place is not None and self.failed is None:
            where = place / NAME
            try:
                shutil.move(self._path, where)  # also to another disk
            except OSError as error:
                self._failed(f"{self._path} cannot be put into {place}: {error.strerror}")
                where = self._path
        self._say("tape", f"{self._tape.decisions:,} decisions on {where}, {self._file.size / 1e6:.2f} MB, "
                  f"{self.spent_secs * 1e3:.0f} ms of the loop, {self.longest_secs * 1e3:.1f} ms at most at once")  # fmt: skip

    def _open(self) -> None:
        self._file = TapeFile(self._path, self._head)

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if lines and self._file is not None:
            self._file.write(b"".join(lines))

    def _encode(self) -> None:
        began = time.perf_counter()
        rows = self._tape.take()
        if rows and self.failed is None:
            try:
                self._lines.append(encoded(rows))
            except Exception as error:  # noqa: BLE001 - whatever it is, trading goes on
                self._failed(f"a row could not be written down: {error!r}")
        spent = time.perf_counter() - began
        self.spent_secs += spent
        self.longest_secs = max(self.longest_secs, spent)

    async def _safely(self, work: Callable[[], None]) -> None:
        if self.failed is not None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(f"{self._path}: {getattr(error, 'strerror', None) or repr(error)}")

    def _failed(self, why: str) -> None:
        self.failed = why
        self._say("warning", f"the decision tape ends here, trading goes on: {why}")


def tape_path(state: Path, now: datetime) -> Path:
    """Where a tape is written: ``state/<alias>/tapes/<utc>.tape.gz``, a name that is free."""
    stem, folder, number = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", state / FOLDER, 1
    while (path := folder / (f"{stem}.tape.gz" if number == 1 else f"{stem}-{number}.tape.gz")).exists():
        number += 1
    return path
