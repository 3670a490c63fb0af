"""L-1: an alias belongs to one environment, host, account and key, stored together at first sight and compared ever after."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SafetyRefusal
from risk.arm_token import write_durably
from runners.accounts import PIN, AccountPlace
from runners.live.secrets import Keys

FILE = "identity.json"


class Pinned(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = Field(default=1, description="Format")
    environment: str = Field(min_length=1, description="local, demo, testnet or production")
    host: str = Field(min_length=1, description="REST host")
    account: str = Field(min_length=1, description="The venue's alias of the account")
    key_fingerprint: str = Field(
        pattern=r"^[0-9a-f]{8}$", description="First 8 hexadecimal digits of the API key's SHA-256"
    )


def fingerprint(keys: Keys) -> str:
    """First 8 hexadecimal digits of the key's SHA-256: tells keys apart, and tells nothing of them."""
    return sha256(keys.key.get_secret_value().encode()).hexdigest()[:8]


def read_pin(path: Path) -> Pinned | None:
    """Read what an alias belongs to; None before its first sight.

    Raises
    ------
    SafetyRefusal
        When the file is there and cannot be read.
    """
    try:
        return Pinned.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise SafetyRefusal(f"{path} cannot be read ({type(error).__name__})") from error


def write_pin(path: Path, pinned: Pinned) -> None:
    """Store it, whole or not at all.

    Raises
    ------
    SafetyRefusal
        When it cannot be written.
    """
    try:
        write_durably(path, pinned.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise SafetyRefusal(f"{path} cannot be written ({error.strerror or error})") from error


def mismatches(folder: Path, alias: str, seen: dict[str, str | None], keys: Keys | None) -> Iterator[tuple[str, Path]]:
    """Hold what is seen against both files that tie an alias: preflight's, and the one of the live node.

    Parameters
    ----------
    folder, alias
        State of the alias.
    seen
        environment, host and account; None: not known yet.
    keys
        None: not there.

    Yields
    ------
    tuple
        What differs, with both figures, and the file that says so.

    Raises
    ------
    SafetyRefusal
        When preflight's file cannot be read.
    """
    pinned, node = read_pin(folder / FILE), AccountPlace(alias, folder).pin
    short, long = (None, None) if keys is None else (fingerprint(keys), keys.fingerprint)
    known = {} if pinned is None else pinned.model_dump()
    for name, now in (seen | {"key_fingerprint": short}).items():
        if pinned is not None and now is not None and known[name] != now:
            yield f"{name.replace('_', ' ')} {known[name]}, this is {now}", folder / FILE
    names = {"account": "account_id"}
    for name, now in (seen | {"key_fingerprint": long}).items():
        before = node.get(names.get(name, name))
        if node and now is not None and before != now:
            yield f"{name.replace('_', ' ')} {before}, this is {now}", folder / PIN
