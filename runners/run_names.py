"""Runs by name: a directory, the beginning of a run id, the name in its configuration (the newest such run), or `last`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from errors import UsageError

STAMP = re.compile(r"^\d{8}T\d{6}Z")
NAMED = re.compile(r"^\d{8}T\d{6}Z-(?P<name>.+)-[0-9a-f]{8}(-\d+)?$")
RunName = Annotated[
    str, typer.Argument(help="Run directory, beginning of a run id, name of its configuration, or last.")
]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")]
DEFAULT_RUNS = Path("runs")


@dataclass(frozen=True, slots=True)
class RunPlace:
    """A complete run directory."""

    run_id: str
    path: Path


def list_runs(folder: Path) -> list[RunPlace]:
    """Every complete run of a folder, oldest first."""
    found = [path for path in folder.glob("*") if is_run(path)] if folder.is_dir() else []
    return [RunPlace(path.name, path) for path in sorted(found, key=_age)]


def is_run(path: Path) -> bool:
    """Whether a directory holds a complete run."""
    return not path.name.startswith(".") and (path / "manifest.json").is_file() and (path / "summary.json").is_file()


def find_run(name: str, folder: Path) -> Path:
    """Find a run.

    Raises
    ------
    UsageError
        When there is none of that name, or several.
    """
    if is_run(Path(name)):
        return Path(name)
    known = list_runs(folder)
    if not known:
        raise UsageError(
            f"there is no run {name}: {folder} holds none; make one with: python -m runners backtest CONFIG"
        )
    if name == "last":
        return known[-1].path
    matching = [run for run in known if run.run_id == name] or [run for run in known if run.run_id.startswith(name)]
    if len(matching) == 1:
        return matching[0].path
    named = [run for run in known if (found := NAMED.match(run.run_id)) and found["name"] == name]
    if named and not matching:
        return named[-1].path
    if matching:
        raise UsageError(f"{name} begins {len(matching)} run ids: {_some(matching)}; write more of it.")
    raise UsageError(f"there is no run {name} in {folder}; the newest are {_some(known[::-1])}.")


def _some(runs: list[RunPlace]) -> str:
    shown = ", ".join(run.run_id for run in runs[:3])
    return shown + (" …" if len(runs) > 3 else "")


def _age(path: Path) -> tuple[str, int, str]:
    stamp = STAMP.match(path.name)
    made = (path / "manifest.json").stat().st_mtime
    text = stamp[0] if stamp else datetime.fromtimestamp(made, UTC).strftime("%Y%m%dT%H%M%SZ")
    return text, len(path.name), path.name
