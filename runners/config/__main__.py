"""`config`: check, show and compare configuration files, and print their schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from errors import UsageError
from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, AsJson, Setting, TrustCode, Workspace, trust_of
from runners.config import LiveResolved, Resolved, Trust, canonical_json, load_backtest, load_live, mode_of, to_yaml
from runners.config.schema import live_schema_text, schema_text
from runners.differences import differences
from runners.foreign import load_strategy
from runners.run_names import DEFAULT_RUNS, RunsFolder, find_run
from runners.wiring import params_class
from strategies.base import GuardedStrategy

app = new_app("Check, show and compare configuration files, or print their schema.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="YAML file of a run.")]


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="YAML files of runs.")],
    settings: Setting = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Resolve and validate files; the first mistake is named with file, line, key and what would be right.

    Example: python -m runners config check backtest_configs/btc.yaml
    """
    trust = trust_of(workspace, trust_code)
    found = [_about(_load(path, settings or (), trust)) for path in files]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for row in found:
        typer.echo(f"{row['file']}: valid, {row['name']} {row['hash'][:8]}, {', '.join(row['strategies'])}")


def _load(path: Path, settings: Sequence[str], trust: Trust) -> Resolved | LiveResolved:
    """Resolve a file as what its `mode` says it is."""
    load = load_backtest if mode_of(path) == "backtest" else load_live
    return load(path, settings, trust)


def _about(resolved: Resolved | LiveResolved) -> dict[str, Any]:
    config = resolved.config
    entries = [f"{entry.id} ({entry.class_path})" for entry in config.strategies]
    return {"file": str(resolved.source), "name": config.name, "hash": resolved.hash, "strategies": entries}


@app.command()
def show(
    file: File,
    settings: Setting = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Print a file with every default filled in.

    Example: python -m runners config show backtest_configs/btc.yaml --set venue.leverage=2
    """
    resolved = _load(file, settings or (), trust_of(workspace, trust_code))
    typer.echo(canonical_json(resolved.config) if as_json else to_yaml(resolved.config), nl=as_json)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="YAML file, run directory, beginning of a run id, or last.")],
    b: Annotated[str, typer.Argument(help="The other one.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    folder: RunsFolder = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Compare two configurations after defaults are filled in: what looks different may be equal.

    Example: python -m runners config diff backtest_configs/btc.yaml last
    """
    trust = trust_of(workspace, trust_code)
    left, right = (_resolved(name, folder, trust) for name in (a, b))
    found = differences(left, right)
    if as_json:
        typer.echo(json.dumps([{"key": d.key, "a": d.a, "b": d.b} for d in found], indent=1))
        return
    for difference in found:
        typer.echo(f"{difference.key}: {_short(difference.a)} → {_short(difference.b)}")
    typer.echo(f"{len(found)} keys differ." if found else "equal.")


def _resolved(name: str, folder: Path, trust: Trust) -> dict[str, Any]:
    if Path(name).is_file():
        dumped: dict[str, Any] = _load(Path(name), (), trust).config.model_dump(mode="json", by_alias=True)
        return dumped
    if Path(name).suffix in (".yaml", ".yml"):
        raise UsageError(f"there is no file {name}.")
    manifest = json.loads((find_run(name, folder) / "manifest.json").read_text(encoding="utf-8"))
    config: dict[str, Any] = manifest["config"]
    return config


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@app.command()
def schema(
    cls: Annotated[
        str | None,
        typer.Option("--class", metavar="MODULE:CLASS", help="Print the parameters of this strategy instead."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Print that of a live file.")] = False,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
) -> None:
    """Print the JSON Schema of a file, for editors, or of one strategy's parameters.

    Example: python -m runners config schema --class strategies.order_flow:OrderFlow
    """
    if cls is None:
        typer.echo(live_schema_text() if live else schema_text(), nl=False)
        return
    trust = trust_of(workspace, trust_code)
    found = load_strategy(cls, trusted=trust.everything, workspace=trust.workspace)
    if not issubclass(found, GuardedStrategy):
        raise UsageError(
            f"{cls} is a plain Nautilus strategy: its parameters are those of its config class, without a schema."
        )
    typer.echo(json.dumps(params_class(found).model_json_schema(), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    run(app, prog="python -m runners.config")
