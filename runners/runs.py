"""`runs`: past runs, listed, opened, compared and removed."""

from __future__ import annotations

import json
import shutil
import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from errors import RunFailed
from runners._cli import new_app, run
from runners._trust import AsJson
from runners.run_names import DEFAULT_RUNS, RunName, RunPlace, RunsFolder, find_run, list_runs

app = new_app("List, open, compare or remove past runs.", no_args_is_help=True)

COLUMNS = ("run_id", "status", "verdict", "net_pnl", "currency", "fills", "max_drawdown", "synthetic", "config_hash")


@app.command(name="list")
def list_(folder: RunsFolder = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """List past runs, newest first.

    Example: python -m runners runs list
    """
    found = [_row(place) for place in reversed(list_runs(folder))]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    if not found:
        typer.echo(f"{folder} holds no run; make one with: python -m runners backtest CONFIG")
        return
    from runners.run_tables import list_table, show  # noqa: PLC0415 - rich is not needed for --help

    show(list_table(found))


def _row(place: RunPlace) -> dict[str, Any]:
    summary = json.loads((place.path / "summary.json").read_text(encoding="utf-8"))
    return {**{name: summary.get(name) for name in COLUMNS}, "run_id": place.run_id, "path": place.path.as_posix()}


@app.command(name="open")
def open_(name: RunName = "last", folder: RunsFolder = DEFAULT_RUNS) -> None:
    """Show a run's report in the browser.

    Example: python -m runners runs open last
    """
    page = find_run(name, folder) / "report.html"
    typer.echo(str(page))
    webbrowser.open(page.resolve().as_uri())


@app.command()
def compare(a: RunName, b: RunName, folder: RunsFolder = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """Show what differs: configuration, waterfalls side by side, and where the orders part.

    Example: python -m runners runs compare 20240808T101500Z last
    """
    from runners.comparing import compare as compared  # noqa: PLC0415 - needs pyarrow
    from runners.run_tables import comparison_tables, show  # noqa: PLC0415

    found = compared(find_run(a, folder), find_run(b, folder))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1, default=str))
        return
    for part in comparison_tables(found):
        show(part)


@app.command()
def prune(
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest stay.")] = 20,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it they are only listed.")] = False,
    folder: RunsFolder = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Remove all but the newest runs.

    Example: python -m runners runs prune --keep 20 --yes
    """
    known = list_runs(folder)
    old = known[: max(0, len(known) - keep)]
    for place in old if yes else []:
        _remove(place.path)
    if as_json:
        typer.echo(json.dumps({"removed": yes, "runs": [place.run_id for place in old]}, indent=1))
        return
    for place in old:
        typer.echo(place.run_id)
    word = "removed" if yes else "would be removed; add --yes to do it"
    typer.echo(f"{len(old)} of {len(known)} runs {word}.")


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise RunFailed(f"{path} cannot be removed: {error.strerror or error}; is a file of it open?") from error


if __name__ == "__main__":
    run(app, prog="python -m runners.runs")
