"""The black box of a running node: rings fed by the bus, an incident written by a thread of its own some seconds after a trip.

Nothing here may stand in the way of trading: at a trip the rings are copied, everything else is done elsewhere, and what goes wrong
there is told, not raised.
"""

from __future__ import annotations

import gc
import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from execution.journal import RiskEvent
from monitoring.blackbox import BlackBox
from monitoring.incidents.caught import Caught, FlightSetup, Pending, write_caught
from monitoring.incidents.record import Standing, Touch
from monitoring.incidents.rows import marks
from monitoring.incidents.triggers import Triggers, Trip, trips
from risk.gate import RiskGate
from risk.request import OrderRequest
from risk.verdict import Refused

LOG = logging.getLogger("hyper.incidents")
LOG.addHandler(logging.NullHandler())
FOLDER = "incidents"
ANCHOR_NS = 30_000_000_000
"""A full book goes into the ring this often: a replay can begin at any of them."""
_SNAPSHOT = 32
"""Bit of a message's flags: it belongs to a snapshot (`RecordFlag.F_SNAPSHOT`)."""


class FlightRecorder:
    """Keeps the last minutes of one node and writes what trips.

    Parameters
    ----------
    setup
        About the node.
    gate
        Books, account and breakers are read from it, on the trading thread only.
    state
        Folder of the alias; incidents go into ``incidents/`` there.
    """

    def __init__(self, setup: FlightSetup, gate: RiskGate, state: Path) -> None:
        self._setup, self._gate, self._folder = setup, gate, state / FOLDER
        config = setup.config
        reach = config.window_secs + config.lead_secs + config.after_secs + ANCHOR_NS / 1e9
        self._box = BlackBox(config.model_copy(update={"window_secs": reach}))
        self._triggers = Triggers(config)
        self._pending: list[Pending] = []
        self._standings: deque[Standing] = deque(maxlen=round(config.window_secs + config.after_secs) + 2)
        self._next_anchor_ns = -1
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="incidents")
        self._writing: list[Future[None]] = []
        self._collecting = True
        self._number = _last_number(self._folder)
        self.problems: list[str] = []
        self.written: list[Path] = []

    def on_market(self, event: Any) -> None:
        """Keep a market event of any kind that a catalog holds."""
        anchor = type(event).__name__ == "OrderBookDeltas" and bool(event.flags & _SNAPSHOT)
        self._box.market(event.ts_init, str(event.instrument_id), event, anchor=anchor)

    def on_order(self, event: Any) -> None:
        """Keep an order event of the engine."""
        self._box.order(event.ts_event, str(event.client_order_id), event)

    def on_refusal(self, refusal: tuple[OrderRequest, Refused]) -> None:
        """Keep a refusal of the gate."""
        self._box.order(refusal[0].ts_ns, refusal[0].client_order_id, refusal)

    def on_risk(self, event: RiskEvent) -> None:
        """Keep a risk event; a trip is written when what follows it has been seen too."""
        self._box.risk(event.ts_ns, event.name, event)
        if not trips(event):
            return
        if self._pending and self._pending[-1].trip.event.ts_ns == event.ts_ns:
            self._pending[-1].trip = _joined(self._pending[-1].trip, event)
            return
        trip = self._triggers.take(event)
        if trip is not None:
            board = self._gate.board
            self._pending.append(
                Pending(trip, self._standing(event.ts_ns), self._touches(), marks(board), board.learning())
            )

    def on_time(self, ts_ns: int) -> None:
        """Call once a second, between messages: takes stock, and writes what is due."""
        self._standings.append(self._standing(ts_ns))
        if ts_ns >= self._next_anchor_ns:
            self._next_anchor_ns = ts_ns + ANCHOR_NS
            self._anchor(ts_ns)
        while self._pending and ts_ns >= self._pending[0].trip.event.ts_ns + self._setup.config.after_ns:
            self._write(self._pending.pop(0), ts_ns)

        self._collect_again()

    def close(self, ts_ns: int) -> None:
        """Write what is left and wait for it; call at the end of the session."""
        while self._pending:
            self._write(self._pending.pop(0), ts_ns)
        self._writer.shutdown(wait=True)
        self._collect_again()

    def _collect_again(self) -> None:
        """Turn the garbage collector on again, from the trading thread, once nothing is being written."""
        if not self._collecting and all(one.done() for one in self._writing):
            self._collecting = True
            gc.enable()

    def _anchor(self, ts_ns: int) -> None:
        books = self._gate.view.books
        for name, instrument in self._setup.instruments.items():
            top = books.top(instrument.id)
            book = books.book(instrument.id) if top is not None and not books.from_quotes else None
            if book is not None:
                self._box.market(ts_ns, name, book.to_deltas(ts_ns, ts_ns), anchor=True)

    def _standing(self, ts_ns: int) -> Standing:
        view, state = self._gate.view, self._gate.halts.losses.state
        equity = view.equity()
        held = {iid: net for iid in self._setup.instruments if (net := view.net(iid))} if equity is not None else {}
        day_start = state.day_start if state.day >= 0 else None
        return Standing(ts_ns=ts_ns, equity=equity, day_start=day_start, peak=state.peak, positions=held)

    def _touches(self) -> dict[str, Touch]:
        found = {}
        for name, instrument in self._setup.instruments.items():
            top = self._gate.view.books.top(instrument.id)
            if top is not None:
                found[name] = Touch(
                    ts_ns=top.ts_ns, bid=top.bid, bid_size=top.bid_size, ask=top.ask, ask_size=top.ask_size
                )
        return found

    def _write(self, pending: Pending, now_ns: int) -> None:
        trip_ns = pending.trip.event.ts_ns
        start_ns = trip_ns - self._setup.config.window_ns
        end_ns = min(now_ns, trip_ns + self._setup.config.after_ns) + 1
        caught = self._box.incident(now_ns, pending.trip.event.detail)
        known = [one for one in self._standings if one.ts_ns >= start_ns]
        rows = {name: row for name in {e.source for e in caught.order} if (row := self._setup.order(name)) is not None}
        self._number += 1
        pending.trip = replace(pending.trip, number=self._number)
        ready = Caught(
            pending, known[0] if known else pending.standing, end_ns, caught.market, caught.order, caught.risk,
            {name: dict(row) for name, row in rows.items()}, caught.dropped,
        )  # fmt: skip
        if self._collecting and gc.isenabled():
            # A collection that starts in the writing thread may drop objects of the engine, which Nautilus allows in its own only.
            self._collecting = False
            gc.disable()
        self._writing.append(self._writer.submit(self._told, ready))

    def _told(self, caught: Caught) -> None:
        """Write on the thread; a failure is told and costs this incident only."""
        try:
            self.written.append(write_caught(self._setup, self._folder, caught))
        except Exception as error:  # nobody waits for this thread: told by `problems` and the log
            self.problems.append(f"incident {caught.pending.trip.number} could not be written: {error}")
            LOG.exception("incident %s could not be written", caught.pending.trip.number)


def _joined(trip: Trip, event: RiskEvent) -> Trip:
    """Events of one instant are one incident; a halt gives it its name."""
    if event.kind == "halt" and trip.event.kind != "halt":
        return replace(trip, event=event, also=(*trip.also, f"{trip.event.name}: {trip.event.detail}"))
    return replace(trip, also=(*trip.also, f"{event.name}: {event.detail}"))


def _last_number(folder: Path) -> int:
    """Incidents of earlier sessions stay; numbers go on after theirs."""
    names = (path.name.partition("-")[0] for path in folder.glob("*-*")) if folder.is_dir() else ()
    return max((int(name) for name in names if name.isdigit()), default=0)
