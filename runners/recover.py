"""`recover`: bring journal and venue together, or show what that would take."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson, Setting
from runners.accounts import Account
from runners.operating.options import Config, State

app = new_app("Bring an account's journal and the venue together.")


@app.command()
def recover(
    config: Config = None,
    account: Account = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan with its reasons; change nothing.")] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="SYMBOL=QTY", help="Position that is right though nothing explains it."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is accepted; it is journaled.")] = None,
    settings: Setting = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Do what a start does before its first order: cancel what lingers, book what happened, explain every position.

    Positions are left as they are. Exit code 0: journal and venue agree; 4: a person has to act first; 7: another node trades the
    account; 1: the venue does not answer, or something is still open.

    Example: python -m runners recover --account demo-1 --dry-run
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help
    import os  # noqa: PLC0415

    from runners.accounts import operator  # noqa: PLC0415
    from runners.live.secrets import DOT_ENV  # noqa: PLC0415
    from runners.operating import recovery  # noqa: PLC0415
    from runners.operating.reach import find_target  # noqa: PLC0415
    from runners.run_tables import show  # noqa: PLC0415

    accepted = recovery.accepted_of(accept or (), reason, operator())
    target = find_target(config, account, state, settings or ())
    work = recovery.recover(target, accepted, lambda text: typer.echo(text, err=True), os.environ, DOT_ENV, dry=dry_run)
    made = asyncio.run(work)
    if as_json:
        typer.echo(json.dumps(recovery.as_json(made), indent=1, ensure_ascii=False))
        raise typer.Exit(made.exit_code)
    typer.echo(f"{made.alias} ({made.environment})")
    if made.actions:
        show(recovery.table(made, "what a start would do" if dry_run else "what was done"))
    typer.echo(made.verdict)
    raise typer.Exit(made.exit_code)


if __name__ == "__main__":
    run(app, prog="python -m runners.recover")
