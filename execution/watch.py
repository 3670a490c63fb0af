"""Feeds the breakers with what happens, and does what their edges and every halt demand.

Every edge and every halt is recorded as a refusal is (R-11): in the journal, in the log, and on the bus, where metrics, alerts
and the black box listen. A hard breaker cancels what rests, or flattens; a latching one trips the kill switch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from execution.journal import Journal, RiskEvent
from execution.topics import ACT, HALT, RISK
from risk.books import KeptBook
from risk.breakers.board import BreakerBoard
from risk.breakers.events import ApiUse, BookUpdate, ClockReading, FillNews, OrderAnswer, OrderNews
from risk.breakers.machine import Edge, Edges, Level, State
from risk.breakers.restriction import Action
from risk.gate import RiskGate
from risk.halts import Halted

LOG = logging.getLogger("hyper.risk")
LOG.addHandler(logging.NullHandler())  # a backtest says nothing unless it is asked to
_SNAPSHOT = 32
"""Bit of a message's flags: it belongs to a snapshot (`RecordFlag.F_SNAPSHOT`)."""
_ANSWERS = {"OrderAccepted": OrderAnswer.ACCEPTED, "OrderRejected": OrderAnswer.REJECTED}

type Publish = Callable[[str, object], None]


class Watch:
    """One per run.

    Parameters
    ----------
    gate
        Holds board and halts; its view holds the books.
    journal
        Where every edge is recorded.

    Attributes
    ----------
    offset_ns
        Our clock minus the venue's: venue times are moved by it before ages are taken. 0 in a backtest.
    pending
        What is to be published by the next `act`.
    quiet
        Messages of a replay that pass by; what they were is told to the board before it is asked.
    """

    def __init__(self, gate: RiskGate, journal: Journal) -> None:
        self.offset_ns = 0
        self._gate = gate
        self._journal = journal
        self.pending: list[RiskEvent | str | tuple[Action, str]] = []
        self.board: BreakerBoard = gate.board
        self.quiet = gate.view.books.quiet
        gate.halts.tell = self._halted

    def on_book(self, deltas: Any, kept: KeptBook) -> None:
        """Take a venue message that has been applied to a book."""
        bid, ask = kept.best()
        ts_ns, ts_event_ns, snapshot = kept.ts_ns, deltas.ts_event + self.offset_ns, deltas.flags & _SNAPSHOT
        self.quiet.catch_up()
        if not snapshot and self.board.lanes[kept.name].is_usual(ts_ns, ts_event_ns, bid, ask):
            return
        edges = self.board.on_book(
            BookUpdate(ts_ns, ts_event_ns, kept.name, bid, ask, bid == 0.0 and not snapshot, bool(snapshot))
        )
        if edges:
            self._take(edges)

    def on_quote(self, quote: Any, kept: KeptBook) -> None:
        """Take a quote, where there is no depth."""
        bid, ask = kept.best()
        self._take(self.board.on_book(BookUpdate(kept.ts_ns, quote.ts_event + self.offset_ns, kept.name, bid, ask)))

    def on_answer(self, event: Any) -> None:
        """Take an answer of the venue to an order of ours."""
        answer = _ANSWERS.get(type(event).__name__)
        if answer is None:
            return
        if answer is OrderAnswer.REJECTED and getattr(event, "due_post_only", False):
            answer = OrderAnswer.POST_ONLY_REFUSED
        detail = str(getattr(event, "reason", "") or "")
        news = OrderNews(event.ts_event, str(event.instrument_id), str(event.client_order_id), answer, detail)
        self._take(self.board.on_order(news))

    def on_fill(self, event: Any, decision_mid: float | None) -> None:
        """Take a fill of ours."""
        iid, order_id = str(event.instrument_id), str(event.client_order_id)
        side = 1 if event.order_side.name == "BUY" else -1
        self._take(self.board.on_order(OrderNews(event.ts_event, iid, order_id, OrderAnswer.FILLED)))
        price = float(event.last_px)
        self._take(self.board.on_fill(FillNews(event.ts_event, iid, order_id, side, price, decision_mid)))

    def on_time(self, ts_ns: int) -> None:
        """Look at the clock: silences grow, cool-downs end."""
        self._take(self.board.on_time(ts_ns))

    def on_clock(self, reading: ClockReading) -> None:
        """Take a reading of both clocks, and of the venue's where it was asked (R-8)."""
        if reading.offset_ms is not None:
            self.offset_ns = round(reading.offset_ms * 1e6)
        self._take(self.board.on_clock(reading))

    def on_api(self, use: ApiUse) -> None:
        """Take the use of one of the venue's budgets (R-9)."""
        self._take(self.board.on_api(use))

    def record(self, event: RiskEvent) -> None:
        """Keep and tell one event; it is published with the next `act`."""
        self._journal.risk(event)
        self.pending.append(event)
        self.quiet.end()  # the next message publishes it
        LOG.log(logging.WARNING if event.state == "open" else logging.INFO, "%s %s %s: %s",
                event.kind, event.name, event.instrument_id, event.detail)  # fmt: skip

    def act(self, publish: Publish) -> None:
        """Publish what has been recorded and do what it demands; call where orders may be sent and cancelled."""
        while self.pending:
            item = self.pending.pop(0)
            if isinstance(item, RiskEvent):
                publish(RISK, item)
            elif isinstance(item, str):
                publish(HALT, item)
            else:
                publish(ACT, item)

    def _take(self, edges: Edges) -> None:
        for edge in edges:
            self.record(of_edge(edge))
            if edge.latched:
                self._gate.halts.trip(edge.ts_ns, f"{edge.breaker} {edge.instrument_id}: {edge.reason}", edge.figures)
            if edge.to_state is State.OPEN and edge.level is Level.HARD:
                action = self.board.restriction(edge.instrument_id).action
                if action is not Action.NONE:
                    self.pending.append((action, edge.instrument_id))

    def _halted(self, halted: Halted) -> None:
        name = "kill_switch" if halted.latched else str(halted.limit)  # "halted": for the life of this process
        self.record(RiskEvent(halted.ts_ns, "halt", name, "", "open", "hard", halted.reason, halted.figures))
        for problem in halted.problems:
            self.record(RiskEvent(halted.ts_ns, "halt", name, "", "open", "hard", problem, {}))
        self.pending.append(halted.reason)


def of_edge(edge: Edge) -> RiskEvent:
    """A breaker's edge as journal and bus get it."""
    return RiskEvent(
        edge.ts_ns, "breaker", edge.breaker, edge.instrument_id, str(edge.to_state), edge.level.name.lower(), edge.reason,
        edge.figures,
    )  # fmt: skip
