"""Fills of the sandbox that may not be believed: rc6 shows it the last print again whenever an order arrives (docs/nautilus.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WINDOW_NS = 1_000_000
"""The repeated print and the order that caused it are processed within microseconds of one another."""


def on_arrival_of_another(fills: Iterable[Mapping[str, Any]], orders: Iterable[Mapping[str, Any]]) -> list[str]:
    """Find maker fills at the very moment at which another order of ours arrived.

    Parameters
    ----------
    fills, orders
        Rows of the journal.

    Returns
    -------
    list of str
        Trade ids. Some of these fills are real; none other can stem from a repeated print.
    """
    arrivals = [
        (o["instrument_id"], o["client_order_id"], o["ts_accepted"]) for o in orders if o["ts_accepted"] is not None
    ]
    return [
        fill["trade_id"]
        for fill in fills
        if fill["liquidity"] == "MAKER"
        and any(
            iid == fill["instrument_id"] and order_id != fill["client_order_id"] and abs(ts - fill["ts_ns"]) < WINDOW_NS
            for iid, order_id, ts in arrivals
        )
    ]
