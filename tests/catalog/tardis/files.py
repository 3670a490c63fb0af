"""Small Tardis files: times in seconds after midnight, written as microseconds."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

MIDNIGHT_US = 1_722_470_400_000_000  # 2024-08-01T00:00:00Z
LATENCY_US = 5_000
BOOK = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TICKER = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"

type Row = tuple[float, *tuple[object, ...]]


def us(secs: float) -> int:
    """Microseconds of an instant."""
    return MIDNIGHT_US + round(secs * 1_000_000)


def ns(secs: float) -> int:
    """Nanoseconds at which a message of this instant is received."""
    return (us(secs) + LATENCY_US) * 1_000


def write(
    path: Path, header: str, rows: Iterable[Row], *, market: str = "binance-futures", symbol: str = "BTCUSDT"
) -> Path:
    """Write rows of (seconds, the columns after the times); gzip when the name says so."""
    lines = [header]
    for secs, *values in rows:
        lines.append(",".join(map(str, (market, symbol, us(secs), us(secs) + LATENCY_US, *values))))
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def levels(secs: float, *values: tuple[str, object, object], snapshot: bool = False) -> list[Row]:
    """One book message of (side, price, amount)."""
    return [(secs, str(snapshot).lower(), side, price, amount) for side, price, amount in values]


def opening(secs: float) -> list[Row]:
    """Snapshot 100.0 | 100.2."""
    return levels(
        secs, ("bid", 100, 1), ("bid", 99.9, 2), ("ask", 100.2, 1.5), ("ask", 100.3, 3), snapshot=True
    )  # fmt: skip
