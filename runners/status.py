"""`status`: how accounts stand, node or no node, and how a backtest ended."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson
from runners.accounts import DEFAULT_STATE, Account, StateFolder
from runners.run_names import DEFAULT_RUNS, RunsFolder

app = new_app("Show limits, their use, breakers and switch.")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A backtest instead: how it ended.")] = None,
    account: Account = None,
    state: StateFolder = DEFAULT_STATE,
    folder: RunsFolder = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Show every account (or one): limits and their use, breakers open and learning, arm token, latch history, halt reason.

    Example: python -m runners status --account demo-1
    """
    import time  # noqa: PLC0415 - nothing heavy is imported for --help

    from errors import UsageError  # noqa: PLC0415
    from runners import status_view  # noqa: PLC0415
    from runners.accounts import find_account, list_accounts  # noqa: PLC0415
    from runners.run_names import find_run  # noqa: PLC0415
    from runners.run_tables import show  # noqa: PLC0415

    if name is not None:
        looks = status_view.of_run(find_run(name, folder))
    else:
        places = [find_account(state, account)] if account is not None else list_accounts(state)
        if not places:
            raise UsageError(
                f"there is no account under {state}: no node ever ran here. Of a backtest: python -m runners status last"
            )
        looks = [status_view.of_account(state, place, time.time_ns()) for place in places]
    if as_json:
        typer.echo(json.dumps([look.as_json() for look in looks], indent=1))
        return
    for look in looks:
        for part in status_view.parts(look):
            show(part)


if __name__ == "__main__":
    run(app, prog="python -m runners.status")
