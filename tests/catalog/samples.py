"""Small tables for writer and store tests: one instrument, times in ns around a midnight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from catalog.files import NS_PER_SEC
from catalog.instruments import bundled
from catalog.tables import (
    F_LAST,
    F_SNAPSHOT,
    Action,
    BookSide,
    Ints,
    Precision,
    bars_table,
    deltas_table,
    funding_table,
    mark_table,
    quotes_table,
    trades_table,
)

PERP = bundled("usdm", "BTCUSDT")
PERP_ID = "BTCUSDT-PERP.BINANCE"
PRECISION = Precision(1, 3)
MIDNIGHT = 1_723_161_600 * NS_PER_SEC  # 2024-08-09T00:00:00Z
BAR_TYPE = f"{PERP_ID}-1-MINUTE-LAST-EXTERNAL"


def ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def deltas(rows: Sequence[tuple[int, Action, BookSide, int, int, bool]]) -> pa.Table:
    """Rows of (time, action, side, price in ticks, size in steps, last of its message)."""
    ts = ints([row[0] for row in rows])
    snapshot, flags = False, []
    for _, action, *_, last in rows:
        snapshot = snapshot or action is Action.CLEAR
        flags.append((F_SNAPSHOT if snapshot else 0) | (F_LAST if last else 0))
        snapshot = snapshot and not last
    return deltas_table(
        PRECISION,
        action=np.array([row[1] for row in rows], np.int8),
        side=np.array([row[2] for row in rows], np.int8),
        price=ints([row[3] for row in rows]),
        size=ints([row[4] for row in rows]),
        flags=np.array(flags, np.uint8),
        sequence=np.arange(len(rows)),
        ts_event=ts - 3,
        ts_init=ts,
    )


def book_over_midnight() -> pa.Table:
    """A snapshot 20 ns before midnight and four updates, two on each side of it."""
    none, buy, sell = BookSide
    at = MIDNIGHT
    return deltas(
        [
            (at - 20, Action.CLEAR, none, 0, 0, False),
            (at - 20, Action.ADD, buy, 618_001, 5, False),
            (at - 20, Action.ADD, sell, 618_002, 6, True),
            (at - 10, Action.UPDATE, buy, 618_000, 7, True),
            (at - 5, Action.UPDATE, sell, 618_003, 8, True),
            (at + 5, Action.DELETE, buy, 618_001, 0, True),
            (at + 7, Action.UPDATE, buy, 617_990, 3, True),
        ]
    )


def trades(times: Sequence[int]) -> pa.Table:
    n = len(times)
    return trades_table(
        PRECISION,
        price=np.full(n, 618_001),
        size=np.full(n, 2),
        aggressor=np.full(n, 1, np.int8),
        trade_id=np.arange(n),
        ts_event=ints(times) - 3,
        ts_init=ints(times),
    )


def quotes(times: Sequence[int]) -> pa.Table:
    n = len(times)
    return quotes_table(
        PRECISION,
        bid_price=np.full(n, 618_001),
        ask_price=np.full(n, 618_002),
        bid_size=np.full(n, 5),
        ask_size=np.full(n, 6),
        ts_event=ints(times) - 3,
        ts_init=ints(times),
    )


def marks(times: Sequence[int]) -> pa.Table:
    return mark_table(PRECISION, value=np.full(len(times), 618_005), ts_event=ints(times) - 3, ts_init=ints(times))


def bars(times: Sequence[int]) -> pa.Table:
    price = np.full(len(times), 618_001)
    return bars_table(
        PRECISION,
        open_=price,
        high=price + 2,
        low=price - 2,
        close=price,
        volume=np.full(len(times), 1_500),
        ts_event=ints(times),
        ts_init=ints(times),
    )


def funding(times: Sequence[int], rate: str = "0.0001") -> pa.Table:
    n = len(times)
    return funding_table(
        rate=[rate] * n,
        interval_mins=np.full(n, 480),
        next_funding_ns=np.full(n, MIDNIGHT),
        ts_event=ints(times) - 3,
        ts_init=ints(times),
    )
