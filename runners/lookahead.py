"""`lookahead CONFIG`: prove that no order depends on data after it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import RunFailed
from runners._cli import new_app, run
from runners._progress import progress_bar
from runners._trust import DEFAULT_WORKSPACE, AsJson, Setting, TrustCode, Workspace, trust_of

if TYPE_CHECKING:
    from runners.look_ahead import Cut

app = new_app("Prove that no order depends on data after it.")


@app.command()
def lookahead(
    config: Annotated[Path, typer.Argument(help="YAML file of a run.")],
    settings: Setting = None,
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="How many times the data is cut off.")] = 8,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Cut the data off after some of the orders: up to there every order must stay the same. Exit code 1 when one changes.

    Example: python -m runners lookahead my/lean.yaml --cuts 20
    """
    from runners.config import load_backtest  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.look_ahead import look_ahead  # noqa: PLC0415
    from runners.market import open_market  # noqa: PLC0415

    trust = trust_of(workspace, trust_code)
    resolved = load_backtest(config, settings or (), trust)
    with progress_bar("replaying", 1.0) as advance:
        found = look_ahead(resolved, open_market(resolved.config), trust, cuts, advance)
    if as_json:
        rows = [{**asdict(cut), "passed": cut.passed} for cut in found]
        typer.echo(json.dumps({"passed": all(cut.passed for cut in found), "cuts": rows}, indent=1, default=str))
    else:
        for cut in found:
            typer.echo(_line(cut))
    changed = [cut for cut in found if not cut.passed]
    if changed:
        raise RunFailed(
            f"look-ahead: decisions changed at {len(changed)} of {len(found)} cuts when the data after them was gone."
        )
    if not as_json:
        typer.echo(f"no look-ahead: decisions are the same at all {len(found)} cuts.")


def _line(cut: Cut) -> str:
    from runners.decision_text import decision_text, moment  # noqa: PLC0415

    head = f"data before {moment(cut.end_ns)}: "
    if cut.error is not None:
        return f"{head}the run failed without the data after it: {cut.error}"
    if cut.parting is None:
        return f"{head}{cut.compared:,} decisions, all the same"
    return f"{head}decision {cut.parting.index + 1:,} of {cut.compared:,} changed\n" + decision_text(
        cut.parting, "all data", "cut off"
    )


if __name__ == "__main__":
    run(app, prog="python -m runners.lookahead")
