"""What a session leaves for those who look at it from outside: its status each second, and an incident for every trip.

A shadow leaves nothing but its report, so it has neither.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from monitoring.incidents.actor import BlackBoxActor, BlackBoxActorConfig
from monitoring.incidents.caught import FlightSetup
from monitoring.incidents.flight import FlightRecorder
from runners.config import LiveConfig, LiveResolved
from runners.live.state import StateFolder
from runners.live.status import Standing
from runners.status_file import About, Counts, Status, StatusFile, exposed, take
from runners.wiring import Package

FINISHED = "finished"


class Node(Protocol):
    """Takes actors before it runs."""

    def add_actor(self, actor: Any) -> None:
        """Add one."""


class Witness:
    """Black box and status file of one session.

    Parameters
    ----------
    resolved, state
        Of the session.
    package, instruments, trading_start_ns
        Gate, journal and faults; Nautilus instruments by id; end of the warm-up.
    say
        Tells what cannot be written, and where an incident is.
    """

    def __init__(
        self, resolved: LiveResolved, state: StateFolder, package: Package, instruments: Mapping[str, Any],
        trading_start_ns: int, say: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        config, services = resolved.config, package.services
        self._package, self._instruments, self._say = package, instruments, say
        self._about = About(config.name, config.mode, resolved.hash, state.alias, os.getpid())
        self._file = StatusFile(state.path) if config.mode != "shadow" else None
        self._last: Status | None = None
        self._problem: str | None = None
        self.recorder: FlightRecorder | None = None
        if config.black_box is not None and config.mode != "shadow":
            setup = FlightSetup(
                config.black_box, config.name, state.alias, resolved.hash, _plain(config), trading_start_ns, instruments,
                package.journal.row,
            )  # fmt: skip
            self.recorder = FlightRecorder(setup, services.gate, state.path)

    def install(self, node: Node) -> None:
        """Add the actor that feeds the black box; call before the strategies are added."""
        if self.recorder is not None:
            faults = self._package.services.faults
            node.add_actor(BlackBoxActor(BlackBoxActorConfig(self.recorder, tuple(self._instruments), faults)))

    def look(self, standing: Standing) -> None:
        """Renew the status, at most once a second."""
        now_ns = time.time_ns()
        if self._file is not None and self._file.due(now_ns):
            self._last = self._taken(standing, now_ns)
            self._write(self._file, self._last)

    def _write(self, file: StatusFile, status: Status) -> None:
        """Write it; a disk that takes nothing is told once and stands in nobody's way."""
        file.write(status)
        if file.problem is not None and file.problem != self._problem:
            self._say("warning", file.problem)
        self._problem = file.problem

    def _taken(self, standing: Standing, now_ns: int) -> Status:
        services = self._package.services
        held = exposed(services.view) if standing.equity is not None else []
        counts = Counts(standing.working, standing.orders, standing.fills, standing.refusals)
        return take(services.gate, self._about, now_ns, standing.phase, standing.equity, held, counts)

    def close(self) -> None:
        """Write what has tripped, and tell where it is; call when the engine has stopped."""
        if self.recorder is None:
            return
        self.recorder.close(time.time_ns())
        for path in self.recorder.written:
            self._say("incident", f"kept in {path.as_posix()}: python -m runners incident show {path.as_posix()}")
        for problem in self.recorder.problems:
            self._say("warning", problem)

    def finished(self) -> None:
        """Write the last status: from now on no node runs, and that is in order."""
        if self._file is not None and self._last is not None:
            gate = self._package.services.gate
            values = {"ts_ns": time.time_ns(), "phase": FINISHED, "halted": gate.halted, "latched": gate.halts.latched}
            self._write(self._file, self._last.model_copy(update={**values, "working": 0}))


def _plain(config: LiveConfig) -> dict[str, Any]:
    """All of a configuration as plain values, so that an incident can be replayed."""
    return config.model_dump(mode="json", by_alias=True)
