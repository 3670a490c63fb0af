"""Entries first: what is cancelled or closed must not be opened again behind our back. On files alone, whatever the node does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from errors import RunFailed
from runners import halting
from runners.accounts import AccountPlace, list_accounts
from runners.live.state import STOP


@dataclass(slots=True)
class Shut:
    """What was done about entries.

    Attributes
    ----------
    aliases
        Accounts whose entries are shut now.
    lines, problems
        What was done, and what could not be done, one sentence each.
    """

    aliases: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def shut_entries(state: Path, aliases: Sequence[str], reason: str, person: str, now_ns: int) -> Shut:
    """Trip the kill switch of every alias that may trade the account; where that fails, leave a stop file. Never raises.

    Parameters
    ----------
    state
        Folder of all accounts.
    aliases
        The one that was named, and the one that holds the lock.
    reason, person, now_ns
        For the latch log.
    """
    done, known = Shut(), {place.alias: place for place in list_accounts(state)}
    for alias in dict.fromkeys(aliases):
        if alias in known:
            _shut(state, known[alias], reason, person, now_ns, done)
    return done


def _shut(state: Path, place: AccountPlace, reason: str, person: str, now_ns: int, done: Shut) -> None:
    try:
        found = halting.halt(state, place, reason, person, now_ns)
    except (RunFailed, OSError) as error:
        done.problems.append(str(error))
        _stop_file(place, done)
        return
    done.aliases.append(place.alias)
    done.lines.append(f"entries of {place.alias} are shut: {found.lines[0]}")
    done.problems += found.problems


def _stop_file(place: AccountPlace, done: Shut) -> None:
    path = place.path / STOP
    try:
        path.touch()
    except OSError as error:
        done.problems.append(f"{path} cannot be made either ({error.strerror or error}): end the node by hand")
    else:
        done.aliases.append(place.alias)
        done.lines.append(f"{path} is there: a node that still works stops within a second")
