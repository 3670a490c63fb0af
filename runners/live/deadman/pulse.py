"""Layer 2, this side of it: the sign of life that the watchdog reads, and the watchdog's own that is read here."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from pathlib import Path

from execution.deadman.beacon import Beacon, Watched
from runners.process_handle import own_mark

PROGRESS, WATCHDOG = "progress.beat", "watchdog.beat"
"""Files in the state folder of an alias: the node's, and the watchdog's."""
READ_NS = 500_000_000
"""Between two looks at the watchdog's file."""


class Phase(enum.StrEnum):
    """What a node is doing, as far as the watchdog must know."""

    PREPARING = "preparing"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


def prepare_pulse(folder: Path) -> None:
    """Say that a node is on its way: what an earlier one said last counts no more. Called once the account's lock is held."""
    mark, beacon = own_mark(), Beacon(folder / PROGRESS)
    beacon.write({"pid": mark.pid, "created": mark.created, "phase": str(Phase.PREPARING), "loops": 0})
    beacon.close()


class Pulse:
    """One per session.

    Parameters
    ----------
    folder
        State of the alias.
    loops, private_ns, refreshed_ns
        Turns of the trading loop; monotonic times of the last private event and the last acknowledged refresh.
    monotonic_ns, wall_ns
        Clocks.

    Attributes
    ----------
    phase
        Said with every beat. While it is `RUNNING` only the trading loop itself beats.
    """

    def __init__(
        self, folder: Path, loops: Callable[[], int], private_ns: Callable[[], int | None],
        refreshed_ns: Callable[[], int | None], monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._loops, self._private_ns, self._refreshed_ns = loops, private_ns, refreshed_ns
        self._now, self._wall_ns, self._mark = monotonic_ns, wall_ns, own_mark()
        self._beacon = Beacon(folder / PROGRESS)
        self._watchdog = Watched(folder / WATCHDOG, monotonic_ns)
        self._read_ns: int | None = None
        self.phase = Phase.STARTING

    @property
    def problem(self) -> str | None:
        """Why the last beat could not be written."""
        return self._beacon.problem

    def beat(self) -> None:
        """Write one; called by the trading loop each second."""
        self._beacon.write({
            "pid": self._mark.pid, "created": self._mark.created, "phase": str(self.phase), "loops": self._loops(),
            "private_ns": self._private_ns(), "refreshed_ns": self._refreshed_ns(), "monotonic_ns": self._now(),
            "wall_ns": self._wall_ns(),
        })  # fmt: skip

    def close(self) -> None:
        """The session is over and its account verified: nothing is to be watched any more."""
        self.phase = Phase.ENDED
        self.beat()
        self._beacon.close()

    def watchdog_silent_secs(self) -> float:
        """Seconds without a sign of life of the watchdog, seen from here."""
        now = self._now()
        if self._read_ns is None or now - self._read_ns >= READ_NS:
            self._read_ns = now
            return self._watchdog.look()
        return self._watchdog.silent_secs

    @property
    def watchdog_seen(self) -> bool:
        """Whether it has ever been seen."""
        return self._watchdog.facts is not None
