"""From a live file, its base and `--set` to one resolved, validated, hashed configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import ConfigError
from runners.config import document as documents
from runners.config import overrides
from runners.config.digest import config_hash
from runners.config.document import Document
from runners.config.live import LiveConfig
from runners.config.load import Resolved, Trust, check_version, code_of, load_backtest, validated, with_params
from runners.config.simulated import from_venue
from runners.config.tighter import changes, laid_over, shown
from runners.loading import CodeMark

_TAKEN = ("name", "instruments", "strategies", "report")


@dataclass(frozen=True, slots=True)
class LiveResolved:
    """A live configuration with nothing left open.

    Attributes
    ----------
    config
        Everything of the base taken over, every default filled in.
    hash
        SHA-256 of its canonical JSON.
    source
        The file it came from.
    code
        Where the strategies' code lies.
    changed
        What is not as in the base, one line each, to be shown at the start.
    """

    config: LiveConfig
    hash: str
    source: Path
    code: tuple[CodeMark, ...] = ()
    changed: tuple[str, ...] = ()


def mode_of(path: Path) -> str:
    """Tell which kind of file this is: the value of its `mode`, ``backtest`` where there is none.

    Raises
    ------
    ConfigError
        When the file cannot be read or is no YAML mapping.
    """
    return str(documents.read(path).data.get("mode", "backtest"))


def load_live(path: Path, settings: Sequence[str] = (), trust: Trust | None = None) -> LiveResolved:
    """Read, override, inherit, validate and resolve a live file.

    Raises
    ------
    ConfigError
        Naming file, line, key and what would be right; also for a limit that is looser than in the base.
    UsageError
        When a ``--set`` cannot be understood.
    """
    trust = trust or Trust()
    found = documents.read(path)
    overrides.apply(found, tuple(settings))
    check_version(found)
    base = _base(found, path, trust)
    given = dict(found.data)
    if base is not None:
        _inherit(found, base)
    config = with_params(validated(LiveConfig, found.data, found), found, trust)
    changed = () if base is None else _changed(config, base, found, given)
    return LiveResolved(config, config_hash(config), path, code_of(config, trust), changed)


def _base(found: Document, path: Path, trust: Trust) -> Resolved | None:
    name = found.data.get("base")
    if not isinstance(name, str) or not name:
        return None
    place = path.parent / name
    if not place.is_file():
        raise ConfigError(f"{found.where(('base',))}: base {name} is not a file ({place}); write its place from here.")
    return load_backtest(place, (), trust)


def _inherit(found: Document, base: Resolved) -> None:
    dumped: dict[str, Any] = base.config.model_dump(mode="json", by_alias=True)
    for key in _TAKEN:
        found.data.setdefault(key, dumped[key])
    found.data.setdefault("fees", dumped["venue"]["fees"])
    simulated = found.data.get("simulated")
    if simulated is None or isinstance(simulated, dict):
        found.data["simulated"] = from_venue(dumped["venue"], simulated or {})
    risk = found.data.get("risk")
    if risk is None or isinstance(risk, dict):
        found.data["risk"] = laid_over(dumped["risk"], risk or {})


def _changed(config: LiveConfig, base: Resolved, found: Document, given: dict[str, Any]) -> tuple[str, ...]:
    lines = [f"{key} is not that of the base" for key in ("instruments", "strategies", "fees") if key in given]
    source = config.base
    for change in changes(base.config.risk.model_dump(mode="json"), config.risk.model_dump(mode="json")):
        where, name = found.where(("risk", *change.path)), change.name
        before, after = shown(change.before), shown(change.after)
        if change.tighter is None:
            raise ConfigError(
                f"{where}: {name} is {after} here and {before} in {source}, and neither is the tighter "
                "one; change it in the base."
            )
        if not change.tighter:
            raise ConfigError(
                f"{where}: {name} {after} is looser than {before} of {source}; a live file may only "
                "be tighter than its base."
            )
        lines.append(f"{name}: {before} → {after}")
    return tuple(lines)
