"""Small recordings, written by hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

START_MS = 1_723_161_600_000 - 3_600_000  # 2024-08-08T23:00:00Z
Levels = Sequence[tuple[str, str]]


def line(at_ms: float, payload: dict[str, Any], stream: str | None = None) -> str:
    """Record a payload `at_ms` after the start."""
    body = {"stream": stream, "data": payload} if stream else payload
    return f"{int((START_MS + at_ms) * 1_000_000)} {json.dumps(body)}"


def depth(
    at_ms: float, first: int, last: int, before: int, bids: Levels = (), asks: Levels = (), lag_ms: int = 5
) -> str:
    """USD-M depth update."""
    stamp = START_MS + int(at_ms) - lag_ms
    ids = {"E": stamp, "T": stamp, "U": first, "u": last, "pu": before}
    return line(
        at_ms, {"e": "depthUpdate", "s": "BTCUSDT", **ids, "b": list(bids), "a": list(asks)}, "btcusdt@depth@0ms"
    )


def ticker(at_ms: float, last: int, bid: tuple[str, str], ask: tuple[str, str], lag_ms: int = 5) -> str:
    """USD-M bookTicker."""
    stamp = START_MS + int(at_ms) - lag_ms
    sides = {"b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}
    return line(
        at_ms, {"e": "bookTicker", "u": last, "s": "BTCUSDT", **sides, "T": stamp, "E": stamp}, "btcusdt@bookTicker"
    )


def trade(at_ms: float, number: int, price: str, size: str, kind: str = "MARKET", lag_ms: int = 5) -> str:
    """USD-M trade; the buyer is the aggressor."""
    stamp = START_MS + int(at_ms) - lag_ms
    body = {
        "e": "trade",
        "E": stamp,
        "T": stamp,
        "s": "BTCUSDT",
        "t": number,
        "p": price,
        "q": size,
        "X": kind,
        "m": False,
    }
    return line(at_ms, body, "btcusdt@trade")


def snapshot(at_ms: float, last: int, bids: Levels, asks: Levels) -> str:
    """REST depth snapshot."""
    return line(at_ms, {"lastUpdateId": last, "bids": list(bids), "asks": list(asks)})


BIDS = (("100.0", "1.000"), ("99.9", "2.000"))
ASKS = (("100.1", "1.500"), ("100.2", "2.500"))
GOOD = (
    depth(0, 1, 10, 0, [("99.0", "9.000")]),
    snapshot(10, 10, BIDS, ASKS),
    ticker(11, 10, BIDS[0], ASKS[0]),
    depth(20, 11, 20, 10, [("100.0", "0.700")], [("100.1", "0.000")]),
    ticker(21, 20, ("100.0", "0.700"), ASKS[1]),
    trade(22, 1, "100.0", "0.300"),
    trade(22, 2, "100.2", "0.100"),
    depth(30, 21, 30, 20, [("100.1", "0.400")]),
    ticker(31, 30, ("100.1", "0.400"), ASKS[1]),
)
"""A flawless recording: 5 + 2 + 1 delta rows, 2 trades, 3 quotes."""


def write(path: Path, lines: Sequence[str], *, cut: int = 0) -> Path:
    """Write lines as gzip, and cut that many bytes off the end of the file."""
    data = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    path.write_bytes(data[: len(data) - cut])
    return path
