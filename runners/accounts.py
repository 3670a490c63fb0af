"""The accounts of this machine as files under `--state`: who they are, their switch, and whether a node holds them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from filelock import FileLock, Timeout

from errors import SafetyRefusal, UsageError
from risk.arm_token import FileTokenStore
from risk.latch_log import FileLatchLog

TOKEN, LATCH, PIN, LOCKS = "arm.json", "latch.jsonl", "account.json", "locks"
"""Names inside a state folder; `runners.live` uses the same."""
SHADOW = ".shadow"
"""Ends the folder of a session that keeps nothing but its log."""
DEFAULT_STATE = Path("state")

Account = Annotated[
    str | None, typer.Option("--account", metavar="ALIAS", help="Which account; needed where there are several.")
]
StateFolder = Annotated[Path, typer.Option("--state", help="Folder of the accounts' state.")]


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """State of one alias.

    Attributes
    ----------
    alias, path
        Its name and folder.
    """

    alias: str
    path: Path

    @property
    def tokens(self) -> FileTokenStore:
        """Its arm token."""
        return FileTokenStore(self.path / TOKEN)

    @property
    def log(self) -> FileLatchLog:
        """Its latch log."""
        return FileLatchLog(self.path / LATCH)

    @property
    def pin(self) -> dict[str, Any]:
        """To which account, environment and key the alias was tied at its first start; empty where it is not readable."""
        try:
            found = json.loads((self.path / PIN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # the switch works without it
        return found if isinstance(found, dict) else {}


def list_accounts(state: Path) -> list[AccountPlace]:
    """Every alias that has state, by name."""
    folders = sorted(state.iterdir()) if state.is_dir() else []
    return [
        AccountPlace(path.name, path)
        for path in folders
        if path.is_dir() and path.name != LOCKS and not path.name.endswith(SHADOW)
    ]


def find_account(state: Path, alias: str | None) -> AccountPlace:
    """Find an account, the only one where no alias is given.

    Raises
    ------
    UsageError
        When there is none of that name, or several and none is named.
    """
    known = list_accounts(state)
    names = ", ".join(place.alias for place in known) or "none"
    found = [place for place in known if alias in (None, place.alias)]
    if len(found) == 1:
        return found[0]
    if alias is not None:
        raise UsageError(f"there is no account {alias} under {state}; there: {names}. Another folder: --state DIR.")
    if not known:
        raise UsageError(f"there is no account under {state}: no node ever ran here. Another folder: --state DIR.")
    raise UsageError(f"several accounts are under {state}: {names}; say which with --account ALIAS.")


@contextmanager
def without_node(state: Path, place: AccountPlace) -> Iterator[None]:
    """Hold every lock of an account, so that no node runs and none can start.

    Raises
    ------
    SafetyRefusal
        When a node holds one, or a lock cannot be tried.
    """
    with ExitStack() as stack:
        for path in locks_of(state, place):
            try:
                stack.enter_context(FileLock(path).acquire(timeout=0))
            except Timeout:
                raise SafetyRefusal(
                    f"a node holds the account of {place.alias} (process {_holder(path).get('pid', 'unknown')}): stop it first."
                ) from None
            except OSError as error:
                raise SafetyRefusal(f"the lock {path} cannot be tried: {error.strerror or error}.") from error
        yield


def node_of(state: Path, place: AccountPlace) -> int | str | None:
    """Process id of the node that holds an account, ``unknown`` where it did not say; None where none does."""
    for path in locks_of(state, place):
        try:
            with FileLock(path).acquire(timeout=0):
                continue
        except (Timeout, OSError):
            pid = _holder(path).get("pid", "unknown")
            return pid if isinstance(pid, int) else "unknown"
    return None


def locks_of(state: Path, place: AccountPlace) -> list[Path]:
    """Lock files that may be the account's: those that its alias held last, and those of its environment without a name."""
    found = []
    for path in sorted((state / LOCKS).glob("*.lock")):
        alias = _holder(path).get("alias")
        same_environment = path.name.startswith(f"{place.pin.get('environment')}-")
        if alias == place.alias or (alias is None and same_environment):
            found.append(path)
    return found


def _holder(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # named unknown
    return found if isinstance(found, dict) else {}


def operator() -> str:
    """Name of the person at the keyboard: the user of the operating system.

    Raises
    ------
    SafetyRefusal
        When the system does not tell.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise SafetyRefusal("the operating system does not tell who you are: set the variable USERNAME.") from error
