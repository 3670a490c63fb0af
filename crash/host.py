"""One cell from the venue's start to the verdict: a life that is ended, what happens meanwhile, a life that recovers and trades."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from dataclasses import dataclass, field, replace
from decimal import Decimal
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Literal

from adapters.simulated_binance.orders import Order as VenueOrder
from crash import tampering
from crash.judge.facts import Facts, Finding, Judgement
from crash.judge.ledger import read_ledger
from crash.judge.verdicts import judge, judge_dead
from crash.killing import Trigger, read_trace
from crash.launcher import Order
from crash.matrix import Cell
from crash.points import ORDER
from crash.processes import Life
from crash.script import CANARY, SIZES
from crash.venue_side import Sight, WatchedServer, build_venue

TAG, COUNTDOWN_SECS = "t1", 5.0
PATIENCE_SECS = 100.0
"""For a life to come to where it is struck, or to have traded its canary: also where several starts and resets of one minute have
used up so much of the venue's budget that entries wait for the breaker's 60 s."""
PLANTED_PATIENCE_SECS = 40.0
"""The same where a bug is planted: several of them are found because the start is never ready."""
BEAT_SECS = 0.05
MOST_RESETS = 2
"""A switch that has tripped refuses before anything is looked at: after its reset, what else stands against a start comes out."""
LOOK_SECS = 0.7
"""Between two looks of the judge at a canary that has traded: the journal writes behind the venue."""
SETTLE_SECS = 6.0
_CANARY = Decimal(str(SIZES[CANARY]))
INTRUDER = {"act": "person_trade", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.005"}
_FIRST_SIGHT = Sight(ORDER, "executed", "target")
"""Where the first life of a second crash ends: the venue has it, and the node does not know."""
CONFIG = """\
version: 1
mode: testnet
name: crash
instruments: [{symbol}-PERP.BINANCE]
account: {{alias: test, environment: local, url: "{url}", order_tag: {tag}, leverage: 20}}
data: {{warmup_secs: 0}}
fees: {{maker_bps: 2.0, taker_bps: 5.0}}
execution:
  on_start: {{positions: close}}
  on_stop: {{positions: flatten, patience_secs: 6}}
safety:
  state_dir: "{folder}/state"
  deadman: {{countdown_secs: {countdown}, refresh_secs: 1.25}}
  journal: {{durability: {durability}}}
strategies:
  - id: script-1
    order_id_tag: "001"
    class: crash.script:Script
    params: {params}
    policy: {{edge: {{waived: "a test"}}, entry_order: limit, post_only_reprices: 0}}
risk:
  max_order_notional_quote: 50000
  max_position_notional_quote: 60000
  max_gross_leverage: 20
  max_daily_loss_quote: 100000
  max_drawdown_pct: 90
  breakers: {{feed_age_ms: null, latency_mads: null, clock_step_ms: null, book_stale_ms: null, feed_silence_ms: null}}
black_box: null
output: "{folder}/runs"
"""


@dataclass(slots=True)
class Result:
    """What came of a cell.

    Attributes
    ----------
    cell, mutant
        Which.
    judgement
        None where the cell did not come to its point.
    proof
        How it is known that the process ended where it should.
    problem
        Why it counts as not run, or "".
    again
        Why an earlier try does not count, or "".
    labels, requests
        Commit sites and request kinds that were hit.
    secs
        Wall time.
    folder
        Where ledger, journal, traces and logs are, until it is removed.
    """

    cell: Cell
    mutant: str = ""
    judgement: Judgement | None = None
    proof: str = ""
    problem: str = ""
    again: str = ""
    labels: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    secs: float = 0.0
    folder: Path = Path()

    @property
    def clean(self) -> bool:
        """Run, proved and without a finding."""
        return not self.problem and self.judgement is not None and not self.judgement.findings


def _quantity(server: WatchedServer, order: VenueOrder) -> Decimal:
    return server.venue.exchange.contracts[order.symbol].size.value(order.quantity)


class NotReached(Exception):
    """A life ended, or took too long, before it was struck."""


class CellRun:
    """Runs one cell.

    Parameters
    ----------
    cell, mutant
        Which.
    folder
        Empty; everything goes there.
    forks
        Starts lives.
    """

    def __init__(self, cell: Cell, folder: Path, forks: BaseContext, mutant: str = "") -> None:
        self.cell, self.mutant, self.folder, self._forks = cell, mutant, folder, forks
        self.ledger, self.journal = folder / "ledger.jsonl", folder / "state" / "test" / "journal.sqlite"
        self._lives = 0
        self._started: list[Life] = []
        self._kills: list[int] = []
        self._refusal: str | None = None
        self._refused_with = ""
        self._dead: tuple[Finding, ...] = ()
        self._proof: list[str] = []

    async def run(self) -> Result:
        """Run it to the verdict."""
        began = time.monotonic()
        result = Result(self.cell, self.mutant, folder=self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        outcome = self.cell.outcome
        venue = build_venue(self.ledger, 1, outcome.behaviour, outcome.events_per_sec)
        try:
            async with WatchedServer(venue, outcome.acts, self.cell.point.flight, outcome.behind_secs) as server:
                self._configure(server, outcome.symbol)
                server.intruder = INTRUDER if self.cell.point.scene == "trip" else None
                await self._until_dead(server)
                result.judgement = await self._recover(server)
        except NotReached as error:
            result.problem = str(error)
        finally:
            for life in self._started:  # also when somebody interrupts: no node is left behind
                if life.exit_code is None:
                    life.kill()
        result.proof, result.secs = "; ".join(self._proof), time.monotonic() - began
        result.labels, result.requests = self._hit()
        return result

    def _configure(self, server: WatchedServer, symbol: str) -> None:
        cell = self.cell
        text = CONFIG.format(
            url=server.url, symbol=symbol, folder=self.folder.as_posix(), tag=TAG, countdown=COUNTDOWN_SECS,
            durability="process" if cell.kill == "K2 lost tail" else "power",
            params=json.dumps({"target": cell.outcome.target}),
        )  # fmt: skip
        (self.folder / "live.yaml").write_text(text, encoding="utf-8")

    # Lives ------------------------------------------------------------------------------------------------------------

    def _start(self, role: Any, trigger: Trigger | None = None) -> Life:
        self._lives += 1
        order = Order(
            str(self.folder / "live.yaml"), str(self._trace()), str(self.folder / f"life{self._lives}.log"), role, trigger,
            self.mutant,
            swift=role == "canary" and self.cell.outcome.name.startswith("late "),
        )  # fmt: skip
        self._started.append(Life(self._forks, order))
        return self._started[-1]

    def _trace(self) -> Path:
        return self.folder / f"life{self._lives}.trace"

    async def _until_dead(self, server: WatchedServer) -> None:
        point = self.cell.point
        if point.life == 1:
            await self._struck(server, "script")
            await self._meanwhile(server)
            return
        life = self._start("script")
        server.strike_at(_FIRST_SIGHT, lambda: self._strike(life))
        await self._end_of(life)
        await self._meanwhile(server)
        await self._struck(server, "canary")

    async def _struck(self, server: WatchedServer, role: Any) -> None:
        """Let a life come to its point and end there."""
        cell, point = self.cell, self.cell.point
        trigger = point.trigger
        if cell.kill == "K4 I/O error" and trigger is not None:
            trigger = replace(trigger, stage="written", deed="fail")
        life = self._start(role, trigger)
        if cell.kill == "K3 freeze":
            server.strike_at(point.sight, lambda: self._freeze(life))
        elif point.sight is not None:
            server.strike_at(point.sight, lambda: self._strike(life))
        if cell.kill == "K3 freeze":
            await self._thaw(life)
        await self._end_of(life)
        self._prove(life)

    def _strike(self, life: Life) -> None:
        life.kill()
        self._kills.append(time.time_ns())

    def _freeze(self, life: Life) -> None:
        life.freeze()
        self._kills.append(time.time_ns())

    async def _thaw(self, life: Life) -> None:
        """Longer than the watchdog and the countdown allow, then a while of life, then the end."""
        await self._until(lambda: bool(self._kills) or life.exit_code is not None, life)
        if life.exit_code is not None:
            return
        await asyncio.sleep(COUNTDOWN_SECS + 2)
        life.resume()
        await asyncio.sleep(3)
        if life.exit_code is None:
            self._strike(life)

    async def _until(self, truth: Any, life: Life) -> None:
        until = time.monotonic() + PATIENCE_SECS
        while not truth():
            if time.monotonic() > until:
                life.kill()
                raise NotReached(f"life {self._lives} was not struck within {PATIENCE_SECS:g} s")
            await asyncio.sleep(BEAT_SECS)

    async def _end_of(self, life: Life) -> None:
        await self._until(lambda: life.exit_code is not None, life)
        life.reap()

    def _prove(self, life: Life) -> None:
        """By signal, and at the intended place; else the cell is not run."""
        lines = read_trace(self._trace())
        struck = next((line for line in lines if "struck" in line), None)
        code = life.exit_code
        if self.cell.point.sight is not None:
            if not self._kills or code is None or code >= 0:
                raise NotReached(
                    f"life {self._lives} ended with {code} before the request came: {self._last_word(lines)}"
                )
            self._proof.append(f"signal {-code} at {self.cell.point.sight.what} ({self.cell.point.sight.moment})")
            self._look_at_the_dead()
            return
        if struck is None:
            raise NotReached(
                f"life {self._lives} ended with {code} before {self.cell.point.name}: {self._last_word(lines)}"
            )
        if self.cell.kill == "K4 I/O error":
            self._proof.append(f"commit failed at {struck['label']}, exit code {code}")
        elif code is None or code >= 0:
            raise NotReached(f"life {self._lives} ended with {code}, not by a signal")
        else:
            self._proof.append(f"signal {-code} at {struck['label']} ({struck['stage']})")
        self._kills.append(struck["ts_ns"])
        self._look_at_the_dead()

    def _look_at_the_dead(self) -> None:
        """What has no power loss and no freeze: the file is what the process has left."""
        if self.cell.kill in ("K1 SIGKILL", "K4 missing", "K4 older") and self._kills and self.journal.is_file():
            self._dead += judge_dead(self.ledger, self.journal, TAG, self._kills[-1])

    def _last_word(self, lines: list[dict[str, Any]]) -> str:
        word: dict[str, Any] = next(
            (line for line in reversed(lines) if "commit" not in line and "touched" not in line), {}
        )
        return json.dumps(word)

    # Between lives ----------------------------------------------------------------------------------------------------

    async def _meanwhile(self, server: WatchedServer) -> None:
        outcome = self.cell.outcome
        server.calm()
        if outcome.after:
            server.arm_now(f"meanwhile: {outcome.name}", *outcome.after)
        server.intruder = None
        if self.cell.point.scene == "midnight":
            tampering.yesterday(self.journal)
        tampering.tamper(self.cell.kill, self.journal, self._trace())
        self._configure(server, "BTCUSDT")
        if outcome.waits_for_countdown:
            await asyncio.sleep(COUNTDOWN_SECS + 0.5)
        await asyncio.sleep(outcome.gap_secs)

    # The last life ----------------------------------------------------------------------------------------------------

    async def _recover(self, server: WatchedServer) -> Judgement:
        """The next start; where it must refuse, a person resets, and the one after that must be ready."""
        _, names = self._expected()
        for _ in range(MOST_RESETS):
            life = await self._tried(server)
            word = self._why_ended() if life.exit_code is not None else ""
            if not any(name in word for name in names):
                break
            self._refused_with = " | ".join(filter(None, (self._refused_with, word)))
            self._proof.append(f"refused: {word[:120].replace(';', ',')}")
            await self._end_of(self._start("reset"))
        else:
            life = await self._tried(server)
        judgement = await self._settled(life)
        if life.exit_code is None:
            life.kill()
        await self._end_of(life)
        return judgement

    async def _tried(self, server: WatchedServer) -> Life:
        """Start, and wait until the canary has come and gone, or the process has ended."""
        life = self._start("canary")
        until = time.monotonic() + (PLANTED_PATIENCE_SECS if self.mutant else PATIENCE_SECS)
        while life.exit_code is None and time.monotonic() < until and not self._has_left(server):
            await asyncio.sleep(2 * BEAT_SECS)
        return life

    def _has_left(self, server: WatchedServer) -> bool:
        """Whether the canary has come and gone; asked of the venue itself, since reading its ledger costs more. The judge reads."""
        exchange, last = server.venue.exchange, max(self._kills, default=0)
        fills = [fill for fill in exchange.desk.fills if fill.order.accepted_ns > last]
        bought = any(_quantity(server, fill.order) == _CANARY and fill.order.left == 0 for fill in fills)
        open_now = [*exchange.desk.open_orders(), *exchange.algo.open_orders()]
        return bought and not open_now and not any(held.quantity for held in exchange.account.positions.values())

    async def _settled(self, life: Life) -> Judgement:
        """Judge until nothing is found, or for a few seconds."""
        until = time.monotonic() + SETTLE_SECS
        while True:
            if life.exit_code is not None:
                self._refusal = self._why_ended()
            judgement = await asyncio.to_thread(self._judge)
            if len(judgement.findings) == len(self._dead) or time.monotonic() > until or life.exit_code is not None:
                return judgement
            await asyncio.sleep(LOOK_SECS)

    def _expected(self) -> tuple[Literal["ready", "refuse"], tuple[str, ...]]:
        """Whether the next start must refuse first, and why."""
        outcome, point = self.cell.outcome, self.cell.point
        expects, names = tampering.expected(
            self.cell.kill, outcome.expects, outcome.names, late=outcome.name.startswith("late ")
        )
        return ("refuse", (*names, *point.refuses)) if point.refuses else (expects, names)

    def _judge(self) -> Judgement:
        expects, names = self._expected()
        facts = Facts(
            TAG,
            tuple(self._kills),
            COUNTDOWN_SECS,
            expects=expects,
            names=names,
            refused=self._refused_with,
            refusal=self._refusal,
            canary="canary",
        )
        try:
            found = judge(self.ledger, self.journal, facts)
        except sqlite3.DatabaseError:
            found = judge(self.ledger, self.folder / "none", facts)
        return replace(found, findings=(*found.findings, *self._dead))

    def _why_ended(self) -> str:
        lines = read_trace(self._trace())
        for line in reversed(lines):
            if "refused" in line:
                return str(line["refused"])
            if "ended" in line or "crashed" in line:
                return f"exit code {line.get('ended', '?')}: {line.get('crashed', self._said())}"
        return "ended without a word"

    def _said(self) -> str:
        log = self.folder / f"life{self._lives}.log"
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if "stopping" in line]
        return lines[-1] if lines else ""

    def _hit(self) -> tuple[set[str], set[str]]:
        labels: set[str] = set()
        for number in range(1, self._lives + 1):
            for line in read_trace(self.folder / f"life{number}.trace"):
                labels.update(line.get("commit", ()))
                labels.update([line["touched"]] if "touched" in line else ())
        return labels, set(read_ledger(self.ledger).requests) if self.ledger.is_file() else set()

    def remove(self) -> None:
        """Throw its files away."""
        shutil.rmtree(self.folder, ignore_errors=True)
