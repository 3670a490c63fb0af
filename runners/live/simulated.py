"""One session of mode shadow or paper: the venue's public data, our own account, nothing sent.

Both are filled alike. `shadow` is a look: it may run beside anything, starts from the configured balance and leaves nothing but its
report. `paper` is an account: lock, kill switch that stays latched, and a ledger that carries its worth to the next session.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.binance.environments import Environment, environment
from errors import RunFailed
from execution.journal_file import JournalFailed
from execution.journal_live import LiveJournal
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.venue_clock import VenueClock
from risk.arm_token import Identity as ArmedFor
from risk.halts import Halts
from runners.config import LiveConfig, LiveResolved
from runners.engine_venue import with_margins
from runners.latency import LatencyPlan, plan_latency
from runners.live.arming import account_halts
from runners.live.control import Cause, Control, Stop, exit_code
from runners.live.forgetting import forget_what_is_over
from runners.live.funding import FundingDesk, FundingDeskConfig
from runners.live.garbage import collect_here
from runners.live.journaling import hear_failure, session_journal
from runners.live.keeping import keeping, new_tape
from runners.live.ledger import PaperLedger, read_ledger, write_ledger
from runners.live.market import MarketWatch, MarketWatchConfig
from runners.live.modes import echo
from runners.live.node import ACCOUNT, load_instruments
from runners.live.package import build_package
from runners.live.risk_memory import RiskMemory
from runners.live.running import EVERY_SECS, Running
from runners.live.sandbox import CURRENCY, build_sandbox
from runners.live.session import Options, tell_preflight
from runners.live.signals import heard
from runners.live.simulated_end import SimulatedClearing, SimulatedFinishing
from runners.live.starting import Opening
from runners.live.state import AccountLock, StateFolder
from runners.live.status import Screen
from runners.live.stopping import Ended, Stopping
from runners.live.waiting import hear_unhandled, wait_for_stop
from runners.live.witness import Witness
from runners.preflight.run import preflight_public
from runners.wiring import Package


async def run_simulated(resolved: LiveResolved, options: Options, screen: Screen) -> int:
    """Start, run and end one session of mode shadow or paper; returns and raises as `runners.live.session.run_session`."""
    config = resolved.config
    place = environment(config.account.environment, config.account.url)
    root = options.state or Path(config.safety.state_dir)
    state = StateFolder(root, f"{config.account.alias}.{config.mode}")  # never the state of the real account
    tell_preflight(await preflight_public(resolved, state), screen)
    state.prepare()
    journal = None
    async with AsyncExitStack() as stack:
        if config.mode == "paper":
            stack.enter_context(AccountLock(root / "locks" / f"paper-{config.account.alias}.lock", state.alias))
            journal = stack.enter_context(session_journal(resolved, state.path, state.alias))
        session = SimulatedSession(resolved, options, screen, state, journal)
        await session.prepare(place)
        await stack.enter_async_context(keeping(session, place))
        return await session.run()


class SimulatedSession:
    """The parts of one session.

    Parameters
    ----------
    resolved, options
        What to run.
    screen, state
        Where it speaks; the folder of its alias and mode.
    journal
        Of a paper account, on disk; None for a shadow, which leaves nothing but its report.
    """

    opening: Opening
    package: Package
    market: MarketWatch
    instruments: dict[str, Any]
    latency: LatencyPlan
    node: Any
    place: Path | None

    def __init__(
        self, resolved: LiveResolved, options: Options, screen: Screen, state: StateFolder, journal: LiveJournal | None
    ) -> None:
        self.resolved, self.config, self.options = resolved, resolved.config, options
        self.screen, self.state, self.journal = screen, state, journal
        self.memory: RiskMemory | None = None
        self.tape, self.place = new_tape(self.config), None
        self.ledger: PaperLedger | None = None

    async def prepare(self, place: Environment) -> None:
        """Read the venue's clock and instruments, open the account, build strategies and engine."""
        config = self.config
        venue = config.simulated.venue(config.fees, config.account.leverage)
        self.latency = plan_latency(venue)
        offset, ts_ms = await _clock(place)
        wallet = self._open_account(Decimal(repr(config.simulated.starting_balance_quote)))
        self.opening = Opening(ts_ms, wallet, {}, offset)
        halts = self._halts()
        if halts is not None and self.journal is not None:
            self.memory = RiskMemory(self.journal, halts)
        loaded = await load_instruments(config, place)
        self.instruments = {iid: with_margins(found, config.account.leverage) for iid, found in loaded.items()}
        self.trading_start_ns = time.time_ns() + round(config.data.warmup_secs * 1e9)
        self.package = build_package(
            config, self.instruments, self.options.trust, halts, trading_start_ns=self.trading_start_ns,
            latency=self.latency, tape=self.tape, journal=self.journal,
        )  # fmt: skip
        self._open_books()
        self._announce(place)
        self.market = MarketWatch(
            MarketWatchConfig(self.package.services, self.instruments, self.state.path / "market")
        )
        self.node = build_sandbox(config, place, wallet, self.latency, self.state.path / "logs")

    async def run(self) -> int:
        """Run to the end and return the exit code."""
        control = Control()
        hear_unhandled(control)
        handle, portfolio, cache = self.node.handle(), self.node.portfolio, self.node.cache
        self.package.attach(portfolio=portfolio, cache=cache, account_id=ACCOUNT, settlement=CURRENCY)
        witness = Witness(
            self.resolved, self.state, self.package, self.instruments, self.trading_start_ns, self.screen.say
        )  # fmt: skip
        witness.install(self.node)
        self.package.install(self.node)
        self.node.add_actor(self.market)
        self.node.add_actor(FundingDesk(self._funding()))
        with heard(control) as verified:
            running = asyncio.create_task(self.node.run_async())
            watch = Running(
                self.config, self.package, self.market, handle, running, self.state, control, self.screen,
                self.opening.equity, witness,
            )  # fmt: skip
            self.screen.say("running", f"the engine starts (log in {self.state.path / 'logs'})")
            stop = await wait_for_stop(
                control, self.screen, self.options.stop_after_secs, watch.watch(), self._keep_ledger(),
                *self._keep_books(control),
            )  # fmt: skip
            clearing = SimulatedClearing(self.package.services.view)
            flatten = self._flatten(stop)
            self.screen.say("stopping", f"stopping: {stop.why}{', flattening' if flatten else ''}", cause=stop.cause)
            telling = asyncio.create_task(watch.while_stopping())
            ended = await Stopping(self.package, handle, running, clearing).run(stop, flatten=flatten)
            witness.close()
            code = self._finish(stop, ended, cache, portfolio)
            telling.cancel()
            witness.finished()
            verified()
        return code

    def _flatten(self, stop: Stop) -> bool:
        """After a fault nothing is traded any more: there may be no market, and there is nothing to protect."""
        wanted = stop.flatten or self.config.execution.on_stop.positions == "flatten"
        return wanted and stop.cause is not Cause.FAULT

    def _finish(self, stop: Stop, ended: Ended, cache: Any, portfolio: Any) -> int:
        finishing = SimulatedFinishing(self, cache, portfolio)
        clean = finishing.verify(ended)
        code = exit_code(stop, clean=clean)
        if code in (0, 5) and self.package.services.faults.first is not None:
            code = 1
        worth = finishing.write(stop, code, datetime.now(UTC))
        self._save(worth)
        self._close_books(worth, f"{stop.cause}: {stop.why}; exit code {code}")
        return code

    def _open_books(self) -> None:
        """A paper account begins flat: what the last session held has been valued into its ledger."""
        if self.journal is None or self.memory is None:
            return
        now_ns = self.opening.ts_ms * 1_000_000
        self.memory.attach(self.package.services.gate.throttles)
        self.journal.adopt(now_ns, {})
        self.journal.wallet(self.opening.ts_ms, CURRENCY.code, self.opening.wallet, "start")
        told = self.memory.resume(now_ns, self.opening.equity, ())
        if told is not None:
            self.screen.say("losses", told)

    def _keep_books(self, control: Control) -> list[Coroutine[Any, Any, None]]:
        if self.journal is None or self.memory is None:
            return []
        hear_failure(self.journal, self.package.services, self.market.publish_message, control)

        def over() -> bool:
            return control.stop is not None

        return [self.memory.watch(time.time_ns, over), collect_here(over), forget_what_is_over(self.journal, over)]

    def _close_books(self, worth: Decimal, outcome: str) -> None:
        if self.journal is None or self.memory is None:
            return
        now_ns = time.time_ns()
        self.memory.keep(now_ns)
        self.journal.wallet(now_ns // 1_000_000, CURRENCY.code, worth, "end")
        try:
            self.journal.end(now_ns, outcome)
        except JournalFailed as error:
            self.screen.say("fault", f"{error}; what it holds ends there")

    def _open_account(self, first: Decimal) -> Decimal:
        if self.config.mode == "shadow":
            return first
        found = read_ledger(self.state.path, first)
        self.ledger = found.model_copy(update={"sessions": found.sessions + 1})
        write_ledger(self.state.path, self.ledger)
        if found.equity <= 0:
            raise RunFailed(
                f"the paper account {self.state.alias} is worth {found.equity:f} USDT: remove its ledger to begin anew."
            )
        return found.equity

    def _halts(self) -> Halts | None:
        """Kill switch of a paper account, which stays latched; a shadow's ends with it."""
        config = self.config
        if config.mode == "shadow":
            return None
        armed_for = ArmedFor(
            account=self.state.alias, environment=config.account.environment, config_hash=self.resolved.hash
        )
        return account_halts(self.state.path, armed_for, config.risk, time.time_ns())

    def _funding(self) -> FundingDeskConfig:
        return FundingDeskConfig(
            self.package.services, self.package.journal, self.config.instruments,
            lambda text: self.screen.say("funding", text),
        )  # fmt: skip

    async def _keep_ledger(self) -> None:
        """Write the worth down after every fill and payment: a killed node must not forget what it lost."""
        journal, seen = self.package.journal, (0, 0)
        while True:
            await asyncio.sleep(EVERY_SECS)
            if (now := (journal.fill_count, len(journal.payments))) != seen:
                equity = self.package.services.view.equity()
                if equity is not None:
                    self._save(equity)
                    seen = now

    def _save(self, worth: Decimal) -> None:
        if self.ledger is not None:
            self.ledger = self.ledger.model_copy(update={"equity": worth})
            write_ledger(self.state.path, self.ledger)

    def _announce(self, place: Environment) -> None:
        config, say = self.config, self.screen.say
        where = config.account.environment
        text = f"{config.mode}: {self.state.alias}, market data of {place.rest_host} ({where}), {', '.join(config.symbols)}"
        say(
            "account",
            f"{text}; no key is read, nothing is sent",
            mode=config.mode,
            alias=self.state.alias,
            environment=where,
        )
        for line in self.resolved.changed:
            say("override", line)
        say("limits", echo(config))
        limit = config.safety.max_clock_offset_ms.warn
        if abs(self.opening.offset_ms) > limit:
            say(
                "warning",
                f"clock offset {self.opening.offset_ms:+.0f} ms, above {limit}: funding and feed age are off by it",
            )
        say("notice", f"not in force in mode {config.mode}: {', '.join(_idle(config))}")
        begun = "" if self.ledger is None else f", session {self.ledger.sessions} of this ledger"
        say("opening", f"wallet {self.opening.wallet:f} {CURRENCY.code}{begun}", wallet=self.opening.wallet)


IDLE = ("execution.on_start", "safety.deadman", "safety.watchdog", "alerts")
"""Keys that have nothing to act upon where nothing is sent."""


def _idle(config: LiveConfig) -> list[str]:
    """Keys that have nothing to act upon in this mode; only a paper account has a journal."""
    return [*IDLE, *(["safety.journal"] if config.mode == "shadow" else [])]


async def _clock(place: Environment) -> tuple[float, int]:
    """Venue time minus ours, and the venue's time, both ms.

    Raises
    ------
    RunFailed
        When the venue does not answer.
    """
    budget = RateBudget(RateLimits(), time.monotonic_ns)
    async with SafetyClient(place.rest_url, None, budget, VenueClock()) as client:
        try:
            reading = await client.measure_clock()
        except VenueError as error:
            raise RunFailed(f"{place.rest_host} does not answer: {error}.") from error
        return reading.offset_ms, client.clock.ms()
