"""The node of a drill: the command in a process of its own, its JSON lines with the time at which they came."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.drills import freezing

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_LINE = 2**20


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the node.

    Attributes
    ----------
    at_ns
        When it was read here.
    event, text
        What it says.
    """

    at_ns: int
    event: str
    text: str


class Node:
    """One start of the command.

    Parameters
    ----------
    process
        Started with pipes.
    heard
        Told of every line but the status.
    """

    def __init__(self, process: asyncio.subprocess.Process, heard: Callable[[Said], None]) -> None:
        self._process, self._heard = process, heard
        self.events: set[str] = set()
        self.errors = ""
        self._why = ""
        self._readers = (asyncio.create_task(self._read()), asyncio.create_task(self._complaints()))

    @property
    def code(self) -> int | None:
        """Exit code; None while it runs."""
        return self._process.returncode

    @property
    def reason(self) -> str:
        """Why it has ended, in its own words; "" where it said nothing."""
        refused = (line for line in reversed(self.errors.splitlines()) if line.startswith("error: "))
        return next(refused, self._why)

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (raw := await stream.readline()):
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            line: dict[str, Any] = json.loads(raw)
        except ValueError:
            line = {"event": "other", "text": raw.decode(errors="replace").strip()}
        event = str(line.get("event", ""))
        self.events.add(event)
        if event in ("stopping", "fault"):
            self._why = str(line.get("text", ""))
        if event != "status":
            self._heard(Said(time.time_ns(), event, str(line.get("text", ""))))

    async def _complaints(self) -> None:
        if self._process.stderr is not None:
            self.errors = (await self._process.stderr.read()).decode(errors="replace")

    async def ended(self) -> int:
        """Wait for its end and for the last of its words; return the exit code."""
        code = await self._process.wait()
        await asyncio.gather(*self._readers)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.code is None:
            self._process.kill()

    def freeze(self) -> None:
        """Let it stand still."""
        freezing.freeze(self._process.pid)

    def resume(self) -> None:
        """Let it go on."""
        freezing.resume(self._process.pid)


async def start(config: Path, settings: Sequence[str], heard: Callable[[Said], None]) -> Node:
    """Start `runners.live` with settings of the form ``key=value``."""
    options = [part for one in settings for part in ("--set", one)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runners.live", str(config), "--json", *options, cwd=PROJECT, env=dict(os.environ),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )  # fmt: skip
    return Node(process, heard)
