"""From silence to the latched end; see `execution.deadman.guarding` for the states."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from execution.deadman.beacon import Beacon, Watched
from execution.deadman.guarding import State, may_flatten, observed
from execution.deadman.stall import STALL_NS
from execution.ids import ClientOrderIds, random_epoch
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from runners.live.account import Account
from runners.live.clearing import FENCE_SECS
from runners.live.deadman.pulse import PROGRESS, WATCHDOG, Phase
from runners.operating.clearing import Clearing
from runners.operating.patience import Patience
from runners.operating.scope import Scope, journaled_symbols
from runners.operating.venue import SafetyVenue
from runners.process_handle import own_mark
from runners.watchdog.charge import Charge
from runners.watchdog.fence import Fence, Fenced, Process, process_of
from runners.watchdog.stops import Stops

LOOK_SECS = 0.25
BEAT_NS = 1_000_000_000
ROUND_SECS = 60.0
"""A venue that does not answer is told about once in so long, and asked on."""
LATCHED_CODE, STOPPED_CODE, UNVERIFIED_CODE = 4, 5, 6

type Say = Callable[[str, str], None]


@dataclass(slots=True)
class Watching:
    """Watches one node; never starts, and never resets anything.

    Parameters
    ----------
    charge, client
        Whom, and a connection of its own.
    say
        Told the kind of line and a text.
    over
        Whether somebody asked this process to end.
    hold
        Makes a handle of the process that a beat names.
    monotonic_ns
        Clock.

    Attributes
    ----------
    state
        Where it stands.
    """

    charge: Charge
    client: SafetyClient
    say: Say
    over: Callable[[], bool]
    hold: Callable[[Mapping[str, Any]], Process | None] = process_of
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    state: State = State.IDLE
    _watched: Watched = field(init=False)
    _beacon: Beacon = field(init=False)
    _process: Process | None = None
    _seen: tuple[Any, Any] | None = None
    _turned_ns: int | None = None
    _beat_ns: int | None = None

    def __post_init__(self) -> None:
        folder = self.charge.folder
        self._watched = Watched(folder / PROGRESS, self.monotonic_ns)
        self._beacon = Beacon(folder / WATCHDOG)

    # Watching ---------------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Watch until there was something to do, or the end was asked for; return the exit code."""
        beating = asyncio.get_running_loop().create_task(self._beating())
        try:
            while not self.over():
                if self.turn() is State.FENCE:
                    return await self._act()
                await asyncio.sleep(LOOK_SECS)
            return STOPPED_CODE
        finally:
            beating.cancel()
            self._beacon.close()
            if self._process is not None:
                self._process.close()

    async def _beating(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(LOOK_SECS)

    def beat(self) -> None:
        """Show the node that it is watched, once a second."""
        now = self.monotonic_ns()
        if self._beat_ns is None or now - self._beat_ns >= BEAT_NS:
            self._beat_ns = now
            mark = own_mark()
            self._beacon.write({"pid": mark.pid, "created": mark.created, "state": str(self.state)})

    def turn(self) -> State:
        """Look once; return where this leaves it."""
        now = self.monotonic_ns()
        if self._turned_ns is not None and now - self._turned_ns > STALL_NS:
            self._watched.forgive()  # it was this process that stood still
        self._turned_ns = now
        silent = self._watched.look()
        facts = self._watched.facts or {}
        self._hold(facts)
        self._become(observed(silent, facts.get("phase"), self.charge.limits), silent)
        return self.state

    def _hold(self, facts: Mapping[str, Any]) -> None:
        seen = (facts.get("pid"), facts.get("created"))
        if seen != self._seen:
            self._seen = seen
            if self._process is not None:
                self._process.close()
            self._process = self.hold(facts)

    def _become(self, state: State, silent: float = 0.0) -> None:
        if state is self.state:
            return
        before, self.state = self.state, state
        self.say("state", f"{before} → {state}: {self._why(state, silent)}")

    def _why(self, state: State, silent: float) -> str:
        facts, pid = self._watched.facts or {}, (self._seen or (None, None))[0]
        node = f"the node (process {pid})"
        match state:
            case State.IDLE:
                ended = facts.get("phase") == str(Phase.ENDED)
                return f"{node} has ended, its account verified" if ended else f"{node} prepares itself"
            case State.OBSERVE:
                return f"{node} is {facts.get('phase')}"
            case State.SUSPECT:
                return f"{node} has made no progress for {silent:.1f} s"
            case State.FENCE:
                return f"{node} has made no progress for {silent:.1f} s: it is ended now"
            case _:
                return self.charge.target.account.alias

    # Acting -----------------------------------------------------------------------------------------------------------

    async def _act(self) -> int:
        """FENCE to LATCHED: nothing in here stops before it is done."""
        target, silent = self.charge.target, self._watched.silent_secs
        fence = Fence(target.state, target.place)
        trip = await asyncio.to_thread(
            fence.trip, time.time_ns(), f"watchdog: the node made no progress for {silent:.1f} s", {"silent_secs": round(silent, 3)}
        )  # fmt: skip
        self.say("fence", f"the arm token is deleted: {trip.reason}")
        for problem in trip.problems:
            self.say("alert", problem)
        cancelling = asyncio.get_running_loop().create_task(self._cancel_at_once())
        fenced = await asyncio.to_thread(fence.end, self._process)
        ended_ns = self.monotonic_ns()
        for line in fenced.lines:
            self.say("fence", line)
        for problem in fenced.problems:
            self.say("alert", problem)
        await cancelling
        clean = await self._clear(fenced)
        clean = await self._see_stops(ended_ns) and clean
        self._become(State.LATCHED)
        if fenced.node_gone:
            self._say_ended()
        fence.release()
        code = LATCHED_CODE if clean and fenced.node_gone else UNVERIFIED_CODE
        self.say("latched", f"{target.account.alias} is latched; exit code {code}. After looking: python -m runners.halt --account "
                 f"{target.account.alias} --reset --reason …")  # fmt: skip
        return code

    async def _cancel_at_once(self) -> None:
        """What needs no certainty goes out while the node is being ended."""
        account = self._account()
        symbols = sorted(account.symbols)
        if not account.shared:
            await asyncio.gather(*(account.cancel_all(symbol) for symbol in symbols), return_exceptions=True)

    def _account(self) -> Account:
        target = self.charge.target
        journaled, problem = journaled_symbols(target.journal)
        if problem is not None:
            self.say("alert", problem)
        known = set(target.symbols) | set(journaled)
        return Account(self.client, target.account.order_tag, known, target.account.foreign_orders == "count")

    async def _clear(self, fenced: Fenced) -> bool:
        self._become(State.CANCEL)
        account = self._account()
        await self._until_clean(account, flatten=False, settled_secs=0.0)
        self._become(State.VERIFY)
        why = may_flatten(self.charge.limits, node_gone=fenced.node_gone, lock_held=fenced.lock_held)
        if why is None:
            self._become(State.FLATTEN)
        else:
            self.say("kept", f"positions are not closed: {why}")
        return await self._until_clean(account, flatten=why is None, settled_secs=FENCE_SECS)

    async def _until_clean(self, account: Account, *, flatten: bool, settled_secs: float) -> bool:
        """Clear in rounds until the venue was seen clean; each round that fails is an alert."""
        scope = Scope(account.order_tag, known=frozenset(account.symbols), shared=account.shared)
        while not self.over():
            patience = Patience(self.client.budget, ROUND_SECS, lambda text: self.say("clearing", text))
            clearing = Clearing(SafetyVenue(account), scope, patience, flatten, account.order_tag)
            try:
                clean = await clearing.run(settled_secs)
            except VenueError as error:
                clean = False
                patience.problems.append(str(error))
            for row in clearing.rows.values():
                self.say("found", f"{row.what} {row.name} {row.symbol} {row.side} {row.quantity:f}: {row.done}")
            if clean:
                return True
            why = "; ".join(patience.problems) or "the venue still shows what should be gone"
            self.say("alert", f"{self.charge.target.account.alias} is not clean: {why}; trying on")
        return False

    async def _see_stops(self, ended_ns: int) -> bool:
        """Every position that is kept has its stop, also when the last countdown of the node is over (D7)."""
        given, account = self.charge.watch.protective_stop, self._account()
        stops = Stops(
            account, ClientOrderIds(account.order_tag, random_epoch()), given.pct(self.charge.target.account.leverage),
            "MARK_PRICE" if given.working_type == "mark" else "CONTRACT_PRICE", lambda text: self.say("protect", text),
        )  # fmt: skip
        last_ns = ended_ns + round((self.charge.watch.deadman.countdown_secs + FENCE_SECS) * 1e9)
        told = False
        while True:
            bare = await self._bare(stops)
            if bare == [] and not await self._holds(account):
                return True
            if self.monotonic_ns() >= last_ns or self.over():
                break
            if not told:
                told = True
                secs = (last_ns - self.monotonic_ns()) / 1e9
                self.say(
                    "protect",
                    f"positions are kept: looking after their stops for {secs:.0f} s, until no countdown can take them",
                )
            await asyncio.sleep(1.0)
        for text in bare or ([] if bare is not None else ["what is held is not known: the venue does not answer"]):
            self.say("alert", f"{text} has no protective stop" if bare else text)
        return bare == []

    async def _bare(self, stops: Stops) -> list[str] | None:
        try:
            return await stops.keep()
        except VenueError as error:
            self.say("alert", f"stops could not be looked at: {error}")
            return None

    async def _holds(self, account: Account) -> bool:
        try:
            return bool(await account.positions())
        except VenueError:
            return True

    def _say_ended(self) -> None:
        """The node's file says that this one is over, so that the next watchdog does not act upon it again."""
        beacon = Beacon(self.charge.folder / PROGRESS)
        pid, created = self._seen or (None, None)
        beacon.write({"pid": pid, "created": created, "phase": str(Phase.ENDED), "loops": 0, "by": "watchdog"})
        beacon.close()
