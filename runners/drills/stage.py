"""Plays a drill: venue in this process, node in its own; breaks what is to be broken and notes when."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from adapters.simulated_binance.faults.actions import RefuseConnections
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from runners.drills import model, node
from runners.drills.counting import NS, NoSuchMark, matching
from runners.drills.expect import Rows
from runners.drills.judge import Evidence, fired
from runners.drills.tail import Tail

LOOK_SECS = 0.05
END_SECS = 10.0
COUNTDOWN_SECS = 10.0
SETTINGS: dict[str, Any] = {
    "data.warmup_secs": 1,
    "safety.deadman": {"countdown_secs": COUNTDOWN_SECS, "refresh_secs": COUNTDOWN_SECS / 4},
}
"""Beside those of the file: a drill is short. Limits and breakers stay as they are: a live file cannot loosen those of its base."""


def texts(settings: Mapping[str, Any]) -> list[str]:
    """Settings as `--set` takes them."""
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]


type Who = Literal["drill", "node"]


class Failed(Exception):
    """The drill could not go on as written."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the drill did or the node said.

    Attributes
    ----------
    at_ns, who, text
        When, by whom, what.
    """

    at_ns: int
    who: Who
    text: str


@dataclass(slots=True)
class Played:
    """What a drill leaves behind.

    Attributes
    ----------
    folder
        Ledger, state and sessions.
    happenings
        In order.
    marks, kills_ns
        When what was done.
    trouble
        Why it could not go on as written; None: it did.
    """

    folder: Path
    happenings: list[Happening] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    kills_ns: list[int] = field(default_factory=list)
    trouble: str | None = None

    def evidence(self, drill: model.Drill, alias: str, tag: str) -> Evidence:
        """What the judge is given."""
        journal = self.folder / "state" / alias / "journal.sqlite"
        return Evidence(
            self.folder / "venue.jsonl",
            journal,
            tag,
            self.marks,
            drill.fault_names,
            tuple(self.kills_ns),
            COUNTDOWN_SECS,
        )


class Stage:
    """Plays one drill.

    Parameters
    ----------
    drill, config
        What to play; the file of its node.
    folder
        Where everything is put.
    tag
        Of the account's client order ids.
    """

    def __init__(self, drill: model.Drill, config: Path, folder: Path, tag: str) -> None:
        self._drill, self._config, self._tag = drill, config, tag
        self.played = Played(folder)
        self._tail = Tail(folder / "venue.jsonl")
        self._done: Counter[str] = Counter()
        self._from_row = 0
        self._node: node.Node | None = None
        self._acts: dict[str, Callable[[Any], Awaitable[None]]] = {
            "start": self._start, "until": self._until, "break": self._break, "move": self._move, "wait": self._wait,
            "kill": self._kill, "freeze": self._freeze, "resume": self._resume, "stop": self._stop, "ended": self._ended,
        }  # fmt: skip

    async def play(self) -> Played:
        """Do every step, and end what still runs."""
        venue = Venue(self._drill.venue, ledger_path=self.played.folder / "venue.jsonl")
        async with Server(venue) as self._server:
            try:
                for step in self._drill.steps:
                    self._tail.read()
                    row = len(self._tail.rows)
                    await self._acts[step.step](step)
                    self._from_row = row
                self._must_be_over()
            except Failed as error:
                self.played.trouble = str(error)
            finally:
                await self._clear()
        return self.played

    def _must_be_over(self) -> None:
        if self._node is not None and self._node.code is None:
            raise Failed("the node still runs after the last step")

    async def _clear(self) -> None:
        if self._node is not None:
            self._node.kill()
            await self._node.ended()

    def _tell(self, text: str, mark: str | None = None) -> int:
        now = time.time_ns()
        self.played.happenings.append(Happening(now, "drill", text))
        if mark is not None:
            self._done[mark] += 1
            self.played.marks[f"{mark} {self._done[mark]}"] = now
        return now

    def _heard(self, said: node.Said) -> None:
        self.played.happenings.append(Happening(said.at_ns, "node", f"{said.event}: {said.text}"))

    @property
    def _running(self) -> node.Node:
        if self._node is None:
            raise Failed("no node was started before this step")
        return self._node

    async def _start(self, step: model.Start) -> None:
        folder = self.played.folder
        own = {
            "account.url": self._server.url, "safety.state_dir": (folder / "state").as_posix(),
            "output": (folder / "runs").as_posix(),
        }  # fmt: skip
        settings = {**SETTINGS, **self._drill.node.set, **step.set, **own}
        self._tell("starts the node", "start")
        self._node = await node.start(self._config, texts(settings), self._heard)

    async def _until(self, step: model.Until) -> None:
        began, running = time.monotonic(), self._running
        was_over = running.code is not None
        while not self._is_so(step):
            if running.code is not None and not was_over:
                raise Failed(f"the node ended with {running.code} before this: {step.what}. {running.reason}")
            if time.monotonic() - began > step.within_secs:
                raise Failed(f"this did not come within {step.within_secs:g} s: {step.what}")
            await asyncio.sleep(LOOK_SECS)
        self._tell(f"sees {step.what}")

    def _is_so(self, step: model.Until) -> bool:
        self._tail.read()
        if step.venue is not None:
            return self._seen(step.venue) >= step.count
        if step.node is not None:
            return step.node in self._running.events
        return {"rests": self._tail.rests, "holds": self._tail.holds, "flat": not self._tail.holds}[
            step.state or "flat"
        ]

    def _seen(self, rows: Rows) -> int:
        """Lines since the step before; none while a moment that they are counted from has not come."""
        since = self._tail.rows[self._from_row :]
        try:
            return sum(1 for _ in matching(since, rows, self._marks, self._tag))
        except NoSuchMark:
            return 0

    @property
    def _marks(self) -> dict[str, int]:
        return {**self.played.marks, **fired(self._tail.rows)}

    async def _break(self, step: model.Break) -> None:
        self._server.venue.arm(step.fault())
        self._server.venue.advance()
        self._tell(f"breaks: {step.name}")

    async def _move(self, step: model.Move) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        away = RefuseConnections(act="refuse_connections", secs=step.secs, port=port)
        await self._break(model.Break(step="break", name=step.name, do=(away,)))

    async def _wait(self, step: model.Wait) -> None:
        secs = step.secs
        if step.until is not None:
            self._tail.read()
            marks = self._marks
            if step.until.mark not in marks:
                raise Failed(f"{step.until.mark!r} has not happened, so nothing can be waited for after it")
            due_ns = marks[step.until.mark] + round(step.until.plus_secs * NS)
            secs = max(0.0, (due_ns - time.time_ns()) / NS)
        self._tell(f"waits {secs or 0.0:.0f} s: {step.why}")
        await asyncio.sleep(secs or 0.0)

    async def _kill(self, step: model.Kill) -> None:
        del step
        self._must_run("kill")
        self._running.kill()
        self.played.kills_ns.append(self._tell("kills the node's process (SIGKILL)", "kill"))
        await self._running.ended()

    async def _freeze(self, step: model.Freeze) -> None:
        del step
        self._must_run("freeze")
        self._running.freeze()
        self.played.kills_ns.append(self._tell("freezes the node's process", "freeze"))

    async def _resume(self, step: model.Resume) -> None:
        del step
        self._must_run("resume")
        self._tell("lets it go on", "resume")
        self._running.resume()

    def _must_run(self, what: str) -> None:
        if self._running.code is not None:
            raise Failed(f"there was nothing to {what}: the node has ended with {self._running.code}")

    @property
    def _stop_file(self) -> Path:
        return self.played.folder / "state" / "STOP"

    async def _stop(self, step: model.Stop) -> None:
        del step
        self._stop_file.touch()
        self._tell("asks the node to stop", "stop")

    async def _ended(self, step: model.Ended) -> None:
        try:
            code = await asyncio.wait_for(self._running.ended(), step.within_secs)
        except TimeoutError:
            raise Failed(f"the node did not end within {step.within_secs:g} s") from None
        self._stop_file.unlink(missing_ok=True)
        self._tell(f"the node has ended with exit code {code}", "ended")
        if code not in step.codes:
            right = " or ".join(map(str, step.codes))
            raise Failed(f"the node ended with exit code {code}, right is {right}. {self._running.reason}")
