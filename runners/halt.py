"""`halt`: shut entries of an account now, and open them again with a reason."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson
from runners.accounts import DEFAULT_STATE, Account, StateFolder

if TYPE_CHECKING:
    from runners.accounts import AccountPlace
    from runners.halting import OpenOrders

app = new_app("Halt an account, or reset a halt.")


@app.command()
def halt(
    reason: Annotated[str, typer.Option(help="Why; the next person reads it.")],
    account: Account = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take a halt back: no node may run.")] = False,
    state: StateFolder = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Shut entries of an account now, whether its node runs, hangs or is dead; with --reset open them again.

    Example: python -m runners halt --account demo-1 --reason "spread looks wrong"
    """
    import time  # noqa: PLC0415 - nothing heavy is imported for --help

    from runners import halting  # noqa: PLC0415
    from runners.accounts import find_account, operator  # noqa: PLC0415

    place = find_account(state, account)
    if reset:
        done = halting.reset(state, place, reason, operator(), time.time_ns(), _venue(place, state))
    else:
        done = halting.halt(state, place, reason, operator(), time.time_ns())
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=1))
        return
    typer.echo(f"{done.account}: {'HALTED' if done.halted else 'reset, entries may open'}")
    for line in done.lines:
        typer.echo(f"  {line}")
    for line in done.problems:
        typer.echo(f"  problem: {line}", err=True)


def _venue(place: AccountPlace, state: Path) -> OpenOrders | None:
    """Whoever can ask what is open; a paper account has no venue."""
    import os  # noqa: PLC0415

    from runners.live.secrets import DOT_ENV  # noqa: PLC0415
    from runners.operating.standing import orders_of  # noqa: PLC0415

    return orders_of(place, state, os.environ, DOT_ENV, lambda text: typer.echo(text, err=True))


if __name__ == "__main__":
    run(app, prog="python -m runners.halt")
