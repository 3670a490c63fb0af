"""Whom a watchdog watches and how: from a configuration, or from what its node has left in its state folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SafetyRefusal, UsageError
from execution.deadman.guarding import Limits
from risk.arm_token import write_durably
from runners.config import LiveConfig, overrides
from runners.config import document as documents
from runners.config.conduct import DeadmanConfig, ProtectiveStopConfig, WatchdogConfig
from runners.config.load import validated
from runners.operating.reach import Target, find_target

FILE = "watch.json"


class Watch(BaseModel):
    """Content of ``state/<alias>/watch.json``: what of a configuration a watchdog acts upon."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    watchdog: WatchdogConfig = Field(default_factory=WatchdogConfig, description="The block of the configuration")
    deadman: DeadmanConfig = Field(default_factory=DeadmanConfig, description="Likewise")
    protective_stop: ProtectiveStopConfig = Field(default_factory=ProtectiveStopConfig, description="Likewise")


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    mode: Literal["shadow", "paper", "testnet", "live"] = "testnet"
    safety: Watch = Field(default_factory=Watch)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a watchdog is charged with.

    Attributes
    ----------
    target
        The account and how it is reached.
    watch
        How long it may be silent, and what is done then.
    """

    target: Target
    watch: Watch

    @property
    def limits(self) -> Limits:
        """As the state machine takes them."""
        given = self.watch.watchdog
        return Limits(given.suspect_secs, given.fence_secs, given.then)

    @property
    def folder(self) -> Path:
        """State of the alias."""
        return self.target.place.path


def remember_watch(folder: Path, config: LiveConfig) -> None:
    """Leave behind what a watchdog that is given the alias only acts upon.

    Raises
    ------
    SafetyRefusal
        When it cannot be written.
    """
    safety, path = config.safety, folder / FILE
    watch = Watch(watchdog=safety.watchdog, deadman=safety.deadman, protective_stop=safety.protective_stop)
    try:
        write_durably(path, watch.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise SafetyRefusal(f"{path} cannot be written ({error.strerror or error}).") from error


def find_charge(config: Path | None, alias: str | None, state: Path | None, settings: Sequence[str] = ()) -> Charge:
    """Find out whom to watch; raises as `runners.operating.reach.find_target`, and refuses a mode that sends nothing."""
    target = find_target(config, alias, state, settings)
    if config is None:
        return Charge(target, _left(target.place.path))
    found = documents.read(config)
    overrides.apply(found, tuple(settings))
    read = validated(_File, found.data, found)
    if read.mode in ("shadow", "paper"):
        raise UsageError(f"{config} is of mode {read.mode}, which sends nothing: there is nothing to watch.")
    return Charge(target, read.safety)


def _left(folder: Path) -> Watch:
    path = folder / FILE
    try:
        return Watch.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} is not there: no node with a dead-man ever ran for {folder.name}; name its configuration instead, such as "
            "python -m runners.watchdog live_configs/binance_testnet.yaml."
        ) from error
    except (OSError, ValidationError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}): name the configuration instead.") from error
