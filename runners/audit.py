"""`audit`: hold the journal against the account."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson, Setting
from runners.accounts import Account
from runners.operating.options import Config, State

app = new_app("Hold an account's journal against the venue.")


@app.command()
def audit(
    config: Config = None,
    account: Account = None,
    days: Annotated[
        float | None,
        typer.Option("--days", min=0.01, max=7, help="Compare fills so far back; default: the last session."),
    ] = None,
    settings: Setting = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Compare orders, fills, positions, wallet, income and settings; a difference counts when two looks see it.

    Exit code 0: they agree; 4: they do not, each difference with both figures. Nothing is changed.

    Example: python -m runners audit --account demo-1
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help
    import os  # noqa: PLC0415

    from runners.live.secrets import DOT_ENV  # noqa: PLC0415
    from runners.operating import auditing  # noqa: PLC0415
    from runners.operating.reach import find_target  # noqa: PLC0415
    from runners.run_tables import show  # noqa: PLC0415

    target = find_target(config, account, state, settings or ())
    found = asyncio.run(auditing.audit(target, days, lambda text: typer.echo(text, err=True), os.environ, DOT_ENV))
    if as_json:
        typer.echo(json.dumps(auditing.as_json(found), indent=1, ensure_ascii=False))
        raise typer.Exit(found.exit_code)
    typer.echo(f"{found.alias} ({found.environment}), account {found.account}")
    if found.differences:
        show(auditing.table(found))
    typer.echo(found.verdict)
    raise typer.Exit(found.exit_code)


if __name__ == "__main__":
    run(app, prog="python -m runners.audit")
