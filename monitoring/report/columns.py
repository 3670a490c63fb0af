"""Columns of a run's tables as arrays: floats for statistics, `Decimal` where a sum must be exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

type F64 = npt.NDArray[np.float64]
type I64 = npt.NDArray[np.int64]
type Mask = npt.NDArray[np.bool_]
type Text = npt.NDArray[np.object_]

UNKNOWN_NS = -1
"""Stands for a missing time in an `int64` column."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Equally long columns; row order is the table's."""

    ts: I64

    def __len__(self) -> int:
        return len(self.ts)

    def where(self, mask: Mask | I64) -> Self:
        """Rows under a boolean mask or an index array, as the same type."""
        return type(self)(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Fills(Rows):
    """Fills of one queue bound: prices in quote currency, quantities in base units, times in ns.

    `side` is +1 for a buy, −1 for a sell; `fee` is a cost (a rebate is negative); `mid_decision` is NaN and
    `ts_arrival` is −1 where the run did not record one. The `*_exact` columns hold the same values as `Decimal`.
    """

    instrument: Text
    strategy: Text
    order: Text
    trade: Text
    fee_asset: Text
    side: I64
    price: F64
    quantity: F64
    fee: F64
    maker: Mask
    mid_decision: F64
    ts_decision: I64
    ts_arrival: I64
    price_exact: Text
    quantity_exact: Text
    fee_exact: Text

    @property
    def notional(self) -> F64:
        """Price times quantity, in quote currency."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Funding(Rows):
    """Funding payments: `amount` is positive when received."""

    instrument: Text
    strategy: Text
    amount: F64
    amount_exact: Text


@dataclass(frozen=True, slots=True)
class Orders(Rows):
    """Orders of one queue bound as they ended; NaN and −1 stand for what is not known."""

    instrument: Text
    strategy: Text
    order: Text
    side: I64
    kind: Text
    status: Text
    reason: Text
    price: F64
    quantity: F64
    filled: F64
    post_only: Mask
    reduce_only: Mask
    mid_decision: F64
    ts_accepted: I64
    ts_closed: I64
    queue_ahead: F64

    @property
    def sent(self) -> Mask:
        """Which orders reached the venue (an engine denial did not)."""
        return np.asarray(~np.isin(self.status, ["DENIED", "NEW"]), dtype=np.bool_)


def read_fills(table: pa.Table) -> Fills:
    """Turn the `fills` table into columns."""
    return Fills(
        ts=_i64(table, "ts_ns"),
        instrument=_text(table, "instrument_id"),
        strategy=_text(table, "strategy_id"),
        order=_text(table, "client_order_id"),
        trade=_text(table, "trade_id"),
        fee_asset=_text(table, "fee_asset"),
        side=_sides(table),
        price=_f64(table, "price"),
        quantity=_f64(table, "quantity"),
        fee=_f64(table, "fee"),
        maker=np.asarray(_text(table, "liquidity") == "MAKER", dtype=np.bool_),
        mid_decision=_f64(table, "mid_decision"),
        ts_decision=_i64(table, "ts_decision"),
        ts_arrival=_i64(table, "ts_arrival"),
        price_exact=_text(table, "price"),
        quantity_exact=_text(table, "quantity"),
        fee_exact=_text(table, "fee"),
    )


def read_funding(table: pa.Table) -> Funding:
    """Turn the `funding` table into columns."""
    return Funding(
        ts=_i64(table, "ts_ns"),
        instrument=_text(table, "instrument_id"),
        strategy=_text(table, "strategy_id"),
        amount=_f64(table, "amount"),
        amount_exact=_text(table, "amount"),
    )


def read_orders(table: pa.Table) -> Orders:
    """Turn the `orders` table into columns."""
    return Orders(
        ts=_i64(table, "ts_ns"),
        instrument=_text(table, "instrument_id"),
        strategy=_text(table, "strategy_id"),
        order=_text(table, "client_order_id"),
        side=_sides(table),
        kind=_text(table, "order_type"),
        status=_text(table, "status"),
        reason=_text(table, "reject_reason"),
        price=_f64(table, "price"),
        quantity=_f64(table, "quantity"),
        filled=_f64(table, "filled_quantity"),
        post_only=np.asarray(_text(table, "post_only"), dtype=np.bool_),
        reduce_only=np.asarray(_text(table, "reduce_only"), dtype=np.bool_),
        mid_decision=_f64(table, "mid_decision"),
        ts_accepted=_i64(table, "ts_accepted"),
        ts_closed=_i64(table, "ts_closed"),
        queue_ahead=_f64(table, "queue_ahead"),
    )


def total(values: Sequence[Decimal] | Text) -> Decimal:
    """Exact sum of decimals."""
    return sum(values, Decimal(0))


def _i64(table: pa.Table, name: str) -> I64:
    values = table.column(name).fill_null(UNKNOWN_NS)
    return np.asarray(values.to_numpy(), dtype=np.int64)


def _f64(table: pa.Table, name: str) -> F64:
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)


def _text(table: pa.Table, name: str) -> Text:
    out = np.empty(table.num_rows, dtype=np.object_)
    out[:] = table.column(name).to_pylist()
    return out


def _sides(table: pa.Table) -> I64:
    return np.where(_text(table, "side") == "BUY", 1, -1).astype(np.int64)
