"""Plain Nautilus strategies: classes that know nothing of this package, and what of them is refused."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Protocol

from nautilus_trader.model import OmsType, StrategyId
from nautilus_trader.trading import Controller, ExecutionAlgorithm, Strategy, StrategyConfig

from errors import ConfigError
from runners.loading import load_class

PAST_THE_GATE = ("manage_stop", "manage_contingent_orders", "manage_gtd_expiry")
IDENTITY = frozenset({"strategy_id", "order_id_tag"})
_SENDS_IN_RUST = "it runs inside the engine and sends past the gate"


class Entry(Protocol):
    """What of a `strategies:` entry matters here."""

    @property
    def id(self) -> str: ...
    @property
    def order_id_tag(self) -> str: ...
    @property
    def class_path(self) -> str: ...
    @property
    def config_class(self) -> str | None: ...
    @property
    def params(self) -> Mapping[str, Any]: ...


def load_strategy(path: str, *, trusted: bool = False, workspace: Path | None = None) -> type[Any]:
    """Import a strategy class.

    Raises
    ------
    ConfigError
        When it cannot be imported, or is of a kind that no gate can stand in front of.
    """
    found: Any = load_class(path, trusted=trusted, workspace=workspace)
    is_class = isinstance(found, type)
    if is_class and issubclass(found, ExecutionAlgorithm | Controller):
        kind = "an execution algorithm" if issubclass(found, ExecutionAlgorithm) else "a controller"
        raise ConfigError(f"class {path!r} is {kind}: its orders and exits pass no gate, so it is refused")
    if str(getattr(found, "__module__", "")).split(".")[0] == "nautilus_trader":
        raise ConfigError(
            f"class {path!r} is built into NautilusTrader: {_SENDS_IN_RUST}; name a Python subclass of Strategy"
        )
    if not (is_class and issubclass(found, Strategy)):
        raise ConfigError(
            f"class {path!r} is not a Python subclass of nautilus_trader.trading.Strategy; a plug-in strategy is refused, "
            f"since {_SENDS_IN_RUST}"
        )
    strategy: type[Any] = found
    return strategy


def build_config(entry: Entry, *, trusted: bool = False, workspace: Path | None = None) -> StrategyConfig:
    """Make the engine's configuration of a plain strategy from its entry's params.

    Text becomes what the constructor's annotations ask for: `InstrumentId`, `BarType`, `Quantity`, `Decimal` and the like.

    Raises
    ------
    ConfigError
        When a parameter is unknown or wrong, or an option would send past the gate.
    """
    taken = sorted(IDENTITY.intersection(entry.params))
    if taken:
        raise ConfigError(f"params.{taken[0]} is set from the entry's id and order_id_tag: leave it out")
    cls = _config_class(entry, trusted, workspace)
    signature = _signature(cls)
    values = {name: _converted(name, value, signature.hints.get(name)) for name, value in entry.params.items()}
    identity = {"strategy_id": StrategyId(f"{entry.id}-{entry.order_id_tag}"), "order_id_tag": entry.order_id_tag}
    config = _made(cls if signature.takes_identity else _with_identity(cls, identity), values,
                   identity if signature.takes_identity else {})  # fmt: skip
    _check_kept(cls, config, values, signature)
    check_options(config)
    return config


def check_options(config: Any) -> None:
    """Refuse options whose orders pass no gate.

    Raises
    ------
    ConfigError
        Naming the option.
    """
    for option in PAST_THE_GATE:
        if getattr(config, option):
            raise ConfigError(f"{option} makes the engine send orders past the gate: leave it off")
    if config.oms_type not in (None, OmsType.NETTING):
        raise ConfigError("oms_type HEDGING contradicts the account, which nets: leave it out")


def _config_class(entry: Entry, trusted: bool, workspace: Path | None) -> type[Any]:
    if entry.config_class is None:
        return StrategyConfig
    try:
        found = load_class(entry.config_class, trusted=trusted, workspace=workspace)
    except ConfigError as error:
        raise ConfigError(f"config_class: {error}") from error
    if not (isinstance(found, type) and issubclass(found, StrategyConfig)):
        raise ConfigError(
            f"config_class {entry.config_class!r} is not a subclass of nautilus_trader.trading.StrategyConfig"
        )
    return found


class _Signature(typing.NamedTuple):
    """What a config class's constructor takes."""

    names: frozenset[str]
    hints: Mapping[str, Any]
    takes_identity: bool


def _signature(cls: type[Any]) -> _Signature:
    if cls is StrategyConfig:
        return _Signature(frozenset(), {}, True)
    makers = [method for name in ("__new__", "__init__") if inspect.isfunction(method := getattr(cls, name))]
    names: set[str] = set()
    hints: dict[str, Any] = {}
    takes = []
    for maker in makers:
        parameters = list(inspect.signature(maker).parameters.values())[1:]
        names.update(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        hints |= _hints(maker)
        free = any(p.kind is p.VAR_KEYWORD for p in parameters)
        takes.append(free or {p.name for p in parameters} >= IDENTITY)
    return _Signature(frozenset(names), hints, all(takes))


def _hints(maker: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(maker)
    except (NameError, TypeError):  # names that exist for the type checker only: nothing is converted
        return {}


def _converted(name: str, value: Any, hint: Any) -> Any:
    """YAML has no instrument ids and no decimals: make them of text where the annotation asks for one."""
    wanted: Any = next((t for t in (typing.get_args(hint) or (hint,)) if t is Decimal or hasattr(t, "from_str")), None)
    if wanted is None or not isinstance(value, str | int | float) or isinstance(value, bool):
        return value
    try:
        return Decimal(str(value)) if wanted is Decimal else wanted.from_str(str(value))
    except (ValueError, InvalidOperation) as error:
        raise ConfigError(f"params.{name} is {value!r}, which is no {wanted.__name__}") from error


def _with_identity(cls: type[Any], identity: Mapping[str, Any]) -> type[Any]:
    """A config class that passes no name on would leave the strategy nameless: give it one where the engine reads it."""

    def new(made: type[Any], *_args: Any, **_params: Any) -> Any:
        return StrategyConfig.__new__(made, **identity)

    return type(cls.__name__, (cls,), {"__new__": new, "__module__": cls.__module__})


def _made(cls: type[Any], values: Mapping[str, Any], identity: Mapping[str, Any]) -> StrategyConfig:
    try:
        made: StrategyConfig = cls(**values, **identity)
    except Exception as error:
        raise ConfigError(f"params do not fit {cls.__name__}: {error}") from error
    return made


def _check_kept(cls: type[Any], config: Any, values: Mapping[str, Any], signature: _Signature) -> None:
    """The engine's own constructor takes and drops any name, so a misspelt parameter would pass in silence."""
    for name in values:
        if name not in signature.names and not hasattr(config, name):
            known = ", ".join(sorted(signature.names - IDENTITY - {"kw", "kwargs"})) or "none"
            raise ConfigError(f"params.{name} is not a parameter of {cls.__name__}; its own are: {known}")
