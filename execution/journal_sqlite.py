"""O-2, O-8: the journal of a live session, in SQLite: what is written here is on disk before the call returns.

WAL, one transaction per call. After the first failure the connection is closed and every later call raises: the send must not
happen, and nobody can go on with a journal that lost a row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from execution import journal_tables
from execution.journal import CLOSED, Fill, RiskEvent, risk_row
from execution.journal_file import Connect, Durability, JournalFailed, connect, open_journal
from risk.request import OrderRequest
from risk.verdict import Refused

ZERO = Decimal(0)
_AVERAGE_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Run:
    """A session or backtest in the journal.

    Attributes
    ----------
    run_id
        Unique in the file.
    started_ns, mode, account, config_hash
        What and when.
    epoch
        Of the client order ids; on disk before the first of them.
    """

    run_id: str
    started_ns: int
    mode: str
    account: str
    config_hash: str
    epoch: int


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
            db.execute(
                "INSERT INTO runs (run_id, started_ns, mode, account, config_hash, epoch) VALUES (?, ?, ?, ?, ?, ?)",
                (run.run_id, run.started_ns, run.mode, run.account, run.config_hash, run.epoch),
            )

    # What `Journal` asks for ------------------------------------------------------------------------------------------

    def order(self, request: OrderRequest, mid: float | None) -> None:
        """See `Journal.order`; intent and order are one transaction. An id that was ever used raises."""
        with self._transaction() as db:
            journal_tables.insert(db, "intents", {
                "run_id": self.run_id, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id,
                "instrument_id": request.instrument_id, "client_order_id": request.client_order_id,
                "why": request.purpose.why, "edge_bps": request.purpose.edge_bps,
                "horizon_secs": float(request.purpose.horizon_secs), "source": request.purpose.source,
            })  # fmt: skip
            journal_tables.insert(db, "orders", {
                "run_id": self.run_id, "client_order_id": request.client_order_id, "ts_ns": request.ts_ns,
                "strategy_id": request.strategy_id, "instrument_id": request.instrument_id, "side": request.side.name,
                "order_type": request.order_type, "price": _text(request.price), "quantity": str(request.quantity),
                "post_only": int(request.post_only), "reduce_only": int(request.reduce_only),
                "time_in_force": request.time_in_force, "status": "NEW", "why": request.purpose.why,
                "edge_bps": request.purpose.edge_bps, "mid_decision": mid, "source": request.purpose.source,
            })  # fmt: skip

    def refusal(self, request: OrderRequest, refused: Refused) -> None:
        """See `Journal.refusal`."""
        with self._transaction() as db:
            journal_tables.insert(db, "refusals", {
                "run_id": self.run_id, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id,
                "instrument_id": request.instrument_id, "client_order_id": request.client_order_id,
                "side": request.side.name, "order_type": request.order_type, "price": _text(request.price),
                "quantity": str(request.quantity), "reason": str(refused.reason), "detail": refused.detail,
                "figures": json.dumps(dict(refused.figures), sort_keys=True),
            })  # fmt: skip

    def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
        """See `Journal.event`."""
        with self._transaction() as db:
            journal_tables.insert(db, "events", {
                "run_id": self.run_id, "ts_ns": ts_ns, "client_order_id": client_order_id, "event": event,
                "detail": detail,
            })  # fmt: skip
            row = _order(db, client_order_id)
            if row is not None and status is not None and row["status"] not in CLOSED:
                changes = _on_status(row, ts_ns, status, detail)
                journal_tables.update(db, "orders", changes, {"client_order_id": client_order_id})

    def queue(self, client_order_id: str, ahead: float) -> None:
        """See `Journal.queue`."""
        with self._transaction() as db:
            journal_tables.update(db, "orders", {"queue_ahead": ahead}, {"client_order_id": client_order_id})

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """See `Journal.resize`."""
        with self._transaction() as db:
            journal_tables.update(db, "orders", {"quantity": str(quantity)}, {"client_order_id": client_order_id})

    def fill(self, fill: Fill) -> bool:
        """See `Journal.fill`; fill, position and order state are one transaction."""
        with self._transaction() as db:
            if db.execute(
                "SELECT 1 FROM fills WHERE instrument_id = ? AND trade_id = ?", (fill.instrument_id, fill.trade_id)
            ).fetchone():
                return False
            order = _book_on_order(db, fill)
            position = self._position(db, fill.instrument_id) + (1 if fill.side == "BUY" else -1) * fill.quantity
            journal_tables.insert(db, "fills", {
                "run_id": self.run_id, "instrument_id": fill.instrument_id, "trade_id": fill.trade_id,
                "ts_ns": fill.ts_ns, "strategy_id": fill.strategy_id, "client_order_id": fill.client_order_id,
                "side": fill.side, "price": str(fill.price), "quantity": str(fill.quantity),
                "liquidity": fill.liquidity, "fee": str(fill.fee), "fee_asset": fill.fee_asset,
                "position_after": str(position), "mid_decision": order["mid_decision"] if order else None,
                "ts_decision": order["ts_ns"] if order else fill.ts_ns,
                "ts_arrival": order["ts_accepted"] if order else None,
            })  # fmt: skip
        return True

    def funding(
        self, ts_ns: int, instrument_id: str, strategy_id: str, position: Decimal, rate: Decimal | None, amount: Decimal
    ) -> None:
        """See `Journal.funding`."""
        with self._transaction() as db:
            journal_tables.insert(db, "funding", {
                "run_id": self.run_id, "ts_ns": ts_ns, "instrument_id": instrument_id, "strategy_id": strategy_id,
                "position": str(position), "rate": _text(rate), "amount": str(amount),
            })  # fmt: skip

    # What a live session also keeps -----------------------------------------------------------------------------------

    def risk(self, event: RiskEvent) -> None:
        """See `Journal.risk`."""
        row = risk_row(0, event)
        del row["seq"]
        with self._transaction() as db:
            journal_tables.insert(db, "risk_events", {"run_id": self.run_id, **row})

    def save_risk_state(self, ts_ns: int, name: str, value: Mapping[str, Any]) -> None:
        """Keep a named state (loss ledger, throttles) across restarts; the newest value replaces the one before."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO risk_state VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET ts_ns = excluded.ts_ns, value = excluded.value",
                (name, ts_ns, json.dumps(dict(value), sort_keys=True)),
            )

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
            db.execute("INSERT OR REPLACE INTO equity VALUES (?, ?, ?)", (self.run_id, ts_ns, str(equity)))

    def end(self, ts_ns: int, outcome: str) -> None:
        """Close the run's row."""
        with self._transaction() as db:
            journal_tables.update(db, "runs", {"ended_ns": ts_ns, "outcome": outcome}, {"run_id": self.run_id})

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
        except BaseException as error:
            # Closing rolls back. Whether a commit that raised is on disk nobody knows, so nothing may follow it.
            self.failed = f"{type(error).__name__}: {error}"
            self._db.close()
            if isinstance(error, sqlite3.Error):
                raise JournalFailed(f"journal {self.path} could not be written: {error}") from error
            raise

    @staticmethod
    def _position(db: sqlite3.Connection, instrument_id: str) -> Decimal:
        row = db.execute(
            "SELECT position_after FROM fills WHERE instrument_id = ? ORDER BY fill_id DESC LIMIT 1", (instrument_id,)
        ).fetchone()
        return Decimal(row["position_after"]) if row else ZERO


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _order(db: sqlite3.Connection, client_order_id: str) -> dict[str, Any] | None:
    row = db.execute("SELECT * FROM orders WHERE client_order_id = ?", (client_order_id,)).fetchone()
    return None if row is None else dict(row)


def _on_status(row: Mapping[str, Any], ts_ns: int, status: str, detail: str) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": status}
    if status == "ACK":
        if row["ts_accepted"] is None:
            changes["ts_accepted"] = ts_ns
        if Decimal(row["filled_quantity"]):
            changes["status"] = "PARTIALLY_FILLED"
    if status in CLOSED:
        changes["ts_closed"] = ts_ns
    if status in ("REJECTED", "DENIED"):
        changes["reject_reason"] = detail
    return changes


def _book_on_order(db: sqlite3.Connection, fill: Fill) -> dict[str, Any] | None:
    order = _order(db, fill.client_order_id)
    if order is None:
        return None
    before = Decimal(order["filled_quantity"])
    total = before + fill.quantity
    paid = Decimal(order["avg_price"] or 0) * before + fill.price * fill.quantity
    if order["ts_accepted"] is None:
        order["ts_accepted"] = fill.ts_ns  # a market order is filled on arrival, without an acceptance of its own
    changes: dict[str, Any] = {
        "filled_quantity": str(total), "avg_price": str((paid / total).quantize(_AVERAGE_STEP)),
        "ts_accepted": order["ts_accepted"],
    }  # fmt: skip
    if total >= Decimal(order["quantity"]):
        changes |= {"status": "FILLED", "ts_closed": fill.ts_ns}
    elif order["status"] not in CLOSED:
        changes["status"] = "PARTIALLY_FILLED"
    journal_tables.update(db, "orders", changes, {"client_order_id": fill.client_order_id})
    return order
