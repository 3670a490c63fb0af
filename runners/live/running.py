"""What watches a running session each second: stop files, faults, silence, the engine itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.live import LiveNodeHandle

from execution.latency import timing_line
from runners.config import LiveConfig
from runners.live.control import Cause, Control, Stop
from runners.live.market import MarketWatch
from runners.live.state import STOP_FLATTEN, StateFolder
from runners.live.status import Screen, Standing
from runners.live.witness import Witness
from runners.wiring import Package

EVERY_SECS = 1.0
START_SECS = 60.0
"""The engine connects, loads and reconciles within this, or the start has failed."""
STALL_SECS = 5.0
"""A look that comes later than this: the process stood still, and the market had nobody to talk to."""


class Running:
    """Looks once a second and asks for the end where there is a reason.

    Parameters
    ----------
    config, package, market
        Of the session.
    handle, task
        Of the node.
    state, control, screen
        Stop files; where the end is asked for; where the status goes.
    starting_equity
        Settlement currency.
    witness
        Keeps the status for those who look from outside.
    """

    def __init__(
        self, config: LiveConfig, package: Package, market: MarketWatch, handle: LiveNodeHandle, task: asyncio.Task[Any],
        state: StateFolder, control: Control, screen: Screen, starting_equity: Decimal, witness: Witness,
    ) -> None:  # fmt: skip
        self._config, self._package, self._market = config, package, market
        self._handle, self._task, self._state, self._control, self._screen = handle, task, state, control, screen
        self._starting_equity, self._witness = starting_equity, witness
        self._doubted = False
        self._began = self._looked = self._awake = time.monotonic()
        self._ran = False

    async def watch(self) -> None:
        """Look until the session stops; an exception here stops it as well."""
        while self._control.stop is None:
            self._look()
            self._market.drain()
            self._show()
            await asyncio.wait({self._task}, timeout=EVERY_SECS)

    async def while_stopping(self) -> None:
        """Go on telling how it stands, until cancelled: a stop may take a minute."""
        while True:
            self._show()
            await asyncio.sleep(EVERY_SECS)

    def _show(self) -> None:
        standing = self.standing()
        self._screen.show(standing)
        self._witness.look(standing)

    def _look(self) -> None:
        self._ran = self._ran or self._handle.is_running
        stop = self._asked() or self._broken() or self._ended()
        if stop is not None:
            self._control.ask(stop)

    def _asked(self) -> Stop | None:
        found = self._state.stop_file()
        if found is None:
            return None
        return Stop(Cause.OPERATOR, f"{found} is there", flatten=found.name.startswith(STOP_FLATTEN))

    def _broken(self) -> Stop | None:
        services, silent = self._package.services, self._silent_secs()
        if services.faults.first is not None:
            return Stop(Cause.FAULT, services.faults.where)
        if services.gate.halts.latched:
            return Stop(Cause.LATCHED, services.gate.halted or "the kill switch has tripped")
        if self._halted_outside():
            return Stop(Cause.LATCHED, f"halted from outside: {services.gate.halted}")
        limit = self._config.data.max_silence_secs
        if silent > limit:
            return Stop(Cause.FAULT, f"no market event for {silent:.0f} s, allowed are {limit:g}")
        return None

    def _silent_secs(self) -> float:
        """How long the market has been silent while somebody listened: a suspend is no silence (R-8)."""
        now = time.monotonic()
        if now - self._looked > STALL_SECS:
            self._awake = now
        self._looked = now
        return min(self._market.silent_secs(), now - self._awake)

    def _halted_outside(self) -> bool:
        """Whether token or latch log have changed beside us (`runners.halt`): then this process trips as well.

        A token that is gone without a record counts at the second look: whoever deletes it writes the reason down just after.
        """
        services = self._package.services
        why = services.gate.halts.switch.refusal()
        doubted, self._doubted = self._doubted, why is not None
        if why is None or not (doubted or why.startswith("latched: ")):
            return False
        services.gate.halts.trip(time.time_ns(), why)
        if self._ran:
            services.act(self._market.publish_message)
        return True

    def _ended(self) -> Stop | None:
        if self._task.done():
            return Stop(Cause.FAULT, _ending(self._task, ran=self._ran))
        waited = time.monotonic() - self._began
        limit = START_SECS if not self._ran else max(START_SECS, self._config.data.max_silence_secs)
        if waited > limit and (not self._ran or self._market.heard is None):
            what = "sent no market event" if self._ran else "was not ready"
            return Stop(Cause.FAULT, f"the engine {what} within {limit:g} s")
        return None

    def standing(self) -> Standing:
        """Look at the session for the screen."""
        services, journal = self._package.services, self._package.journal
        equity = services.view.equity() if self._ran else None
        return Standing(
            phase=self._phase(), running_secs=round(time.monotonic() - self._began, 1), equity=equity,
            pnl=None if equity is None else equity - self._starting_equity, working=len(services.view.working),
            orders=journal.order_count, fills=journal.fill_count, refusals=journal.refused,
            events=self._market.events, feed_age_secs=round(self._market.silent_secs(), 3), mids=self._mids(),
            positions={iid: services.view.net(iid) for iid in self._config.instruments} if self._ran else {},
            note=services.gate.halted or "",
            latency=timing_line(services.latency),
        )  # fmt: skip

    def _mids(self) -> Mapping[str, Decimal | None]:
        return {iid: self._package.services.view.mid(iid) for iid in self._config.instruments}

    def _phase(self) -> str:
        gate = self._package.services.gate
        if self._control.stop is not None:
            return "stopping"
        if not self._ran:
            return "starting"
        if gate.halted is not None:
            return "halted"
        return "warm-up" if time.time_ns() < gate.trading_start_ns else "trading"


def _ending(task: asyncio.Task[Any], *, ran: bool) -> str:
    error = None if task.cancelled() else task.exception()
    when = "ended by itself" if ran else "ended before it was ready"
    return f"the engine {when}" + (f": {error}" if error is not None else "; its log says why")
