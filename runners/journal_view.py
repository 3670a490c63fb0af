"""What `journal` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from execution.ids import encode
from execution.journal_read import JournalState, OrderRecord, RunRecord

SHOWN_RUNS = 20
LEFT_OUT = frozenset({"orders", "fills", "cancels", "income", "trade_ids", "income_keys"})
"""Long lists: counted where a person looks, in the file where a program does."""


def as_json(found: JournalState) -> dict[str, Any]:
    """Everything but the long lists, of which there are counts."""
    whole = {field.name: getattr(found, field.name) for field in fields(found) if field.name not in LEFT_OUT}
    return {
        **{name: _plain(value) for name, value in whole.items()},
        "counts": {name: len(getattr(found, name)) for name in ("orders", "fills", "cancels", "income")},
        "open_orders": [order_json(row) for row in found.open_orders],
    }


def order_json(row: OrderRecord) -> dict[str, Any]:
    """One order as plain values."""
    plain: dict[str, Any] = _plain(row)
    return plain


def parts(found: JournalState) -> Iterator[RenderableType]:
    """Head, sessions, positions, epochs, open orders."""
    yield escape("\n".join(_head(found)))
    runs = Table("session", "started UTC", "mode", "epoch", "ended UTC", "outcome")
    for run in found.runs[-SHOWN_RUNS:]:
        runs.add_row(
            run.run_id, _utc(run.started_ns), run.mode, encode(run.epoch), _ended(run), escape(run.outcome or "-")
        )
    if found.runs:
        yield runs
    epochs = Table("epoch", "for", "session", "last number")
    for epoch in found.epochs[-SHOWN_RUNS:]:
        epochs.add_row(encode(epoch.epoch), epoch.purpose, epoch.run_id, str(epoch.last_sequence))
    if found.epochs:
        yield epochs
    if found.open_orders:
        yield orders_table(found.open_orders)


def orders_table(rows: Sequence[OrderRecord]) -> Table:
    """One row per order."""
    table = Table(
        "order", "venue id", "decided UTC", "symbol", "side", "type", "price", "quantity", "filled", "status", "why"
    )
    for row in rows:
        number = row.algo_id if row.is_algo and row.venue_order_id is None else row.venue_order_id
        table.add_row(
            row.client_order_id, "-" if number is None else str(number), _utc(row.ts_ns), row.symbol, row.side,
            row.order_type + (" reduce-only" if row.reduce_only else ""), "-" if row.price is None else f"{row.price:f}",
            f"{row.quantity:f}", f"{row.filled_quantity:f}", row.status, escape(row.reject_reason or row.why),
        )  # fmt: skip
    return table


def _head(found: JournalState) -> Iterator[str]:
    account = found.account
    whose = "no account" if account is None else f"account {account.account_id} ({account.environment}, {account.host})"
    yield f"{found.path}: {whose}, schema {found.schema_version}"
    yield (
        f"{len(found.runs)} sessions, {len(found.orders)} orders ({len(found.open_orders)} open), {len(found.fills)} fills, "
        f"{len(found.income)} changes of the wallet"
    )
    held = ", ".join(f"{symbol} {amount:f}" for symbol, amount in sorted(found.net.items())) or "flat"
    yield f"positions: {held}"
    for one in found.wallet.values():
        yield f"wallet: {one.balance:f} {one.asset} at {_utc(one.ts_ms * 1_000_000)} ({one.source})"
    if found.last_signed_ms is not None:
        yield f"last signed: {_utc(found.last_signed_ms * 1_000_000)}"
    yield f"head of the chain: {found.chain.seq} {found.chain.hash or '-'}"


def _ended(run: RunRecord) -> str:
    return "still open" if run.ended_ns is None else _utc(run.ended_ns)


def _utc(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    """Values that JSON has; decimals as text."""
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(one) for one in value]
    return (
        f"{value:f}"
        if isinstance(value, Decimal)
        else value
        if isinstance(value, int | float | bool | None)
        else str(value)
    )
