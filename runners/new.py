"""`new strategy NAME`: a strategy of one's own, with its test and configuration, ready to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, AsJson, Workspace
from runners.scaffold import write_strategy

app = new_app("Write a strategy of your own, with its test and configuration.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """Write a strategy of your own, with its test and configuration."""


@app.command()
def strategy(
    name: Annotated[str, typer.Argument(help="Name of the strategy: a-z, 0-9 and _.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Write strategy, test and YAML into the workspace; nothing is overwritten.

    Example: python -m runners new strategy my_idea
    """
    written = [_shown(path) for path in write_strategy(name, workspace)]
    if as_json:
        typer.echo(json.dumps(written, indent=1))
        return
    code, test, config = written[:3]
    place = "" if workspace == DEFAULT_WORKSPACE else f" --workspace {workspace}"
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(f"test:  uv run pytest {test}\nrun:   uv run python -m runners.backtest {config}{place}")
    typer.echo(f"edit:  {code}")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


if __name__ == "__main__":
    run(app, prog="python -m runners.new")
