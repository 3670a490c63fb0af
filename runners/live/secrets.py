"""API keys from the environment or `.env`; never from a configuration, never printed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from errors import ConfigError, SafetyRefusal
from runners.config.account import AccountConfig

DOT_ENV = Path(".env")
LOCAL_KEYS = ("local-key", "local-secret")
"""What the simulated venue accepts unless its scenario says otherwise."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One API key.

    Attributes
    ----------
    key, secret
        Never shown.
    source
        Name of the variable and where it was found, for the screen.
    """

    key: SecretStr
    secret: SecretStr
    source: str

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the key without telling it."""
        return sha256(b"hyper-trading key " + self.key.get_secret_value().encode()).hexdigest()[:12]


def read_keys(account: AccountConfig, environ: Mapping[str, str], dot_env: Path = DOT_ENV) -> Keys:
    """Find the keys of an account.

    The names are those of the configuration, else ``<ENVIRONMENT>_API_KEY`` and ``API_KEY``; a variable of the environment
    goes before one of `.env`.

    Parameters
    ----------
    account
        Names the variables, or only the environment.
    environ
        Variables of the process.
    dot_env
        File with more of them; it need not be there.

    Raises
    ------
    ConfigError
        When a key is missing, or EXCHANGE names another one.
    SafetyRefusal
        When others may read `.env`.
    """
    places = ((environ, "environment"), (_read_file(dot_env), str(dot_env)))
    exchange = _first(("EXCHANGE",), places)
    if exchange is not None and exchange[0].lower() != account.venue:
        raise ConfigError(f"EXCHANGE is {exchange[0]} ({exchange[1]}), but account.venue is {account.venue}.")
    keys, secrets = _names(account)
    key, secret = _first(keys, places), _first(secrets, places)
    if account.environment == "local" and key is None and secret is None and account.key_env is None:
        return Keys(SecretStr(LOCAL_KEYS[0]), SecretStr(LOCAL_KEYS[1]), "the simulated venue's own key")
    for found, names in ((key, keys), (secret, secrets)):
        if found is None:
            raise ConfigError(
                f"{' or '.join(names)} is not set: put it into the environment or into {dot_env} "
                f"(environment {account.environment}; see .env.example)."
            )
    if key is None or secret is None:
        raise ConfigError("a key is missing.")
    return Keys(SecretStr(key[0]), SecretStr(secret[0]), key[1])


def _names(account: AccountConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if account.key_env is not None and account.secret_env is not None:
        return (account.key_env,), (account.secret_env,)
    prefix = account.environment.upper()
    return (f"{prefix}_API_KEY", "API_KEY"), (f"{prefix}_API_SECRET", "API_SECRET")


def _first(names: tuple[str, ...], places: tuple[tuple[Mapping[str, str | None], str], ...]) -> tuple[str, str] | None:
    for name in names:
        for values, place in places:
            value = (values.get(name) or "").strip()
            if value:
                return value, f"{name} of {place}"
    return None


def _read_file(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SafetyRefusal(f"{path} can be read by others on this machine: run chmod 600 {path} and start again.")
    return dotenv_values(path)
