"""Rows of the run tables and their Arrow schemas, one place for backtest, report and export.

Prices, quantities and money are ``decimal128(38, 16)``; floats are features and statistics. No wall-clock time and no random
id stands in a table, so that equal runs are equal files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

DECIMAL = pa.decimal128(38, 16)


def _schema(*columns: tuple[str, pa.DataType, bool]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable in columns])


_TEXT, _INT, _FLOAT, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()

ORDERS = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("strategy_id", _TEXT, False), ("instrument_id", _TEXT, False),
    ("client_order_id", _TEXT, False), ("side", _TEXT, False), ("order_type", _TEXT, False), ("price", DECIMAL, True),
    ("quantity", DECIMAL, False), ("filled_quantity", DECIMAL, False), ("avg_price", DECIMAL, True),
    ("post_only", _BOOL, False), ("reduce_only", _BOOL, False), ("time_in_force", _TEXT, False), ("status", _TEXT, False),
    ("ts_accepted", _INT, True), ("ts_closed", _INT, True), ("reject_reason", _TEXT, True), ("why", _TEXT, False),
    ("edge_bps", _FLOAT, True), ("mid_decision", _FLOAT, True), ("queue_ahead", _FLOAT, True), ("source", _TEXT, False),
)  # fmt: skip

ORDER_EVENTS = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("client_order_id", _TEXT, False), ("event", _TEXT, False),
    ("detail", _TEXT, False),
)  # fmt: skip

FILLS = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("trade_id", _TEXT, False), ("strategy_id", _TEXT, False),
    ("instrument_id", _TEXT, False), ("client_order_id", _TEXT, False), ("side", _TEXT, False), ("price", DECIMAL, False),
    ("quantity", DECIMAL, False), ("liquidity", _TEXT, False), ("fee", DECIMAL, False), ("fee_asset", _TEXT, False),
    ("position_after", DECIMAL, False), ("mid_decision", _FLOAT, True), ("ts_decision", _INT, False),
    ("ts_arrival", _INT, True),
)  # fmt: skip

REFUSALS = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("strategy_id", _TEXT, False), ("instrument_id", _TEXT, False),
    ("client_order_id", _TEXT, False), ("side", _TEXT, False), ("order_type", _TEXT, False), ("price", DECIMAL, True),
    ("quantity", DECIMAL, False), ("reason", _TEXT, False), ("detail", _TEXT, False), ("figures", _TEXT, False),
)  # fmt: skip

FUNDING = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("instrument_id", _TEXT, False), ("strategy_id", _TEXT, False),
    ("position", DECIMAL, False), ("rate", DECIMAL, True), ("amount", DECIMAL, False),
)  # fmt: skip

RISK_EVENTS = _schema(
    ("seq", _INT, False), ("ts_ns", _INT, False), ("kind", _TEXT, False), ("name", _TEXT, False),
    ("instrument_id", _TEXT, False), ("state", _TEXT, False), ("level", _TEXT, False), ("detail", _TEXT, False),
    ("figures", _TEXT, False),
)  # fmt: skip

EQUITY = _schema(("ts_ns", _INT, False), ("equity", _FLOAT, False), ("drawdown", _FLOAT, False))

MARKET = _schema(
    ("ts_ns", _INT, False), ("instrument_id", _TEXT, False), ("bid", _FLOAT, False), ("bid_size", _FLOAT, False),
    ("ask", _FLOAT, False), ("ask_size", _FLOAT, False),
)  # fmt: skip

VOLUME = _schema(
    ("minute_ns", _INT, False), ("instrument_id", _TEXT, False), ("buy_volume", _FLOAT, False),
    ("sell_volume", _FLOAT, False), ("trades", _INT, False),
)  # fmt: skip

BY_NAME: Mapping[str, pa.Schema] = {
    "orders": ORDERS, "order_events": ORDER_EVENTS, "fills": FILLS, "refusals": REFUSALS, "funding": FUNDING,
    "risk_events": RISK_EVENTS, "equity": EQUITY, "market": MARKET, "volume": VOLUME,
}  # fmt: skip


def table(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Build an Arrow table from rows of named values.

    Raises
    ------
    pyarrow.ArrowInvalid
        When a value does not fit its column.
    """
    return pa.Table.from_pylist(list(rows), schema=schema)


def signed(fill: Mapping[str, Any]) -> Decimal:
    """What a row of ``fills`` adds to a position, signed base units."""
    quantity: Decimal = fill["quantity"]
    return quantity if fill["side"] == "BUY" else -quantity
