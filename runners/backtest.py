"""`python -m runners.backtest CONFIG`: replay a market, print the table, leave a run directory."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, Setting, TrustCode, Workspace, trust_of

app = new_app("Replay a market through strategies and write a report.")


@app.command()
def backtest(
    config: Annotated[Path, typer.Argument(help="YAML file of the run.")],
    settings: Setting = None,
    output: Annotated[Path | None, typer.Option(help="The run directory itself; it must not exist.")] = None,
    open_report: Annotated[bool, typer.Option("--open", help="Show the report in the browser.")] = False,
    accept_grade: Annotated[
        str | None, typer.Option(metavar="G", help="Accept certificates down to this grade.")
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
) -> None:
    """Replay a market through strategies and write a report.

    Example: python -m runners.backtest backtest_configs/btc.yaml --set venue.fees.maker_bps=1.5
    """
    from errors import UsageError  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.config import load_backtest  # noqa: PLC0415
    from runners.session import Options, backtest  # noqa: PLC0415

    if accept_grade is not None and accept_grade.upper() not in tuple("ABCDEF"):
        raise UsageError(f"--accept-grade {accept_grade} is not a grade; write one of A, B, C, D, E, F.")
    trust = trust_of(workspace, trust_code)
    options = Options(output, accept_grade.upper() if accept_grade else None, trust)
    resolved = load_backtest(config, settings or (), trust)
    with _progress() as progress:
        place, summary = backtest(resolved, options, progress)
    _show(place, summary, as_json=as_json)
    if open_report:
        webbrowser.open((place / "report.html").resolve().as_uri())


def _show(place: Path, summary: object, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write((place / "summary.json").read_text(encoding="utf-8"))
        return
    from rich.console import Console  # noqa: PLC0415

    from monitoring.report import terminal  # noqa: PLC0415

    Console().print(terminal(summary, place))  # type: ignore[arg-type]


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description:<14}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def update(stage: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=1.0)
            bar.update(tasks[stage], completed=fraction)

        yield update


if __name__ == "__main__":
    run(app, prog="python -m runners.backtest")
