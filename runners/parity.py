"""`parity`: a session's strategies, handed the same again, must decide the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, AsJson, Setting, TrustCode, Workspace, trust_of

DIFFERENT = 1
app = new_app("Replay a session's decisions and compare them.", no_args_is_help=True)


@app.command()
def parity(
    session: Annotated[Path, typer.Argument(help="Directory of a session, or its tape.")],
    recording: Annotated[Path | None, typer.Option(help="The node's recording: folder or file to hold the tape against.")] = None,
    settings: Setting = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Hand every strategy what it was handed in the session, and compare what it decides.

    Example: python -m runners parity runs/20261121T170133Z-btc-37bc9dbe
    """
    from runners.tapes import telling  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.tapes.loading import config_of, open_tape, play  # noqa: PLC0415
    from runners.tapes.market import market_of, read_market  # noqa: PLC0415

    trust = trust_of(workspace, trust_code)
    opened = open_tape(session)
    config = config_of(opened, settings or [], trust)
    score = play(opened, config, trust)
    seen = None if recording is None else market_of(opened.path, read_market(recording))
    if as_json:
        typer.echo(json.dumps(telling.as_json(score, seen), indent=1))
    else:
        for line in telling.lines(score, seen):
            typer.echo(line)
    if not telling.holds(score, seen):
        raise typer.Exit(DIFFERENT)


if __name__ == "__main__":
    run(app, prog="python -m runners.parity")
