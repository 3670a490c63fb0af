"""How an account is reached: from a configuration, or from what its last start left in its state folder.

A file is read for its `account`, `instruments` and `safety` only, and no strategy is imported: what else is wrong with it must not
stand between a person and the account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import ConfigError, SafetyRefusal, UsageError
from risk.arm_token import write_durably
from runners.accounts import AccountPlace, find_account
from runners.config import LiveConfig, overrides
from runners.config import document as documents
from runners.config.account import AccountConfig
from runners.config.conduct import JournalConfig
from runners.config.load import validated

FILE = "reach.json"
JOURNAL = "journal.sqlite"


class Reach(BaseModel):
    """Content of ``state/<alias>/reach.json``: everything but the secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = Field(default=1, description="Format")
    account: AccountConfig = Field(description="The account block of the configuration")
    symbols: tuple[str, ...] = Field(description="Symbols that the node trades")
    journal: str | None = Field(default=None, description="Journal, where it is not beside this file")


class _Safety(BaseModel):
    model_config = ConfigDict(extra="ignore")
    state_dir: str = Field(default="state", min_length=1)
    journal: JournalConfig = Field(default_factory=JournalConfig)


class _File(BaseModel):
    """What of a live file matters here."""

    model_config = ConfigDict(extra="ignore")
    account: AccountConfig
    instruments: tuple[str, ...] = ()
    base: str | None = None
    safety: _Safety = Field(default_factory=_Safety)


@dataclass(frozen=True, slots=True)
class Target:
    """One account as a person named it.

    Attributes
    ----------
    account
        Whose, and where.
    symbols
        Configured ones.
    state
        Folder of all accounts.
    journal
        Where its journal lies, if it has one.
    """

    account: AccountConfig
    symbols: tuple[str, ...]
    state: Path
    journal: Path

    @property
    def place(self) -> AccountPlace:
        """Its state."""
        return AccountPlace(self.account.alias, self.state / self.account.alias)


def remember(folder: Path, config: LiveConfig) -> None:
    """Leave behind how the account is reached, so that a person needs its alias only.

    Raises
    ------
    SafetyRefusal
        When it cannot be written.
    """
    path = folder / FILE
    reach = Reach(account=config.account, symbols=config.symbols, journal=config.safety.journal.path)
    try:
        write_durably(path, reach.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise SafetyRefusal(f"{path} cannot be written ({error.strerror or error}).") from error


def find_target(config: Path | None, alias: str | None, state: Path | None, settings: Sequence[str] = ()) -> Target:
    """Find the account that is meant.

    Parameters
    ----------
    config, alias
        One of them; neither where the state folder holds one account only.
    state
        Folder of the accounts' state; None: that of the file, or ``state``.
    settings
        Changes to the file, ``key=value``.

    Raises
    ------
    UsageError
        When both are given, or the alias is not known.
    ConfigError
        When the file does not say which account it is for.
    SafetyRefusal
        When the state does not tell how the account is reached.
    """
    if config is not None and alias is not None:
        raise UsageError("name the account by a configuration or by --account, not by both.")
    if config is not None:
        return _from_file(config, state, settings)
    if settings:
        raise UsageError("--set changes a configuration: name one.")
    folder = state or Path("state")
    return _from_state(find_account(folder, alias), folder)


def _from_file(path: Path, state: Path | None, settings: Sequence[str]) -> Target:
    found = documents.read(path)
    overrides.apply(found, tuple(settings))
    if "account" not in found.data:
        raise ConfigError(f"{path} has no account block, so it is no live file: name one, or use --account ALIAS.")
    read = validated(_File, found.data, found)
    instruments = read.instruments or _instruments(path.parent / read.base if read.base else None)
    symbols = tuple(name.removesuffix("-PERP.BINANCE") for name in instruments)
    folder = state or Path(read.safety.state_dir)
    return Target(
        read.account, symbols, folder, _journal(folder / read.account.alias, read.safety.journal.path)
    )  # fmt: skip


def _instruments(base: Path | None) -> tuple[str, ...]:
    """Instruments of a base; none where it cannot be read, since the venue tells as well where something stands."""
    if base is None:
        return ()
    try:
        listed = documents.read(base).data.get("instruments")
    except ConfigError:
        return ()
    return tuple(str(name) for name in listed) if isinstance(listed, list) else ()


def _from_state(place: AccountPlace, state: Path) -> Target:
    path = place.path / FILE
    try:
        reach = Reach.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} is not there, so it is not known how {place.alias} is reached: name its configuration instead, such as "
            "python -m runners.cancel live_configs/binance_testnet.yaml."
        ) from error
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"{path} cannot be read ({type(error).__name__}): name the configuration of {place.alias} instead."
        ) from error
    return Target(reach.account, reach.symbols, state, _journal(place.path, reach.journal))


def _journal(folder: Path, given: str | None) -> Path:
    return folder / JOURNAL if given is None else Path(given)
