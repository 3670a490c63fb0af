"""The composition root: configuration in, a package of guarded strategies out. The same for backtest and live node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nautilus_trader.model import InstrumentId
from nautilus_trader.trading import Strategy
from pydantic import ValidationError

from errors import ConfigError
from execution.actors import BookKeeper, BookKeeperConfig
from execution.guarding import RESERVED, guard_class
from execution.ids import ClientOrderIds
from execution.journal import MemoryJournal
from execution.order_care import OrderCareConfig
from execution.seal import seal
from execution.services import Services
from execution.settle import settle_orders
from execution.wire import Latency, Wire
from risk.books import Books
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.desk import Desk
from risk.gate import RiskGate
from risk.halts import Halts
from risk.kill_switch import run_switch
from risk.loss import LossLedger
from risk.policy import Policy
from risk.venue_rules import of_instrument
from risk.view import AccountView
from runners import foreign
from strategies.base import GuardedStrategy, StrategyParams, StrategySetup


class StrategyEntry(Protocol):
    """One entry of `strategies:` in a configuration."""

    @property
    def id(self) -> str: ...
    @property
    def order_id_tag(self) -> str: ...
    @property
    def class_path(self) -> str: ...
    @property
    def config_class(self) -> str | None: ...
    @property
    def instrument(self) -> str | None: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def policy(self) -> Policy: ...


class Host(Protocol):
    """What `BacktestEngine` and `LiveNode` have in common."""

    def add_actor(self, actor: Any) -> None: ...
    def add_strategy(self, strategy: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the wiring needs beside the configuration's strategies.

    Attributes
    ----------
    instruments
        Nautilus instruments by id.
    fees
        Fee rates by instrument id.
    risk
        Limits.
    trading_start_ns, trading_end_ns
        End of warm-up; when positions are closed (None: never).
    epoch, order_tag
        Of the client order ids.
    from_quotes
        True for fidelity ``l1_trades``.
    latency
        Sampled latency above the engine's constants, or None.
    insert_ns, cancel_ns
        The engine's constant latencies; with them a cancel cannot overtake its order.
    trusted, workspace
        What may be imported.
    record_tops
        Keep the top-of-book series for the report.
    care
        Time limits of orders.
    halts
        Kill switch and losses of an account; a run's own where there is none.
    replayed
        True for a backtest: books are left to the strategies that listen to them.
    wrap
        Puts the gate in front of a strategy class; another one where a session is taped, or a tape played.
    view
        Makes the account view.
    journal
        Takes everything that happens; None: a new one in memory.
    """

    instruments: Mapping[str, Any]
    fees: Mapping[str, FeeRates]
    risk: RiskConfig
    trading_start_ns: int
    epoch: int
    trading_end_ns: int | None = None
    order_tag: str = "bt"
    from_quotes: bool = False
    latency: Latency | None = None
    insert_ns: int = 0
    cancel_ns: int = 0
    trusted: bool = False
    workspace: Path | None = None
    record_tops: bool = True
    care: OrderCareConfig = field(default_factory=OrderCareConfig)
    halts: Halts | None = None
    replayed: bool = False
    wrap: Callable[[type[Any]], type[Any]] = guard_class
    view: Callable[..., AccountView] = AccountView
    journal: MemoryJournal | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """What is installed on a host.

    Attributes
    ----------
    strategies, actors
        In the order in which they are added.
    services
        Gate, journal, view, faults.
    journal
        Its rows of this run are in memory, to be written as tables; a live node's is on disk as well.
    """

    strategies: tuple[Strategy, ...]
    actors: tuple[Any, ...]
    services: Services
    journal: MemoryJournal

    def install(self, host: Host) -> None:
        """Add everything to a host, once."""
        for actor in self.actors:
            host.add_actor(actor)
        for strategy in self.strategies:
            host.add_strategy(strategy)

    def attach(self, *, portfolio: Any, cache: Any, account_id: Any, settlement: Any) -> None:
        """Hand over engine references that work in every handler; call before the run."""
        view = self.services.view
        view.portfolio, view.cache = portfolio, cache
        view.account_id, view.settlement = account_id, settlement

    def settle(self, cache: Any, *, over: bool = True) -> None:
        """Close the journal's open rows from the engine's cache; call after the end of the run, before the tables."""
        settle_orders(self.journal, cache, over=over)


def build(entries: Sequence[StrategyEntry], plan: Plan) -> Package:
    """Build a package: new objects for every run.

    Raises
    ------
    ConfigError
        When ids repeat, a class cannot be loaded, its parameters are wrong, or an instrument is of a kind that the limits do
        not understand.
    """
    _distinct(entries)
    _supported(plan)
    seal()
    books = Books(record=plan.record_tops, from_quotes=plan.from_quotes)
    view = plan.view(books, dict(plan.fees), plan.instruments)
    rules = {iid: of_instrument(instrument) for iid, instrument in plan.instruments.items()}
    policies = {entry.id: entry.policy for entry in entries}
    ids = ClientOrderIds(plan.order_tag, plan.epoch)
    halts = plan.halts or Halts(run_switch("run"), LossLedger(plan.risk.losses()))
    gate = RiskGate(plan.risk, view, rules, policies, halts, plan.trading_start_ns, plan.trading_end_ns, ids.prefix)
    journal = plan.journal if plan.journal is not None else MemoryJournal()
    services = Services(gate, journal, plan.care, replayed=plan.replayed)
    strategies = tuple(_strategy(entry, plan, services, ids) for entry in entries)
    services.line_up(strategies)
    instrument_ids = [InstrumentId.from_str(iid) for iid in plan.instruments]
    keeper = BookKeeper(BookKeeperConfig(services, instrument_ids, lends=plan.replayed))
    return Package(strategies, (keeper,), services, journal)


def _distinct(entries: Sequence[StrategyEntry]) -> None:
    for what in ("id", "order_id_tag"):
        values = [getattr(entry, what) for entry in entries]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"two strategies have the {what} {twice!r}: each needs its own")


def _supported(plan: Plan) -> None:
    for iid, instrument in plan.instruments.items():
        if iid not in plan.fees:
            raise ConfigError(f"instrument {iid} has no fee rates")
        if getattr(instrument, "is_inverse", False) or getattr(instrument, "is_quanto", False):
            raise ConfigError(
                f"instrument {iid} is inverse or quanto: limits in quote currency do not describe its risk"
            )
    settled = {str(getattr(i, "settlement_currency", i.quote_currency)) for i in plan.instruments.values()}
    if len(settled) > 1:
        raise ConfigError(f"instruments settle in {', '.join(sorted(settled))}: one account has one currency")


def _strategy(entry: StrategyEntry, plan: Plan, services: Services, ids: ClientOrderIds) -> Strategy:
    strategy = _made(entry, plan)
    strategy.services = services
    strategy.wire = Wire(plan.latency, plan.insert_ns, plan.cancel_ns)
    strategy.desk = Desk(
        entry.id, services.view, entry.policy, ids.next, plan.trading_start_ns, plan.trading_end_ns,
        refuse=services.journal.refusal, closed=services.gate.closed,
    )  # fmt: skip
    return strategy  # type: ignore[no-any-return]


def _made(entry: StrategyEntry, plan: Plan) -> Any:
    """Make the strategy object behind the gate: one of ours from its setup, a plain one from its own config class."""
    try:
        cls = foreign.load_strategy(entry.class_path, trusted=plan.trusted, workspace=plan.workspace)
        argument: Any
        if issubclass(cls, GuardedStrategy):
            argument = _setup(entry, cls, plan)
        else:
            argument = foreign.build_config(entry, trusted=plan.trusted, workspace=plan.workspace)
        strategy: Any = _constructed(plan.wrap(cls), argument)
        foreign.check_options(strategy.config)
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"strategy {entry.id}: {error}") from error
    if str(strategy.strategy_id) != f"{entry.id}-{entry.order_id_tag}":
        raise ConfigError(f"strategy {entry.id}: {cls.__name__} does not hand its config to Strategy.__init__")
    return strategy


def _constructed(cls: type[Any], argument: Any) -> Any:
    try:
        strategy = cls(argument)
    except Exception as error:
        raise ConfigError(f"constructing {cls.__name__} raised {error!r}") from error
    taken = sorted(RESERVED.intersection(vars(strategy)))
    if taken:
        raise ConfigError(f"{cls.__name__} sets self.{taken[0]}, a name that belongs to the guard: choose another")
    return strategy


def params_class(cls: type[Any]) -> Any:
    """Return the parameter model that a `GuardedStrategy[Params]` subclass names.

    Raises
    ------
    ConfigError
        When the class names none.
    """
    for base in cls.__mro__:
        for generic in getattr(base, "__orig_bases__", ()):
            for argument in getattr(generic, "__args__", ()):
                if isinstance(argument, type) and issubclass(argument, StrategyParams):
                    return argument
    raise ConfigError(f"{cls.__module__}:{cls.__qualname__} names no parameter model: subclass GuardedStrategy[Params]")


def _setup(entry: StrategyEntry, cls: type[Any], plan: Plan) -> StrategySetup[Any]:
    iid = entry.instrument or next(iter(plan.instruments))
    if iid not in plan.instruments:
        raise ConfigError(f"instrument {iid} is not in `instruments`")
    try:
        params = params_class(cls).model_validate(dict(entry.params))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"params.{where}: {first['msg']}") from error
    return StrategySetup(params, entry.id, entry.order_id_tag, plan.instruments[iid])
