"""The journal file as the judge reads it: plain SQLite, no code of the system."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

CLOSED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED", "NOT_EXECUTED", "FORGOTTEN_NO_FILL"})


@dataclass(frozen=True, slots=True)
class JournalOrder:
    """A row of ``orders``."""

    client_order_id: str
    run_id: str
    ts_ns: int
    symbol: str
    status: str
    quantity: Decimal
    filled: Decimal
    why: str
    is_protective: bool
    reduce_only: bool

    @property
    def is_over(self) -> bool:
        """Whether the journal takes it for over."""
        return self.status in CLOSED


@dataclass(frozen=True, slots=True)
class JournalFill:
    """A row of ``fills``."""

    trade_id: str
    client_order_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    position_after: Decimal
    ts_ns: int


@dataclass(slots=True)
class Journal:
    """Everything of one journal that is judged.

    Attributes
    ----------
    orders
        By client order id.
    fills
        In the order of writing.
    started
        When each session began, by run id, in order.
    funding
        Amounts by transaction id.
    wallets
        (venue time ms, balance) of each reading.
    intents
        Reason by client order id.
    refused
        (client order id, when it was decided) of what the gate refused.
    settled
        When recovery ended an order for the first time, by client order id.
    """

    orders: dict[str, JournalOrder] = field(default_factory=dict)
    fills: list[JournalFill] = field(default_factory=list)
    started: dict[str, int] = field(default_factory=dict)
    funding: dict[int, Decimal] = field(default_factory=dict)
    wallets: list[tuple[int, Decimal]] = field(default_factory=list)
    intents: dict[str, str] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[str, int]] = field(default_factory=list)

    def net(self, symbol: str) -> Decimal:
        """Position by the signed sum of the fills."""
        return sum(
            (f.quantity if f.side == "BUY" else -f.quantity for f in self.fills if f.symbol == symbol), Decimal(0)
        )


def symbol_of(instrument_id: str) -> str:
    """Venue symbol of an instrument id.

    Examples
    --------
    >>> symbol_of("BTCUSDT-PERP.BINANCE")
    'BTCUSDT'
    """
    return instrument_id.partition(".")[0].removesuffix("-PERP")


def read_journal(path: Path) -> Journal:
    """Read a journal; one that is not there or has no schema is an empty one.

    Raises
    ------
    sqlite3.DatabaseError
        When it is damaged.
    """
    journal = Journal()
    if not path.is_file():
        return journal
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        db.row_factory = sqlite3.Row
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "orders" in tables and "income" in tables:
            _read(db, journal)
    finally:
        db.close()
    return journal


def _read(db: sqlite3.Connection, journal: Journal) -> None:
    for row in db.execute("SELECT * FROM orders ORDER BY order_id"):
        journal.orders[row["client_order_id"]] = JournalOrder(
            row["client_order_id"], row["run_id"], row["ts_ns"], symbol_of(row["instrument_id"]), row["status"],
            Decimal(row["quantity"]), Decimal(row["filled_quantity"]), row["why"], bool(row["is_protective"]),
            bool(row["reduce_only"]),
        )  # fmt: skip
    for row in db.execute("SELECT * FROM fills ORDER BY fill_id"):
        journal.fills.append(
            JournalFill(
                row["trade_id"], row["client_order_id"], symbol_of(row["instrument_id"]), row["side"], Decimal(row["price"]),
                Decimal(row["quantity"]), Decimal(row["fee"]), Decimal(row["position_after"]), row["ts_ns"],
            )
        )  # fmt: skip
    rows = db.execute("SELECT client_order_id, ts_ns FROM refusals ORDER BY refusal_id")
    journal.refused = [(row["client_order_id"], row["ts_ns"]) for row in rows]
    journal.started = {r["run_id"]: r["started_ns"] for r in db.execute("SELECT * FROM runs ORDER BY started_ns")}
    journal.intents = {r["client_order_id"]: r["why"] for r in db.execute("SELECT client_order_id, why FROM intents")}
    for row in db.execute("SELECT client_order_id, min(ts_ns) AS ts_ns FROM events WHERE event = 'Settled' GROUP BY 1"):
        journal.settled[row["client_order_id"]] = row["ts_ns"]
    for row in db.execute("SELECT transaction_id, amount FROM income WHERE kind = 'FUNDING_FEE'"):
        journal.funding[row["transaction_id"]] = Decimal(row["amount"])
    journal.wallets = [
        (r["ts_ms"], Decimal(r["balance"])) for r in db.execute("SELECT * FROM wallet ORDER BY wallet_id")
    ]
