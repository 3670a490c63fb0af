"""Why a session stops, and the exit code that follows. The first reason stands; flattening can be added, never taken back."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, replace


class Cause(enum.StrEnum):
    """What ended the session."""

    TIME = "time"
    OPERATOR = "operator"
    SIGNAL = "signal"
    FAULT = "fault"
    LATCHED = "latched"


@dataclass(frozen=True, slots=True)
class Stop:
    """One wish to stop.

    Attributes
    ----------
    cause, why
        What ended the session, and the words for it.
    flatten
        Close positions, whatever the configuration says.
    """

    cause: Cause
    why: str
    flatten: bool = False


class Control:
    """Where everything that may end the session says so; safe from signal handlers and other threads."""

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()

    def ask(self, stop: Stop) -> None:
        """Ask for the end; call on the loop."""
        if self.stop is None:
            self.stop = stop
            self._asked.set()
        elif stop.flatten and not self.stop.flatten:
            self.stop = replace(self.stop, flatten=True)

    def ask_from_outside(self, stop: Stop) -> None:
        """Ask from a signal handler or another thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ask, stop)

    def fault(self, why: str) -> None:
        """Something failed that nobody caught."""
        self.ask(Stop(Cause.FAULT, why))

    async def wait(self) -> Stop:
        """Wait until somebody asks."""
        await self._asked.wait()
        return self.stop or Stop(Cause.FAULT, "stopped without a reason")


def exit_code(stop: Stop, *, clean: bool) -> int:
    """Exit code of `commands.md`: 6 outranks everything, a latched stop is 4, a fault 1, an operator 5, the end of time 0.

    Examples
    --------
    >>> exit_code(Stop(Cause.TIME, "after 60 s"), clean=True)
    0
    """
    if not clean:
        return 6
    return {Cause.TIME: 0, Cause.OPERATOR: 5, Cause.SIGNAL: 5, Cause.FAULT: 1, Cause.LATCHED: 4}[stop.cause]
