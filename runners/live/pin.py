"""L-1: an alias belongs to one environment, host, account and key, stored together at first sight and compared ever after.

One file for everyone: preflight looks at it before a key is shown to a host, the node once more when it holds the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SafetyRefusal
from risk.arm_token import write_durably
from runners.accounts import PIN


class Pinned(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = Field(default=1, description="Format")
    environment: str = Field(min_length=1, description="local, demo, testnet or production")
    host: str = Field(min_length=1, description="REST host")
    account_id: str = Field(min_length=1, description="The venue's alias of the account")
    key_fingerprint: str = Field(
        pattern=r"^[0-9a-f]{12}$", description="Twelve hexadecimal digits that tell keys apart and betray none"
    )


def pin_path(folder: Path) -> Path:
    """Where it lies in the folder of an alias."""
    return folder / PIN


def read_pin(folder: Path) -> Pinned | None:
    """Read what an alias belongs to; None before its first sight.

    Raises
    ------
    SafetyRefusal
        When the file is there and cannot be read.
    """
    path = pin_path(folder)
    try:
        return Pinned.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise SafetyRefusal(f"{path} cannot be read ({type(error).__name__})") from error


def write_pin(folder: Path, pinned: Pinned) -> None:
    """Store it, whole or not at all.

    Raises
    ------
    SafetyRefusal
        When it cannot be written.
    """
    path = pin_path(folder)
    try:
        write_durably(path, pinned.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise SafetyRefusal(f"{path} cannot be written ({error.strerror or error})") from error


def mismatches(folder: Path, seen: Mapping[str, str | None]) -> Iterator[str]:
    """Hold what is seen against what is stored.

    Parameters
    ----------
    folder
        State of the alias.
    seen
        environment, host, account_id and key_fingerprint; None: not known yet.

    Yields
    ------
    str
        What differs, with both figures.

    Raises
    ------
    SafetyRefusal
        When the file cannot be read.
    """
    pinned = read_pin(folder)
    known = {} if pinned is None else pinned.model_dump()
    for name, now in seen.items():
        if name in known and now is not None and known[name] != now:
            yield f"{name.replace('_', ' ')} {known[name]}, this is {now}"
