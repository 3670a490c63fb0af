"""Everything of one venue put together, without sockets: what a scenario describes, and what faults do to it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.exchange import Exchange
from adapters.simulated_binance.faults.actions import Outage
from adapters.simulated_binance.faults.engine import FaultEngine
from adapters.simulated_binance.faults.perform import perform
from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.forced import Forces
from adapters.simulated_binance.hub import Hub
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.limits import Limits
from adapters.simulated_binance.listen_keys import ListenKeys
from adapters.simulated_binance.market import recording, synthetic
from adapters.simulated_binance.market.background import Background
from adapters.simulated_binance.settings import KeySettings, RecordingSettings, Scenario, check_symbols
from adapters.simulated_binance.user_events import listen_key_expired


class Listener(Protocol):
    """The socket that accepts connections."""

    def refuse(self, secs: float, port: int | None) -> None:
        """Close it with all connections, and open it again later."""


class Venue:
    """One simulated Binance.

    Parameters
    ----------
    scenario
        What it is like.
    clock
        Its time.
    ledger_path
        Ledger file; None: what the scenario says, else memory only.

    Attributes
    ----------
    outage
        (until ns, HTTP status, code) while requests are answered with an error.
    listener
        Set by the server: faults may close it.
    """

    def __init__(self, scenario: Scenario, clock: Clock | None = None, ledger_path: Path | None = None) -> None:
        self.scenario, self.clock = scenario, clock or Clock()
        self.agenda = Agenda(self.clock)
        self.ledger = Ledger(self.clock, ledger_path or scenario.ledger.path)
        self.ledger.write("start", seed=scenario.seed, symbols=list(scenario.symbols), alias=scenario.account.alias)
        self.hub = Hub(self.clock, self.agenda, self.ledger, market_events=scenario.ledger.market_events)
        self.exchange: Exchange = Exchange(scenario, self.clock, self.agenda, self.ledger, self.hub)
        self.forces: Forces = Forces(self.exchange)
        self.limits: Limits = Limits(scenario.limits, self.clock)
        self.listen_keys: ListenKeys = self._listen_keys()
        self.hub.listen_key = lambda: self.listen_keys.current
        self.backgrounds = {name: self._background(name) for name in scenario.symbols}
        self.outage: tuple[int, Outage] | None = None
        self.listener: Listener | None = None
        self._query_lag = scenario.behaviour.query_lag_secs
        self.faults = FaultEngine(
            scenario.faults, scenario.seed, self.clock, self.agenda, self.ledger, lambda action: perform(self, action)
        )
        self.hub.on_event = self.faults.on_event
        self.hub.watch_all = any(fault.when.event is not None for fault in scenario.faults)
        self.exchange.on_step = self.faults.on_order

    def _listen_keys(self) -> ListenKeys:
        def expired(key: str) -> None:
            self.hub.user(listen_key_expired(key, self.clock.ms()), None)

        lifetime, alias = self.scenario.behaviour.listen_key_secs, self.scenario.account.alias
        return ListenKeys(alias, lifetime, self.clock, self.agenda, self.ledger, expired)

    def _background(self, name: str) -> Background:
        market, own = self.exchange.markets[name], self.scenario.symbols[name].market
        if isinstance(own, RecordingSettings):
            source = recording.play(own.path, market.contract, loop=own.loop)
            return Background(self.exchange, market, source, own.speed, own.skip_secs)
        source = synthetic.play(own, market.contract, self.scenario.seed)
        return Background(self.exchange, market, source, own.speed)

    def start(self) -> None:
        """Open the market: first snapshots, timers of marks, bars and funding."""
        for name, background in self.backgrounds.items():
            background.start(self.clock, self.agenda)
            self._start_funding(name)
        self.agenda.every(1.0, self._each_second)

    def _each_second(self) -> None:
        for market in self.exchange.markets.values():
            market.feed.update_mark()
            market.feed.publish_mark()
            market.feed.publish_bars()
            self.exchange.settle(market)
        self.forces.watch_margin()

    def _start_funding(self, name: str) -> None:
        own, feed = self.scenario.symbols[name], self.exchange.markets[name].feed
        period_ns, now = round(own.funding_interval_secs * 1e9), self.clock.real_ns()
        first = now + round((own.first_funding_secs or 0) * 1e9)
        due = first if own.first_funding_secs is not None else (now // period_ns + 1) * period_ns
        self._next_funding(name, due, period_ns)
        feed.next_funding_ms = due // 1_000_000

    def _next_funding(self, name: str, due: int, period_ns: int) -> None:
        def settle() -> None:
            self.exchange.markets[name].feed.next_funding_ms = (due + period_ns) // 1_000_000
            self._next_funding(name, due + period_ns, period_ns)
            self.forces.settle_funding(name)

        self.agenda.at(due, settle)

    def advance(self) -> None:
        """Let everything happen that is due by now."""
        self.agenda.run_until(self.clock.real_ns())

    def key_of(self, api_key: str | None) -> KeySettings:
        """Find an API key.

        Raises
        ------
        Refused
            -2014 without a key, -2015 with an unknown one.
        """
        if not api_key:
            raise Refused(Code.BAD_API_KEY_FMT)
        found = next((key for key in self.scenario.account.keys if key.key == api_key), None)
        if found is None:
            raise Refused(Code.REJECTED_MBX_KEY)
        return found

    def is_still_hidden(self, accepted_ns: int) -> bool:
        """Whether by-id queries do not find an order of this age yet."""
        return self.clock.real_ns() - accepted_ns < self._query_lag * 1e9

    def lag_queries(self, lag_secs: float, secs: float | None) -> None:
        """Let by-id queries lag, for a while or from now on."""
        before, self._query_lag = self._query_lag, lag_secs
        if secs is not None:
            self.agenda.after(secs, lambda: setattr(self, "_query_lag", before))

    def arm(self, fault: Fault) -> None:
        """Add a fault while the venue runs.

        Raises
        ------
        ConfigError
            When it names a symbol that this venue does not have.
        """
        check_symbols((fault,), self.scenario.symbols)
        self.hub.watch_all = self.hub.watch_all or fault.when.event is not None
        self.faults.arm(fault, self.scenario.seed)

    def close(self) -> None:
        """Write the last line of the ledger and close it."""
        self.ledger.write("stop", wallet=self.exchange.account.wallet)
        self.ledger.close()
