"""`live CONFIG`: strategies on the live node, against Binance's play money or our simulated venue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, Setting, TrustCode, Workspace, trust_of

if TYPE_CHECKING:
    from runners.live.status import Screen

app = new_app("Run strategies on the live node.")


@app.command()
def live(
    config: Annotated[Path, typer.Argument(help="YAML file of the session.")],
    settings: Setting = None,
    stop_after: Annotated[float | None, typer.Option(min=1, help="Stop by itself after so many seconds.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the accounts' state, instead of the file's.")] = None,
    arm: Annotated[bool, typer.Option("--arm", help="Confirm that real money may be traded.")] = False,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines also on a terminal.")] = False,
) -> None:
    """Run strategies on the live node until Ctrl-C, a STOP or STOP_FLATTEN file in the state folder, or --stop-after.

    Example: python -m runners live live_configs/binance_local.yaml --stop-after 60
    """
    import asyncio  # noqa: PLC0415 - nothing heavy is imported for --help

    from runners.config import load_live  # noqa: PLC0415
    from runners.live.choose import run as run_mode  # noqa: PLC0415
    from runners.live.session import Options  # noqa: PLC0415

    trust = trust_of(workspace, trust_code)
    resolved = load_live(config, settings or (), trust)
    options = Options(stop_after, state, arm, trust)
    with _screen(f"{resolved.config.name} · {resolved.config.account.alias}", as_json=as_json) as screen:
        code = asyncio.run(run_mode(resolved, options, screen))
    raise typer.Exit(code)


def _screen(title: str, *, as_json: bool) -> Screen:
    from rich.console import Console  # noqa: PLC0415

    from runners.live.status import JsonLines, Terminal  # noqa: PLC0415
    from runners.live.unblocked import Unblocked  # noqa: PLC0415

    console = Console()
    return Unblocked(JsonLines() if as_json or not console.is_terminal else Terminal(console, title))


if __name__ == "__main__":
    run(app, prog="python -m runners.live")
