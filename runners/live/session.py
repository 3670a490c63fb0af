"""One session from the configuration to the exit code."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nautilus_trader.model import Currency

from adapters.binance.environments import Environment, environment
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from risk.arm_token import Identity as ArmedFor
from runners.config import LiveResolved, Trust
from runners.live.account import Account
from runners.live.arming import account_halts
from runners.live.beside import companions
from runners.live.clearing import Clearing
from runners.live.clocks import know_limits
from runners.live.closes import JournaledCloses
from runners.live.control import Control, Stop, exit_code
from runners.live.finishing import Finishing
from runners.live.market import MarketWatch, MarketWatchConfig
from runners.live.modes import check_mode, not_in_force
from runners.live.node import ACCOUNT, build_node, load_instruments
from runners.live.package import build_package
from runners.live.private import PrivateStream
from runners.live.running import Running
from runners.live.secrets import DOT_ENV, Keys, read_keys
from runners.live.settling import book_adopted
from runners.live.signals import heard
from runners.live.starting import Opening, identify, prepare_account
from runners.live.state import Identity, StateFolder
from runners.live.status import Screen
from runners.live.stopping import Ended, Stopping
from runners.live.waiting import hear_unhandled, wait_for_stop
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
    keys = read_keys(config.account, os.environ, DOT_ENV)
    place = environment(config.account.environment, config.account.url)
    state = StateFolder(options.state or Path(config.safety.state_dir), config.account.alias)
    state.check_no_stop_file()
    state.prepare()
    client = SafetyClient(
        place.rest_url, Credentials(keys.key, keys.secret), RateBudget(RateLimits(), time.monotonic_ns), VenueClock(),
        wallet_url=place.wallet_url,
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(client)
        identity = await identify(client, config.account, place, keys)
        stack.enter_context(state.lock(identity, place.rest_url))
        state.pin(identity)
        session = Session(resolved, options, screen, state, client)
        await session.prepare(place, keys, identity)
        return await session.run()


class Session:
    """The parts of one session.

    Parameters
    ----------
    resolved, options
        What to run.
    screen
        Where it speaks.
    state, client
        Of the account.
    """

    opening: Opening
    package: Package
    market: MarketWatch
    closes: JournaledCloses
    clearing: Clearing
    node: Any

    def __init__(
        self, resolved: LiveResolved, options: Options, screen: Screen, state: StateFolder, client: SafetyClient
    ) -> None:
        self.resolved, self.config, self.options = resolved, resolved.config, options
        self.screen, self.state, self.client = screen, state, client
        shared = self.config.account.foreign_orders == "count"
        self.account = Account(client, self.config.account.order_tag, set(self.config.symbols), shared)

    async def prepare(self, place: Environment, keys: Keys, identity: Identity) -> None:
        """Build strategies and engine, then bring the account in order: nothing is sent before everything is built."""
        config = self.config
        armed_for = ArmedFor(
            account=identity.account_id, environment=identity.environment, config_hash=self.resolved.hash
        )
        halts = account_halts(self.state.path, armed_for, config.risk, time.time_ns())
        self.instruments = await load_instruments(config, place)
        self.trading_start_ns = time.time_ns() + round(config.data.warmup_secs * 1e9)
        self.package = build_package(
            config, self.instruments, self.options.trust, halts, trading_start_ns=self.trading_start_ns
        )
        await know_limits(self.client, self.package.services.gate)
        self.closes = JournaledCloses(self.package.journal, config.account.order_tag, time.time_ns)
        self.clearing = Clearing(self.account, self.closes, config.execution.on_stop.patience_secs)
        self._announce(place, keys)
        self.opening = await prepare_account(self.account, self.clearing, config)
        self._tell_opening()
        book_adopted(self.package.journal, self.opening)
        self.market = MarketWatch(MarketWatchConfig(self.package.services, self.instruments))
        self.node = build_node(config, place, keys, self.state.path / "logs")

    async def run(self) -> int:
        """Run to the end and return the exit code."""
        control = Control()
        hear_unhandled(control)
        handle, portfolio, cache = self.node.handle(), self.node.portfolio, self.node.cache
        self.package.attach(
            portfolio=portfolio, cache=cache, account_id=ACCOUNT, settlement=Currency.from_str(SETTLEMENT)
        )
        self.package.services.query = PrivateStream(self.client, self.package.journal.orders, control).query
        self.package.install(self.node)
        self.node.add_actor(self.market)
        with heard(control) as verified:
            running = asyncio.create_task(self.node.run_async())
            watch = Running(
                self.config, self.package, self.market, handle, running, self.state, control, self.screen,
                self.opening.equity,
            )  # fmt: skip
            self.screen.say("running", f"the engine starts (log in {self.state.path / 'logs'})")
            stop = await wait_for_stop(
                control, self.screen, self.options.stop_after_secs, watch.watch(), *companions(self, control, handle)
            )
            flatten = stop.flatten or self.config.execution.on_stop.positions == "flatten"
            self.screen.say("stopping", f"stopping: {stop.why}{', flattening' if flatten else ''}", cause=stop.cause)
            ended = await Stopping(self.package, handle, running, self.clearing).run(stop, flatten=flatten)
            code = await self._finish(stop, ended, cache, portfolio)
            verified()
        return code

    async def _finish(self, stop: Stop, ended: Ended, cache: Any, portfolio: Any) -> int:
        finishing = Finishing(self, cache, portfolio)
        clean = await finishing.verify(ended)
        code = exit_code(stop, clean=clean)
        if code in (0, 5) and (not finishing.engine_agrees or self.package.services.faults.first is not None):
            code = 1  # the account is in order, the session was not
        await finishing.write(stop, code, datetime.now(UTC))
        return code

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
