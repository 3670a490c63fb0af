"""`cancel`: take back every open order of an account, whether its node runs, hangs or is dead."""

from __future__ import annotations

from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson, Setting
from runners.accounts import Account
from runners.operating.options import Config, Everyone, PatienceSecs, State, Symbols, Yes

app = new_app("Cancel an account's open orders, past its node.")


@app.command()
def cancel(
    config: Config = None,
    account: Account = None,
    symbol: Symbols = None,
    everyone: Everyone = False,
    halt: Annotated[bool, typer.Option("--halt", help="Shut entries first, so that nothing is quoted again.")] = False,
    yes: Yes = False,
    patience: PatienceSecs = 60.0,
    settings: Setting = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Cancel our open orders, regular and conditional, on every symbol, and look until two looks show none.

    Stops that protect a position stay, and orders that are not ours; --all takes both. It needs no node and no lock.

    Example: python -m runners cancel --account demo-1
    """
    from runners.operating.cli import perform, symbols_of  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.operating.commanding import Wish  # noqa: PLC0415
    from runners.operating.reach import find_target  # noqa: PLC0415

    target = find_target(config, account, state, settings or ())
    wish = Wish(False, everyone, symbols_of(symbol), halt, patience)
    raise typer.Exit(perform(target, wish, yes=yes, json_wanted=as_json))


if __name__ == "__main__":
    run(app, prog="python -m runners.cancel")
