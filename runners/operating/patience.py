"""Asking again until the venue answers; the time for which it shuts us out is waited out and does not count (`recovery.md` 9)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from execution.safety.budget import Cost, Purpose, RateBudget
from execution.safety.emergency import Emergency
from execution.safety.failures import VenueError, Withheld
from execution.safety.response_class import Consequence

TELL_SECS = 2.0
"""A wait that is longer is told before it begins."""

type Say = Callable[[str], None]


class Patience:
    """Tries for a limited time.

    Parameters
    ----------
    budget
        Knows when the venue lets us in.
    secs
        How long the venue may fail, bans not counted.
    say
        Where waits and failures are told.
    monotonic_ns, sleep, now
        Clocks.

    Attributes
    ----------
    problems
        What failed, each sentence once, in order.
    """

    def __init__(
        self, budget: RateBudget, secs: float, say: Say, monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._budget, self._secs, self.say = budget, secs, say
        self._monotonic_ns, self._sleep, self._now = monotonic_ns, sleep, now
        self._emergency = Emergency(budget, monotonic_ns)
        self._began_ns = monotonic_ns()
        self._told_until = 0.0
        self.problems: list[str] = []

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._monotonic_ns() - self._began_ns > self._secs * 1e9

    def secs(self) -> float:
        """Monotonic time."""
        return self._monotonic_ns() / 1e9

    async def pause(self, secs: float) -> None:
        """Let time pass between two looks."""
        await self._sleep(secs)

    async def insist[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something until it has been answered.

        Raises
        ------
        VenueError
            The last failure when the time is up; at once when the venue refuses the key.
        """
        while True:
            self._emergency.want((), flatten=False)
            await self._admitted()
            wanted = self._emergency.take()
            if wanted is None:
                continue
            try:
                done = await work()
            except VenueError as error:
                if error.consequence is Consequence.KEY or self.over:
                    raise
                self._fail(error)
                self._emergency.put_back(wanted)
            else:
                self._emergency.done()
                return done

    async def _admitted(self) -> None:
        """Wait for the first instant at which a cancel may go."""
        wait_ns = self._emergency.wait_ns() or 0
        shut_ns = self._budget.closed_ns(Cost(), Purpose.CANCEL)
        if shut_ns:
            self._tell_shut(shut_ns / 1e9)
            self._began_ns += wait_ns
        if wait_ns:
            await self._sleep(wait_ns / 1e9)

    def _tell_shut(self, secs: float) -> None:
        until = self.secs() + secs
        if secs >= TELL_SECS and until > self._told_until + TELL_SECS:
            self._told_until = until
            at = self._now() + timedelta(seconds=secs)
            why = "418" if self._budget.is_banned else "429"
            self.say(f"the venue shuts this address out ({why}) until {at:%H:%M:%S} UTC: waiting for that instant")

    def _fail(self, error: VenueError) -> None:
        text = str(error)
        if isinstance(error, Withheld):
            return  # the wait is told with its end
        if text not in self.problems:
            self.problems.append(text)
            self.say(f"no answer yet, trying again: {text}")
