"""A long session at the speed that the node keeps up with, in a market that never ends, with faults drawn from a seed.

The venue is driven by hand: so many events a tick, more as long as the node hears all of them, fewer as soon as it does not. A
session that ends by itself is followed by the next one, as a supervisor would have it, unless the kill switch has tripped. The last
seconds are without faults: so the last session is stopped while nothing is under way that would end it by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.simulated_binance.market import synthetic
from adapters.simulated_binance.market.background import Event
from adapters.simulated_binance.settings import SyntheticSettings
from crash.course import FIRST_RATE, Course, fired, resident_bytes
from crash.host import CONFIG, COUNTDOWN_SECS, TAG
from crash.judge.verdicts import judge
from crash.killing import read_trace
from crash.launcher import Order
from crash.processes import Life, context
from crash.rough import faults, happenings
from crash.venue_side import MARKET, WatchedServer, build_venue

DAY_MESSAGES = 23_500_000
"""93,954 messages in 344.8 s of the recorded USD-M market, for 24 hours."""
TICK_SECS, LOOK_SECS = 0.02, 2.0
LEAST_RATE, MOST_RATE = 50.0, 20_000.0
LONGEST_TICKS = 2.0
"""Where the venue is late itself, it makes up for no more than this: its answers must not wait for the market."""
KEEPS_UP, FASTER, SLOWER = 0.93, 1.25, 0.7
LEAST_SENT, SEEN = 20, 500
"""Messages from which on a share means something; lines and ticks that are kept: ten seconds of the latter."""
START_SECS, END_SECS, TELL_SECS = 60.0, 120.0, 5.0
MOST_RESTARTS = 50
WARM_SECS = 20.0
"""Memory is read each second, from so long after a session's start on."""
CALM_SECS, CALMING_SECS = 10.0, 120.0
"""At the end a session trades for so long without faults; there is one by then, or the node does not come up any more."""
LATCHED = 4
"""Exit code: the kill switch stands, and a person has to look."""


class Soak:
    """One soak.

    Parameters
    ----------
    folder, seed
        Where everything goes; of market and faults.
    minutes, messages
        Ends at whichever comes first.
    told
        Hears how it goes, every few seconds.
    """

    def __init__(self, folder: Path, seed: int, minutes: float, messages: int, told: Callable[[Course], None]) -> None:
        self.folder, self.course = folder, Course()
        self._rng, self._seed = random.Random(seed), seed  # noqa: S311 - faults, no secret
        self._secs, self._messages, self._told = minutes * 60, messages, told
        self._read, self._tail, self._before, self._lives = 0, "", 0, 0
        self._heard, self._sent = deque[tuple[float, int]](maxlen=SEEN), deque[tuple[float, int]](maxlen=SEEN)
        self._trades_since: float | None = None
        self._calm_since: float | None = None

    async def run(self) -> Course:
        """Run it to the verdict."""
        ledger = self.folder / "ledger.jsonl"
        venue = build_venue(ledger, self._seed, {}, 0.0)
        async with WatchedServer(venue, (), ("", "any")) as server:
            for fault in faults(self._rng):
                venue.arm(fault)
            self._configure(server)
            driving = asyncio.create_task(self._lively(server))
            try:
                await self._sessions(driving)
            finally:
                driving.cancel()
        self.course.faults = fired(ledger)
        self.course.judgement = judge(ledger, self.folder / "state" / "test" / "journal.sqlite", self.course.facts)
        return self.course

    @property
    def _log(self) -> Path:
        return self.folder / f"node{self._lives}.log"

    def _configure(self, server: WatchedServer) -> None:
        text = CONFIG.format(
            url=server.url, symbol="BTCUSDT", folder=self.folder.as_posix(), tag=TAG, countdown=COUNTDOWN_SECS,
            durability="power", params=json.dumps({"target": "part", "pause_secs": 0.4}),
        )  # fmt: skip
        (self.folder / "live.yaml").write_text(text, encoding="utf-8")

    # The market -------------------------------------------------------------------------------------------------------

    def _events(self, server: WatchedServer) -> Iterator[Event]:
        given = SyntheticSettings.model_validate(
            MARKET | {"events_per_sec": 100, "trades_per_sec": 15, "volatility_ticks": 0.4}
        )
        source = synthetic.play(given, server.venue.exchange.markets["BTCUSDT"].contract, self._seed)
        return (event for _, event in islice(source, 2, None))

    async def _sessions(self, driving: asyncio.Task[None]) -> None:
        """One session after another until the market has ended; the last one is stopped."""
        forks, course = context(), self.course
        while True:
            self._lives += 1
            self._read, self._tail, self._before, self._trades_since = 0, "", course.messages, None
            self._heard.clear()
            course.rate = (
                FIRST_RATE  # a start looks at the market, and its time limits are those of a venue that answers
            )
            course.memory.append([])
            order = Order(
                str(self.folder / "live.yaml"), str(self.folder / f"trace{self._lives}"), str(self._log), "soak"
            )
            # The first one waits for its imports: meanwhile the venue answers.
            life = await asyncio.to_thread(Life, forks, order)
            try:
                await self._watched(life, driving)
                if driving.done():
                    await self._stopped(life)
            finally:
                if life.exit_code is None:
                    life.kill()
                life.reap()
            course.exit_code = life.exit_code
            course.errors += self._errors()
            if driving.done():
                await driving
                return
            course.restarts.append(self._last_words())
            if life.exit_code == LATCHED:
                course.errors.append("the kill switch has tripped: nobody may start the next session but a person")
                return
            if len(course.restarts) > MOST_RESTARTS:
                course.errors.append(f"more than {MOST_RESTARTS} sessions ended by themselves")
                return

    async def _watched(self, life: Life, driving: asyncio.Task[None]) -> None:
        began = time.monotonic()
        while life.exit_code is None and not driving.done():
            await asyncio.sleep(LOOK_SECS / 2)
            self._look(life, time.monotonic() - began)

    async def _lively(self, server: WatchedServer) -> None:
        """Drive the market at the pace that the node keeps up with."""
        course, events = self.course, self._events(server)
        background, began = server.venue.backgrounds["BTCUSDT"], time.monotonic()
        ticked = began
        wait, act = next(coming := happenings(self._rng))
        due, looked, told, owed = began + START_SECS / 3 + wait, began, began, 0.0
        while not self._over(server):
            await asyncio.sleep(TICK_SECS)
            now = time.monotonic()
            owed += course.rate * min(now - ticked, LONGEST_TICKS * TICK_SECS)
            course.stalled, ticked = max(course.stalled, now - ticked), now
            for event in islice(events, int(owed)):
                background.apply(event)
            owed -= int(owed)
            self._sent.append((time.time(), sent(server)))
            if now >= due and self._calm_since is None:
                server.arm_now(str(act["act"]), act)
                wait, act = next(coming)
                due = now + wait
            if now - looked >= LOOK_SECS:
                self._pace()
                looked = now
            course.secs = now - began
            if now - told >= TELL_SECS:
                told = now
                self._told(course)

    def _over(self, server: WatchedServer) -> bool:
        """Whether the market has ended: its time or its messages are over, and a session has traded on in peace."""
        course, now = self.course, time.monotonic()
        if course.secs < self._secs and course.messages < self._messages:
            return False
        if self._calm_since is None:
            self._calm_since = now
            server.venue.faults.disarm()
        calm = self._trades_since is not None and now - max(self._calm_since, self._trades_since) >= CALM_SECS
        if calm or now - self._calm_since < CALMING_SECS:
            return calm
        self.course.errors.append(f"no session traded on for {CALM_SECS:g} s within {CALMING_SECS:g} s without faults")
        return True

    def _pace(self) -> None:
        """Faster while everything is heard that was sent between two lines of the node's status, else slower."""
        if not self._heard or not self._sent:
            return
        until, heard = self._heard[-1]
        older = [line for line in self._heard if line[0] <= until - LOOK_SECS]
        if not older or older[-1][0] < self._sent[0][0]:
            return
        given = self._sent_by(until) - self._sent_by(older[-1][0])
        if given < LEAST_SENT:
            return
        if heard - older[-1][1] >= KEEPS_UP * given:
            self.course.rate = min(MOST_RATE, self.course.rate * FASTER)
        else:
            self.course.rate = max(LEAST_RATE, self.course.rate * SLOWER)

    def _sent_by(self, instant: float) -> int:
        found = bisect_right(self._sent, (instant, 1 << 62))
        return self._sent[max(0, found - 1)][1]

    def _look(self, life: Life, secs: float) -> None:
        resident = resident_bytes(life.pid)
        if resident is not None and secs > WARM_SECS:
            self.course.memory[-1].append(resident)
        for line in self._new_lines():
            if line.get("event") == "status":
                self.course.messages = self._before + int(line.get("events", 0))
                self._heard.append((datetime.fromisoformat(line["time"]).timestamp(), int(line.get("events", 0))))
                now = None if line.get("phase") != "trading" else self._trades_since or time.monotonic()
                self._trades_since = now

    def _new_lines(self) -> Iterator[dict[str, Any]]:
        if not self._log.is_file():
            return
        with self._log.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._read)
            text = self._tail + file.read()
            self._read = file.tell()
        *whole, self._tail = text.split("\n")
        for one in whole:
            if one.startswith("{"):
                yield json.loads(one)

    # The end ----------------------------------------------------------------------------------------------------------

    async def _stopped(self, life: Life) -> None:
        (self.folder / "state" / "test" / "STOP_FLATTEN").touch()
        until = time.monotonic() + END_SECS
        while life.exit_code is None and time.monotonic() < until:
            await asyncio.sleep(0.2)
        if life.exit_code is None:
            self.course.errors.append(f"the node did not stop within {END_SECS:g} s")

    def _last_words(self) -> str:
        """Why a session ended by itself, as it said."""
        refused = [line["refused"] for line in read_trace(self.folder / f"trace{self._lives}") if "refused" in line]
        if refused:
            return str(refused[-1])
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        stop = next((line["text"] for line in reversed(said) if line.get("event") == "stopping"), "")
        return stop or (said[-1].get("text", "") if said else "without a word")

    def _errors(self) -> list[str]:
        """What a session says when something was not handled."""
        found = []
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("Traceback", "thread '")) or '"event": "fault"' in line:
                found.append(line[:300])
        return found


def sent(server: WatchedServer) -> int:
    """Messages of the market that the node counts; best quotes it does not."""
    return sum(
        count
        for name, count in server.venue.hub.sent.items()
        if not name.startswith("user/") and "@bookTicker" not in name
    )
