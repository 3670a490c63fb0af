"""`watchdog CONFIG`: the second process, which ends a node that hangs and puts its account in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson, Setting

app = new_app("Watch a live node, and end it when it hangs.")


@app.command()
def watchdog(
    config: Annotated[Path | None, typer.Argument(help="YAML file of the session; or --account.")] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ALIAS", help="Which account, as its last start left it.")
    ] = None,
    settings: Setting = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the accounts' state, instead of the file's.")] = None,
    stop_after: Annotated[float | None, typer.Option(min=1, help="Stop by itself after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Watch a node: 5 s without progress it is suspected, after 10 s it is ended, its orders cancelled, its switch latched.

    Example: python -m runners watchdog live_configs/binance_local.yaml
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help

    from runners.watchdog.charge import find_charge  # noqa: PLC0415
    from runners.watchdog.command import watch  # noqa: PLC0415

    def say(event: str, text: str) -> None:
        now = datetime.now(UTC)
        if as_json:
            stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            typer.echo(json.dumps({"time": stamp, "event": event, "text": text}, ensure_ascii=False))
        else:
            typer.echo(f"{now:%H:%M:%S}  {event.upper() + ': ' if event == 'alert' else ''}{text}")

    charge = find_charge(config, account, state, settings or ())
    raise typer.Exit(asyncio.run(watch(charge, say, stop_after)))


if __name__ == "__main__":
    run(app, prog="python -m runners.watchdog")
