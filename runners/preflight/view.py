"""The report for a person and for a script."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runners.preflight.report import Report, Result

STYLES = {Result.OK: "green", Result.WARN: "yellow", Result.REFUSED: "bold red", Result.NOT_CHECKABLE: "dim"}


def table(report: Report) -> RenderableType:
    """One row per check, and whether a session may start."""
    title = f"preflight · {report.alias} · {report.mode} · {report.environment} at {report.host}"
    shown = Table(title=title, title_justify="left")
    for name in ("check", "result", "figures", "what to do"):
        shown.add_column(name, overflow="fold", no_wrap=name in ("check", "result"))
    for check in report.checks:
        style = STYLES[check.result]
        shown.add_row(check.name, Text(check.result, style=style), Text(check.figures), Text(check.todo))
    return Group(shown, _verdict(report))


def _verdict(report: Report) -> Text:
    counts = ", ".join(f"{len(found)} {result}" for result in Result if (found := report.of(result)))
    gravest = report.gravest
    if gravest is None:
        return Text(f"May start: {counts}.", style="green")
    return Text(f"Start REFUSED (exit code {report.exit_code}; {counts}). {gravest.sentence}", style="bold red")


def as_json(report: Report) -> dict[str, Any]:
    """The same for a script."""
    rows = [
        {
            "check": check.name, "result": str(check.result), "figures": check.figures, "todo": check.todo,
            "exit_code": check.error.exit_code if check.result is Result.REFUSED else None,
        }
        for check in report.checks
    ]  # fmt: skip
    return {
        "alias": report.alias, "mode": report.mode, "environment": report.environment, "host": report.host,
        "may_start": report.may_start, "exit_code": report.exit_code, "checks": rows,
    }  # fmt: skip
