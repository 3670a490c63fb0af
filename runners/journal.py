"""`journal`: verify, show and back up the order journal of an account, also while its node writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners._cli import new_app, run
from runners._trust import AsJson
from runners.accounts import DEFAULT_STATE, Account, StateFolder

if TYPE_CHECKING:
    from execution.journal_read import OrderRecord

app = new_app("Verify, show or back up the order journal of an account.", no_args_is_help=True)

EXIT_FINDINGS = 4  # an unexplained mismatch
File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A journal file; or name it with --account.")]


@app.command()
def verify(
    file: File = None, account: Account = None, state: StateFolder = DEFAULT_STATE, as_json: AsJson = False
) -> None:
    """Read the whole file: damage, schema, the chain of venue messages from its first link, and all sums. Findings exit 4.

    Example: python -m runners journal verify --account demo-1
    """
    from dataclasses import asdict  # noqa: PLC0415 - nothing heavy is imported for --help

    from execution.journal_check import verify as look  # noqa: PLC0415

    found = look(_path(file, account, state))
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"path": found.path.as_posix(), "ok": not found.findings}, indent=1))
    else:
        for line in found.findings:
            typer.echo(f"finding: {line}")
        rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.rows.items())
        typer.echo(f"{found.path}: schema {found.schema_version}, {rows}")
        typer.echo(f"head of the chain: {found.head.seq} {found.head.hash or '-'}")
        typer.echo(f"{len(found.findings)} findings" if found.findings else "whole, unchanged, and it adds up")
    if found.findings:
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def show(
    file: File = None, account: Account = None, state: StateFolder = DEFAULT_STATE, as_json: AsJson = False
) -> None:
    """Show whose journal it is, its sessions, positions, open orders and epochs.

    Example: python -m runners journal show --account demo-1
    """
    from execution.journal_read import read_journal  # noqa: PLC0415
    from runners import journal_view  # noqa: PLC0415
    from runners.run_tables import show as put  # noqa: PLC0415

    found = read_journal(_path(file, account, state))
    if as_json:
        typer.echo(json.dumps(journal_view.as_json(found), indent=1))
        return
    for part in journal_view.parts(found):
        put(part)


@app.command()
def orders(
    file: File = None,
    account: Account = None,
    state: StateFolder = DEFAULT_STATE,
    everything: Annotated[bool, typer.Option("--all", help="Closed orders too.")] = False,
    last: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders that the journal does not hold for over, or all of them.

    Example: python -m runners journal orders --account demo-1 --all
    """
    from execution.journal_read import read_journal  # noqa: PLC0415
    from runners import journal_view  # noqa: PLC0415
    from runners.run_tables import show as put  # noqa: PLC0415

    found = read_journal(_path(file, account, state))
    rows: tuple[OrderRecord, ...] = (found.orders if everything else found.open_orders)[-last:]
    if as_json:
        typer.echo(json.dumps([journal_view.order_json(row) for row in rows], indent=1))
    elif rows:
        put(journal_view.orders_table(rows))
    else:
        typer.echo(f"{found.path}: no {'order' if everything else 'open order'}")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="File to write; it must not be there.")],
    file: Annotated[Path | None, typer.Option("--file", help="A journal file instead of an account's.")] = None,
    account: Account = None,
    state: StateFolder = DEFAULT_STATE,
) -> None:
    """Copy the journal as of one moment while its node goes on; the copy is complete or absent.

    Example: python -m runners journal backup --account demo-1 demo-1-2026-11-21.sqlite
    """
    from execution.journal_backup import back_up  # noqa: PLC0415
    from execution.journal_check import verify as look  # noqa: PLC0415

    source = _path(file, account, state)
    size = back_up(source, target)
    found = look(target)
    typer.echo(
        f"{target}: {size:,} bytes, {found.rows.get('orders', 0):,} orders, {found.rows.get('fills', 0):,} fills"
    )
    for line in found.findings:
        typer.echo(f"finding: {line}")
    if found.findings:
        raise typer.Exit(EXIT_FINDINGS)


def _path(file: Path | None, account: str | None, state: Path) -> Path:
    from errors import UsageError  # noqa: PLC0415
    from runners.accounts import find_account  # noqa: PLC0415
    from runners.journal_place import journal_of  # noqa: PLC0415

    if file is not None and account is not None:
        raise UsageError("name a journal file or an account, not both.")
    return file if file is not None else journal_of(find_account(state, account).path)


if __name__ == "__main__":
    run(app, prog="python -m runners.journal")
