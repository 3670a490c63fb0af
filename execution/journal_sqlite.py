"""O-2, O-8: a journal in SQLite: what is written here is on disk before the call returns.

WAL, one transaction per call. After the first failure the connection is closed and every later call raises: the send must not
happen, and nobody can go on with a journal that lost a row. A live node writes through `execution.journal_live` instead, which
keeps its rows in memory as well and its file on a thread of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from execution import journal_tables, journal_writes
from execution.journal import Fill, IdUsed, RiskEvent
from execution.journal_file import Connect, Durability, JournalFailed, connect, open_journal
from execution.journal_writes import Handed, Run
from risk.request import OrderRequest
from risk.verdict import Refused

__all__ = ["Run", "SqliteJournal"]


class SqliteJournal:
    """A `Journal` on disk, also keeping runs, intents, risk state, risk events and equity.

    Parameters
    ----------
    path
        Of the file, on a local disk.
    run
        What this process is; its row is the first that is written.
    durability
        ``power``: every commit survives power loss; ``process``: it survives a crash of the process only, and is faster.
    connector
        Opens the connection.

    Raises
    ------
    SafetyRefusal
        When the file is damaged, foreign, newer, or on a file system without WAL.
    JournalFailed
        When it cannot be opened or written.
    """

    def __init__(self, path: Path, run: Run, *, durability: Durability = "power", connector: Connect = connect) -> None:
        self.path = path
        self.run_id = run.run_id
        self.failed: str | None = None
        self._db = open_journal(path, durability, connector)
        with self._transaction() as db:
            journal_writes.begin(db, run)

    # What `Journal` asks for ------------------------------------------------------------------------------------------

    def order(self, request: OrderRequest, mid: float | None) -> None:
        """See `Journal.order`; intent and order are one transaction. An id that was ever used raises `IdUsed`."""
        with self._transaction() as db:
            journal_writes.order(db, self.run_id, request, mid, Handed())

    def refusal(self, request: OrderRequest, refused: Refused) -> None:
        """See `Journal.refusal`."""
        with self._transaction() as db:
            journal_writes.refusal(db, self.run_id, request, refused)

    def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
        """See `Journal.event`."""
        with self._transaction() as db:
            journal_writes.event(db, self.run_id, ts_ns, client_order_id, event, status, detail)

    def queue(self, client_order_id: str, ahead: float) -> None:
        """See `Journal.queue`."""
        with self._transaction() as db:
            journal_writes.queue(db, client_order_id, ahead)

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """See `Journal.resize`."""
        with self._transaction() as db:
            journal_writes.resize(db, client_order_id, quantity)

    def fill(self, fill: Fill) -> bool:
        """See `Journal.fill`; fill, position and order state are one transaction."""
        with self._transaction() as db:
            return journal_writes.fill(db, self.run_id, fill)

    def funding(
        self, ts_ns: int, instrument_id: str, strategy_id: str, position: Decimal, rate: Decimal | None, amount: Decimal
    ) -> None:
        """See `Journal.funding`."""
        with self._transaction() as db:
            journal_writes.funding(db, self.run_id, ts_ns, instrument_id, strategy_id, position, rate, amount)

    def reopen(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.reopen`."""
        with self._transaction() as db:
            journal_writes.reopen(db, self.run_id, client_order_id, status, why, ts_ns)

    def settle(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.settle`."""
        with self._transaction() as db:
            journal_writes.settle(db, self.run_id, client_order_id, status, why, ts_ns)

    # What a session also keeps ----------------------------------------------------------------------------------------

    def risk(self, event: RiskEvent) -> None:
        """See `Journal.risk`."""
        with self._transaction() as db:
            journal_writes.risk(db, self.run_id, event)

    def save_risk_state(self, ts_ns: int, name: str, value: Mapping[str, Any]) -> None:
        """Keep a named state (loss ledger, throttles) across restarts; the newest value replaces the one before."""
        with self._transaction() as db:
            journal_writes.save_risk_state(db, ts_ns, name, json.dumps(dict(value), sort_keys=True))

    def risk_state(self, name: str) -> dict[str, Any] | None:
        """Return the state last saved under `name`, by whichever run."""
        with self._transaction() as db:
            row = db.execute("SELECT value FROM risk_state WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        value: dict[str, Any] = json.loads(row["value"])
        return value

    def equity(self, ts_ns: int, equity: Decimal) -> None:
        """Record a reading of equity; the last one of an instant counts."""
        with self._transaction() as db:
            journal_writes.equity(db, self.run_id, ts_ns, equity)

    def end(self, ts_ns: int, outcome: str) -> None:
        """Close the run's row."""
        with self._transaction() as db:
            journal_writes.end(db, self.run_id, ts_ns, outcome)

    def tables(self) -> dict[str, pa.Table]:
        """This run as Arrow tables, exactly as `MemoryJournal.tables` gives them."""
        with self._transaction() as db:
            return journal_tables.read(db, self.run_id)

    def close(self) -> None:
        """Close the file; a failed journal is closed already."""
        self._db.close()

    # Inside -----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.failed is not None:
            raise JournalFailed(f"journal {self.path} is not used any more: {self.failed}")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except IdUsed:
            self._db.execute("ROLLBACK")
            raise
        except BaseException as error:
            # Closing rolls back. Whether a commit that raised is on disk nobody knows, so nothing may follow it.
            self.failed = f"{type(error).__name__}: {error}"
            self._db.close()
            if isinstance(error, sqlite3.Error):
                raise JournalFailed(f"journal {self.path} could not be written: {error}") from error
            raise
