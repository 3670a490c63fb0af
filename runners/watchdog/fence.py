"""FENCE: from here on the node can send no entry and soon nothing at all: token, process, lock, in this order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from risk.arm_token import Identity
from risk.kill_switch import KillSwitch, Trip
from runners.accounts import AccountPlace, locks_of
from runners.halting import NOT_KNOWN
from runners.process_handle import ProcessHandle, ProcessMark

GONE_SECS, LOCK_SECS = 5.0, 5.0
"""How long a process that was ended may take to be gone, and its lock to be free."""


class Process(Protocol):
    """A process that can be ended; see `runners.process_handle.ProcessHandle`."""

    @property
    def mark(self) -> ProcessMark:
        """Which one."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""

    def kill(self) -> str | None:
        """End it; return why that was not possible."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """What was done.

    Attributes
    ----------
    lines
        In words, each step.
    node_gone, lock_held
        Whether the node has ended; whether its account's lock is ours now.
    problems
        What could not be done.
    """

    lines: tuple[str, ...]
    node_gone: bool
    lock_held: bool
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Fence:
    """Fences one node; the lock is held until `release`.

    Parameters
    ----------
    state, place
        Folder of all accounts; the account.
    sleep, now
        Clocks, seconds.
    """

    state: Path
    place: AccountPlace
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _locks: list[FileLock] = field(default_factory=list)

    def trip(self, ts_ns: int, reason: str, figures: Mapping[str, str | int | float]) -> Trip:
        """Delete the token and record why; needs no node. Nothing in here raises."""
        return KillSwitch(self.place.tokens, self.place.log, self._identity()).trip(
            ts_ns, reason, figures, operator="watchdog"
        )

    def _identity(self) -> Identity:
        pin = self.place.pin
        return Identity(
            account=str(pin.get("account_id") or pin.get("account") or NOT_KNOWN),
            environment=str(pin.get("environment") or NOT_KNOWN), config_hash=NOT_KNOWN,
        )  # fmt: skip

    def end(self, process: Process | None) -> Fenced:
        """End the node and take its lock."""
        lines, problems = [], []
        gone = process is None or not process.alive
        if process is None:
            lines.append("no process of the node is known")
        elif gone:
            lines.append(f"the node (process {process.mark.pid}) is gone already")
        else:
            why = process.kill()
            gone = self._wait(lambda: not process.alive, GONE_SECS)
            told = f"the node (process {process.mark.pid})"
            lines.append(f"{told} was ended" if gone else f"{told} could NOT be ended")
            if not gone:
                problems.append(why or f"process {process.mark.pid} was ended and is still there after {GONE_SECS:g} s")
        held = self._take_locks(problems)
        lines.append("its lock is ours" if held else "its lock could NOT be taken")
        return Fenced(tuple(lines), gone, held, tuple(problems))

    def _take_locks(self, problems: list[str]) -> bool:
        found = locks_of(self.state, self.place)
        if not found:
            problems.append(
                f"no lock of {self.place.alias} is under {self.state}: it is not known whether another node holds it"
            )
            return False
        for path in found:
            lock = FileLock(path)
            try:
                lock.acquire(timeout=LOCK_SECS)
            except (Timeout, OSError) as error:
                problems.append(f"{path} cannot be taken ({type(error).__name__})")
                return False
            self._locks.append(lock)
        return True

    def release(self) -> None:
        """Give the lock back: the latch keeps the next node from trading."""
        for lock in self._locks:
            with suppress(OSError):  # the system frees it with this process
                lock.release()
        self._locks.clear()

    def _wait(self, truth: Callable[[], bool], secs: float) -> bool:
        until = self.now() + secs
        while not truth():
            if self.now() >= until:
                return False
            self.sleep(0.05)
        return True


def process_of(facts: Mapping[str, Any]) -> ProcessHandle | None:
    """Hold on to the process that a beat names; None where it names none, or that one is gone."""
    pid, created = facts.get("pid"), facts.get("created")
    if not isinstance(pid, int) or not isinstance(created, str):
        return None
    return ProcessHandle(ProcessMark(pid, created))
