"""`venue SCENARIO`: a USD-M Binance of our own on 127.0.0.1, with scripted faults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from adapters.simulated_binance.program import serve
from adapters.simulated_binance.settings import load_scenario
from runners._cli import new_app, run

app = new_app("Run a simulated Binance on this machine.", rich_markup_mode=None)


@app.command()
def venue(
    scenario: Annotated[Path, typer.Argument(help="Scenario file.")],
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one.")] = 0,
    ledger: Annotated[Path | None, typer.Option(help="Ledger file (JSON lines), appended to.")] = None,
    status_secs: Annotated[float, typer.Option(help="How often the account is printed.")] = 10.0,
    stop_after: Annotated[float | None, typer.Option(help="Stop by itself after so many seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Run a simulated Binance until Ctrl-C.

    Example: python -m runners venue live_configs/venue_btc.yaml --port 8800
    """
    asyncio.run(
        serve(
            load_scenario(scenario),
            typer.echo,
            port=port,
            ledger=ledger,
            status_secs=status_secs,
            stop_after_secs=stop_after,
            as_json=as_json,
        )
    )


if __name__ == "__main__":
    run(app, prog="python -m runners.venue")
