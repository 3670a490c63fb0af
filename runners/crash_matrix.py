"""`crash_matrix`: end a node at every place at which it writes, and see that nothing is lost or doubled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson

if TYPE_CHECKING:
    from crash.host import Result
    from crash.matrix import Cell
    from crash.printout import Tally

PRINTOUT = "## Printout of "
app = new_app("Crash a node at every write point, and judge.")


@app.command()
def crash_matrix(
    sample: Annotated[int | None, typer.Option(min=1, help="Run so many cells, spread over the product.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Run the whole product: hours.")] = False,
    cell: Annotated[list[str] | None, typer.Option(help="Run cells whose name contains this; may be repeated.")] = None,
    turn: Annotated[
        int, typer.Option(min=0, help="Without the others: every write point, its first outcome by this number.")
    ] = 0,
    outcomes: Annotated[int, typer.Option(min=1, help="So many outcomes of every write point, with --turn.")] = 1,
    mutants: Annotated[bool, typer.Option(help="Also find the ten planted bugs.")] = True,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Cells beside each other; most of a cell is waiting.")
    ] = 8,
    keep: Annotated[Path | None, typer.Option(help="Folder for ledgers, journals and logs of what failed.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the printout as a page, such as docs/crash-matrix.md.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run cells of the crash matrix; the last line is the verdict. Exit code 0: nothing found, every planted bug caught; 1: else.

    Example: python -m runners crash-matrix --sample 3
    """
    from crash import printout  # noqa: PLC0415 - nothing heavy is imported for --help
    from crash.processes import run_with_lives  # noqa: PLC0415

    given = _cells(sample, cell, turn, outcomes, whole=whole)
    tally = run_with_lives(_run(given, at_once, keep, whole=whole, mutants=mutants, quiet=as_json))
    said = printout.lines(tally)
    if page is not None:
        _write_page(page, tally, said)
    if as_json:
        typer.echo(json.dumps(printout.as_json(tally), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n" + "\n".join(said))
    raise typer.Exit(0 if tally.passes else 1)


def _cells(sample: int | None, names: list[str] | None, turn: int, outcomes: int, *, whole: bool) -> list[Cell]:
    from crash.matrix import slice_of, spread, valid  # noqa: PLC0415
    from errors import UsageError  # noqa: PLC0415

    if names:
        found = [one for one in valid() if any(name in one.name for name in names)]
        if not found:
            raise UsageError(f"no cell has {names[0]!r} in its name; a name is 'write point / kill kind / outcome'")
        return found
    if whole:
        return valid()
    return slice_of(turn, outcomes=outcomes) if sample is None else spread(sample)


async def _run(given: list[Cell], at_once: int, keep: Path | None, *, whole: bool, mutants: bool, quiet: bool) -> Tally:
    import tempfile  # noqa: PLC0415
    import time  # noqa: PLC0415

    from crash.board import run_cells  # noqa: PLC0415
    from crash.mutants import planted_cells  # noqa: PLC0415
    from crash.printout import Tally  # noqa: PLC0415

    began, done = time.monotonic(), 0
    wanted = [(one, "") for one in given] + (planted_cells() if mutants else [])

    def told(result: Result) -> None:
        nonlocal done
        done += 1
        if not quiet:
            typer.echo(_line(result, done, len(wanted)))

    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) if keep is None else keep
        results = await run_cells(wanted, place, told, at_once)
    return Tally(
        len(given), [one for one in results if not one.mutant], [one for one in results if one.mutant], whole,
        time.monotonic() - began,
    )  # fmt: skip


def _line(result: Result, done: int, total: int) -> str:
    found = result.judgement.findings if result.judgement is not None else ()
    word = "skipped" if result.problem else ", ".join(sorted({str(one.verdict) for one in found})) or "ok"
    bug = f" [{result.mutant}]" if result.mutant else ""
    word += f" (run again: {result.again})" if result.again else ""
    return f"{done:4d}/{total}  {result.secs:5.1f} s  {result.cell.name}{bug}: {word}"


def _write_page(page: Path, tally: Tally, said: list[str]) -> None:
    """Write the printout behind what the page says of itself; a page that is not there yet gets a title."""
    head = page.read_text(encoding="utf-8").partition(PRINTOUT)[0] if page.is_file() else "# Crash matrix\n\n"
    options = "--all" if tally.whole else f"--sample {tally.asked}"
    told = [f"{PRINTOUT}`python -m runners.crash_matrix {options}`", "", "```", *said, "```", ""]
    page.write_text(head + "\n".join(told), encoding="utf-8")


if __name__ == "__main__":
    run(app, prog="python -m runners.crash_matrix")
