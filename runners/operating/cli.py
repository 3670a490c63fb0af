"""What `cancel` and `flatten` share on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable

import typer
from rich.console import Console

from runners.live.secrets import DOT_ENV
from runners.operating.commanding import UNCLEAN, Operation, Talk, Wish
from runners.operating.found import Row
from runners.operating.reach import Target
from runners.operating.view import Outcome, as_json, table

FILE_WIDTH = 160


def perform(target: Target, wish: Wish, *, yes: bool, json_wanted: bool) -> int:
    """Run one command and print what came of it.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    HyperTradingError
        When it may not begin.
    """
    say = _saying(sys.stderr if json_wanted else sys.stdout)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    operation = Operation(target, wish, Talk(say, _asking(wish) if asks else None), os.environ, DOT_ENV)
    try:
        outcome = asyncio.run(operation.run())
    except KeyboardInterrupt:
        outcome = operation.outcome
        outcome.verdict = "interrupted: what is left at the venue was NOT verified; run the command again"
        outcome.exit_code = UNCLEAN
    if json_wanted:
        typer.echo(json.dumps(as_json(outcome), indent=1))
    else:
        _print(outcome)
    return outcome.exit_code


def _print(outcome: Outcome) -> None:
    console = _console()
    if outcome.rows:
        console.print(table(list(outcome.rows), outcome.command))
    for text in outcome.problems:
        console.print(f"  problem: {text}", markup=False, highlight=False, soft_wrap=True)
    for text in outcome.lines:
        if not text.startswith("entries of"):  # told when it was done
            console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
    style = "bold green" if outcome.exit_code == 0 else "bold red"
    console.print(outcome.verdict, style=style, markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    screen = Console()
    return screen if screen.is_terminal else Console(width=FILE_WIDTH)


def _saying(stream: object) -> Callable[[str], None]:
    to_error = stream is sys.stderr
    return lambda text: typer.echo(text, err=to_error)


def _asking(wish: Wish) -> Callable[[list[Row], str], bool]:
    def ask(rows: list[Row], question: str) -> bool:
        _console().print(table(rows, f"{wish.name}: found"))
        try:
            return typer.confirm(question)
        except typer.Abort:
            return False

    return ask


def symbols_of(given: list[str] | None) -> tuple[str, ...]:
    """Symbols as the venue spells them; instrument ids are understood too."""
    return tuple(dict.fromkeys(name.strip().upper().removesuffix("-PERP.BINANCE") for name in given or ()))
