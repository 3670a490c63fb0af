"""What all commands share: lazy loading, one-sentence errors, exit codes."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from errors import HyperTradingError

COMMANDS: Mapping[str, str] = {
    "ingest": "Bring a recording or a generated sample into a catalog.",
    "catalog": "List, show, verify or remove what is in a catalog.",
    "backtest": "Replay a market through strategies and write a report.",
    "runs": "List, open, compare or remove past runs.",
    "export": "Write fills, round trips or income of a run as CSV.",
    "config": "Check, show or compare configuration files.",
    "new": "Write a strategy of your own, with its test and YAML.",
    "lookahead": "Prove that no order depends on data after it.",
    "warmup-check": "Tell whether the warm-up is long enough.",
    "venue": "Run a simulated Binance with scripted faults.",
    "preflight": "Check everything that a live session needs.",
    "live": "Run strategies on the live node.",
    "watchdog": "Watch a live node, and end it when it hangs.",
    "status": "Show limits, their use, breakers and switch.",
    "halt": "Halt an account, or reset a halt.",
    "cancel": "Cancel an account's open orders, past its node.",
    "flatten": "Close an account's positions and orders, past its node.",
    "recover": "Bring an account's journal and the venue together.",
    "audit": "Hold an account's journal against the venue.",
    "incident": "List, show or replay what was kept of a trip.",
    "journal": "Verify, show or back up an account's order journal.",
    "record": "Record public market streams to files.",
    "drill": "Break a live node on purpose and judge it by the venue.",
    "crash-matrix": "Crash a node at every write point, and judge.",
    "soak": "Trade as fast as the node keeps up, with faults.",
    "parity": "Replay a session's decisions and compare them.",
}
"""Name and help line of every command; the code is in ``runners/<name>.py`` and is imported when it is called."""

PACKAGES = frozenset({"config", "live", "preflight", "watchdog"})
"""Commands whose code is in ``runners/<name>/__main__.py``."""


class LazyGroup(TyperGroup):
    """Lists commands without importing them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Stand-in with the help line only."""
        del ctx
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called."""
        if args and args[0] in COMMANDS:
            module = importlib.import_module(module_of(args[0]))
            return args[0], typer.main.get_command(module.app), args[1:]
        return super().resolve_command(ctx, args)


def module_of(command: str) -> str:
    """Name of the module that holds a command's app."""
    name = f"runners.{command.replace('-', '_')}"
    return f"{name}.__main__" if command in PACKAGES else name


def new_app(help_text: str, **options: Any) -> typer.Typer:
    """Make the app of one command module. Plain help: rich would take three times as long to import as the rest."""
    plain: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
    return typer.Typer(help=help_text, **(plain | options))


def run(app: typer.Typer, arguments: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Run an app as a program: usage errors exit 2, our own errors with their code and one sentence on stderr."""
    _speak_anywhere()
    try:
        app(args=None if arguments is None else list(arguments), prog_name=prog)
    except HyperTradingError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error


def _speak_anywhere() -> None:
    """A sign that the terminal or pipe cannot show (a Windows code page) is written as its number: no session ends by it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
