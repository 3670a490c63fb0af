"""A long session at the speed that the node keeps up with, in a market that never ends, with faults drawn from a seed.

The venue is driven by hand: so many events a tick, more as long as the node hears all of them, fewer as soon as it does not.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.market import synthetic
from adapters.simulated_binance.market.background import Event
from adapters.simulated_binance.settings import SyntheticSettings
from crash.host import CONFIG, COUNTDOWN_SECS, TAG
from crash.judge.facts import Facts, Judgement, Verdict
from crash.judge.verdicts import judge
from crash.killing import read_trace
from crash.launcher import Order
from crash.processes import Life, context
from crash.venue_side import MARKET, WatchedServer, build_venue

DAY_MESSAGES = 23_500_000
"""93,954 messages in 344.8 s of the recorded USD-M market, for 24 hours."""
TICK_SECS, LOOK_SECS = 0.02, 2.0
FIRST_RATE, LEAST_RATE, MOST_RATE = 200.0, 50.0, 6000.0
KEEPS_UP, FASTER, SLOWER = 0.93, 1.25, 0.7
START_SECS, END_SECS, TELL_SECS = 60.0, 120.0, 5.0
MOST_RESTARTS = 50
FLAT = 1.05
"""Most that memory of the last quarter may be, relative to the second."""


@dataclass(slots=True)
class Course:
    """How a soak went.

    Attributes
    ----------
    messages
        Market events that the node has handled.
    secs
        Of the market.
    rate
        Last pace, events of the market a second.
    memory
        Resident bytes of the node, a reading every two seconds, by start; empty where the system does not tell.
    restarts
        Why a session ended by itself: the next one takes over, as a supervisor would have it.
    exit_code, errors
        How the node ended; what it said that it should not have.
    faults
        How many fired, by name.
    judgement
        Of ledger and journal.
    """

    messages: int = 0
    secs: float = 0.0
    rate: float = FIRST_RATE
    memory: list[list[int]] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    exit_code: int | None = None
    errors: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    judgement: Judgement = field(default_factory=Judgement)

    @property
    def growth(self) -> float | None:
        """Memory of the last quarter over that of the second, in the longest session; None where there are too few readings."""
        longest = max(self.memory, key=len, default=[])
        quarter = len(longest) // 4
        if quarter < 2:
            return None
        second, last = longest[quarter : 2 * quarter], longest[-quarter:]
        return statistics.median(last) / statistics.median(second)

    @property
    def passes(self) -> bool:
        """Nothing found, nothing unhandled, memory flat, and a clean end."""
        flat = self.growth is None or self.growth <= FLAT
        return not self.judgement.findings and not self.errors and flat and self.exit_code == CLEAN_STOP

    @property
    def last_line(self) -> str:
        """The verdict."""
        counts = " ".join(f"{verdict} {self.judgement.count(verdict)}" for verdict in Verdict)
        growth = "unknown" if self.growth is None else f"{self.growth:.3f}"
        ends = f"errors {len(self.errors)} restarts {len(self.restarts)}"
        return f"{counts} memory {growth} {ends} messages {self.messages} in {self.secs:.0f} s"


CLEAN_STOP = 5
"""Exit code after a STOP file."""


def faults(rng: random.Random) -> list[Fault]:
    """Draw a script: small faults all the time, each with a probability of its own.

    Not among them: -1000 though executed, after which a session ends by design (the engine's positions are wrong then).
    """

    def p(low: float, high: float) -> float:
        return round(rng.uniform(low, high), 4)

    place, cancel = "POST /fapi/v1/order", "DELETE /fapi/v1/order"
    drawn: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("an order's answer is lost", {"request": place, "probability": p(0.01, 0.03)}, {"act": "drop_answer"}),
        ("an order is lost", {"request": place, "probability": p(0.01, 0.02)}, {"act": "drop"}),
        ("an order is executed but 503", {"request": place, "probability": p(0.01, 0.02)},
         {"act": "answer", "status": 503, "execute": True}),
        ("an order is answered late", {"request": place, "probability": p(0.02, 0.05)}, {"act": "delay_answer", "secs": 0.4}),
        ("a cancel's answer is lost", {"request": cancel, "probability": p(0.02, 0.05)}, {"act": "drop_answer"}),
        ("a question fails", {"request": "GET /fapi/*", "probability": p(0.001, 0.003)}, {"act": "answer", "status": 503}),
        ("an order event comes twice", {"event": "user/ORDER_TRADE_UPDATE/*", "probability": p(0.03, 0.08)}, {"act": "duplicate"}),
        ("a short fill comes twice", {"event": "user/TRADE_LITE", "probability": p(0.03, 0.08)}, {"act": "duplicate"}),
        ("an order event comes late", {"event": "user/ORDER_TRADE_UPDATE/*", "probability": p(0.01, 0.03)},
         {"act": "delay", "secs": 0.3}),
    ]  # fmt: skip
    return [
        Fault.model_validate({"name": name, "when": {"times": None, **when}, "do": [act]}) for name, when, act in drawn
    ]


def happenings(rng: random.Random) -> Iterator[tuple[float, Mapping[str, Any]]]:
    """What happens now and then: (seconds from the one before, action), endless."""
    acts: list[Mapping[str, Any]] = [
        {"act": "close_sockets", "which": "user"}, {"act": "close_sockets", "which": "market"},
        {"act": "lag_queries", "lag_secs": 1.5, "secs": 15}, {"act": "skip_depth", "symbol": "BTCUSDT", "count": 1},
        {"act": "settle_funding", "symbol": "BTCUSDT", "rate": "0.0001"},
    ]  # fmt: skip
    while True:
        yield rng.uniform(15, 40), rng.choice(acts)


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
        facts = Facts(TAG, (), COUNTDOWN_SECS, canary="")
        self.course.judgement = judge(ledger, self.folder / "state" / "test" / "journal.sqlite", facts)
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
            self._read, self._tail, self._before = 0, "", course.messages
            course.memory.append([])
            order = Order(
                str(self.folder / "live.yaml"), str(self.folder / f"trace{self._lives}"), str(self._log), "soak"
            )
            life = Life(forks, order)
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
        wait, act = next(coming := happenings(self._rng))
        due, looked, told, applied, owed, heard, share = began + START_SECS / 3 + wait, began, began, 0, 0.0, 0, 0.0
        while course.secs < self._secs and course.messages < self._messages:
            await asyncio.sleep(TICK_SECS)
            now = time.monotonic()
            owed += course.rate * TICK_SECS
            for event in islice(events, int(owed)):
                background.apply(event)
                applied += 1
            owed -= int(owed)
            if now >= due:
                server.arm_now(str(act["act"]), act)
                wait, act = next(coming)
                due = now + wait
            if now - looked >= LOOK_SECS:
                share = self._pace(course.messages - heard, applied, share)
                looked, applied, heard = now, 0, course.messages
            course.secs = now - began
            if now - told >= TELL_SECS:
                told = now
                self._told(course)

    def _pace(self, heard: int, applied: int, share: float) -> float:
        """Set the pace by what was heard of what was sent; `share` is messages an event when the node keeps up."""
        course = self.course
        if not applied or not heard:
            return share
        found = heard / applied
        if found >= KEEPS_UP * share:
            course.rate = min(MOST_RATE, course.rate * FASTER)
        else:
            course.rate = max(LEAST_RATE, course.rate * SLOWER)
        return max(found, share) if share == 0 else 0.9 * share + 0.1 * min(found, 1.5 * share)

    def _look(self, life: Life, secs: float) -> None:
        resident = resident_bytes(life.pid)
        if resident is not None and secs > START_SECS / 3:
            self.course.memory[-1].append(resident)
        for line in self._new_lines():
            if line.get("event") == "status":
                self.course.messages = self._before + int(line.get("events", 0))

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


def fired(ledger: Path) -> dict[str, int]:
    """How many faults fired, by name."""
    found: dict[str, int] = {}
    with ledger.open(encoding="utf-8") as lines:
        for line in lines:
            if '"kind":"fault"' in line:
                name = json.loads(line)["name"]
                found[name] = found.get(name, 0) + 1
    return found


def resident_bytes(pid: int) -> int | None:
    """Memory that a process holds; None where the system has no such file."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * 4096
