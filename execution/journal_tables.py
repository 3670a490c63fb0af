"""Rows of the SQLite journal in and out; column names come from this package only, never from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from execution import records

_SOURCES = {
    "orders": ("orders", "order_id"),
    "order_events": ("events", "event_id"),
    "fills": ("fills", "fill_id"),
    "refusals": ("refusals", "refusal_id"),
    "funding": ("funding", "funding_id"),
    "risk_events": ("risk_events", "risk_event_id"),
}
"""Run table to journal table and its key, whose order is the order of writing."""


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert one row."""
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - own names


def update(db: sqlite3.Connection, table: str, changes: Mapping[str, Any], where: Mapping[str, Any]) -> None:
    """Change the rows that match; none is no error, as in `MemoryJournal`."""
    sets, matches = ", ".join(f"{name} = ?" for name in changes), " AND ".join(f"{name} = ?" for name in where)
    db.execute(f"UPDATE {table} SET {sets} WHERE {matches}", (*changes.values(), *where.values()))  # noqa: S608 - own names


def read(db: sqlite3.Connection, run_id: str, names: Iterable[str] = tuple(_SOURCES)) -> dict[str, pa.Table]:
    """One run's tables, or some of them, by the names and schemas of `execution.records`."""
    return {name: records.table(records.BY_NAME[name], rows(db, run_id, name)) for name in names}


def rows(db: sqlite3.Connection, run_id: str, name: str) -> list[dict[str, Any]]:
    """One run's rows of a run table, in the order of writing."""
    schema, (source, key) = records.BY_NAME[name], _SOURCES[name]
    cursor = db.execute(f"SELECT * FROM {source} WHERE run_id = ? ORDER BY {key}", (run_id,))  # noqa: S608 - own names
    return [_row(schema, dict(row), seq) for seq, row in enumerate(cursor)]


def order_row(row: sqlite3.Row) -> dict[str, Any]:
    """One order; which number it has in its run, the row alone does not tell."""
    return _row(records.ORDERS, dict(row), -1)


def _row(schema: pa.Schema, row: dict[str, Any], seq: int) -> dict[str, Any]:
    row["seq"] = seq
    return {column.name: _value(column.type, row[column.name]) for column in schema}


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value)
    return bool(value) if pa.types.is_boolean(kind) else value
