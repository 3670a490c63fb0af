"""Time of the venue: real nanoseconds, a skew that a fault may set, and an agenda of what is due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class TimeSource(Protocol):
    """Where real time comes from."""

    def __call__(self) -> int:
        """Nanoseconds since 1970."""


class ManualTime:
    """A time source that stands still until it is set.

    Parameters
    ----------
    now_ns
        First reading.
    """

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """Nanoseconds since 1970."""
        return self.now_ns


class Clock:
    """What the venue believes the time is.

    Parameters
    ----------
    source
        Real time; the wall clock unless a test gives another.

    Attributes
    ----------
    skew_ms
        How far the venue's clock runs ahead of real time (a fault).
    """

    def __init__(self, source: TimeSource = time.time_ns) -> None:
        self._source = source
        self.skew_ms = 0

    def real_ns(self) -> int:
        """Real time: what waiting is measured in."""
        return self._source()

    def ms(self) -> int:
        """Time that the venue puts on its messages, in ms."""
        return self._source() // 1_000_000 + self.skew_ms


class Agenda:
    """Callbacks by due time; run by whoever owns the clock.

    Ties run in the order in which they were added.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, due_ns: int, act: Callable[[], None]) -> None:
        """Run `act` at real time `due_ns`."""
        heapq.heappush(self._due, (due_ns, next(self._count), act))

    def after(self, secs: float, act: Callable[[], None]) -> None:
        """Run `act` in `secs`."""
        self.at(self._clock.real_ns() + round(secs * 1e9), act)

    def every(self, secs: float, act: Callable[[], None]) -> None:
        """Run `act` each `secs`, the first time after one period, on a grid that does not drift."""
        self._repeat(self._clock.real_ns() + round(secs * 1e9), round(secs * 1e9), act)

    def _repeat(self, due_ns: int, period_ns: int, act: Callable[[], None]) -> None:
        def turn() -> None:
            self._repeat(due_ns + period_ns, period_ns, act)
            act()

        self.at(due_ns, turn)

    async def sleep(self, secs: float) -> None:
        """Wait until the agenda has reached now + `secs`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.after(secs, lambda: None if done.done() else done.set_result(None))
        await done

    def next_due(self) -> int | None:
        """Due time of the next callback, None when there is none."""
        return self._due[0][0] if self._due else None

    def run_until(self, now_ns: int) -> None:
        """Run everything due at or before `now_ns`."""
        while self._due and self._due[0][0] <= now_ns:
            heapq.heappop(self._due)[2]()
