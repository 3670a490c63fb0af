"""`incident`: what was kept of a trip, listed, told and replayed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from runners._cli import new_app, run
from runners._trust import DEFAULT_WORKSPACE, AsJson, TrustCode, Workspace, trust_of
from runners.accounts import DEFAULT_STATE, StateFolder
from runners.run_names import DEFAULT_RUNS, RunsFolder

app = new_app("List, show or replay what was kept of a trip.", no_args_is_help=True)

IncidentName = Annotated[str, typer.Argument(metavar="ID", help="Beginning of an id, folder of an incident, or last.")]


@app.command(name="list")
def list_(folder: RunsFolder = DEFAULT_RUNS, state: StateFolder = DEFAULT_STATE, as_json: AsJson = False) -> None:
    """List incidents of all runs and accounts, newest first.

    Example: python -m runners incident list
    """
    from runners.incidents import telling  # noqa: PLC0415 - nothing heavy is imported for --help
    from runners.incidents.finding import list_incidents  # noqa: PLC0415
    from runners.run_tables import show as print_part  # noqa: PLC0415

    found = list_incidents(folder, state)
    if as_json:
        typer.echo(json.dumps([telling.as_json(one) for one in found], indent=1))
    elif not found:
        typer.echo(f"no incident in {folder} or {state}: nothing has tripped.")
    else:
        print_part(telling.list_table(found))


@app.command()
def show(
    name: IncidentName = "last", folder: RunsFolder = DEFAULT_RUNS, state: StateFolder = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Tell what happened: the market, the last orders, the edges, the limits.

    Example: python -m runners incident show last
    """
    from runners.incidents import telling  # noqa: PLC0415
    from runners.incidents.finding import find_incident  # noqa: PLC0415
    from runners.run_tables import show as print_part  # noqa: PLC0415

    found = find_incident(name, folder, state)
    if found.incident is None:
        return
    if as_json:
        typer.echo(found.incident.model_dump_json(indent=1))
        return
    for part in telling.story(found, found.incident):
        print_part(part)


@app.command()
def replay(
    name: IncidentName = "last",
    folder: RunsFolder = DEFAULT_RUNS,
    state: StateFolder = DEFAULT_STATE,
    workspace: Workspace = DEFAULT_WORKSPACE,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Replay it: same strategies, breakers and gate on its own market data; say which risk events came again.

    Example: python -m runners incident replay last
    """
    from runners.incidents import matching, telling  # noqa: PLC0415
    from runners.incidents.finding import find_incident  # noqa: PLC0415
    from runners.incidents.replaying import replay_incident  # noqa: PLC0415
    from runners.run_tables import show as print_part  # noqa: PLC0415

    found = find_incident(name, folder, state)
    if found.incident is None:
        return
    done = replay_incident(found.place, found.incident, trust_of(workspace, trust_code))
    if as_json:
        said = list(telling.verdicts(found.incident, done))
        typer.echo(json.dumps({"events": [matching.as_json(pair) for pair in done.matches], "said": said}, indent=1))
        return
    print_part(f"Replay of {found.id}: {telling.clock(found.incident.ts_ns, date=True)} UTC, {found.incident.reason}")
    for part in telling.replay_parts(found.incident, done):
        print_part(part)


if __name__ == "__main__":
    run(app, prog="python -m runners.incident")
