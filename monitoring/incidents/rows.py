"""What a window of a journal holds, as rows for an incident."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from execution.journal import RiskEvent
from monitoring.blackbox import BlackBoxConfig
from monitoring.incidents.record import BreakerMark, plain_row
from risk.breakers.board import BreakerBoard
from risk.loss import NS_PER_DAY

NAMES = ("risk_events", "orders", "order_events", "refusals", "fills")
ZERO = Decimal(0)


def risk_events(table: pa.Table) -> list[RiskEvent]:
    """Rows of a ``risk_events`` table as the events they were."""
    names = ("ts_ns", "kind", "name", "instrument_id", "state", "level", "detail")
    return [
        RiskEvent(**{name: row[name] for name in names}, figures=json.loads(row["figures"]))
        for row in table.to_pylist()
    ]


def of_window(
    tables: Mapping[str, pa.Table], start_ns: int, end_ns: int, config: BlackBoxConfig
) -> tuple[dict[str, tuple[dict[str, Any], ...]], dict[str, int]]:
    """Return the rows of each table that belong to a window, the newest where there are too many, and what had no room.

    Parameters
    ----------
    tables
        Of the journal, by name.
    start_ns, end_ns
        The window, end excluded.
    config
        How many rows are kept.
    """
    kept: dict[str, tuple[dict[str, Any], ...]] = {}
    dropped: dict[str, int] = {}
    for name in NAMES:
        most = config.max_risk_events if name == "risk_events" else config.max_order_events
        rows = [row for row in tables[name].to_pylist() if _belongs(name, row, start_ns, end_ns)]
        kept[name] = tuple(plain_row(row) for row in rows[-most:])
        if len(rows) > most:
            dropped[name] = len(rows) - most
    return kept, dropped


def _belongs(name: str, row: Mapping[str, Any], start_ns: int, end_ns: int) -> bool:
    if name != "orders":
        return bool(start_ns <= row["ts_ns"] < end_ns)
    return bool(row["ts_ns"] < end_ns and (row["ts_closed"] is None or row["ts_closed"] >= start_ns))


def positions_at(fills: pa.Table, ts_ns: int) -> dict[str, Decimal]:
    """Account position by instrument after the fills up to an instant, included; flat ones are left out."""
    held: dict[str, Decimal] = {}
    for row in fills.to_pylist():
        if row["ts_ns"] <= ts_ns:
            held[row["instrument_id"]] = row["position_after"]
    return {iid: quantity for iid, quantity in held.items() if quantity}


def breakers_at(events: Iterable[RiskEvent], ts_ns: int) -> tuple[BreakerMark, ...]:
    """Breakers that were not closed at an instant, from the edges up to it, included."""
    found: dict[tuple[str, str], BreakerMark] = {}
    for event in events:
        if event.kind != "breaker" or event.ts_ns > ts_ns:
            continue
        key = (event.name, event.instrument_id)
        if event.state == "closed":
            found.pop(key, None)
            continue
        before = found.get(key)
        reason = event.detail if event.state == "open" or before is None else before.reason
        found[key] = BreakerMark(
            name=event.name, instrument_id=event.instrument_id, state=event.state, level=event.level,
            since_ns=event.ts_ns if before is None else before.since_ns, reason=reason,
        )  # fmt: skip
    return tuple(found.values())


def marks(board: BreakerBoard) -> tuple[BreakerMark, ...]:
    """Breakers of a running board that are not closed."""
    return tuple(
        BreakerMark(
            name=one.name, instrument_id=one.instrument_id, state=str(one.state), level=one.level.name.lower(),
            since_ns=one.since_ns, reason=one.reason,
        )
        for one in board.open()
    )  # fmt: skip


def _lasts(event: RiskEvent, ts_ns: int) -> bool:
    if event.name == "loss_streak":
        return ts_ns < event.ts_ns + float(event.figures.get("seconds_left", 0)) * 1e9
    return event.name != "daily_loss" or event.ts_ns // NS_PER_DAY == ts_ns // NS_PER_DAY


def halt_at(events: Iterable[RiskEvent], ts_ns: int) -> str:
    """Why entries were shut before an instant; a daily loss ends with its UTC day. Empty where they were not."""
    reason = ""
    for event in events:
        if event.kind == "halt" and event.ts_ns < ts_ns and _lasts(event, ts_ns):
            reason = reason or event.detail
    return reason
