"""One session from the configuration to the exit code."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from nautilus_trader.model import Currency

from adapters.binance.environments import Environment, environment
from errors import RunFailed
from execution.journal_file import JournalFailed
from execution.journal_live import LiveJournal
from execution.journal_venue import Whose
from execution.recovery.model import Policy
from execution.rest_record import RestRecord
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.rows import IncomeRow
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from risk.arm_token import Identity as ArmedFor
from risk.halts import Halts
from runners.config import LiveResolved, Trust
from runners.live.account import Account
from runners.live.arming import account_halts
from runners.live.beside import companions
from runners.live.clearing import Clearing
from runners.live.clocks import know_limits
from runners.live.closes import JournaledCloses
from runners.live.control import Control, Stop, exit_code
from runners.live.deadman.companion import DeadMan
from runners.live.deadman.pulse import prepare_pulse
from runners.live.doubts import Doubts
from runners.live.finishing import Finishing
from runners.live.journaling import session_journal
from runners.live.keeping import keeping, new_tape
from runners.live.market import MarketWatch, MarketWatchConfig
from runners.live.modes import check_mode, not_in_force
from runners.live.node import ACCOUNT, build_node, load_instruments
from runners.live.opening import Case, case_of, recovery_of
from runners.live.package import build_package
from runners.live.pin import read_pin
from runners.live.private import PrivateStream
from runners.live.recovering import Recovered
from runners.live.rejects import Rejects
from runners.live.risk_memory import RiskMemory, wallet_changes
from runners.live.running import Running
from runners.live.secrets import DOT_ENV, Keys, read_keys
from runners.live.settling import book_adopted
from runners.live.signals import heard
from runners.live.starting import Opening, identify, prepare_account
from runners.live.state import Identity, StateFolder
from runners.live.status import Screen
from runners.live.stopping import Ended, Stopping
from runners.live.waiting import hear_unhandled, wait_for_stop
from runners.live.witness import Witness
from runners.operating.reach import remember
from runners.preflight.report import Report, Result
from runners.preflight.run import preflight
from runners.watchdog.charge import remember_watch
from runners.wiring import Package

SETTLEMENT = "USDT"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to a configuration.

    Attributes
    ----------
    stop_after_secs
        End by itself after so many seconds; None: never.
    state
        Folder of the accounts' state; None: that of the configuration.
    armed
        Real money was armed on the command line.
    trust
        Whose code may be imported.
    """

    stop_after_secs: float | None = None
    state: Path | None = None
    armed: bool = False
    trust: Trust = field(default_factory=Trust)


async def run_session(resolved: LiveResolved, options: Options, screen: Screen) -> int:
    """Start, run and end one session.

    Returns
    -------
    int
        Exit code of `commands.md`.

    Raises
    ------
    HyperTradingError
        When it may not start; then no order was sent.
    """
    config = resolved.config
    check_mode(config, armed=options.armed)
    tell_preflight(await preflight(resolved, state=options.state), screen)
    keys = read_keys(config.account, os.environ, DOT_ENV)
    place = environment(config.account.environment, config.account.url)
    state = StateFolder(options.state or Path(config.safety.state_dir), config.account.alias)
    state.prepare()
    client = SafetyClient(
        place.rest_url, Credentials(keys.key, keys.secret), RateBudget(RateLimits(), time.monotonic_ns), VenueClock(),
        wallet_url=place.wallet_url,
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(client)
        identity = await identify(client, config.account, place, keys)
        stack.enter_context(state.lock(identity, place.rest_url))
        seen_before = read_pin(state.path) is not None
        state.pin(identity)
        remember(state.path, config)
        remember_watch(state.path, config)
        prepare_pulse(state.path)
        whose = Whose(identity.account_id, identity.environment, identity.host)
        journal = stack.enter_context(session_journal(resolved, state.path, state.alias, whose, client.clock.ms))
        client.witness = RestRecord(journal, time.time_ns)
        session = Session(resolved, options, screen, state, client, journal)
        case = case_of(resolved, state.path, whose, seen_before=seen_before)
        await session.prepare(place, keys, identity, case)
        await stack.enter_async_context(keeping(session, place))
        return await session.run()


def tell_preflight(report: Report, screen: Screen) -> None:
    """Say what a person should know, and refuse to start where something stands against it (L-6).

    Raises
    ------
    HyperTradingError
        With the gravest line.
    """
    for check in report.of(Result.WARN):
        screen.say("warning", f"preflight, {check.sentence}")
    report.raise_refusal()


class Session:
    """The parts of one session.

    Parameters
    ----------
    resolved, options
        What to run.
    screen
        Where it speaks.
    state, client, journal
        Of the account.
    """

    opening: Opening
    package: Package
    market: MarketWatch
    closes: JournaledCloses
    deadman: DeadMan
    doubts: Doubts
    policy: Policy
    clearing: Clearing
    memory: RiskMemory
    node: Any
    place: Path | None

    def __init__(
        self, resolved: LiveResolved, options: Options, screen: Screen, state: StateFolder, client: SafetyClient,
        journal: LiveJournal,
    ) -> None:  # fmt: skip
        self.resolved, self.config, self.options = resolved, resolved.config, options
        self.screen, self.state, self.client, self.journal = screen, state, client, journal
        self.tape, self.place = new_tape(self.config), None
        shared = self.config.account.foreign_orders == "count"
        self.account = Account(client, self.config.account.order_tag, set(self.config.symbols), shared)

    async def prepare(self, place: Environment, keys: Keys, identity: Identity, case: Case) -> None:
        """Build strategies and engine, then bring the account in order: nothing is sent before everything is built."""
        config, self.policy = self.config, case.policy
        armed_for = ArmedFor(
            account=identity.account_id, environment=identity.environment, config_hash=self.resolved.hash
        )
        halts = account_halts(self.state.path, armed_for, config.risk, time.time_ns())
        self.memory = RiskMemory(self.journal, halts)
        self.instruments = await load_instruments(config, place)
        self.trading_start_ns = time.time_ns() + round(config.data.warmup_secs * 1e9)
        self.package = build_package(
            config, self.instruments, self.options.trust, halts, trading_start_ns=self.trading_start_ns, tape=self.tape,
            journal=self.journal,
        )  # fmt: skip
        self.memory.attach(self.package.services.gate.throttles)
        await know_limits(self.client, self.package.services.gate)
        epoch = self.journal.new_epoch("closes")
        self.closes = JournaledCloses(self.journal, config.account.order_tag, time.time_ns, epoch)
        self.clearing = Clearing(self.account, self.closes, config.execution.on_stop.patience_secs)
        self._announce(place, keys)
        self.opening = await prepare_account(self.account, config, partial(self._recover, case, halts))
        self._tell_opening()
        await self._open_books()
        self.market = MarketWatch(
            MarketWatchConfig(self.package.services, self.instruments, self.state.path / "market")
        )
        self.node = build_node(config, place, keys, self.state.path / "logs")

    async def _recover(self, case: Case, halts: Halts) -> Recovered:
        """Bring journal and venue together, in a run of the journal that is the recovery's own."""

        def trip(reason: str) -> None:
            halts.trip(time.time_ns(), reason)

        with recovery_of(case, self.client, trip, self.screen.say) as recovery:
            return await recovery.run()

    async def _open_books(self) -> None:
        """Bring the journal to what the account holds, and the loss ledger to what the day has lost already."""
        opening, now_ns = self.opening, self.opening.ts_ms * 1_000_000
        for line in book_adopted(self.journal, opening):
            self.screen.say("warning", line)
        changes = await self._changes(now_ns)
        for row in changes:
            self.journal.income(row.kind, row.transaction_id, row.symbol, row.asset, row.amount, row.time_ms)
        self.journal.wallet(opening.ts_ms, SETTLEMENT, opening.wallet, "start")
        told = self.memory.resume(now_ns, opening.equity, changes)
        if told is not None:
            self.screen.say("losses", told)

    async def _changes(self, now_ns: int) -> list[IncomeRow]:
        try:
            return await wallet_changes(self.client, self.memory.since_ms(now_ns))
        except VenueError as error:
            raise RunFailed(
                f"the venue does not tell what the wallet has seen since the last session: {error}."
            ) from error

    async def run(self) -> int:
        """Run to the end and return the exit code."""
        control = Control()
        hear_unhandled(control)
        handle, portfolio, cache = self.node.handle(), self.node.portfolio, self.node.cache
        self.package.attach(
            portfolio=portfolio, cache=cache, account_id=ACCOUNT, settlement=Currency.from_str(SETTLEMENT)
        )
        stream = PrivateStream(self.client, self.package.journal.row, control)
        self.doubts = Doubts(
            self.client, self.package.services, self.journal, self.policy, self.screen.say, stream.query, control.fault
        )  # fmt: skip
        self.package.services.query = self.doubts.query
        self.package.services.relay.inferred = stream.inferred
        rejects = Rejects(self.client, self.package.services, self.policy.fence_ms, self.doubts.doubt)
        witness = Witness(
            self.resolved, self.state, self.package, self.instruments, self.trading_start_ns, self.screen.say
        )  # fmt: skip
        witness.install(self.node)
        self.package.install(self.node)
        self.node.add_actor(self.market)
        with heard(control) as verified:
            running = asyncio.create_task(self.node.run_async())
            watch = Running(
                self.config, self.package, self.market, handle, running, self.state, control, self.screen,
                self.opening.equity, witness,
            )  # fmt: skip
            self.screen.say("running", f"the engine starts (log in {self.state.path / 'logs'})")
            stop = await wait_for_stop(
                control, self.screen, self.options.stop_after_secs, watch.watch(), *companions(self, control, handle)
            )
            flatten = stop.flatten or self.config.execution.on_stop.positions == "flatten"
            self.screen.say("stopping", f"stopping: {stop.why}{', flattening' if flatten else ''}", cause=stop.cause)
            telling = asyncio.create_task(watch.while_stopping())
            ended = await Stopping(self.package, handle, running, self.clearing).run(stop, flatten=flatten)
            ended = replace(ended, bare=tuple(await self.deadman.outlive()))
            witness.close()
            await self.doubts.stop()
            await rejects.stop()
            code = await self._finish(stop, ended, cache, portfolio)
            telling.cancel()
            witness.finished()
            verified()
        return code

    async def _finish(self, stop: Stop, ended: Ended, cache: Any, portfolio: Any) -> int:
        finishing = Finishing(self, cache, portfolio)
        clean = await finishing.verify(ended)
        await self.deadman.close()
        code = exit_code(stop, clean=clean)
        if code in (0, 5) and (not finishing.engine_agrees or self.package.services.faults.first is not None):
            code = 1  # the account is in order, the session was not
        await finishing.write(stop, code, datetime.now(UTC))
        self._close_books(f"{stop.cause}: {stop.why}; exit code {code}")
        return code

    def _close_books(self, outcome: str) -> None:
        now_ns = time.time_ns()
        self.memory.keep(now_ns)
        try:
            self.journal.end(now_ns, outcome)
        except JournalFailed as error:
            self.screen.say("fault", f"{error}; what it holds ends there, the venue knows the rest")

    def _announce(self, place: Environment, keys: Keys) -> None:
        config, say = self.config, self.screen.say
        symbols = ", ".join(config.symbols)
        say("account", f"{config.mode}: {config.account.alias} at {place.rest_host} ({config.account.environment}), {symbols}",
            mode=config.mode, alias=config.account.alias, environment=config.account.environment)  # fmt: skip
        say("keys", f"key {keys.fingerprint}: {keys.source}", fingerprint=keys.fingerprint)
        for line in self.resolved.changed:
            say("override", line)
        say("notice", f"not in force in this version: {', '.join(not_in_force(config))}")

    def _tell_opening(self) -> None:
        limit = self.config.safety.max_clock_offset_ms.warn
        if abs(self.opening.offset_ms) > limit:
            self.screen.say("warning", f"clock offset {self.opening.offset_ms:+.0f} ms, above {limit}")
        for line in self.opening.done:
            self.screen.say("found", line)
        self.screen.say("opening", f"wallet {self.opening.wallet:f} {SETTLEMENT}", wallet=self.opening.wallet)
