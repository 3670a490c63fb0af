"""Arrow rows into Nautilus objects, by Nautilus' own Rust decoders where it has them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from nautilus_trader.model import FundingRateUpdate, InstrumentId, MarkPriceUpdate, OrderBookDeltas, Price
from nautilus_trader.persistence import (
    BarDataWrangler,
    OrderBookDeltaDataWrangler,
    QuoteTickDataWrangler,
    TradeTickDataWrangler,
)

from catalog.kinds import Kind
from catalog.tables import F_LAST, Ints, Precision, nanoseconds
from errors import CorruptData

_WRANGLERS: dict[Kind, Callable[[str, int, int], Any]] = {
    Kind.DELTAS: OrderBookDeltaDataWrangler,
    Kind.TRADES: TradeTickDataWrangler,
    Kind.QUOTES: QuoteTickDataWrangler,
    Kind.BARS: BarDataWrangler,
}


def decode(kind: Kind, identifier: str, precision: Precision, table: pa.Table) -> tuple[list[Any], Ints]:
    """Return objects and the receipt time of each.

    Parameters
    ----------
    kind, identifier, precision
        What the rows are.
    table
        Rows in order; deltas must not end inside a batch.

    Returns
    -------
    list, array
        For deltas one ``OrderBookDeltas`` a venue message, else one object a row; and ``ts_init`` of each, in ns.

    Raises
    ------
    CorruptData
        When deltas end without ``F_LAST``.
    """
    ts = nanoseconds(table["ts_init"])
    if kind is Kind.FUNDING:
        return _funding(identifier, table), ts
    if kind is Kind.MARK:
        return _marks(identifier, precision, table), ts
    rows = _WRANGLERS[kind](identifier, precision.price, precision.size).process_record_batch_bytes(_ipc(table))
    return _batches(identifier, rows, table, ts) if kind is Kind.DELTAS else (rows, ts)


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    out: bytes = sink.getvalue().to_pybytes()
    return out


def _batches(identifier: str, rows: list[Any], table: pa.Table, ts: Ints) -> tuple[list[Any], Ints]:
    ends = np.flatnonzero(table["flags"].to_numpy() & F_LAST) + 1
    if len(rows) and (len(ends) == 0 or ends[-1] != len(rows)):
        raise CorruptData(f"deltas of {identifier} end inside a venue message (no F_LAST): the file is incomplete.")
    instrument_id = InstrumentId.from_str(identifier)
    stops = ends.tolist()
    starts = [0, *stops[:-1]]
    batches = [OrderBookDeltas(instrument_id, rows[start:stop]) for start, stop in zip(starts, stops, strict=True)]
    return batches, ts[ends - 1]


def _funding(identifier: str, table: pa.Table) -> list[Any]:
    instrument_id = InstrumentId.from_str(identifier)
    next_ns = table["next_funding_ns"].cast(pa.int64()).to_pylist()
    stamps = zip(nanoseconds(table["ts_event"]).tolist(), nanoseconds(table["ts_init"]).tolist(), strict=True)
    rows = zip(table["rate"].to_pylist(), table["interval"].to_pylist(), next_ns, stamps, strict=True)
    return [
        FundingRateUpdate(instrument_id, Decimal(rate), event, init, interval, following)
        for rate, interval, following, (event, init) in rows
    ]


def _marks(identifier: str, precision: Precision, table: pa.Table) -> list[Any]:
    instrument_id = InstrumentId.from_str(identifier)
    values = [Price.from_decimal_dp(value, precision.price) for value in table["value"].to_pylist()]
    stamps = zip(nanoseconds(table["ts_event"]).tolist(), nanoseconds(table["ts_init"]).tolist(), strict=True)
    return [
        MarkPriceUpdate(instrument_id, value, event, init) for value, (event, init) in zip(values, stamps, strict=True)
    ]
