"""From a YAML file and `--set` to one resolved, validated, hashed configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from errors import ConfigError
from runners.config import document as documents
from runners.config import overrides
from runners.config.digest import config_hash
from runners.config.document import Document
from runners.config.explain import sentences
from runners.config.live import LiveConfig
from runners.config.models import BacktestConfig, StrategyEntry
from runners.foreign import build_config, load_strategy
from runners.loading import CodeMark, code_mark
from runners.wiring import params_class
from strategies.base import GuardedStrategy

VERSION = 1


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose code may be imported.

    Attributes
    ----------
    workspace
        Folder of the user's own code; its name is the package.
    everything
        ``--trust-code``: import from anywhere.
    """

    workspace: Path | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration with nothing left open.

    Attributes
    ----------
    config
        Every default filled in, also those of the strategies' parameters.
    hash
        SHA-256 of its canonical JSON.
    source
        The file it came from.
    code
        Where the strategies' code lies.
    """

    config: BacktestConfig
    hash: str
    source: Path
    code: tuple[CodeMark, ...] = ()


def load_backtest(path: Path, settings: Sequence[str] = (), trust: Trust | None = None) -> Resolved:
    """Read, override, validate and resolve a backtest file.

    Raises
    ------
    ConfigError
        Naming file, line, key and what would be right.
    UsageError
        When a ``--set`` cannot be understood.
    """
    found = documents.read(path)
    overrides.apply(found, tuple(settings))
    check_version(found)
    config = with_params(validated(BacktestConfig, found.data, found), found, trust or Trust())
    return Resolved(config, config_hash(config), path, code_of(config, trust or Trust()))


def to_yaml(config: BaseModel) -> str:
    """Write a resolved configuration as YAML that loads to the same configuration."""
    dumped = config.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(dumped, sort_keys=False, allow_unicode=True, width=120)


def check_version(found: Document) -> None:
    """Refuse a file that was written for another version of the format.

    Raises
    ------
    ConfigError
        With the change to make.
    """
    version = found.data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        age = "newer than this program: update it, or" if version > VERSION else "not a version any more:"
        raise ConfigError(
            f"{found.where(('version',))}: version {version} is {age} write the file for version {VERSION}."
        )
    if "version" not in found.data:
        raise ConfigError(f"{found.file}: version is missing; add the line 'version: {VERSION}'.")


def validated[M: BaseModel](model: type[M], data: Any, found: Document, prefix: documents.KeyPath = ()) -> M:
    """Validate data that stands in a file.

    Raises
    ------
    ConfigError
        Naming file, line, key and what would be right.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(sentences(error, model, found, prefix)) from error


def with_params[C: (BacktestConfig, LiveConfig)](config: C, found: Document, trust: Trust) -> C:
    """Load every strategy's class and fill in the defaults of its parameters.

    Raises
    ------
    ConfigError
        When a class cannot be loaded, or a parameter is wrong.
    """
    entries = []
    for index, entry in enumerate(config.strategies):
        place: documents.KeyPath = ("strategies", index)
        try:
            loaded = load_strategy(entry.class_path, trusted=trust.everything, workspace=trust.workspace)
            model = params_class(loaded) if issubclass(loaded, GuardedStrategy) else None
        except ConfigError as error:
            raise ConfigError(f"{found.where((*place, 'class'))}: {error}") from error
        params = _plain(entry, found, place, trust) if model is None else _own(entry, model, found, place)
        _check_size(params, config.risk.max_order_notional_quote, found, place)
        entries.append(entry.model_copy(update={"params": params}))
    return config.model_copy(update={"strategies": tuple(entries)})


def _own(entry: StrategyEntry, model: type[BaseModel], found: Document, place: documents.KeyPath) -> dict[str, Any]:
    if entry.config_class is not None:
        raise ConfigError(
            f"{found.where((*place, 'config_class'))}: {entry.class_path} is built on GuardedStrategy and names its own "
            "parameter model; leave config_class out."
        )
    return _params(model, found, (*place, "params"))


def _plain(entry: StrategyEntry, found: Document, place: documents.KeyPath, trust: Trust) -> dict[str, Any]:
    try:
        build_config(entry, trusted=trust.everything, workspace=trust.workspace)
    except ConfigError as error:
        raise ConfigError(f"{found.where((*place, *_named(str(error))))}: {str(error).removesuffix('.')}.") from error
    return dict(entry.params)


def _named(sentence: str) -> documents.KeyPath:
    """The key that a sentence begins with, so that the message names its line."""
    first = sentence.split(maxsplit=1)[0].rstrip(":")
    return tuple(first.split(".")) if first.startswith("params") or first == "config_class" else ("params", first)


def code_of(config: BacktestConfig | LiveConfig, trust: Trust) -> tuple[CodeMark, ...]:
    """Where the code of the strategies lies."""
    paths = [path for e in config.strategies for path in (e.class_path, e.config_class) if path is not None]
    return tuple(code_mark(path, trust.workspace) for path in dict.fromkeys(paths))


def _params(model: type[BaseModel], found: Document, place: documents.KeyPath) -> dict[str, Any]:
    entry = found.data["strategies"][place[1]]
    entry["params"] = entry.get("params") or {}
    return validated(model, entry["params"], found, place).model_dump(mode="json", by_alias=True)


def _check_size(params: dict[str, Any], limit: float, found: Document, place: documents.KeyPath) -> None:
    size = params.get("order_notional_quote")
    if isinstance(size, int | float) and size > limit:
        where = found.where((*place, "params", "order_notional_quote"))
        raise ConfigError(
            f"{where}: order_notional_quote {size:g} is above risk.max_order_notional_quote {limit:g} "
            f"({found.where(('risk', 'max_order_notional_quote'))}); lower one or raise the other."
        )
