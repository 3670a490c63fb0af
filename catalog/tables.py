"""Arrow tables in the shape that Nautilus reads, built from integer columns.

Prices and sizes come in as *scaled* ``int64``: the value times ten to the instrument's precision, so 61800.2 at
precision 1 is 618002. Times are UNIX nanoseconds. Nothing here passes through a float.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.kinds import Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

DECIMAL = pa.decimal128(38, 16)
TIME = pa.timestamp("ns", tz="UTC")
F_LAST = 128
F_SNAPSHOT = 32
_CODE = pa.dictionary(pa.int8(), pa.string())
_STAMPS = [pa.field("ts_event", TIME, nullable=False), pa.field("ts_init", TIME, nullable=False)]


class Action(enum.IntEnum):
    """What a delta does to its level; the value is the code in the ``action`` column."""

    ADD = 0
    UPDATE = 1
    DELETE = 2
    CLEAR = 3


class BookSide(enum.IntEnum):
    """Side of a level; the value is the code in the ``side`` column."""

    NO_ORDER_SIDE = 0
    BUY = 1
    SELL = 2


class Aggressor(enum.IntEnum):
    """Side that took liquidity; the value is the code in the ``aggressor_side`` column."""

    NO_AGGRESSOR = 0
    BUY = 1
    SELL = 2


def _numbers(*names: str) -> list[pa.Field]:
    return [pa.field(name, DECIMAL, nullable=False) for name in names]


SCHEMAS: dict[Kind, pa.Schema] = {
    Kind.DELTAS: pa.schema(
        [
            pa.field("action", _CODE, nullable=False),
            pa.field("side", _CODE, nullable=False),
            pa.field("price", DECIMAL),
            pa.field("size", DECIMAL),
            pa.field("order_id", pa.uint64(), nullable=False),
            pa.field("flags", pa.uint8(), nullable=False),
            pa.field("sequence", pa.uint64(), nullable=False),
            *_STAMPS,
        ]
    ),
    Kind.TRADES: pa.schema(
        [
            *_numbers("price", "size"),
            pa.field("aggressor_side", _CODE, nullable=False),
            pa.field("trade_id", pa.string(), nullable=False),
            *_STAMPS,
        ]
    ),
    Kind.QUOTES: pa.schema([*_numbers("bid_price", "ask_price", "bid_size", "ask_size"), *_STAMPS]),
    Kind.BARS: pa.schema([*_numbers("open", "high", "low", "close", "volume"), *_STAMPS]),
    Kind.MARK: pa.schema([pa.field("value", DECIMAL), *_STAMPS]),
    Kind.FUNDING: pa.schema(
        [
            pa.field("rate", pa.string(), nullable=False),
            pa.field("interval", pa.uint64()),
            pa.field("next_funding_ns", TIME),
            *_STAMPS,
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class Precision:
    """Decimal places of an instrument's prices and sizes."""

    price: int
    size: int


def decimals(scaled: Ints, places: int) -> pa.Array:
    """Turn scaled integers into Nautilus' ``decimal128(38, 16)``.

    Parameters
    ----------
    scaled
        Value times ``10 ** places``.
    places
        Decimal places, 0 to 16.
    """
    words = np.empty((len(scaled), 2), dtype=np.int64)
    if len(scaled) and (scaled.min() < 0 or scaled.max() >= 1 << 31):
        words[:, 0] = scaled
        words[:, 1] = words[:, 0] >> 63  # sign of the high word
        return _from_words(words, pa.decimal128(20, places)).cast(DECIMAL)
    # Schoolbook multiplication in 32-bit halves; the usual case, several times faster than Arrow's rescale.
    high, low = divmod(10 ** (DECIMAL.scale - places), 1 << 32)
    bottom = scaled * low
    top = scaled * high + (bottom >> 32)
    words[:, 0] = (top << 32) | (bottom & 0xFFFFFFFF)
    words[:, 1] = top >> 32
    return _from_words(words, DECIMAL)


def _from_words(words: Ints, kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(words)])


def scaled(column: pa.Array | pa.ChunkedArray, places: int) -> Ints:
    """Turn a ``decimal128(38, 16)`` column back into integers at ``10 ** places``; the inverse of :func:`decimals`."""
    arrays = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate([np.empty(0, np.int64), *(_narrow(array, places) for array in arrays if len(array))])


def _narrow(array: pa.Array, places: int) -> Ints:
    # Three roundings of 2⁻⁵³ each: below 2⁴⁸ the nearest integer is the exact one. Beyond, Arrow's slower cast is exact.
    whole = high_words(array) * 2.0**64 + low_words(array).view(np.uint64)
    near: npt.NDArray[np.float64] = whole / 10.0 ** (DECIMAL.scale - places)
    if np.abs(near).max() < 2.0**48:
        return np.rint(near).astype(np.int64)
    return low_words(array.cast(pa.decimal128(20, places)))


def low_words(decimal_array: pa.Array) -> Ints:
    """View the low 64 bits of every value of a ``decimal128`` array; the value itself while it fits 63 bits."""
    return _words(decimal_array, 0)


def high_words(decimal_array: pa.Array) -> Ints:
    """View the high 64 bits of every value of a ``decimal128`` array."""
    return _words(decimal_array, 1)


def _words(decimal_array: pa.Array, which: int) -> Ints:
    if not len(decimal_array):
        return np.empty(0, np.int64)
    start, stop = decimal_array.offset, decimal_array.offset + len(decimal_array)
    return np.frombuffer(decimal_array.buffers()[1], np.int64)[2 * start + which : 2 * stop : 2]


def nanoseconds(column: pa.Array | pa.ChunkedArray) -> Ints:
    """Return a time column as UNIX nanoseconds."""
    out: Ints = column.cast(pa.int64()).to_numpy()
    return out


def deltas_table(
    precision: Precision,
    *,
    action: Codes,
    side: Codes,
    price: Ints,
    size: Ints,
    flags: npt.NDArray[np.uint8],
    sequence: Ints,
    ts_event: Ints,
    ts_init: Ints,
) -> pa.Table:
    """Build order-book deltas: one row per level, one venue message ending in a row that carries ``F_LAST``.

    Parameters
    ----------
    action, side
        Codes of :class:`Action` and :class:`BookSide`.
    price, size
        Scaled; zero on CLEAR rows, size zero on DELETE rows.
    sequence
        The venue's update id of the message.
    """
    columns = [
        _dictionary(action, Action),
        _dictionary(side, BookSide),
        decimals(price, precision.price),
        decimals(size, precision.size),
        pa.array(np.zeros(len(price), np.uint64)),
        pa.array(flags),
        pa.array(sequence.astype(np.uint64)),
        *_times(ts_event, ts_init),
    ]
    return pa.table(columns, schema=SCHEMAS[Kind.DELTAS])


def trades_table(
    precision: Precision,
    *,
    price: Ints,
    size: Ints,
    aggressor: Codes,
    trade_id: Ints,
    ts_event: Ints,
    ts_init: Ints,
) -> pa.Table:
    """Build trades; `aggressor` holds codes of :class:`Aggressor`."""
    columns = [
        decimals(price, precision.price),
        decimals(size, precision.size),
        _dictionary(aggressor, Aggressor),
        pa.array(trade_id).cast(pa.string()),
        *_times(ts_event, ts_init),
    ]
    return pa.table(columns, schema=SCHEMAS[Kind.TRADES])


def quotes_table(
    precision: Precision,
    *,
    bid_price: Ints,
    ask_price: Ints,
    bid_size: Ints,
    ask_size: Ints,
    ts_event: Ints,
    ts_init: Ints,
) -> pa.Table:
    """Build best bids and asks."""
    columns = [
        decimals(bid_price, precision.price),
        decimals(ask_price, precision.price),
        decimals(bid_size, precision.size),
        decimals(ask_size, precision.size),
        *_times(ts_event, ts_init),
    ]
    return pa.table(columns, schema=SCHEMAS[Kind.QUOTES])


def bars_table(
    precision: Precision,
    *,
    open_: Ints,
    high: Ints,
    low: Ints,
    close: Ints,
    volume: Ints,
    ts_event: Ints,
    ts_init: Ints,
) -> pa.Table:
    """Build bars; `ts_event` and `ts_init` are the close of the bar, so that no bar is seen before it ends."""
    prices = [decimals(column, precision.price) for column in (open_, high, low, close)]
    columns = [*prices, decimals(volume, precision.size), *_times(ts_event, ts_init)]
    return pa.table(columns, schema=SCHEMAS[Kind.BARS])


def mark_table(precision: Precision, *, value: Ints, ts_event: Ints, ts_init: Ints) -> pa.Table:
    """Build mark prices."""
    return pa.table([decimals(value, precision.price), *_times(ts_event, ts_init)], schema=SCHEMAS[Kind.MARK])


def funding_table(
    *, rate: Sequence[str], interval_mins: Ints, next_funding_ns: Ints, ts_event: Ints, ts_init: Ints
) -> pa.Table:
    """Build funding rates.

    Parameters
    ----------
    rate
        Decimal strings, fraction of notional per interval (``"0.0001"`` is 1 bp); positive is paid by longs.
    interval_mins
        Minutes between fundings (480 for eight hours).
    next_funding_ns
        When this rate is settled.
    """
    columns = [
        pa.array(rate, pa.string()),
        pa.array(interval_mins.astype(np.uint64)),
        pa.array(next_funding_ns).cast(TIME),
        *_times(ts_event, ts_init),
    ]
    return pa.table(columns, schema=SCHEMAS[Kind.FUNDING])


def _times(ts_event: Ints, ts_init: Ints) -> list[pa.Array]:
    return [pa.array(ts_event).cast(TIME), pa.array(ts_init).cast(TIME)]


def _dictionary(codes: Codes, names: type[enum.IntEnum]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array([name.name for name in names]))
