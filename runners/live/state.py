"""What is kept per account: a folder by alias, a lock by account, the pin of key and environment, and the stop files."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from errors import SafetyRefusal
from runners.live.pin import Pinned, mismatches, pin_path, read_pin, write_pin

STOP, STOP_FLATTEN = "STOP", "STOP_FLATTEN"
SUFFIXES = ("", ".txt")  # an editor on Windows adds one


@dataclass(frozen=True, slots=True)
class Identity:
    """Which account this is; one that belongs to another environment or key is refused.

    Attributes
    ----------
    environment, host
        Where it is.
    account_id
        The venue's name of the account.
    key_fingerprint
        Of the API key.
    """

    environment: str
    host: str
    account_id: str
    key_fingerprint: str

    def lock_name(self, address: str) -> str:
        """Name of the account at an address: safe as a file name, and tells nothing."""
        return f"{self.environment}-{sha256(f'{address} {self.account_id}'.encode()).hexdigest()[:16]}"


class StateFolder:
    """State of one alias.

    Parameters
    ----------
    root
        Folder of all aliases.
    alias
        Which one.
    """

    def __init__(self, root: Path, alias: str) -> None:
        self.root, self.alias = root, alias
        self.path = root / alias

    def prepare(self) -> None:
        """Make the folder.

        Raises
        ------
        SafetyRefusal
            When it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SafetyRefusal(f"state folder {self.path} cannot be made: {_why(error)}.") from error

    def stop_file(self) -> Path | None:
        """Return the stop file that is there, one that flattens first; in the alias's folder or in that of all."""
        for name in (STOP_FLATTEN, STOP):
            for folder in (self.path, self.root):
                for suffix in SUFFIXES:
                    place = folder / (name + suffix)
                    if place.exists():
                        return place
        return None

    def check_no_stop_file(self) -> None:
        """Refuse to start while a stop file lies there.

        Raises
        ------
        SafetyRefusal
            Naming it.
        """
        found = self.stop_file()
        if found is not None:
            raise SafetyRefusal(f"{found} is there, which stops this account: remove it and start again.")

    def pin(self, identity: Identity) -> None:
        """Tie the alias to its account at the first start, and refuse another one ever after.

        Raises
        ------
        SafetyRefusal
            When the alias belongs to another account, environment, host or key, or the file cannot be read or written.
        """
        found = next(mismatches(self.path, asdict(identity)), None)
        if found is not None:
            raise SafetyRefusal(
                f"alias {self.alias} belongs to {found}: use another account.alias, or remove {pin_path(self.path)} if this "
                "is meant."
            )
        if read_pin(self.path) is None:
            write_pin(self.path, Pinned(**asdict(identity)))

    def lock(self, identity: Identity, address: str) -> AccountLock:
        """Lock of the account at an address, to be held for the life of the node, whatever the alias."""
        return AccountLock(self.root / "locks" / f"{identity.lock_name(address)}.lock", self.alias)


class AccountLock:
    """One node per account: an OS lock that the system itself frees when the process dies.

    Parameters
    ----------
    path
        Of the lock file.
    alias
        For messages.
    """

    def __init__(self, path: Path, alias: str) -> None:
        self.path, self._alias = path, alias
        self._holder = path.with_suffix(".json")
        self._lock = FileLock(path)

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise SafetyRefusal(
                f"the account of {self._alias} is traded by another node ({self._held_by()}): stop that one first."
            ) from None
        except OSError as error:
            raise SafetyRefusal(f"the lock {self.path} cannot be taken: {_why(error)}.") from error
        self._holder.write_text(json.dumps({"pid": os.getpid(), "alias": self._alias}), encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _held_by(self) -> str:
        known = _read(self._holder)
        return f"process {known.get('pid', 'unknown')}, alias {known.get('alias', 'unknown')}"


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # an unreadable holder is named unknown
    return found if isinstance(found, dict) else {}


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
