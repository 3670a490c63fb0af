"""The mid price at any instant: the newest two-sided top of book at or before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from errors import CorruptData
from monitoring.report.columns import F64, I64


@dataclass(frozen=True, slots=True)
class Mids:
    """Top of book of one instrument, two-sided rows only, by time.

    Attributes
    ----------
    ts
        Receipt time in ns, not decreasing.
    bid, ask
        Best prices in quote currency.
    bid_size, ask_size
        Displayed sizes in base units.
    """

    ts: I64
    bid: F64
    ask: F64
    bid_size: F64
    ask_size: F64

    @property
    def mid(self) -> F64:
        """(bid + ask) / 2 for every row."""
        return (self.bid + self.ask) / 2.0

    @property
    def end_ns(self) -> int:
        """Instant of the last row: the end T of the data."""
        return int(self.ts[-1])

    def rows_at(self, ts: I64) -> I64:
        """Index of the newest row at or before each instant; before the first row, the first."""
        return np.maximum(np.searchsorted(self.ts, ts, side="right") - 1, 0)

    def at(self, ts: I64) -> F64:
        """Mid at each instant."""
        rows = self.rows_at(ts)
        return np.asarray((self.bid[rows] + self.ask[rows]) / 2.0)

    def exact_at(self, ts: I64) -> list[Decimal]:
        """Mid at each instant as the exact mean of the two decimal prices."""
        rows = self.rows_at(ts)
        return [exact_mid(float(self.bid[row]), float(self.ask[row])) for row in rows]

    def between(self, start_ns: int, end_ns: int) -> Mids:
        """Rows from the one in force at `start_ns` to the last one at or before `end_ns`."""
        first = int(self.rows_at(np.array([start_ns]))[0])
        last = int(np.searchsorted(self.ts, end_ns, side="right"))
        keep = slice(first, max(last, first + 1))
        return Mids(self.ts[keep], self.bid[keep], self.ask[keep], self.bid_size[keep], self.ask_size[keep])


def exact_mid(bid: float, ask: float) -> Decimal:
    """Mean of two prices given as floats whose shortest decimal form is the venue's price."""
    return (Decimal(repr(bid)) + Decimal(repr(ask))) / 2


def read_mids(market: pa.Table, decimals: Mapping[str, int]) -> dict[str, Mids]:
    """Split the `market` table by instrument; one-sided rows, and instruments without any other, are dropped.

    Parameters
    ----------
    decimals
        Price precision by instrument. Prices are rounded to it: the engine's floats carry noise (61844.700000000004)
        that would make an exact sum inexact.

    Raises
    ------
    CorruptData
        When time goes backwards inside an instrument.
    """
    ids = sorted(pc.unique(market.column("instrument_id")).to_pylist())
    found = {
        iid: _mids(market.filter(pc.equal(market.column("instrument_id"), iid)), iid, decimals.get(iid, 8))
        for iid in ids
    }
    return {iid: mids for iid, mids in found.items() if len(mids.ts)}


def _mids(rows: pa.Table, instrument_id: str, decimals: int) -> Mids:
    names = ("bid", "ask", "bid_size", "ask_size")
    columns = [np.asarray(rows.column(name).to_numpy(), dtype=np.float64) for name in names]
    columns[:2] = [np.round(column, decimals) for column in columns[:2]]
    ts = np.asarray(rows.column("ts_ns").to_numpy(), dtype=np.int64)
    if len(ts) > 1 and bool((np.diff(ts) < 0).any()):
        raise CorruptData(f"market.parquet: time goes backwards for {instrument_id}.")
    two_sided = (columns[0] > 0) & (columns[1] > 0)
    return Mids(ts[two_sided], *(c[two_sided] for c in columns))
