"""What `status` says of an account or of a finished run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from errors import CorruptData, DataError
from monitoring.report.run import BOUNDS
from risk.latch_log import LatchRecord
from runners import halting
from runners.accounts import AccountPlace, node_of
from runners.status_file import Status, Use, read_status

STALE_SECS = 5.0
"""A node renews its status every second."""
SHOWN_RECORDS = 10
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Look:
    """One account, or one queue bound of a run.

    Attributes
    ----------
    title
        Alias, or run and bound.
    halted
        Why entries are shut, in words; None while they are not.
    node
        Process id of the node that runs; None where none does, or for a run.
    age_secs
        Of the status; None where there is none, or for a run.
    status
        The last one.
    token
        In words.
    records
        The latch log.
    problem
        What could not be read.
    """

    title: str
    halted: str | None
    status: Status | None
    node: int | str | None = None
    age_secs: float | None = None
    token: str = ""
    records: Sequence[LatchRecord] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.title, "halted": self.halted, "node": self.node, "age_secs": self.age_secs, "token": self.token,
            "latch": [record.model_dump(mode="json") for record in self.records], "problem": self.problem,
            "status": None if self.status is None else json.loads(self.status.model_dump_json()),
        }  # fmt: skip


def of_account(state: Path, place: AccountPlace, now_ns: int) -> Look:
    """Look at an account: its files count, whatever the node last said."""
    found, problem = halting.standing(place), ""
    status: Status | None = None
    try:
        status = read_status(place.path)
    except CorruptData as error:
        problem = str(error)
    node = node_of(state, place)
    halted = found.halted
    if halted is None and status is not None and node is not None:
        halted = status.halted  # a daily loss is in the node's memory only
    age = None if status is None else (now_ns - status.ts_ns) / 1e9
    return Look(place.alias, halted, status, node, age, _token(found), found.records, problem)


def _token(found: halting.Standing) -> str:
    token = found.token
    if token is None:
        return "none" if found.halted is None or "cannot be read" not in found.halted else "cannot be read: halted"
    made = f"{moment(token.created_ns)} by {token.operator}: {token.reason}"
    return f"{token.identity.environment}, config {token.identity.config_hash[:8]}, made {made}"


def of_run(path: Path) -> list[Look]:
    """Look at how each queue bound of a run ended.

    Raises
    ------
    DataError
        When the run wrote none: it is older than this command.
    """
    found = [(bound, read_status(path / bound)) for bound in BOUNDS if (path / bound).is_dir()]
    looks = [Look(f"{path.name} · {bound}", status.halted, status) for bound, status in found if status is not None]
    if not looks:
        raise DataError(f"{path} holds no status: it was run by an older version; run it again.")
    return looks


def parts(look: Look) -> Iterator[RenderableType]:
    """What is printed, top to bottom."""
    state = f"[bold red]HALTED[/]: {escape(look.halted)}" if look.halted else _open(look)
    if look.halted is not None and look.halted.startswith(halting.NOT_ARMED):
        state = f"entries are shut: {escape(look.halted)}"
    yield f"[bold]{escape(look.title)}[/]  {state}"
    for line in _lines(look):
        yield f"  {escape(line)}"
    if look.status is not None:
        yield _limits(look.status)
        if look.status.breakers:
            yield _breakers(look.status)
    if look.records:
        yield _latch(look.records)


def _open(look: Look) -> str:
    """Not halted: of an account only a node that speaks can send an entry."""
    if look.age_secs is None or look.node is not None:
        return "[green]entries are open[/]"
    return "not halted; entries are open when a node runs"


def _node(look: Look, age_secs: float) -> str:
    """Whether a node runs, hangs, has ended, or has gone without a word."""
    phase = "" if look.status is None else look.status.phase
    if look.node is not None:
        silent = " and has not said so since: it hangs" if age_secs > STALE_SECS else ""
        return f"process {look.node} runs; the figures are {age_secs:,.0f} s old{silent}"
    gone = (
        ""
        if phase == "finished"
        else f", and the last one was gone without a word while it was {phase}: look at the venue"
    )
    return f"no node runs{gone}; the figures are {age_secs:,.0f} s old"


def _lines(look: Look) -> Iterator[str]:
    status = look.status
    if look.problem:
        yield f"problem: {look.problem}"
    if look.token:
        yield f"arm token: {look.token}"
    if look.age_secs is not None:
        yield f"node: {_node(look, look.age_secs)}"
    elif look.token:
        yield (
            "node: none has written a status here"
            if look.node is None
            else f"node: process {look.node} runs, without a status"
        )
    if status is None:
        return
    equity = "not known" if status.equity is None else f"{status.equity:,.2f} {status.currency}"
    day = "" if status.day_start is None else f", day began with {status.day_start:,.2f}"
    peak = "" if status.peak is None else f", peak {status.peak:,.2f}"
    yield f"phase: {status.phase}; equity {equity}{day}{peak}"
    held = ", ".join(f"{iid} {quantity:f}" for iid, quantity in status.positions.items()) or "flat"
    counts = f"{status.working} working orders, {status.orders} sent, {status.fills} fills, {status.refusals} refused"
    yield f"position: {held}; {counts}"
    if not status.breakers:
        yield "breakers: all closed"
    if status.learning:
        yield f"breakers still learning: {', '.join(status.learning)}"


def _limits(status: Status) -> Table:
    table = Table("limit", "used", "allowed", "share")
    for use in status.limits:
        share = use.share
        style = (
            "bold red" if share is not None and share > 1 else "yellow" if share is not None and share > NEAR else ""
        )
        cells = (_limit_name(use), _figure(use.used), f"{_figure(use.allowed)} {use.unit}")
        table.add_row(*cells, "–" if share is None else f"{share:.0%}", style=style)
    return table


def _limit_name(use: Use) -> str:
    return f"{use.limit} {use.instrument_id}".rstrip()


def _figure(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _breakers(status: Status) -> Table:
    table = Table("breaker", "state", "level", "since", "why")
    for one in status.breakers:
        name = f"{one.name} {one.instrument_id}".rstrip()
        table.add_row(name, one.state, one.level, moment(one.since_ns), escape(one.reason))
    return table


def _latch(records: Sequence[LatchRecord]) -> Table:
    table = Table("latch log", "when", "who", "why")
    for record in records[-SHOWN_RECORDS:]:
        table.add_row(str(record.act), moment(record.ts_ns), escape(record.operator or "system"), escape(record.reason))
    return table


def moment(ts_ns: int) -> str:
    """UTC to the second."""
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
