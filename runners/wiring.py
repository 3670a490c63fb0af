"""The composition root: configuration in, a package of guarded strategies out. The same for backtest and live node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nautilus_trader.model import InstrumentId
from nautilus_trader.trading import Strategy
from pydantic import ValidationError

from errors import ConfigError
from execution.actors import BookKeeper, BookKeeperConfig
from execution.guard import guard_class
from execution.ids import ClientOrderIds
from execution.journal import MemoryJournal
from execution.seal import seal
from execution.services import Services
from execution.wire import Latency, Wire
from risk.books import Books
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.desk import Desk
from risk.gate import RiskGate
from risk.policy import Policy
from risk.venue_rules import of_instrument
from risk.view import AccountView
from runners.loading import load_class
from strategies.base import GuardedStrategy, StrategySetup


class StrategyEntry(Protocol):
    """One entry of `strategies:` in a configuration."""

    @property
    def id(self) -> str: ...
    @property
    def order_id_tag(self) -> str: ...
    @property
    def class_path(self) -> str: ...
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
        Sampled latency above the engine's constant, or None.
    trusted, workspace
        What may be imported.
    record_tops
        Keep the top-of-book series for the report.
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
    trusted: bool = False
    workspace: Path | None = None
    record_tops: bool = True


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
        The memory journal, to be written as tables.
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


def build(entries: Sequence[StrategyEntry], plan: Plan) -> Package:
    """Build a package: new objects for every run.

    Raises
    ------
    ConfigError
        When a class cannot be loaded or its parameters are wrong.
    """
    seal()
    view = AccountView(Books(record=plan.record_tops), dict(plan.fees))
    rules = {iid: of_instrument(instrument) for iid, instrument in plan.instruments.items()}
    policies = {entry.id: entry.policy for entry in entries}
    gate = RiskGate(plan.risk, view, rules, policies, plan.trading_start_ns, plan.trading_end_ns)
    journal = MemoryJournal()
    services = Services(gate, journal, view)
    ids = ClientOrderIds(plan.order_tag, plan.epoch)
    strategies = tuple(_strategy(entry, plan, services, ids) for entry in entries)
    keeper = BookKeeper(
        BookKeeperConfig(
            view.books, [InstrumentId.from_str(iid) for iid in plan.instruments], plan.from_quotes, services.faults
        )
    )
    return Package(strategies, (keeper,), services, journal)


def _strategy(entry: StrategyEntry, plan: Plan, services: Services, ids: ClientOrderIds) -> Strategy:
    cls = load_class(entry.class_path, trusted=plan.trusted, workspace=plan.workspace)
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        raise ConfigError(f"strategy {entry.id}: {entry.class_path} is not a Nautilus Strategy")
    if not issubclass(cls, GuardedStrategy):
        raise ConfigError(f"strategy {entry.id}: {entry.class_path} does not subclass strategies.base:GuardedStrategy")
    strategy: Any = guard_class(cls)(_setup(entry, cls, plan))
    strategy.services = services
    strategy.wire = Wire(plan.latency)
    strategy.desk = Desk(entry.id, services.view, entry.policy, ids.next, plan.trading_start_ns, plan.trading_end_ns)
    return strategy  # type: ignore[no-any-return]


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
                if isinstance(argument, type):
                    return argument
    raise ConfigError(f"{cls.__module__}:{cls.__qualname__} names no parameter model: subclass GuardedStrategy[Params]")


def _setup(entry: StrategyEntry, cls: type[Any], plan: Plan) -> StrategySetup[Any]:
    iid = entry.instrument or next(iter(plan.instruments))
    if iid not in plan.instruments:
        raise ConfigError(f"strategy {entry.id}: instrument {iid} is not in `instruments`")
    try:
        params = params_class(cls).model_validate(dict(entry.params))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"strategy {entry.id}: params.{where}: {first['msg']}") from error
    return StrategySetup(params, entry.id, entry.order_id_tag, plan.instruments[iid])
