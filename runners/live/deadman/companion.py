"""All layers of the dead-man beside one session: one task that lives from the start of the engine until the account is verified."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from execution.deadman.countdown import Timing
from execution.deadman.liveness import Signs
from execution.deadman.stall import Stalls
from execution.journal import RiskEvent
from execution.safety.failures import VenueError
from execution.services import Services
from risk.breach import Figure
from runners.config import LiveConfig
from runners.live.account import Account
from runners.live.closes import JournaledCloses, instrument_of
from runners.live.deadman import locks
from runners.live.deadman.countdown import CountdownTask
from runners.live.deadman.looking import Believed, Look, difference, look
from runners.live.deadman.pulse import Phase, Pulse
from runners.live.deadman.stops import ProtectiveStops

TURN_SECS = 0.1
"""Between two looks at everything that costs nothing."""
LOOK_SECS = 5.0
"""Between two looks at the account while nothing asks for one: weight 5 and 2 a symbol."""
STOPPING_LOOK_SECS = 1.0
"""And while the session begins or ends, when the engine does not tell of positions."""
AGAIN_SECS = 0.3
"""Between two looks while something is waited for."""
HASTY_LOOKS = 20
"""After so many of those in a row one comes a second: the budget is for cancels."""
BEAT_NS = 1_000_000_000
FENCE_NS = 10_000_000_000
FIRED_OFTEN = "the venue's countdown has fired twice within an hour"


@runtime_checkable
class Commits(Protocol):
    """A journal that tells how its commits fare; see `execution.journal_live.LiveJournal`."""

    @property
    def failed(self) -> str | None: ...
    @property
    def stalled_secs(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the dead-man needs of a session.

    Attributes
    ----------
    config, account, services, closes
        Of the session; `closes` names and records stops.
    journal
        `row` gives an order's, by client order id.
    folder
        State of the alias.
    ticks
        By symbol.
    say
        Tells a person: kind of line, text.
    trip
        Trips the kill switch and ends the session; the last argument: close positions as well.
    runs, over
        Whether the engine is ready; whether the end was asked for.
    adopted
        Symbols whose position was there before the session.
    """

    config: LiveConfig
    account: Account
    services: Services
    closes: JournaledCloses
    journal: Any
    folder: Path
    ticks: Mapping[str, Decimal]
    say: Callable[[str, str], None]
    trip: Callable[[str, Mapping[str, Figure], bool], None]
    runs: Callable[[], bool]
    over: Callable[[], bool]
    adopted: frozenset[str] = frozenset()


class DeadMan:
    """One per session.

    Parameters
    ----------
    parts
        Of the session.
    monotonic_ns, wall_ns
        Clocks.
    """

    def __init__(
        self,
        parts: Parts,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._parts, self._now, self._wall_ns = parts, monotonic_ns, wall_ns
        config, safety, services = parts.config, parts.config.safety, parts.services
        timing = Timing(round(safety.deadman.countdown_secs * 1e9), round(safety.deadman.refresh_secs * 1e9))
        self.countdown = CountdownTask(
            parts.account.client, config.symbols, timing, self._signs, self._wanted, self._fired, monotonic_ns
        )
        self.stalls = Stalls(monotonic_ns, wall_ns)
        given = safety.protective_stop
        self.stops = ProtectiveStops(
            parts.account.client, parts.closes, config.account.order_tag, parts.ticks, given.pct(config.account.leverage),
            self._net, lambda text: self._alert("protective_stop", text), self._close_now, confirm_secs=given.confirm_secs,
            working_type="MARK_PRICE" if given.working_type == "mark" else "CONTRACT_PRICE", adopted=parts.adopted,
            monotonic_ns=monotonic_ns,
        )  # fmt: skip
        self.pulse = Pulse(
            parts.folder, lambda: services.loops, lambda: self.countdown.private_ns,
            lambda: self.countdown.refreshed_ns, monotonic_ns, wall_ns,
        )  # fmt: skip
        self.looked_ns: int | None = None
        self._beat_ns: int | None = None
        self._wants_look = asyncio.Event()
        self._problem: str | None = None
        self._in_force = False
        self._closing: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._install()

    def _install(self) -> None:
        parts, watchdog = self._parts, self._parts.config.safety.watchdog
        parts.services.relay.listeners.append(self.countdown.hear)
        parts.services.pulse = self.pulse.beat
        gate = parts.services.gate
        gate.locks += [
            locks.stall_lock(self.stalls), locks.countdown_lock(self.countdown.countdowns), locks.stop_lock(self.stops.shut),
        ]  # fmt: skip
        if watchdog.required or parts.config.mode == "live":
            gate.locks.append(locks.watchdog_lock(self.pulse, watchdog.silent_secs))

    # The task ---------------------------------------------------------------------------------------------------------

    def start(self, failed: Callable[[str], None]) -> None:
        """Begin; `failed` is told when this task raises."""
        self._task = asyncio.get_running_loop().create_task(self._live())

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                failed(f"the dead-man raised {error!r}")

        self._task.add_done_callback(ended)

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._turning())
            group.create_task(self._looking())

    async def _turning(self) -> None:
        while True:
            self.turn()
            await asyncio.sleep(TURN_SECS)

    def turn(self) -> None:
        """Everything that is cheap: stalls, beats, refreshes that are due, positions without a stop."""
        self._note_stall()
        self.pulse.phase = self._phase()
        if self.pulse.phase is not Phase.RUNNING:
            self._beat_beside()
            return
        needs_look, wanting = self.countdown.turn(), self.stops.wanting()
        self._tell_force()
        if needs_look or wanting or self.countdown.countdowns.unreconciled is not None:
            self._wants_look.set()

    def _tell_force(self) -> None:
        """Say when the countdown comes into force, and when it shuts entries: each once, with the reason."""
        countdowns = self.countdown.countdowns
        found = (countdowns.shut(symbol) for symbol in countdowns.symbols)
        why = next((one for one in found if one is not None), None)
        if (why is None) is self._in_force:
            return
        self._in_force = why is None
        if why is None:
            given = self._parts.config.safety.deadman
            every = f"{given.countdown_secs:g} s, refreshed every {given.refresh_secs:g} s"
            self._parts.say(
                "deadman", f"the venue's countdown is in force for {', '.join(countdowns.symbols)}: {every}"
            )
        elif self._wanted():
            lacks = f" ({self.countdown.lacks})" if self.countdown.lacks else ""
            self._parts.say("deadman", f"entries are shut: {why}{lacks}")
            self._note("countdown", "open", why)

    def _phase(self) -> Phase:
        if self._parts.over():
            return Phase.STOPPING
        return Phase.RUNNING if self._parts.runs() else Phase.STARTING

    def _beat_beside(self) -> None:
        """While the trading loop does not turn yet, or any more, this task beats: it does the work then."""
        if self._beat_ns is None or self._now() - self._beat_ns >= BEAT_NS:
            self._beat_ns = self._now()
            self.pulse.beat()

    def _note_stall(self) -> None:
        gap = self.stalls.beat()
        if gap is None:
            return
        ran, passed = (one / 1e9 for one in gap)
        countdowns = self.countdown.countdowns
        why = f"this process stood still for {max(ran, passed):.1f} s"
        if passed - ran > 1.0:
            countdowns.forget(f"{why}, the machine with it")
        else:
            countdowns.demand(why)
        self._note("stall", "open", why)

    # Looking at the account -------------------------------------------------------------------------------------------

    async def _looking(self) -> None:
        in_a_row = 0
        while True:
            await self.look()
            in_a_row = in_a_row + 1 if self._wants_look.is_set() else 0
            await asyncio.sleep(AGAIN_SECS if in_a_row < HASTY_LOOKS else STOPPING_LOOK_SECS)
            with suppress(TimeoutError):  # nobody asked: it is time for one anyway
                longest = LOOK_SECS if self.pulse.phase is Phase.RUNNING else STOPPING_LOOK_SECS
                await asyncio.wait_for(self._wants_look.wait(), longest)
            self._wants_look.clear()

    async def look(self) -> Look | None:
        """Look at the account once, bring the stops in line, and lift what a look may lift; None when it was not answered."""
        running = self.pulse.phase is Phase.RUNNING
        before = self._nets() if running else {}
        try:
            seen = await look(self._parts.account, self._now)
        except VenueError as error:
            self._problem = str(error)
            return None
        self.looked_ns, self._problem = seen.asked_ns, None
        if await self.stops.follow(seen):
            self._wants_look.set()
        if running:
            self._reconcile(seen, before)
        return seen

    def _reconcile(self, seen: Look, before: Mapping[str, Decimal]) -> None:
        countdowns, services = self.countdown.countdowns, self._parts.services
        if countdowns.unreconciled is None:
            return
        why, after = countdowns.unreconciled, self._nets()
        believed = Believed(
            self._parts.journal.row, services.view.working, {name: (before[name], after[name]) for name in after},
            self._parts.config.account.order_tag, self._wall_ns(),
        )  # fmt: skip
        found = difference(seen, believed)
        if found is None:
            if countdowns.reconciled():
                self._note("reconciled", "closed", f"{why}: the account was looked at and is as we know it")
        elif found[1] and services.query is not None:
            services.query(found[1])

    # What the parts ask -----------------------------------------------------------------------------------------------

    def _net(self, symbol: str) -> Decimal:
        return self._parts.services.view.net(instrument_of(symbol))

    def _nets(self) -> dict[str, Decimal]:
        return {symbol: self._net(symbol) for symbol in self._parts.config.symbols}

    def _signs(self) -> Signs:
        journal, problem = self._parts.journal, None
        if isinstance(journal, Commits):
            problem = journal.failed
            if problem is None and journal.stalled_secs > self._parts.config.safety.deadman.refresh_secs:
                problem = f"a row has waited {journal.stalled_secs:.1f} s for its commit"
        return Signs(self._parts.services.loops, self.countdown.private_ns, self.looked_ns, problem)

    def _wanted(self) -> bool:
        """D4: halted, flat and empty lets the countdown lapse; anything that works or is held keeps it."""
        services = self._parts.services
        return services.gate.halted is None or bool(services.view.working) or any(self._nets().values())

    def _fired(self, why: str) -> None:
        firings = self.countdown.countdowns.firings
        self._alert("countdown", f"{why}; entries pause until the account was looked at")
        if self.countdown.countdowns.latches:
            self._parts.trip(FIRED_OFTEN, {"firings": firings}, False)

    def _close_now(self, why: str) -> None:
        if why in self._closing:
            return  # under way
        self._closing.add(why)
        self._alert("protective_stop", why)
        self._parts.trip(why, {}, True)

    def _alert(self, name: str, text: str) -> None:
        self._parts.say("alert", text)
        self._note(name, "open", text)

    def _note(self, name: str, state: str, text: str) -> None:
        self._parts.services.watch.record(RiskEvent(self._wall_ns(), "deadman", name, "", state, "hard", text, {}))

    # The end ----------------------------------------------------------------------------------------------------------

    async def outlive(self) -> list[str]:
        """After the last cancel: see every position that is kept have its stop, also when no countdown of ours can fire any more.

        Whether the venue's countdown reaches conditional orders is not documented (D7), and disarming it could strip a successor
        (D5): so it is waited for, and what it took is placed again.

        Returns
        -------
        list of str
            Positions without a stop, in words, and why nothing more is known.
        """
        seen = await self._seen()
        if seen is not None and not any(symbol in self._parts.ticks for symbol in seen.held):
            return []
        left = (self.countdown.over_ns(FENCE_NS) - self._now()) / 1e9
        if left > 0:
            self._parts.say(
                "protecting",
                f"waiting {left:.0f} s until the venue's countdown is over, to see the protective stops outlive it",
            )
            await asyncio.sleep(left)
        seen = await self._seen()
        if seen is None:
            return [f"whether positions have their stops is not known: {self._problem}"]
        bare = self.stops.bare(seen)
        for row in seen.held.values():
            if row.symbol in self._parts.ticks and row.symbol not in {text.split()[0] for text in bare}:
                self._parts.say(
                    "protected", f"{row.symbol} {row.amount:f} is kept, with its protective stop at the venue"
                )
        return [f"{text} has no protective stop" for text in bare]

    async def _seen(self) -> Look | None:
        """Look until no step is left to be taken, a few times at most."""
        seen = None
        for _ in range(5):
            self._wants_look.clear()
            seen = await self.look()
            if seen is not None and not self._wants_look.is_set():
                return seen
            await asyncio.sleep(AGAIN_SECS)
        return seen

    async def close(self) -> None:
        """Stop watching: the account has been verified, or cannot be."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.pulse.close()
