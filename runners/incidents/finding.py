"""Incidents of all runs and accounts on this machine, by a short id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from errors import CorruptData, UsageError
from monitoring.incidents.record import FILE, Incident, read
from monitoring.report.run import BOUNDS
from runners.accounts import list_accounts
from runners.incidents.after_run import FOLDER
from runners.run_names import STAMP, RunPlace, list_runs

ID_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Found:
    """One incident on disk.

    Attributes
    ----------
    id
        Short, from where it lies.
    place
        Its folder.
    where
        Run and bound, or account.
    written
        When it was made, as far as the place tells: sorts as text.
    incident
        What it says; None where it cannot be read.
    problem
        Why it cannot.
    """

    id: str
    place: Path
    where: str
    written: str
    incident: Incident | None
    problem: str = ""

    @property
    def bound(self) -> str:
        """Folder of the queue bound; ``live`` under an account."""
        return self.place.parent.parent.name


def list_incidents(runs: Path, state: Path) -> list[Found]:
    """Every incident: newest run first, in a run the headline bound first and then as they happened."""
    found = [one for run in list_runs(runs) for one in _of_run(run)]
    for account in list_accounts(state):
        found += [_found(path, account.alias, "") for path in _folders(account.path / FOLDER)]
    in_order = sorted(found, key=lambda one: one.incident.number if one.incident is not None else 0)
    by_bound = sorted(in_order, key=lambda one: BOUNDS.index(one.bound) if one.bound in BOUNDS else 0)
    return sorted(
        by_bound, key=lambda one: (one.written, one.where.partition(" ")[0]), reverse=True
    )  # stable also in reverse


def find_incident(name: str, runs: Path, state: Path) -> Found:
    """Find an incident by the beginning of its id, by its folder, or the newest by ``last``.

    Raises
    ------
    UsageError
        When there is none, or several.
    CorruptData
        When it cannot be read.
    """
    given = Path(name)
    if (given / FILE).is_file():
        found = [_found(given, given.parent.parent.as_posix(), "")]
    else:
        known = list_incidents(runs, state)
        if not known:
            raise UsageError(f"there is no incident {name}: neither {runs} nor {state} holds one.")
        found = known[:1] if name == "last" else [one for one in known if one.id.startswith(name)]
        if not found:
            raise UsageError(f"there is no incident {name}; the newest are {', '.join(one.id for one in known[:3])}.")
    if len(found) > 1:
        raise UsageError(f"{name} begins {len(found)} ids: {', '.join(one.id for one in found[:3])}; write more of it.")
    if found[0].incident is None:
        raise CorruptData(found[0].problem)
    return found[0]


def _of_run(run: RunPlace) -> Iterator[Found]:
    stamp = STAMP.match(run.run_id)
    made = (run.path / "manifest.json").stat().st_mtime
    written = stamp[0] if stamp else datetime.fromtimestamp(made, UTC).strftime("%Y%m%dT%H%M%SZ")
    for bound in BOUNDS:
        for path in _folders(run.path / bound / FOLDER):
            yield _found(path, f"{run.run_id} · {bound}", written)


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.glob("*") if (path / FILE).is_file()] if parent.is_dir() else []


def _found(path: Path, where: str, written: str) -> Found:
    tail = "/".join(path.resolve().parts[-4:])
    short = hashlib.sha256(tail.encode()).hexdigest()[:ID_DIGITS]
    try:
        incident = read(path)
    except CorruptData as error:
        return Found(short, path, where, written, None, str(error))
    happened = datetime.fromtimestamp(incident.ts_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    return Found(short, path, where, written or happened, incident)
