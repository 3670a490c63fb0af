"""`drill NAME | --all`: break the system on purpose, and let the venue's ledger judge what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runners.drills.telling import Outcome

app = new_app("Break a live node on purpose and judge it by the venue's ledger.")


@app.command()
def drill(
    names: Annotated[list[str] | None, typer.Argument(help="Drills, or paths of files of your own.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="All thirteen, one after the other.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list the drills.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep ledgers, journals and sessions in this folder, whatever the verdict.")
    ] = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=13, help="Drills beside each other; most of a drill is waiting.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Play drills: our simulated venue here, the live node in a process of its own. Exit code 0: all passed; 1: else.

    Example: python -m runners drill restart_with_exposure
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help

    from runners.drills.files import path_of  # noqa: PLC0415
    from runners.drills.model import NAMES  # noqa: PLC0415
    from runners.drills.playing import check  # noqa: PLC0415

    wanted = list(names or ())
    if (whole or listed) == bool(wanted):
        raise typer.BadParameter("give the names of drills, or --all, or --list")
    paths = [path_of(name) for name in wanted or NAMES]
    drills = [check(path, keep) for path in paths]  # all of them are right before the first one starts
    if listed:
        for one in drills:
            typer.echo(f"{one.name:<22} {one.secs:>4} s  {one.title}")
        return
    outcomes = asyncio.run(_play(paths, keep, at_once, quiet=as_json))
    _close(outcomes, as_json=as_json)
    raise typer.Exit(0 if all(one.passes for one in outcomes) else 1)


async def _play(paths: Sequence[Path], keep: Path | None, at_once: int, *, quiet: bool) -> list[Outcome]:
    import asyncio  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415

    from runners.drills.playing import play  # noqa: PLC0415
    from runners.drills.telling import shown  # noqa: PLC0415

    console, free = Console(highlight=False), asyncio.Semaphore(at_once)

    async def one(path: Path) -> Outcome:
        async with free:
            if not quiet:
                console.print(f"playing {path.stem} …", style="dim")
            outcome = await play(path, keep)
            if not quiet:
                console.print(shown(outcome))
            return outcome

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(path)) for path in paths]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the others were ended because of it
    return [task.result() for task in tasks]


def _close(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    from runners.drills.telling import as_json as plain  # noqa: PLC0415
    from runners.drills.telling import closing, last_line  # noqa: PLC0415

    if as_json:
        import json  # noqa: PLC0415

        found = {"drills": [plain(one) for one in outcomes], "passed": last_line(outcomes)}
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    elif len(outcomes) > 1:
        from rich.console import Console  # noqa: PLC0415

        Console(highlight=False).print(closing(outcomes))


if __name__ == "__main__":
    run(app, prog="python -m runners.drill")
