"""What the strategies of a run decided: every order sent or refused, those of the stopping strategies left out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.tables import Ints
from execution.journal import MemoryJournal
from runners.comparing import DECIDED, Parting, parting
from runners.config import Resolved, Trust
from runners.host import replay
from runners.latency import plan_latency
from runners.market import CHUNK_EVENTS, Market
from runners.session import prepare

COLUMNS = (*DECIDED, "outcome")
SENT = "sent"

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decisions:
    """One replay, seen as decisions.

    Attributes
    ----------
    rows
        Orders and refused orders by time; `outcome` is ``sent`` or why the gate refused.
    times
        Receipt times of the market events.
    """

    rows: list[Row]
    times: Ints

    @property
    def reach_ns(self) -> int:
        """Time of the last event: timers are served up to here."""
        return int(self.times[-1]) if len(self.times) else 0

    def until(self, ts_ns: int) -> list[Row]:
        """Decisions up to an instant, included."""
        return [row for row in self.rows if row["ts_ns"] <= ts_ns]

    def since(self, ts_ns: int) -> list[Row]:
        """Decisions from an instant on."""
        return [row for row in self.rows if row["ts_ns"] >= ts_ns]


def decide(resolved: Resolved, market: Market, trust: Trust) -> Decisions:
    """Replay a market under the conservative bound, with the strategies' code imported anew.

    Raises
    ------
    RunFailed
        When a strategy raised or nothing was replayed.
    """
    with fresh_code(resolved, trust):
        latency = plan_latency(resolved.config.venue)
        venue, package = prepare(resolved, market, latency, trust, "conservative", record_tops=False)
        watch = _Watch(package.journal)
        replay(venue, package, watch.over(market.chunks(CHUNK_EVENTS)), tops={})
        return Decisions(watch.rows, np.concatenate(watch.times))


def first_difference(a: list[Row], b: list[Row]) -> Parting | None:
    """First decision at which two lists part."""
    return parting(a, b, COLUMNS)


@contextmanager
def fresh_code(resolved: Resolved, trust: Trust) -> Iterator[None]:
    """Forget the modules of the strategies, so that nothing that one replay kept in them is there in the next."""
    package = trust.workspace.name if trust.workspace is not None else None
    named = {mark.path.partition(":")[0] for mark in resolved.code}
    kept = {
        name: module
        for name, module in sys.modules.items()
        if name in named or name.split(".", maxsplit=1)[0] == package
    }
    for name in kept:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(kept)


class _Watch:
    """Notes the market's times, and what was decided when the last event had been served and nobody had been stopped."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.rows: list[Row] = []
        self.times: list[Ints] = [np.empty(0, np.int64)]

    def over(self, chunks: Iterator[list[Any]]) -> Iterator[list[Any]]:
        """Hand the chunks on; the host asks for one more after the last, and only then ends the run."""
        for chunk in chunks:
            self.times.append(np.array([event.ts_init for event in chunk], np.int64))
            yield chunk
        self.rows = _rows(self._journal)


def _rows(journal: MemoryJournal) -> list[Row]:
    sent = [{**{name: row[name] for name in DECIDED}, "outcome": SENT} for row in journal.orders.values()]
    refused = [_refused(request, str(verdict.reason)) for request, verdict in journal.refusals]
    return sorted([*sent, *refused], key=lambda row: int(row["ts_ns"]))


def _refused(request: Any, reason: str) -> Row:
    asked = {name: getattr(request, name) for name in DECIDED if name != "side"}
    return {**asked, "side": request.side.name, "outcome": reason}
