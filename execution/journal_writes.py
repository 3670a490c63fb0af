"""What each call of a journal writes: statements on an open transaction, the same for every journal on disk.

Column names come from this package only, never from outside. A statement that fails makes the whole transaction fail.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution.journal import CLOSED, KEEPS_PARTIAL, Fill, IdUsed, RiskEvent, risk_row
from execution.journal_tables import insert, update
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


@dataclass(frozen=True, slots=True)
class Handed:
    """How an order leaves: what recovery needs to ask the venue about it.

    Attributes
    ----------
    wire_id
        Its client order id as it stands on the wire.
    signed_ms
        Venue time right before it is handed over, ms.
    is_protective, is_algo
        A venue-side stop; it goes to the service of conditional orders.
    """

    wire_id: str | None = None
    signed_ms: int | None = None
    is_protective: bool = False
    is_algo: bool = False


def begin(db: sqlite3.Connection, run: Run) -> None:
    """Write the run's row."""
    db.execute(
        "INSERT INTO runs (run_id, started_ns, mode, account, config_hash, epoch) VALUES (?, ?, ?, ?, ?, ?)",
        (run.run_id, run.started_ns, run.mode, run.account, run.config_hash, run.epoch),
    )


def order(db: sqlite3.Connection, run_id: str, request: OrderRequest, mid: float | None, handed: Handed) -> None:
    """Write intent and order.

    Raises
    ------
    IdUsed
        Before anything is written, when an order has had the id, in whichever run.
    """
    if db.execute("SELECT 1 FROM orders WHERE client_order_id = ?", (request.client_order_id,)).fetchone():
        raise IdUsed(f"client order id {request.client_order_id} has been used: it stands in the journal")
    insert(db, "intents", {
        "run_id": run_id, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id,
        "instrument_id": request.instrument_id, "client_order_id": request.client_order_id,
        "why": request.purpose.why, "edge_bps": request.purpose.edge_bps,
        "horizon_secs": float(request.purpose.horizon_secs), "source": request.purpose.source,
    })  # fmt: skip
    insert(db, "orders", {
        "run_id": run_id, "client_order_id": request.client_order_id, "ts_ns": request.ts_ns,
        "strategy_id": request.strategy_id, "instrument_id": request.instrument_id, "side": request.side.name,
        "order_type": request.order_type, "price": _text(request.price), "quantity": str(request.quantity),
        "post_only": int(request.post_only), "reduce_only": int(request.reduce_only),
        "time_in_force": request.time_in_force, "status": "NEW", "why": request.purpose.why,
        "edge_bps": request.purpose.edge_bps, "mid_decision": mid, "source": request.purpose.source,
        "wire_id": handed.wire_id, "signed_ms": handed.signed_ms, "is_protective": int(handed.is_protective),
        "is_algo": int(handed.is_algo),
    })  # fmt: skip


def refusal(db: sqlite3.Connection, run_id: str, request: OrderRequest, refused: Refused) -> None:
    """Write a refused order."""
    insert(db, "refusals", {
        "run_id": run_id, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id,
        "instrument_id": request.instrument_id, "client_order_id": request.client_order_id,
        "side": request.side.name, "order_type": request.order_type, "price": _text(request.price),
        "quantity": str(request.quantity), "reason": str(refused.reason), "detail": refused.detail,
        "figures": json.dumps(dict(refused.figures), sort_keys=True),
    })  # fmt: skip


def event(
    db: sqlite3.Connection, run_id: str, ts_ns: int, client_order_id: str, name: str, status: str | None, detail: str
) -> None:
    """Write an event and what it makes of its order; what is over stays as it ended."""
    _event_row(db, run_id, ts_ns, client_order_id, name, detail)
    row = _order(db, client_order_id)
    if row is not None and status is not None and row["status"] not in CLOSED:
        update(db, "orders", _on_status(row, ts_ns, name, status, detail), {"client_order_id": client_order_id})


def reopen(db: sqlite3.Connection, run_id: str, client_order_id: str, status: str, why: str, ts_ns: int | None) -> None:
    """Open an order again that was held for over."""
    row = _order(db, client_order_id)
    _event_row(db, run_id, _when(row, ts_ns), client_order_id, "Reopened", why)
    changes = {"status": status, "ts_closed": None, "reject_reason": None}
    update(db, "orders", changes, {"client_order_id": client_order_id})


def settle(db: sqlite3.Connection, run_id: str, client_order_id: str, status: str, why: str, ts_ns: int | None) -> None:
    """End an order by the venue's word."""
    row = _order(db, client_order_id)
    when = _when(row, ts_ns)
    _event_row(db, run_id, when, client_order_id, "Settled", why)
    changes = {"status": status, "ts_closed": when, "reject_reason": why if status == "REJECTED" else None}
    update(db, "orders", changes, {"client_order_id": client_order_id})


def queue(db: sqlite3.Connection, client_order_id: str, ahead: float) -> None:
    """Write the size ahead of an order."""
    update(db, "orders", {"queue_ahead": ahead}, {"client_order_id": client_order_id})


def resize(db: sqlite3.Connection, client_order_id: str, quantity: Decimal) -> None:
    """Write a quantity that the venue has changed."""
    update(db, "orders", {"quantity": str(quantity)}, {"client_order_id": client_order_id})


def fill(db: sqlite3.Connection, run_id: str, told: Fill) -> bool:
    """Write a fill, its order's state and the position after it; False when it was there already."""
    known = db.execute(
        "SELECT 1 FROM fills WHERE instrument_id = ? AND trade_id = ?", (told.instrument_id, told.trade_id)
    ).fetchone()
    if known:
        return False
    order_row = _book_on_order(db, told)
    after = position(db, told.instrument_id) + (1 if told.side == "BUY" else -1) * told.quantity
    insert(db, "fills", {
        "run_id": run_id, "instrument_id": told.instrument_id, "trade_id": told.trade_id,
        "ts_ns": told.ts_ns, "strategy_id": told.strategy_id, "client_order_id": told.client_order_id,
        "side": told.side, "price": str(told.price), "quantity": str(told.quantity),
        "liquidity": told.liquidity, "fee": str(told.fee), "fee_asset": told.fee_asset,
        "position_after": str(after), "mid_decision": order_row["mid_decision"] if order_row else None,
        "ts_decision": order_row["ts_ns"] if order_row else told.ts_ns,
        "ts_arrival": order_row["ts_accepted"] if order_row else None,
    })  # fmt: skip
    return True


def position(db: sqlite3.Connection, instrument_id: str) -> Decimal:
    """Net position of an instrument after its last fill, signed base units."""
    row = db.execute(
        "SELECT position_after FROM fills WHERE instrument_id = ? ORDER BY fill_id DESC LIMIT 1", (instrument_id,)
    ).fetchone()
    return Decimal(row["position_after"]) if row else ZERO


def funding(
    db: sqlite3.Connection, run_id: str, ts_ns: int, instrument_id: str, strategy_id: str, held: Decimal,
    rate: Decimal | None, amount: Decimal,
) -> None:  # fmt: skip
    """Write a funding payment."""
    insert(db, "funding", {
        "run_id": run_id, "ts_ns": ts_ns, "instrument_id": instrument_id, "strategy_id": strategy_id,
        "position": str(held), "rate": _text(rate), "amount": str(amount),
    })  # fmt: skip


def risk(db: sqlite3.Connection, run_id: str, told: RiskEvent) -> None:
    """Write a breaker edge, a halt, or an order's illegal step."""
    row = risk_row(0, told)
    del row["seq"]
    insert(db, "risk_events", {"run_id": run_id, **row})


def save_risk_state(db: sqlite3.Connection, ts_ns: int, name: str, value: str) -> None:
    """Write a named state as JSON; the newest value replaces the one before."""
    db.execute(
        "INSERT INTO risk_state VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET ts_ns = excluded.ts_ns, value = excluded.value",
        (name, ts_ns, value),
    )


def equity(db: sqlite3.Connection, run_id: str, ts_ns: int, amount: Decimal) -> None:
    """Write a reading of equity; the last one of an instant counts."""
    db.execute("INSERT OR REPLACE INTO equity VALUES (?, ?, ?)", (run_id, ts_ns, str(amount)))


def end(db: sqlite3.Connection, run_id: str, ts_ns: int, outcome: str) -> None:
    """Close the run's row, with the head of the chain of venue messages: a tail that is cut off later then shows."""
    head = db.execute("SELECT seq, hash FROM venue_messages ORDER BY seq DESC LIMIT 1").fetchone()
    changes = {"ended_ns": ts_ns, "outcome": outcome}
    if head is not None:
        changes |= {"chain_seq": head["seq"], "chain_hash": head["hash"]}
    update(db, "runs", changes, {"run_id": run_id})


def _event_row(db: sqlite3.Connection, run_id: str, ts_ns: int, client_order_id: str, name: str, detail: str) -> None:
    insert(db, "events", {
        "run_id": run_id, "ts_ns": ts_ns, "client_order_id": client_order_id, "event": name, "detail": detail,
    })  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _order(db: sqlite3.Connection, client_order_id: str) -> dict[str, Any] | None:
    row = db.execute("SELECT * FROM orders WHERE client_order_id = ?", (client_order_id,)).fetchone()
    return None if row is None else dict(row)


def _when(row: Mapping[str, Any] | None, ts_ns: int | None) -> int:
    if ts_ns is not None:
        return ts_ns
    known = () if row is None else (row["ts_ns"], row["ts_accepted"], row["ts_closed"])
    return max((ts for ts in known if ts is not None), default=0)


def _on_status(row: Mapping[str, Any], ts_ns: int, name: str, status: str, detail: str) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": status}
    if (status == "ACK" or name == "OrderAccepted") and row["ts_accepted"] is None:
        changes["ts_accepted"] = ts_ns
    if status == "ACK" and Decimal(row["filled_quantity"]):
        changes["status"] = "PARTIALLY_FILLED"
    if status in CLOSED:
        changes["ts_closed"] = ts_ns
    if status in ("REJECTED", "DENIED"):
        changes["reject_reason"] = detail
    return changes


def _book_on_order(db: sqlite3.Connection, told: Fill) -> dict[str, Any] | None:
    row = _order(db, told.client_order_id)
    if row is None:
        return None
    before = Decimal(row["filled_quantity"])
    total = before + told.quantity
    paid = Decimal(row["avg_price"] or 0) * before + told.price * told.quantity
    if row["ts_accepted"] is None:
        row["ts_accepted"] = told.ts_ns  # a market order is filled on arrival, without an acceptance of its own
    changes: dict[str, Any] = {
        "filled_quantity": str(total), "avg_price": str((paid / total).quantize(_AVERAGE_STEP)),
        "ts_accepted": row["ts_accepted"],
    }  # fmt: skip
    if total >= Decimal(row["quantity"]):
        changes |= {"status": "FILLED", "ts_closed": told.ts_ns}
    elif row["status"] not in CLOSED | KEEPS_PARTIAL:
        changes["status"] = "PARTIALLY_FILLED"
    update(db, "orders", changes, {"client_order_id": told.client_order_id})
    return row
