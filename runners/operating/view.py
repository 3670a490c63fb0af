"""What a command prints: short, and certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.markup import escape
from rich.table import Table

from runners.operating.found import Row

CLEAN, NOTHING, NOT_CLEAN = "clean", "nothing to do", "NOT CLEAN"


@dataclass(slots=True)
class Outcome:
    """One command from start to end.

    Attributes
    ----------
    command, alias, environment, account
        What was done to whom.
    holder
        Who holds the account; None where nobody does.
    halted
        Aliases whose entries were shut.
    rows
        What was found and done.
    clean
        Whether two looks showed nothing that was meant.
    verdict
        The last sentence.
    lines, problems
        What was done besides; what failed on the way.
    exit_code
        Of the command.
    """

    command: str
    alias: str
    environment: str = ""
    account: str = ""
    holder: str | None = None
    halted: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    clean: bool = False
    verdict: str = ""
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    exit_code: int = 6


def table(rows: Sequence[Row], title: str) -> Table:
    """Orders and positions, what was meant first."""
    made = Table(title=title, title_justify="left")
    for name in ("what", "symbol", "side", "quantity", "id", "whose", "done"):
        made.add_column(name, no_wrap=name in ("symbol", "side", "quantity", "id"))
    for row in sorted(rows, key=lambda row: (not row.left, row.what == "position", row.symbol)):
        style = "bold red" if row.left else ""
        quantity = f"{row.quantity.normalize():f}" if row.quantity else "all"  # a stop that closes whatever is held
        cells = (row.what, row.symbol, row.side, quantity, row.name, row.whose, row.done)
        made.add_row(*(escape(cell) for cell in cells), style=style)
    return made


def as_json(found: Outcome) -> dict[str, Any]:
    """The outcome for a script; figures are decimal text."""
    shown = asdict(found)
    for row in shown["rows"]:
        row["quantity"] = f"{row['quantity']:f}"
    return shown
