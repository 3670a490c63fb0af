"""A run's fills, round trips and cash flows as rows for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution.records import signed
from monitoring import report
from monitoring.report.round_trips import RoundTrip, round_trips
from runners.comparing import rows

ZERO = Decimal(0)
FLOWS = (
    "time_utc", "trade_id", "symbol", "side", "qty", "price", "fee", "fee_asset", "realised_pnl", "funding", "strategy_id",
    "client_order_id", "liquidity",
)  # fmt: skip
TRIPS = (
    "opened_utc", "closed_utc", "symbol", "side", "qty", "price_pnl", "fees", "funding", "net", "fills", "holding_secs",
    "strategy_id",
)  # fmt: skip
_FILL = (
    "seq", "ts_ns", "trade_id", "strategy_id", "instrument_id", "client_order_id", "side", "price", "quantity", "liquidity",
    "fee", "fee_asset",
)  # fmt: skip
_FUNDING = ("seq", "ts_ns", "instrument_id", "strategy_id", "amount")

type Row = Mapping[str, str]


@dataclass(slots=True)
class Book:
    """Average-cost position of the account in one instrument: the venue nets what the strategies hold."""

    quantity: Decimal = ZERO
    average: Decimal = ZERO

    def fill(self, signed: Decimal, price: Decimal) -> Decimal:
        """Take a signed quantity and return what it realised, before fees."""
        closed = min(abs(signed), abs(self.quantity)) if signed * self.quantity < ZERO else ZERO
        direction = 1 if self.quantity > ZERO else -1
        realised = closed * direction * (price - self.average)
        before, self.quantity = self.quantity, self.quantity + signed
        if self.quantity * before <= ZERO:  # opened, closed or turned over
            self.average = price if self.quantity else ZERO
        elif not closed:
            self.average = (self.average * abs(before) + price * abs(signed)) / abs(self.quantity)
        return realised


def fills(run: Path, bound: str) -> list[Row]:
    """Every fill, with what it realised against the account's average cost."""
    books: dict[str, Book] = {}
    return [_fill(row, books.setdefault(row["instrument_id"], Book())) for row in _table(run, bound, "fills", _FILL)]


def income(run: Path, bound: str) -> list[Row]:
    """Everything that moved cash, in order: fills with fee and realised P&L, funding received (+) and paid (−)."""
    books: dict[str, Book] = {}
    paid = [(row["ts_ns"], 0, row) for row in _table(run, bound, "funding", _FUNDING)]
    traded = [(row["ts_ns"], 1, row) for row in _table(run, bound, "fills", _FILL)]
    merged = sorted([*paid, *traded], key=lambda item: (item[0], item[1], item[2]["seq"]))
    return [
        _fill(row, books.setdefault(row["instrument_id"], Book())) if kind else _funding(row) for _, kind, row in merged
    ]


def trips(run: Path, bound: str) -> list[Row]:
    """Every round trip, flat to flat, per strategy and instrument; an open one has no closing time."""
    loaded = report.load(run)
    found = loaded.bounds[bound]
    return [_trip(trip) for trip in round_trips(found.fills, found.funding, loaded.mids)]


def to_csv(columns: Sequence[str], found: Sequence[Row]) -> str:
    """Write comma-separated text with unix line ends."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def _table(run: Path, bound: str, name: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    return iter(rows(run / bound / f"{name}.parquet", columns))


def _fill(row: Mapping[str, Any], book: Book) -> Row:
    return {
        "time_utc": time_text(row["ts_ns"]), "trade_id": row["trade_id"], "symbol": symbol(row["instrument_id"]),
        "side": row["side"], "qty": plain(row["quantity"]), "price": plain(row["price"]), "fee": plain(row["fee"]),
        "fee_asset": row["fee_asset"], "realised_pnl": plain(book.fill(signed(row), row["price"])),
        "strategy_id": row["strategy_id"], "client_order_id": row["client_order_id"], "liquidity": row["liquidity"],
    }  # fmt: skip


def _funding(row: Mapping[str, Any]) -> Row:
    return {
        "time_utc": time_text(row["ts_ns"]), "symbol": symbol(row["instrument_id"]), "funding": plain(row["amount"]),
        "strategy_id": row["strategy_id"],
    }  # fmt: skip


def _trip(trip: RoundTrip) -> Row:
    return {
        "opened_utc": time_text(trip.opened_ns), "symbol": symbol(trip.instrument),
        "closed_utc": "" if trip.closed_ns is None else time_text(trip.closed_ns),
        "side": "LONG" if trip.side > 0 else "SHORT", "qty": plain(trip.quantity), "price_pnl": plain(trip.price_pnl),
        "fees": plain(trip.fees), "funding": plain(trip.funding), "net": plain(trip.net), "fills": str(trip.fills),
        "holding_secs": "" if trip.holding_secs is None else f"{trip.holding_secs:.3f}", "strategy_id": trip.strategy,
    }  # fmt: skip


def time_text(ts_ns: int) -> str:
    """UTC to the millisecond, in a form that spreadsheets read as a time."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}"


def symbol(instrument_id: str) -> str:
    """Name of an instrument as the venue's own statements write it; a perpetual keeps its ending."""
    return instrument_id.rpartition(".")[0]


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros, at most ten decimals."""
    return f"{round(value, 10).normalize() + 0:f}"
