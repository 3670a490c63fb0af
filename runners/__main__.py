"""`python -m runners COMMAND`: the list of commands."""

from __future__ import annotations

from runners._cli import LazyGroup, new_app, run

ABOUT = "Hyper-Trading: from a recorded order book to a backtest one can believe."

app = new_app(ABOUT, cls=LazyGroup, no_args_is_help=True)


@app.callback()
def root() -> None:
    """Hyper-Trading: from a recorded order book to a backtest one can believe.

    Example: python -m runners backtest backtest_configs/btc.yaml
    """


if __name__ == "__main__":
    run(app, prog="python -m runners")
