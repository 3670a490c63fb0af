"""`flatten`: shut entries, take back orders and close positions, whether the node runs, hangs or is dead."""

from __future__ import annotations

import typer

from runners._cli import new_app, run
from runners._trust import AsJson, Setting
from runners.accounts import Account
from runners.operating.options import Config, Everyone, PatienceSecs, State, Symbols, Yes

app = new_app("Close an account's positions and orders, past its node.")


@app.command()
def flatten(
    config: Config = None,
    account: Account = None,
    symbol: Symbols = None,
    everyone: Everyone = False,
    yes: Yes = False,
    patience: PatienceSecs = 60.0,
    settings: Setting = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Shut entries, cancel our orders, close positions reduce-only at the market, and look until two looks show nothing.

    A stop that protects a position stays until that is flat. Entries stay shut until python -m runners.halt --reset.

    Example: python -m runners flatten --account demo-1
    """
    from runners.operating.cli import perform, symbols_of  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.operating.commanding import Wish  # noqa: PLC0415
    from runners.operating.reach import find_target  # noqa: PLC0415

    target = find_target(config, account, state, settings or ())
    wish = Wish(True, everyone, symbols_of(symbol), True, patience)
    raise typer.Exit(perform(target, wish, yes=yes, json_wanted=as_json))


if __name__ == "__main__":
    run(app, prog="python -m runners.flatten")
