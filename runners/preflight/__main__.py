"""`preflight CONFIG`: the connectivity check. Services call it before `live`; a non-zero exit blocks the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, AsJson, Setting, TrustCode, Workspace, trust_of

app = new_app("Check everything that a live session needs.")


@app.command()
def preflight(
    config: Annotated[Path, typer.Argument(help="YAML file of the session.")],
    settings: Setting = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the accounts' state, instead of the file's.")] = None,
    stream_secs: Annotated[float, typer.Option(min=1, help="Within this the public streams must deliver.")] = 10.0,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Check keys, venue, account, limits and this machine before a session; it sends nothing that changes anything.

    Example: python -m runners preflight live_configs/binance_local.yaml
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help

    from runners.config import load_live  # noqa: PLC0415
    from runners.preflight.run import preflight as look  # noqa: PLC0415
    from runners.preflight.view import as_json as shown  # noqa: PLC0415
    from runners.preflight.view import table  # noqa: PLC0415
    from runners.run_tables import show  # noqa: PLC0415

    resolved = load_live(config, settings or (), trust_of(workspace, trust_code))
    report = asyncio.run(look(resolved, state=state, stream_secs=stream_secs))
    if as_json:
        typer.echo(json.dumps(shown(report), indent=1))
    else:
        show(table(report))
    raise typer.Exit(report.exit_code)


if __name__ == "__main__":
    run(app, prog="python -m runners.preflight")
