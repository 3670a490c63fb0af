"""Reading a catalog back as the arrays that the statistics work on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.kinds import Kind
from catalog.partition import action_codes, levels_of
from catalog.sample.depth import depth_of
from catalog.sample.statistics import Depth, Floats, MarketData, Quotes, Trades
from catalog.store import Catalog
from catalog.tables import F_LAST, Action, BookSide, Precision, nanoseconds, scaled


def observe(catalog: Path, instrument_id: str, levels: int = 5) -> MarketData:
    """Read quotes, trades and depth of an instrument, whole, by exchange time.

    Parameters
    ----------
    catalog
        Folder of a catalog, synthetic or recorded.
    instrument_id
        Such as ``BTCUSDT-PERP.BINANCE``.
    levels
        Number of best occupied levels that count as depth.

    Raises
    ------
    CatalogMissing, InstrumentMissing
        When there is no such data.
    """
    store = Catalog(catalog)
    instrument = store.instrument(instrument_id)
    precision = Precision(instrument.price_precision, instrument.size_precision)
    quotes, trades, deltas = (
        pa.concat_tables([pq.read_table(file.path) for file in store.files(instrument_id, kind)])
        for kind in (Kind.QUOTES, Kind.TRADES, Kind.DELTAS)
    )
    return MarketData(_quotes(quotes, precision), _trades(trades, precision), _depth(deltas, precision, levels))


def _quotes(table: pa.Table, precision: Precision) -> Quotes:
    return Quotes(
        nanoseconds(table["ts_event"]),
        _floats(table["bid_price"], precision.price),
        _floats(table["bid_size"], precision.size),
        _floats(table["ask_price"], precision.price),
        _floats(table["ask_size"], precision.size),
    )


def _trades(table: pa.Table, precision: Precision) -> Trades:
    side = np.array([1 if name == "BUY" else -1 for name in table["aggressor_side"].to_pylist()], dtype=np.int64)
    return Trades(
        nanoseconds(table["ts_event"]),
        _floats(table["price"], precision.price),
        _floats(table["size"], precision.size),
        side,
    )


def _depth(table: pa.Table, precision: Precision, levels: int) -> Depth:
    rows = levels_of(table, precision)
    sign = np.where(rows.side == BookSide.BUY, 1, -1)
    flags = table["flags"].to_numpy().astype(np.int64)
    return depth_of(
        nanoseconds(table["ts_event"]),
        np.where(action_codes(table) == Action.CLEAR, 0, sign),
        rows.price,
        np.where(action_codes(table) == Action.DELETE, 0, rows.size),
        (flags & F_LAST) // F_LAST,
        levels=levels,
        lot=10.0**-precision.size,
    )


def _floats(column: pa.ChunkedArray, places: int) -> Floats:
    unit: float = 10.0**-places
    return scaled(column, places).astype(np.float64) * unit
