"""How a session stands: a table that renews itself on a terminal, a JSON line now and then otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from monitoring.report import Summary, terminal

QUIET_SECS = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at a session.

    Attributes
    ----------
    phase
        ``starting``, ``warm-up``, ``trading``, ``halted`` or ``stopping``.
    running_secs
        Since the node started.
    mids, positions
        By instrument id; base units.
    equity, pnl
        Settlement currency; None before the account is known.
    working, orders, fills, refusals, events
        Counts.
    feed_age_secs
        Since the last market message.
    note
        Why it is halted, where it is.
    latency
        Median / 99th percentile by name.
    """

    phase: str
    running_secs: float
    equity: Decimal | None
    pnl: Decimal | None
    working: int
    orders: int
    fills: int
    refusals: int
    events: int
    feed_age_secs: float
    mids: Mapping[str, Decimal | None] = field(default_factory=dict)
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    note: str = ""
    latency: Mapping[str, str] = field(default_factory=dict)


class Screen(Protocol):
    """Where a session speaks."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, event: str, text: str, **facts: Any) -> None:
        """Tell one thing that happened."""

    def show(self, standing: Standing) -> None:
        """Renew the status."""

    def result(self, summary: Summary, place: Path) -> None:
        """Show what came out."""


class JsonLines:
    """One JSON object a line; the status only every `every_secs`.

    Parameters
    ----------
    out
        Where to.
    every_secs
        Least time between two status lines.
    """

    def __init__(self, out: TextIO | None = None, every_secs: float = QUIET_SECS) -> None:
        self._out, self._every_secs = out or sys.stdout, every_secs
        self._shown_secs = -every_secs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def say(self, event: str, text: str, **facts: Any) -> None:
        """See `Screen.say`."""
        self._write({"event": event, "text": text, **facts})

    def show(self, standing: Standing) -> None:
        """See `Screen.show`."""
        if standing.running_secs - self._shown_secs >= self._every_secs:
            self._shown_secs = standing.running_secs
            self._write({"event": "status", **asdict(standing)})

    def result(self, summary: Summary, place: Path) -> None:
        """See `Screen.result`; the summary is a file."""
        del summary, place

    def _write(self, line: Mapping[str, Any]) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._out.write(json.dumps({"time": stamp, **line}, default=_plain, ensure_ascii=False) + "\n")
        self._out.flush()


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class Terminal:
    """A table at the bottom, what happened above it.

    Parameters
    ----------
    console
        Where to.
    title
        Of the table.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._console, self._title = console, title

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, event: str, text: str, **facts: Any) -> None:
        """See `Screen.say`."""
        del facts
        style = {"fault": "bold red", "alert": "bold red", "warning": "yellow", "stopping": "bold"}.get(event, "")
        self._console.print(f"{datetime.now(UTC):%H:%M:%S}  {text}", style=style, markup=False, highlight=False)

    def show(self, standing: Standing) -> None:
        """See `Screen.show`."""
        self._live.update(_table(self._title, standing), refresh=True)

    def result(self, summary: Summary, place: Path) -> None:
        """See `Screen.result`."""
        self._console.print(terminal(summary, place))


def _table(title: str, standing: Standing) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_row("phase", f"{standing.phase}  {standing.running_secs:.0f} s  {standing.note}".rstrip())
    equity = "–" if standing.equity is None else f"{standing.equity:,.2f}  ({standing.pnl or 0:+,.2f})"
    table.add_row("equity", equity)
    for name, mid in standing.mids.items():
        price = "–" if mid is None else f"{mid:,.2f}"
        table.add_row(name, f"mid {price}   position {standing.positions.get(name, Decimal(0)):f}")
    table.add_row("orders", f"{standing.orders} sent, {standing.working} working, {standing.refusals} refused")
    table.add_row("fills", str(standing.fills))
    table.add_row("feed", f"{standing.events:,} messages, last {standing.feed_age_secs:.1f} s ago")
    if standing.latency:
        said = (f"{name.replace('_', ' ')} {value}" for name, value in standing.latency.items())
        table.add_row("p50 / p99", ", ".join(said))
    return table
