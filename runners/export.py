"""`export`: a run's fills, round trips and income for spreadsheets and tax."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from errors import RunFailed, UsageError
from runners._cli import new_app, run
from runners._trust import AsJson
from runners.run_names import DEFAULT_RUNS, RunName, RunsFolder, find_run

if TYPE_CHECKING:
    from runners.exporting import Row

app = new_app("Write fills, round trips or income of a run as CSV.", no_args_is_help=True)


class BoundName(StrEnum):
    """Queue bound of a run."""

    CONSERVATIVE = "conservative"
    OPTIMISTIC = "optimistic"
    LIVE = "live"
    SHADOW = "shadow"
    PAPER = "paper"


Bound = Annotated[BoundName | None, typer.Option(help="Queue bound; the headline of the run when absent.")]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="[FILE]", help="Write CSV there; without FILE, or with -, to the screen."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


class OptionalFile(TyperCommand):
    """A command whose ``--csv`` may stand without its file, as people pipe it; typer has no such option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put a ``-`` behind a lone ``--csv``."""
        filled: list[str] = []
        for this, after in zip(args, [*args[1:], "--"], strict=True):
            lone = this == "--csv" and after.startswith("-") and after != "-"
            filled += [this, "-"] if lone else [this]
        return super().parse_args(ctx, filled)


@app.command(cls=OptionalFile)
def fills(
    name: RunName = "last", csv: Csv = None, bound: Bound = None, force: Force = False, as_json: AsJson = False,
    folder: RunsFolder = DEFAULT_RUNS,
) -> None:  # fmt: skip
    """Every fill, with its fee and what it realised against the account's average cost.

    Example: python -m runners export fills last --csv > fills.csv
    """
    from runners import exporting  # noqa: PLC0415 - nothing heavy is imported for --help

    _export(name, folder, bound, exporting.FLOWS, exporting.fills, csv, force, as_json)


@app.command(name="round-trips", cls=OptionalFile)
def round_trips(
    name: RunName = "last", csv: Csv = None, bound: Bound = None, force: Force = False, as_json: AsJson = False,
    folder: RunsFolder = DEFAULT_RUNS,
) -> None:  # fmt: skip
    """Every round trip, flat to flat, per strategy and symbol.

    Example: python -m runners export round-trips last --csv trips.csv
    """
    from runners import exporting  # noqa: PLC0415

    _export(name, folder, bound, exporting.TRIPS, exporting.trips, csv, force, as_json)


@app.command(cls=OptionalFile)
def income(
    name: RunName = "last", csv: Csv = None, bound: Bound = None, force: Force = False, as_json: AsJson = False,
    folder: RunsFolder = DEFAULT_RUNS,
) -> None:  # fmt: skip
    """Everything that moved cash: realised P&L, fees and funding, in order.

    Example: python -m runners export income last --csv income.csv
    """
    from runners import exporting  # noqa: PLC0415

    _export(name, folder, bound, exporting.FLOWS, exporting.income, csv, force, as_json)


def _export(
    name: str, folder: Path, bound: BoundName | None, columns: Sequence[str],
    make: Callable[[Path, str], Sequence[Row]], csv: Path | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    from runners.exporting import to_csv  # noqa: PLC0415

    to_screen = csv is None or str(csv) == "-"
    if csv is not None and not to_screen and _is_run(str(csv), folder):
        raise UsageError(f"{csv} is a run, and --csv takes a file: name the run first, as in: fills {csv} --csv")
    place = find_run(name, folder)
    found = make(place, _bound(place, bound))
    text = json.dumps(list(found), indent=1) + "\n" if as_json else to_csv(columns, found)
    if csv is None or to_screen:
        sys.stdout.write(text)
        return
    if csv.exists() and not force:
        raise UsageError(f"{csv} exists already; name another file or add --force.")
    try:
        csv.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunFailed(f"{csv} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    typer.echo(f"{len(found)} rows written to {csv}", err=True)


def _is_run(name: str, folder: Path) -> bool:
    """Whether a word that stands where a file is wanted names a run."""
    try:
        find_run(name, folder)
    except UsageError:
        return False
    return True


def _bound(place: Path, bound: BoundName | None) -> str:
    if bound is None:
        headline: str = json.loads((place / "summary.json").read_text(encoding="utf-8"))["headline"]
        return headline
    if not (place / bound.value).is_dir():
        raise UsageError(f"{place.name} has no {bound.value} bound: its config ran only the other one.")
    return bound.value


if __name__ == "__main__":
    run(app, prog="python -m runners.export")
