"""Readings for the breakers of clock and budget: both clocks each second, the venue's every few seconds (R-8, R-9)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from errors import RunFailed
from execution.safety.client import SafetyClient
from execution.safety.entries import EntryBudget
from execution.safety.failures import VenueError
from execution.safety.limits import stated_limits
from execution.services import Services
from execution.watch import Publish
from risk.breakers.events import ApiUse, ClockReading
from risk.breakers.machine import State
from risk.gate import RiskGate

READ_SECS = 1.0
"""Between two readings; `clock_step_ms.reading_secs` expects it, and what is longer was a stall."""
MEASURE_SECS = 5.0
"""Between two measurements of the venue's clock: three requests of weight 1, 36 of 2,400 a minute."""


async def know_limits(client: SafetyClient, gate: RiskGate) -> None:
    """Take the venue's own statement of its limits, and let every order of the engine ask the budget.

    Raises
    ------
    RunFailed
        When the venue does not answer.
    """
    try:
        client.budget.limits = stated_limits(await client.exchange_info())
    except VenueError as error:
        raise RunFailed(f"the venue does not state its limits: {error}.") from error
    gate.venue_budget = EntryBudget(client.budget).take


class Clocks:
    """Reads clocks and budget for one session.

    Parameters
    ----------
    client
        Asks the venue for its time; its budget hears of every use from the headers.
    services, publish
        Whose breakers are fed; how what they demand is told.
    wall_ns, monotonic_ns
        Clocks, UTC and monotonic.
    """

    def __init__(
        self, client: SafetyClient, services: Services, publish: Publish, wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._client, self._services, self._publish = client, services, publish
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        self._measured_ns: int | None = None

    async def watch(self, runs: Callable[[], bool], over: Callable[[], bool]) -> None:
        """Read until the session is over; `runs` is False while the engine is not ready."""
        while not over():
            began = asyncio.get_running_loop().time()
            if runs():
                await self.read()
            await asyncio.sleep(max(0.0, began + READ_SECS - asyncio.get_running_loop().time()))

    async def read(self) -> None:
        """Take one reading of everything."""
        watch = self._services.watch
        watch.on_clock(ClockReading(self._wall_ns(), self._monotonic_ns()))
        if self._is_due():
            offset_ms = await self._measured()
            if offset_ms is not None:
                watch.on_clock(ClockReading(self._wall_ns(), self._monotonic_ns(), offset_ms))
        now = self._wall_ns()
        for name, (used, limit) in self._client.budget.counts().items():
            watch.on_api(ApiUse(now, name, used, limit))
        self._services.act(self._publish)

    def _is_due(self) -> bool:
        """Every few seconds; at once while a clock breaker waits for it, or the venue has refused a timestamp."""
        waits = self._client.clock.doubted or any(
            one.name.startswith("clock_") and one.state is not State.CLOSED for one in self._services.watch.board.open()
        )
        return waits or self._measured_ns is None or self._monotonic_ns() - self._measured_ns >= MEASURE_SECS * 1e9

    async def _measured(self) -> float | None:
        """Our clock minus the venue's, milliseconds; None where the venue does not answer."""
        try:
            reading = await self._client.measure_clock()
        except VenueError:
            return None  # silence is another breaker's business; entries that wait for a measurement go on waiting
        self._measured_ns = self._monotonic_ns()
        return -reading.offset_ms
