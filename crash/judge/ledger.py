"""The venue's ledger as the judge reads it: JSON lines, figures as `Decimal`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

PREFIX = "x-aHRE4BCj-R"
"""What the engine puts in front of every id on the wire."""
CLOSED = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})
ALGO_CLOSED = frozenset({"CANCELED", "EXPIRED", "REJECTED", "FINISHED"})


@dataclass(slots=True)
class VenueOrder:
    """An order of the venue, regular or conditional.

    Attributes
    ----------
    accepted_ns, closed_ns
        When it was accepted and when it was over; None: it is open.
    was_partial
        It has stood partly filled.
    reduce_only
        It can only reduce.
    closes
        Conditional only: closes the whole position.
    """

    number: int
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    accepted_ns: int
    by: str = "api"
    is_algo: bool = False
    closes: bool = False
    reduce_only: bool = False
    filled: Decimal = Decimal(0)
    status: str = "NEW"
    closed_ns: int | None = None
    was_partial: bool = False

    @property
    def logical(self) -> str:
        """Id without the engine's prefix."""
        return self.client_id.removeprefix(PREFIX)


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """A trade; `fee` is a cost, `realised` as the venue booked it."""

    number: int
    order_number: int
    client_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realised: Decimal
    ts_ns: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that placed an order: when it was signed, which id it carried."""

    client_id: str
    signed_ms: int
    ts_ns: int


@dataclass(slots=True)
class Ledger:
    """Everything of one ledger file.

    Attributes
    ----------
    orders, algos
        By the venue's number.
    trades
        In order.
    sent
        Requests that placed something.
    positions
        (time, symbol, signed base units), in order.
    wallets
        (time, balance), in order.
    funding
        (transaction id, amount, time).
    countdown_fired_ns
        When a countdown cancelled everything.
    requests
        How often each ``METHOD /path`` came.
    end_ns
        Time of the last line.
    """

    orders: dict[int, VenueOrder] = field(default_factory=dict)
    algos: dict[int, VenueOrder] = field(default_factory=dict)
    trades: list[VenueTrade] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    positions: list[tuple[int, str, Decimal]] = field(default_factory=list)
    wallets: list[tuple[int, Decimal]] = field(default_factory=list)
    funding: list[tuple[int, Decimal, int]] = field(default_factory=list)
    countdown_fired_ns: list[int] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    end_ns: int = 0

    def ours(self, tag: str) -> list[VenueOrder]:
        """Orders of both services that carry our prefix and tag; a stop's child belongs to the stop."""
        both = (*self.orders.values(), *self.algos.values())
        return [one for one in both if one.client_id.startswith(PREFIX + tag) and one.by == "api"]

    def net(self, symbol: str) -> Decimal:
        """Position at the end."""
        return next((amount for _, name, amount in reversed(self.positions) if name == symbol), Decimal(0))


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; a torn last line is left out."""
    ledger = Ledger()
    for line in path.read_bytes().split(b"\n")[:-1]:
        row = json.loads(line)
        ledger.end_ns = row["ts_ns"]
        reader = READERS.get(row["kind"])
        if reader is not None:
            reader(ledger, row)
    return ledger


def _order(ledger: Ledger, row: dict[str, Any]) -> None:
    order = ledger.orders.get(row["order_id"])
    if order is None:
        order = ledger.orders[row["order_id"]] = VenueOrder(
            row["order_id"],
            row["client_id"],
            row["symbol"],
            row["side"],
            Decimal(row["quantity"]),
            row["ts_ns"],
            row["by"],
        )
    _follow(order, row["status"], row["ts_ns"], CLOSED)
    order.filled, order.reduce_only = Decimal(row["filled"]), row["reduce_only"]
    order.was_partial = order.was_partial or row["status"] == "PARTIALLY_FILLED"


def _algo(ledger: Ledger, row: dict[str, Any]) -> None:
    order = ledger.algos.get(row["algoId"])
    if order is None:
        order = ledger.algos[row["algoId"]] = VenueOrder(
            row["algoId"], row["clientAlgoId"], row["symbol"], row["side"], Decimal(row["quantity"]), row["ts_ns"],
            is_algo=True, closes=row["closePosition"],
        )  # fmt: skip
    _follow(order, row["algoStatus"], row["ts_ns"], ALGO_CLOSED)


def _follow(order: VenueOrder, status: str, ts_ns: int, closed: frozenset[str]) -> None:
    order.status = status
    if status in closed and order.closed_ns is None:
        order.closed_ns = ts_ns


def _trade(ledger: Ledger, row: dict[str, Any]) -> None:
    ledger.trades.append(
        VenueTrade(
            row["trade_id"], row["order_id"], row["client_id"], row["symbol"], row["side"], Decimal(row["price"]),
            Decimal(row["quantity"]), Decimal(row["fee"]), Decimal(row["realised"]), row["ts_ns"],
        )
    )  # fmt: skip


def _request(ledger: Ledger, row: dict[str, Any]) -> None:
    what, params = f"{row['method']} {row['path']}", row["params"]
    ledger.requests[what] = ledger.requests.get(what, 0) + 1
    if what in ("POST /fapi/v1/order", "POST /fapi/v1/algoOrder"):
        client_id = params.get("newClientOrderId") or params.get("clientAlgoId") or ""
        ledger.sent.append(Sent(client_id, int(params.get("timestamp", 0)), row["ts_ns"]))


def _position(ledger: Ledger, row: dict[str, Any]) -> None:
    ledger.positions.append((row["ts_ns"], row["symbol"], Decimal(row["quantity"])))


def _balance(ledger: Ledger, row: dict[str, Any]) -> None:
    ledger.wallets.append((row["ts_ns"], Decimal(row["wallet"])))


def _income(ledger: Ledger, row: dict[str, Any]) -> None:
    if row["type"] == "FUNDING_FEE":
        ledger.funding.append((row["tran_id"], Decimal(row["amount"]), row["ts_ns"]))


def _countdown(ledger: Ledger, row: dict[str, Any]) -> None:
    if row["fired"]:
        ledger.countdown_fired_ns.append(row["ts_ns"])


READERS = {
    "order": _order, "algo_order": _algo, "trade": _trade, "request": _request, "position": _position, "balance": _balance,
    "income": _income, "countdown": _countdown,
}  # fmt: skip
