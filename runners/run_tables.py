"""What `runs` prints: tables for a terminal, wide enough for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from runners.comparing import BoundComparison, Comparison, Parting
from runners.decision_text import decision_text, moment, row_text
from runners.differences import MISSING, Difference

FILE_WIDTH = 160
SHOWN_KEYS = 40


def show(part: RenderableType) -> None:
    """Print for a terminal, or unwrapped into a file."""
    screen = Console()
    (screen if screen.is_terminal else Console(width=FILE_WIDTH)).print(part)


def list_table(found: Sequence[Mapping[str, Any]]) -> Table:
    """One row per run."""
    table = Table("run", "status", "verdict", "net", "fills", "max drawdown", "data", "config")
    for row in found:
        net = f"{row['net_pnl']:+,.2f} {row['currency']}"
        data = "SYNTHETIC" if row["synthetic"] else "recorded"
        cells = (
            row["run_id"],
            row["status"],
            row["verdict"],
            net,
            f"{row['fills']:,}",
            f"{row['max_drawdown']:.2%}",
            data,
        )
        table.add_row(*cells, str(row["config_hash"])[:8])
    return table


def comparison_tables(found: Comparison) -> Iterator[RenderableType]:
    """Configuration, origin, then one waterfall and one sentence on orders and fills per bound."""
    yield f"A  {escape(found.a)}\nB  {escape(found.b)}"
    yield _differences("configuration", found.config)
    yield _differences("code and data", found.origin)
    for name, bound in found.bounds.items():
        yield _waterfall(name, bound)
        yield escape(_sentence("orders", bound.orders, bound.counts["orders"]))
        yield escape(_sentence("fills", bound.fills, bound.counts["fills"]))
    for name in found.missing:
        yield f"only one of the two has the {escape(name)} bound."


def _differences(title: str, found: Sequence[Difference]) -> RenderableType:
    if not found:
        return f"{title}: equal"
    table = Table(title, "A", "B")
    rows = [(row.key, _value(row.key, row.a), _value(row.key, row.b)) for row in _folded(found)]
    for cells in rows[:SHOWN_KEYS]:
        table.add_row(*cells)
    if len(rows) > SHOWN_KEYS:
        table.add_row(f"… and {len(rows) - SHOWN_KEYS} more (--json shows all)", "", "")
    return table


def _folded(found: Sequence[Difference]) -> list[Difference]:
    """Differences, those of a strategy that only one run has as one row: its class, not its thirty keys."""
    classes = {row.key.removesuffix(".class"): row for row in found if row.key.endswith(".class")}
    alone = {place: row for place, row in classes.items() if MISSING in (row.a, row.b)}
    folded: list[Difference] = []
    for row in found:
        place = next((place for place in alone if row.key.startswith(f"{place}.")), None)
        if place is None:
            folded.append(row)
        elif row is alone[place]:
            folded.append(replace(row, key=place))
    return folded


def _value(key: str, value: Any) -> str:
    if value is None:
        return "null"
    return moment(value) if key.endswith("_ns") and isinstance(value, int) else _short(value)


def _waterfall(name: str, bound: BoundComparison) -> Table:
    table = Table(name, "A", "B", "B − A")
    for key, (a, b) in bound.waterfall.items():
        sign = -1 if key == "fees" else 1
        table.add_row(key, *(f"{sign * value + 0.0:+,.4f}" for value in (a, b, b - a)))
    table.add_row("residual", *(f"{value:+,.8f}" for value in (*bound.residual, bound.residual[1] - bound.residual[0])))
    for key, (first, second) in bound.counts.items():
        table.add_row(key.replace("_", " "), f"{first:,}", f"{second:,}", f"{second - first:+,}")
    return table


def _sentence(what: str, found: Parting | None, counts: tuple[int, int]) -> str:
    if found is None:
        return f"{what}: all {counts[0]:,} equal"
    where = (
        f"{what}: the first {found.index:,} are equal; " if found.index else f"{what}: they differ from the first on; "
    )
    if found.a is None or found.b is None:
        longer, row = ("A", found.a) if found.b is None else ("B", found.b)
        return f"{where}then only {longer} goes on, with {row_text(row)}"
    return f"{where}then\n{decision_text(found, 'A', 'B')}"


def _short(value: Any) -> str:
    text = str(value)
    return escape(text if len(text) <= 60 else text[:57] + "…")
