"""What the journal of an account keeps beside orders and fills: whose it is, epochs, ids, cancels, income, readings, actions.

Statements on an open transaction, as in `execution.journal_writes`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from errors import SafetyRefusal
from execution import journal_writes
from execution.journal import adoption
from execution.journal_tables import insert, update

ZERO = Decimal(0)
STRATEGIES = "strategies"


@dataclass(frozen=True, slots=True)
class Whose:
    """The one account of a journal.

    Attributes
    ----------
    account_id, environment, host
        As the venue and the configuration name them.
    """

    account_id: str
    environment: str
    host: str


def claim(db: sqlite3.Connection, whose: Whose, ts_ns: int) -> None:
    """Tie a journal to its account at the first start.

    Raises
    ------
    SafetyRefusal
        When it is another account's.
    """
    row = db.execute("SELECT account_id, environment, host FROM accounts").fetchone()
    if row is None:
        insert(db, "accounts", {
            "only_one": 1, "account_id": whose.account_id, "environment": whose.environment, "host": whose.host,
            "since_ns": ts_ns,
        })  # fmt: skip
        return
    for name in ("account_id", "environment", "host"):
        if row[name] != getattr(whose, name):
            raise SafetyRefusal(
                f"the journal belongs to {name.replace('_', ' ')} {row[name]}, this is {getattr(whose, name)}: use another "
                "account.alias or safety.journal.path, since a journal is of one account for ever."
            )


def draw_epoch(db: sqlite3.Connection, run_id: str, purpose: str, ts_ns: int, draw: Callable[[], int]) -> int:
    """Write an epoch that no order of this file can have, and return it."""
    epoch = free_epoch(db, draw)
    insert(db, "epochs", {"epoch": epoch, "run_id": run_id, "purpose": purpose, "created_ns": ts_ns})
    return epoch


def free_epoch(db: sqlite3.Connection, draw: Callable[[], int]) -> int:
    """Draw until an epoch is one that was never used."""
    while True:
        epoch = draw()
        if db.execute("SELECT 1 FROM epochs WHERE epoch = ?", (epoch,)).fetchone() is None:
            return epoch


def ids(db: sqlite3.Connection, client_order_id: str, venue_order_id: int | None, algo_id: int | None) -> None:
    """Write the venue's ids of an order, once they are known."""
    told = {"venue_order_id": venue_order_id, "algo_id": algo_id}
    changes = {name: value for name, value in told.items() if value is not None}
    if changes:
        update(db, "orders", changes, {"client_order_id": client_order_id})


def cancel_sent(db: sqlite3.Connection, run_id: str, client_order_id: str, sent_ms: int) -> None:
    """Write a cancel that leaves."""
    insert(db, "cancels", {"run_id": run_id, "client_order_id": client_order_id, "sent_ms": sent_ms})


def cancel_answered(db: sqlite3.Connection, client_order_id: str, answered_ms: int, outcome: str) -> None:
    """Write the answer to every cancel of an order that waits for one."""
    db.execute(
        "UPDATE cancels SET answered_ms = ?, outcome = ? WHERE client_order_id = ? AND answered_ms IS NULL",
        (answered_ms, outcome, client_order_id),
    )


def income(
    db: sqlite3.Connection, run_id: str, kind: str, transaction_id: int, symbol: str, asset: str, amount: Decimal,
    ts_ms: int,
) -> bool:  # fmt: skip
    """Write a change of the wallet, once by kind and transaction id; False when it was there already."""
    done = db.execute(
        "INSERT OR IGNORE INTO income (kind, transaction_id, run_id, symbol, asset, amount, ts_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (kind, transaction_id, run_id, symbol, asset, str(amount), ts_ms),
    )
    return done.rowcount == 1


def wallet(db: sqlite3.Connection, run_id: str, ts_ms: int, asset: str, balance: Decimal, source: str) -> None:
    """Write a reading of the wallet."""
    insert(db, "wallet", {
        "run_id": run_id, "ts_ms": ts_ms, "asset": asset, "balance": str(balance), "source": source,
    })  # fmt: skip


def action(
    db: sqlite3.Connection, run_id: str, ts_ns: int, kind: str, subject: str, detail: str, figures: Mapping[str, Any]
) -> None:
    """Write what was done about something, with its figures."""
    insert(db, "actions", {
        "run_id": run_id, "ts_ns": ts_ns, "kind": kind, "subject": subject, "detail": detail,
        "figures": json.dumps(dict(figures), sort_keys=True, default=str),
    })  # fmt: skip


def adopt(db: sqlite3.Connection, run_id: str, ts_ns: int, held: Mapping[str, tuple[Decimal, Decimal]]) -> list[str]:
    """Bring the journal's positions to what the account holds; what has to be booked for that is told and recorded.

    After a recovery there is nothing to book: it accounts for every trade. At the first start on an account that holds something,
    its positions are booked as they are found.
    """
    lines = []
    earlier = {row["instrument_id"] for row in db.execute("SELECT DISTINCT instrument_id FROM fills")}
    for iid in sorted(earlier | set(held)):
        amount, price = held.get(iid, (ZERO, ZERO))
        known = journal_writes.position(db, iid)
        if amount == known:
            continue
        trade_id = f"adopted-{run_id}-{iid.partition('-')[0]}"
        journal_writes.fill(db, run_id, adoption(ts_ns, iid, amount - known, price, trade_id))
        line = f"{iid}: the account holds {amount:f}, the journal had {known:f}; {amount - known:+f} booked as found"
        action(db, run_id, ts_ns, "adopted", iid, line, {"venue": f"{amount:f}", "journal": f"{known:f}"})
        lines.append(line)
    return lines
