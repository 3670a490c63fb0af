"""O-1, O-2, M-7: the journal of a live node: rows of this session in memory to read, everything on disk to survive.

`order` returns when its row is committed, ahead of whatever is queued; everything else is committed in its order within moments,
by one thread that owns the file. What has long been over is on disk alone (`execution.journal_forgetting`).

When the disk fails, the rows in memory go on, so that exits are sized and cancels sent by what is true; no further order is taken,
and whoever watches is told, who shuts entries for the life of the process.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from errors import HyperTradingError
from execution import journal_chain, journal_tables, journal_venue, journal_writes
from execution.ids import random_epoch
from execution.journal import Fill, RiskEvent, adoption
from execution.journal_file import Connect, Durability, JournalFailed, connect
from execution.journal_forgetting import ForgettingJournal
from execution.journal_handing import begin_run, handed_of, joined
from execution.journal_read import reading
from execution.journal_venue import Whose
from execution.journal_writer import JournalWriter, Write
from execution.journal_writes import Run
from risk.request import OrderRequest
from risk.verdict import Refused

ON_DISK = ("order_events", "refusals", "risk_events")
"""Tables whose rows are not kept in memory while the disk takes them: memory stays flat however long a session is."""


def wall_ms() -> int:
    """This machine's time, ms UTC: for a simulated account, whose venue is here."""
    return time.time_ns() // 1_000_000


class LiveJournal(ForgettingJournal):
    """One session in the journal of its account.

    Parameters
    ----------
    path
        Of the file, on a local disk; its folder is there.
    run
        What this process is. Its row is committed before the constructor returns, with an epoch that this file has never had: `run`
        says which.
    whose
        The account; None for a simulated one, whose trade ids begin anew with every session.
    durability
        ``power`` or ``process``; see `execution.journal_file.open_journal`.
    venue_ms
        The venue's time, ms: what a request is signed with.
    connector, draw
        Opens the connection; draws an epoch.

    Raises
    ------
    SafetyRefusal
        When the file is damaged, foreign, newer, of another account, or on a file system without WAL.
    JournalFailed
        When it cannot be opened or written.
    """

    def __init__(
        self, path: Path, run: Run, whose: Whose | None = None, *, durability: Durability = "power",
        venue_ms: Callable[[], int] = wall_ms, connector: Connect = connect, draw: Callable[[], int] = random_epoch,
    ) -> None:  # fmt: skip
        scope = "" if whose is not None else f"{run.run_id}/"
        super().__init__(path, run.run_id, scope)
        self.run = run
        self._venue_ms, self._draw = venue_ms, draw
        self._writer = JournalWriter(path, durability, partial(begin_run, run, whose, draw), connector=connector)
        self.run = self._writer.opened
        self._refused = 0

    # What `Journal` asks for ------------------------------------------------------------------------------------------

    def order(self, request: OrderRequest, mid: float | None) -> None:
        """See `Journal.order`; returns when the row is on disk.

        Raises
        ------
        IdUsed
            An order has had this id, in whichever session; the journal goes on.
        JournalFailed
            The row may not be on disk: the order must not be sent.
        """
        handed = handed_of(request, self._venue_ms())
        try:
            self._writer.commit(lambda db: journal_writes.order(db, self.run.run_id, request, mid, handed), ahead=True)
        except JournalFailed:
            if request.reduce_only:
                super().order(request, mid)  # closing a position past the engine waits for no disk: it stands in memory
            raise
        super().order(request, mid)

    def refusal(self, request: OrderRequest, refused: Refused) -> None:
        """See `Journal.refusal`; on disk alone, as events are: a session may see millions."""
        self._refused += 1
        if self.failed is not None:
            super().refusal(request, refused)
        self._post(lambda db: journal_writes.refusal(db, self.run.run_id, request, refused))

    def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
        """See `Journal.event`."""
        super().event(ts_ns, client_order_id, event, status, detail)
        run_id = self.run.run_id
        self._post(lambda db: journal_writes.event(db, run_id, ts_ns, client_order_id, event, status, detail))

    def queue(self, client_order_id: str, ahead: float) -> None:
        """See `Journal.queue`."""
        self.row(client_order_id)
        super().queue(client_order_id, ahead)
        self._post(lambda db: journal_writes.queue(db, client_order_id, ahead))

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """See `Journal.resize`."""
        self.row(client_order_id)
        super().resize(client_order_id, quantity)
        self._post(lambda db: journal_writes.resize(db, client_order_id, quantity))

    def fill(self, fill: Fill) -> bool:
        """See `Journal.fill`; a trade that an earlier session has booked is not booked again."""
        if self.is_on_disk(fill.instrument_id, fill.trade_id):
            return False
        self.row(fill.client_order_id)
        if not super().fill(fill):
            return False
        scoped = replace(fill, trade_id=self._scope + fill.trade_id) if self._scope else fill
        self._post(lambda db: journal_writes.fill(db, self.run.run_id, scoped))
        return True

    def has_trade(self, instrument_id: str, trade_id: str) -> bool:
        """Whether a trade is booked, by this session or an earlier one."""
        return super().has_trade(instrument_id, trade_id) or self.is_on_disk(instrument_id, trade_id)

    def funding(
        self, ts_ns: int, instrument_id: str, strategy_id: str, position: Decimal, rate: Decimal | None, amount: Decimal
    ) -> None:
        """See `Journal.funding`."""
        super().funding(ts_ns, instrument_id, strategy_id, position, rate, amount)
        given = (self.run.run_id, ts_ns, instrument_id, strategy_id, position, rate, amount)
        self._post(lambda db: journal_writes.funding(db, *given))

    def risk(self, event: RiskEvent) -> None:
        """See `Journal.risk`."""
        if self.failed is not None:
            super().risk(event)
        self._post(lambda db: journal_writes.risk(db, self.run.run_id, event))

    def reopen(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.reopen`; also for an order of an earlier session."""
        self.row(client_order_id)
        super().reopen(client_order_id, status, why, ts_ns)
        self._post(lambda db: journal_writes.reopen(db, self.run.run_id, client_order_id, status, why, ts_ns))

    def settle(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.settle`; also for an order of an earlier session."""
        self.row(client_order_id)
        super().settle(client_order_id, status, why, ts_ns)
        self._post(lambda db: journal_writes.settle(db, self.run.run_id, client_order_id, status, why, ts_ns))

    def adopt(self, ts_ns: int, held: Mapping[str, tuple[Decimal, Decimal]]) -> list[str]:
        """See `MemoryJournal.adopt`; on disk only what differs from what earlier sessions have left is booked, and told."""
        for iid, (amount, price) in held.items():
            super().fill(adoption(ts_ns, iid, amount, price, f"adopted-{iid.partition('-')[0]}"))  # in memory alone
        found = dict(held)
        lines: list[str] = self._writer.commit(lambda db: journal_venue.adopt(db, self.run.run_id, ts_ns, found))
        return lines

    @property
    def refused(self) -> int:
        """How many orders this session has refused."""
        return self._refused

    def tables(self) -> dict[str, pa.Table]:
        """See `MemoryJournal.tables`; what is not in memory is read from the file, as far as that goes."""
        self.recall()
        found = super().tables()
        with suppress(JournalFailed):
            self.flush()
        try:
            with reading(self.path) as db:
                on_disk = journal_tables.read(db, self.run.run_id, ON_DISK)
        except (HyperTradingError, sqlite3.Error):
            return found  # after a failure of the disk: what came since then
        return found | {name: joined(on_disk[name], found[name]) for name in ON_DISK}

    def _note(self, ts_ns: int, client_order_id: str, event: str, detail: str) -> None:
        if self.failed is not None:
            super()._note(ts_ns, client_order_id, event, detail)

    # What the venue says ----------------------------------------------------------------------------------------------

    def new_epoch(self, purpose: str) -> int:
        """Draw an epoch for ids of another maker; it is on disk when this returns."""
        now, run_id = time.time_ns(), self.run.run_id
        epoch: int = self._writer.commit(lambda db: journal_venue.draw_epoch(db, run_id, purpose, now, self._draw))
        return epoch

    def venue_ids(self, client_order_id: str, *, venue_order_id: int | None = None, algo_id: int | None = None) -> None:
        """Keep the venue's own ids of an order."""
        self._post(lambda db: journal_venue.ids(db, client_order_id, venue_order_id, algo_id))

    def cancel_sent(self, client_order_id: str) -> None:
        """Record that a cancel leaves."""
        sent_ms, run_id = self._venue_ms(), self.run.run_id
        self._post(lambda db: journal_venue.cancel_sent(db, run_id, client_order_id, sent_ms))

    def cancel_answered(self, client_order_id: str, outcome: str) -> None:
        """Record what became of the cancels of an order that were still without an answer."""
        answered_ms = self._venue_ms()
        self._post(lambda db: journal_venue.cancel_answered(db, client_order_id, answered_ms, outcome))

    def message(self, ts_ns: int, kind: str, body: Mapping[str, Any]) -> None:
        """Append a message of the venue, or a question to it, to the chained record (M-7); `body` is plain data."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
        self._post(lambda db: journal_chain.append(db, self.run.run_id, ts_ns, kind, text))

    def income(self, kind: str, transaction_id: int, symbol: str, asset: str, amount: Decimal, ts_ms: int) -> None:
        """Book a change of the wallet, once by kind and transaction id."""
        given = (self.run.run_id, kind, transaction_id, symbol, asset, amount, ts_ms)
        self._post(lambda db: journal_venue.income(db, *given))

    def wallet(self, ts_ms: int, asset: str, balance: Decimal, source: str) -> None:
        """Record a reading of the wallet."""
        self._post(lambda db: journal_venue.wallet(db, self.run.run_id, ts_ms, asset, balance, source))

    def action(self, ts_ns: int, kind: str, subject: str, detail: str, figures: Mapping[str, Any]) -> None:
        """Record what was done about something, and wait until it is on disk: recovery acts only upon what is written."""
        given = (self.run.run_id, ts_ns, kind, subject, detail, dict(figures))
        self._writer.commit(lambda db: journal_venue.action(db, *given))

    # What a session also keeps ----------------------------------------------------------------------------------------

    def save_risk_state(self, ts_ns: int, name: str, value: Mapping[str, Any]) -> None:
        """Keep a named state across restarts."""
        text = json.dumps(dict(value), sort_keys=True)
        self._post(lambda db: journal_writes.save_risk_state(db, ts_ns, name, text))

    def risk_state(self, name: str) -> tuple[int, dict[str, Any]] | None:
        """Return when a state was last saved, by whichever session, and what it was."""
        found: tuple[int, dict[str, Any]] | None = self._writer.commit(lambda db: _risk_state(db, name))
        return found

    def equity(self, ts_ns: int, equity: Decimal) -> None:
        """Record a reading of equity."""
        self._post(lambda db: journal_writes.equity(db, self.run.run_id, ts_ns, equity))

    def end(self, ts_ns: int, outcome: str) -> None:
        """Close the session's row, after everything that was queued, and wait for the disk."""
        self._writer.commit(lambda db: journal_writes.end(db, self.run.run_id, ts_ns, outcome))

    def flush(self) -> None:
        """Return when everything queued so far is on disk."""
        self._writer.commit(_nothing)

    def close(self) -> None:
        """Write what is queued and close the file; a failed journal is closed already."""
        self.close_reader()
        self._writer.close()

    # How it fares -----------------------------------------------------------------------------------------------------

    @property
    def failed(self) -> str | None:
        """Why nothing is written any more; None while all is well."""
        return self._writer.failed

    @property
    def commits(self) -> int:
        """Commits so far: a refresh of the venue's countdown may only follow when the last one succeeded (D2)."""
        return self._writer.committed

    @property
    def stalled_secs(self) -> float:
        """How long the commit that is under way has taken; 0 where none is."""
        return self._writer.stalled_secs

    def on_failure(self, told: Callable[[str], None]) -> None:
        """Have a failure told, once, on the writing thread; at once where it has happened."""
        self._writer.on_failure = told
        if self._writer.failed is not None:
            told(self._writer.failed)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _post(self, write: Write) -> None:
        self._writer.post(write)


def _risk_state(db: sqlite3.Connection, name: str) -> tuple[int, dict[str, Any]] | None:
    row = db.execute("SELECT ts_ns, value FROM risk_state WHERE name = ?", (name,)).fetchone()
    return None if row is None else (row["ts_ns"], json.loads(row["value"]))


def _nothing(_db: sqlite3.Connection) -> None:
    """Write nothing: the commit itself is what is waited for."""
