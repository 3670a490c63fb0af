"""How a recorder shows itself: a table on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from adapters.binance.recorder.events import Event, Standing
from adapters.binance.recorder.recorder import Recorder

_REFRESH_SECS = 1.0
_RECENT = 8


class View(Protocol):
    """Shows events and how the recorder stands."""

    def tell(self, event: Event) -> None:
        """Show an event."""

    async def run(self) -> None:
        """Show now and then how it stands, until cancelled."""

    def shown(self) -> AbstractContextManager[None]:
        """Be visible while the block runs."""

    def last(self) -> None:
        """Show how it stands at the end."""


class Rates:
    """Lines a second of each symbol between two looks."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self._at = time.monotonic()
        self._rates: dict[str, float] = {}

    def look(self, standings: tuple[Standing, ...]) -> dict[str, float]:
        """Return the rates since the look before."""
        now = time.monotonic()
        passed, self._at = max(now - self._at, 1e-3), now
        self._rates = {one.symbol: (one.lines - self._before.get(one.symbol, 0)) / passed for one in standings}
        self._before = {one.symbol: one.lines for one in standings}
        return self._rates


class JsonView:
    """One JSON object a line: events as they happen, status every few seconds.

    Parameters
    ----------
    recorder
        Whose state is told.
    status_secs
        How often.
    """

    def __init__(self, recorder: Recorder, status_secs: float) -> None:
        self._recorder, self._secs, self._rates = recorder, status_secs, Rates()

    def tell(self, event: Event) -> None:
        """Print an event."""
        typer.echo(json.dumps({"event": event.what, "ts_ns": event.ts_ns, "who": event.who, "text": event.text}))

    async def run(self) -> None:
        """Print the status now and then."""
        while True:
            await asyncio.sleep(self._secs)
            self.last()

    def shown(self) -> AbstractContextManager[None]:
        """Nothing to prepare."""
        return nullcontext()

    def last(self) -> None:
        """Print the status."""
        standings = self._recorder.standings()
        rates = self._rates.look(standings)
        symbols = [asdict(one) | {"lines_per_sec": round(rates[one.symbol], 1)} for one in standings]
        head = {"event": "status", "connected": self._recorder.is_connected, "reconnects": self._recorder.reconnects}
        typer.echo(json.dumps(head | {"symbols": symbols}))


class TerminalView:
    """A table that is drawn anew each second, with the latest events below it.

    Parameters
    ----------
    recorder
        Whose state is shown.
    console
        The terminal.
    """

    def __init__(self, recorder: Recorder, console: Console) -> None:
        self._recorder, self._console, self._rates = recorder, console, Rates()
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._live: Live | None = None
        self._outcomes: list[str] = []

    def tell(self, event: Event) -> None:
        """Show an event below the table."""
        at = datetime.fromtimestamp(event.ts_ns / 1e9, UTC)
        self._recent.append(f"{at:%H:%M:%S}  {event.what:<15} {event.who}  {event.text}")
        if event.what == "ingested":
            self._outcomes.append(f"{event.who}: {event.text}")

    async def run(self) -> None:
        """Draw each second."""
        while True:
            await asyncio.sleep(_REFRESH_SECS)
            self.last()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the table on the screen."""
        with Live(self._drawn(), console=self._console, auto_refresh=False) as live:
            self._live = live
            yield
        self._live = None
        for outcome in self._outcomes:
            self._console.print(Text(outcome))

    def last(self) -> None:
        """Draw."""
        if self._live is not None:
            self._live.update(self._drawn(), refresh=True)

    def _drawn(self) -> Group:
        state = "recording" if self._recorder.is_connected else "not connected"
        title = f"{self._recorder.settings.market} · {state} · {self._recorder.reconnects} reconnects"
        table = Table(title=title, title_justify="left")
        table.add_column("symbol")
        for name in ("lines", "lines/s", "lag ms", "gaps"):
            table.add_column(name, justify="right")
        table.add_column("book")
        table.add_column("file", overflow="fold")
        table.add_column("on disk", justify="right")
        standings = self._recorder.standings()
        rates = self._rates.look(standings)
        for one in standings:
            lag = "–" if one.lag_ms is None else f"{one.lag_ms:.1f}"
            counts = (f"{one.lines:,}", f"{rates[one.symbol]:,.0f}", lag, str(one.gaps))
            book = "yes" if one.has_book else "waiting"
            table.add_row(one.symbol, *counts, book, one.file or "–", f"{one.size / 1e6:,.2f} MB")
        return Group(table, *(Text(line, overflow="ellipsis", no_wrap=True) for line in self._recent))
