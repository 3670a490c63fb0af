"""`soak`: a long session as fast as the node keeps up, with random faults from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson

if TYPE_CHECKING:
    from crash.course import Course

app = new_app("Trade as fast as the node keeps up, with faults.")


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=0.5, help="Longest duration.")] = 600.0,
    messages: Annotated[
        int | None, typer.Option(min=1000, help="Messages to be handled; default: those of 24 hours.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of market and faults.")] = 1,
    keep: Annotated[Path | None, typer.Option(help="Folder for ledger, journal and log.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a soak; the last line is the verdict. Exit code 0: nothing found, no unhandled error, memory flat; 1: else.

    Example: python -m runners soak --minutes 3 --seed 7
    """
    import tempfile  # noqa: PLC0415 - nothing heavy is imported for --help

    from crash.processes import run_with_lives  # noqa: PLC0415
    from crash.soak import DAY_MESSAGES, Soak  # noqa: PLC0415

    def told(course: Course) -> None:
        if not as_json:
            typer.echo(
                f"{course.secs:6.0f} s  {course.messages:>10,} messages  pace {course.rate:,.0f} events/s  {_memory(course)}"
            )

    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) if keep is None else keep
        place.mkdir(parents=True, exist_ok=True)
        course = run_with_lives(Soak(place, seed, minutes, messages or DAY_MESSAGES, told).run())
    _say(course, as_json=as_json)
    raise typer.Exit(0 if course.passes else 1)


def _memory(course: Course) -> str:
    return f"{course.memory[-1][-1] / 1e6:.0f} MB" if course.memory and course.memory[-1] else ""


def _say(course: Course, *, as_json: bool) -> None:
    found = [f"{one.verdict}: {one.text}" for one in course.judgement.findings]
    if as_json:
        facts = {
            "messages": course.messages, "secs": round(course.secs, 1), "memory_growth": course.growth,
            "stalled_secs": round(course.stalled, 1), "exit_code": course.exit_code, "restarts": course.restarts,
            "errors": course.errors, "faults": course.faults, "findings": found,
            "last_line": course.last_line,
        }  # fmt: skip
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    from crash.course import STALL_SECS  # noqa: PLC0415 - nothing heavy is imported for --help

    activity = course.judgement.activity
    typer.echo(
        f"orders: {activity.accepted} accepted, {activity.partial} partly filled, {activity.cancelled} cancelled"
    )
    typer.echo("faults: " + (", ".join(f"{name} {count}" for name, count in sorted(course.faults.items())) or "none"))
    if course.stalled > STALL_SECS:
        typer.echo(
            f"this machine kept the venue standing still for up to {course.stalled:.1f} s: stops may be later by that"
        )
    typer.echo(f"the node ended with exit code {course.exit_code}")
    for line in course.restarts:
        typer.echo(f"  a session ended by itself, the next one went on: {line}")
    for line in (*course.errors, *found):
        typer.echo(f"  {line}")
    typer.echo(course.last_line)


if __name__ == "__main__":
    run(app, prog="python -m runners.soak")
