"""`journal verify`: is a journal whole, as it was written, and does it add up?

Everything is read as of one moment, so a node may write meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from errors import SafetyRefusal
from execution import journal_chain
from execution.journal_read import reading
from execution.journal_schema import MIGRATIONS, migrate, version

ZERO = Decimal(0)
MOST = 100
"""Findings of one kind that are listed; a damaged file has millions."""
COUNTED = ("runs", "orders", "events", "fills", "refusals", "cancels", "income", "venue_messages")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at a journal has found.

    Attributes
    ----------
    path, schema_version
        Which file.
    findings
        What is wrong, one sentence each; empty for a good journal.
    rows
        Counted by table.
    head
        Last link of the record of venue messages: written down elsewhere, it shows later whether the tail was cut off.
    """

    path: Path
    schema_version: int
    findings: tuple[str, ...]
    rows: dict[str, int]
    head: journal_chain.Link


def verify(path: Path) -> Verified:
    """Look at everything.

    Raises
    ------
    DataError
        When there is no file.
    SafetyRefusal
        When it is no journal of this system, of a newer program, or so damaged that it cannot be read at all.
    """
    try:
        with reading(path) as db:
            found = version(db)
            findings = tuple(_few(_whole(db))) or (*_few(_schema(db)), *_few(_broken_references(db)))
            if not findings:
                findings = tuple(line for check in _CHECKS for line in _few(check(db)))
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            rows = {name: _count(db, name) for name in COUNTED if name in tables}
            head = journal_chain.head(db) if "venue_messages" in tables else journal_chain.Link()
    except sqlite3.DatabaseError as error:
        raise SafetyRefusal(
            f"journal {path} is damaged: {error}; take the last backup, the venue knows the rest."
        ) from error
    return Verified(path, found, findings, rows, head)


def _few(found: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(found):
        if number == MOST:
            yield f"… and more: only {MOST} of a kind are listed"
            return
        yield line


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - own names


def _whole(db: sqlite3.Connection) -> Iterator[str]:
    for row in db.execute("PRAGMA quick_check"):
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"


def _broken_references(db: sqlite3.Connection) -> Iterator[str]:
    for row in db.execute("PRAGMA foreign_key_check"):
        yield f"row {row['rowid']} of {row['table']} belongs to a session that is not there"


def _schema(db: sqlite3.Connection) -> Iterator[str]:
    """Hold tables, indexes and triggers against those that this program makes."""
    expected = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(expected, MIGRATIONS[: version(db)])
        query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        wanted = {(kind, name): text for kind, name, text in expected.execute(query)}
    finally:
        expected.close()
    there = {(row["type"], row["name"]): row["sql"] for row in db.execute(query)}
    for (kind, name), text in wanted.items():
        if (kind, name) not in there:
            yield f"{kind} {name} is missing"
        elif there[kind, name] != text:
            yield f"{kind} {name} is not as this program makes it"
    for kind, name in there.keys() - wanted.keys():
        yield f"{kind} {name} is not ours"


def _chain(db: sqlite3.Connection) -> Iterator[str]:
    if version(db) > 1:
        yield from journal_chain.breaks(db)


def _sums(db: sqlite3.Connection) -> Iterator[str]:
    """Fills of an order make its filled quantity, and no order has more than was ordered."""
    filled: dict[str, Decimal] = {}
    for row in db.execute("SELECT client_order_id, quantity FROM fills"):
        filled[row["client_order_id"]] = filled.get(row["client_order_id"], ZERO) + Decimal(row["quantity"])
    for row in db.execute("SELECT client_order_id, quantity, filled_quantity, status FROM orders ORDER BY order_id"):
        name, said, ordered = row["client_order_id"], Decimal(row["filled_quantity"]), Decimal(row["quantity"])
        sum_ = filled.get(name, ZERO)
        if sum_ != said:
            yield f"order {name}: its fills make {sum_:f}, its row says {said:f}"
        if said > ordered > 0:
            yield f"order {name}: {said:f} filled of {ordered:f}"
        if row["status"] == "FILLED" and said < ordered:
            yield f"order {name}: FILLED with {said:f} of {ordered:f}"
        if row["status"] in ("REJECTED", "DENIED", "NOT_EXECUTED", "FORGOTTEN_NO_FILL") and said:
            yield f"order {name}: {row['status']}, and {said:f} filled"


def _positions(db: sqlite3.Connection) -> Iterator[str]:
    """Each fill's position is the one before it and the fill."""
    net: dict[str, Decimal] = {}
    for row in db.execute("SELECT * FROM fills ORDER BY fill_id"):
        iid, quantity = row["instrument_id"], Decimal(row["quantity"])
        net[iid] = net.get(iid, ZERO) + (quantity if row["side"] == "BUY" else -quantity)
        said = Decimal(row["position_after"])
        if said != net[iid]:
            yield f"trade {row['trade_id']} of {iid}: position {said:f} after it, the fills so far make {net[iid]:f}"
            net[iid] = said  # the next one is judged by itself


def _lone_orders(db: sqlite3.Connection) -> Iterator[str]:
    """An order has the intent that it was written with."""
    for row in db.execute(
        "SELECT client_order_id FROM orders WHERE client_order_id NOT IN (SELECT client_order_id FROM intents)"
        " UNION SELECT client_order_id FROM intents WHERE client_order_id NOT IN (SELECT client_order_id FROM orders)"
    ):
        yield f"order {row['client_order_id']}: order and intent are not both there, though they are written together"


_CHECKS = (_chain, _sums, _positions, _lone_orders)
