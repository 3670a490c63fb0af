"""The arm token: a small file whose presence permits entries (`recovery.md` 10).

The polarity is inverted: to halt is to delete, and a full disk can prevent no deletion. A token that cannot be read, or belongs to
another account, environment or configuration, permits nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SafetyRefusal


class Identity(BaseModel):
    """For what a token was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    account: str = Field(min_length=1, description="Account id at the venue")
    environment: str = Field(min_length=1, description="backtest, demo, testnet or production")
    config_hash: str = Field(min_length=1, description="Hash of the resolved configuration")


class ArmToken(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = Field(default=1, description="Format")
    token_id: str = Field(min_length=1, description="Unique; the latch log names it")
    identity: Identity = Field(description="For what it was given")
    created_ns: int = Field(ge=0, description="UTC nanoseconds")
    operator: str = Field(min_length=1, description="Who armed")
    reason: str = Field(min_length=1, description="Why")


class TokenUnreadable(SafetyRefusal):
    """The token is there but cannot be read; this counts as halted."""


class TokenStore(Protocol):
    """Where a token is kept."""

    def read(self) -> ArmToken | None:
        """Return the token, or None where there is none.

        Raises
        ------
        TokenUnreadable
            When it is there but corrupt or cannot be opened.
        """

    def write(self, token: ArmToken) -> None:
        """Put a token there, whole or not at all.

        Raises
        ------
        SafetyRefusal
            When it cannot be written.
        """

    def delete(self) -> str | None:
        """Make entries impossible; return what could not be done, or None. Never raises."""


class MemoryTokenStore:
    """The token of one run: backtests neither read nor write the account's.

    Parameters
    ----------
    token
        Present from the start, so that a backtest is armed.
    """

    def __init__(self, token: ArmToken | None = None) -> None:
        self._token = token

    def read(self) -> ArmToken | None:
        """See `TokenStore.read`."""
        return self._token

    def write(self, token: ArmToken) -> None:
        """See `TokenStore.write`."""
        self._token = token

    def delete(self) -> str | None:
        """See `TokenStore.delete`."""
        self._token = None
        return None


@dataclass(slots=True)
class FileTokenStore:
    """The token of an account as a JSON file.

    Reading costs one `stat` as long as the file has not changed: it is done before every entry.

    Parameters
    ----------
    path
        Of the file, on a local disk.
    """

    path: Path
    _seen: tuple[int, int, int] | None = None
    _token: ArmToken | None = None

    def read(self) -> ArmToken | None:
        """See `TokenStore.read`."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._token = ArmToken.model_validate_json(self.path.read_bytes())
                self._seen = seen
        except FileNotFoundError:
            self._seen = self._token = None
            return None
        except (OSError, ValidationError) as error:
            self._seen = self._token = None
            raise TokenUnreadable(f"arm token {self.path} cannot be read ({_first_line(error)}): halted") from error
        return self._token

    def write(self, token: ArmToken) -> None:
        """See `TokenStore.write`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self.path, token.model_dump_json(indent=2).encode())
        except OSError as error:
            raise SafetyRefusal(f"arm token {self.path} cannot be written ({error.strerror}): still halted") from error

    def delete(self) -> str | None:
        """See `TokenStore.delete`. Where deleting fails (Windows: a reader holds it), emptying makes it corrupt: halted."""
        self._seen = self._token = None
        try:
            self.path.unlink(missing_ok=True)
            sync_directory(self.path.parent)
        except OSError as error:
            return self._empty(error)
        return None

    def _empty(self, cause: OSError) -> str | None:
        if not self.path.exists():
            return None
        try:
            with self.path.open("r+b") as file:
                file.truncate(0)
        except OSError as error:
            return f"arm token {self.path} could be neither deleted ({cause.strerror}) nor emptied ({error.strerror})"
        return None


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and have it on disk before returning.

    Raises
    ------
    OSError
        When it cannot be written; a file that was there before stays as it was.
    """
    staged = path.with_name(path.name + ".tmp")
    try:
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)  # noqa: PTH105 - the atomic call by its name
    finally:
        staged.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a new or deleted name in a directory durable; Windows does so by itself and opens no directories."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return str(error.errors()[0]["msg"])
    return str(error).splitlines()[0]
