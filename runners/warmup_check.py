"""`warmup-check CONFIG`: tell whether the warm-up is long enough."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import RunFailed, UsageError
from runners._cli import new_app, run
from runners._progress import progress_bar
from runners._trust import DEFAULT_WORKSPACE, AsJson, Setting, TrustCode, Workspace, trust_of

if TYPE_CHECKING:
    from runners.warm_up import WarmUp

app = new_app("Tell whether the warm-up is long enough.")


@app.command()
def warmup_check(
    config: Annotated[Path, typer.Argument(help="YAML file of a run.")],
    settings: Setting = None,
    factors: Annotated[str, typer.Option(help="Multiples of data.warmup_secs to compare.")] = "1,2,4",
    tolerance_pct: Annotated[float, typer.Option(min=0, max=100, help="Share of decisions that may differ.")] = 0.0,
    tolerance_bps: Annotated[
        float, typer.Option(min=0, max=1000, help="Prices no further apart than this are the same, basis points.")
    ] = 0.0,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Start at the same instant after longer and longer warm-ups. Exit code 1 when the configured one decides otherwise.

    Example: python -m runners warmup-check my/lean.yaml --factors 1,2,4,8
    """
    multiples = _factors(factors)
    from runners.config import load_backtest  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.market import open_market  # noqa: PLC0415
    from runners.warm_up import warm_up  # noqa: PLC0415

    trust = trust_of(workspace, trust_code)
    resolved = load_backtest(config, settings or (), trust)
    with progress_bar("replaying", 1.0) as advance:
        found = warm_up(resolved, open_market(resolved.config), trust, multiples, advance, tolerance_bps)
    enough = found.enough_secs(tolerance_pct / 100)
    passed = enough == found.lengths[0].secs
    if as_json:
        typer.echo(json.dumps({"passed": passed, "enough_secs": enough, **asdict(found)}, indent=1, default=str))
    else:
        _print(found)
    if not passed:
        raise RunFailed(_advice(found, enough))
    if not as_json:
        typer.echo(f"{found.lengths[0].secs:g} s of warm-up are enough: {_agreement(tolerance_pct, tolerance_bps)}.")


def _agreement(tolerance_pct: float, tolerance_bps: float) -> str:
    """Say what was found, with the tolerances that were asked for."""
    share = "longer ones decide the same" if not tolerance_pct else f"at most {tolerance_pct:g} % of decisions differ"
    return share if not tolerance_bps else f"{share} (prices within {tolerance_bps:g} bps count as the same)"


def _factors(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    found = sorted({int(part) for part in parts if part.isdecimal()})
    if not all(part.isdecimal() for part in parts) or len(found) < 2 or found[0] < 1:
        raise UsageError(f"--factors {text} is not a list of at least two whole numbers, such as 1,2,4.")
    return tuple(found)


def _advice(found: WarmUp, enough: float | None) -> str:
    first, longest = found.lengths[0].secs, found.lengths[-1].secs
    if enough is None:
        return (
            f"{first:g} s of warm-up are too short, and {longest:g} s may be: decisions still change with the length."
        )
    return f"{first:g} s of warm-up are too short: decisions settle from {enough:g} s on; set data.warmup_secs to it."


def _print(found: WarmUp) -> None:
    from runners.decision_text import decision_text, moment  # noqa: PLC0415

    typer.echo(f"trading starts at {moment(found.start_ns)}")
    for length in found.lengths[:-1]:
        head = f"{length.secs:g} s: {length.differing:,} of {length.decisions:,} decisions differ"
        typer.echo(f"{head} ({length.share:.1%}) from those after {found.lengths[-1].secs:g} s")
        if length.parting is not None:
            typer.echo(decision_text(length.parting, f"{length.secs:g} s", f"{found.lengths[-1].secs:g} s"))


if __name__ == "__main__":
    run(app, prog="python -m runners.warmup_check")
