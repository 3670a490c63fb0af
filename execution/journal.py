"""The order journal: what was decided, refused, sent and filled, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa

from errors import Recoverable
from execution import records
from risk.request import OrderRequest
from risk.verdict import Refused

ZERO = Decimal(0)
EXTERNAL = "EXTERNAL"
"""Strategy of what no strategy of ours did."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill as the venue reported it.

    Attributes
    ----------
    ts_ns, trade_id, strategy_id, instrument_id, client_order_id
        When and of what.
    side, price, quantity, liquidity
        ``BUY``/``SELL``, quote units, base units, ``MAKER``/``TAKER``.
    fee, fee_asset
        Cost positive, rebate negative.
    """

    ts_ns: int
    trade_id: str
    strategy_id: str
    instrument_id: str
    client_order_id: str
    side: str
    price: Decimal
    quantity: Decimal
    liquidity: str
    fee: Decimal
    fee_asset: str


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """A breaker's edge, a halt, or an order's illegal step: recorded as a refusal is (R-11).

    Attributes
    ----------
    ts_ns
        When.
    kind
        ``breaker``, ``halt``, ``limit``, ``order`` or ``deadman``.
    name, instrument_id
        Which breaker, limit or order; "" for the whole account.
    state, level
        Of a breaker after the edge: ``closed``, ``open`` or ``half_open``; ``none``, ``soft`` or ``hard``.
    detail, figures
        What happened, in words and by name.
    """

    ts_ns: int
    kind: str
    name: str
    instrument_id: str
    state: str
    level: str
    detail: str
    figures: Mapping[str, str | int | float]


class Journal(Protocol):
    """What every journal can write. A journal that cannot write raises: the send must not happen."""

    def order(self, request: OrderRequest, mid: float | None) -> None:
        """Record an approved order, before it leaves."""

    def refusal(self, request: OrderRequest, refused: Refused) -> None:
        """Record a refused order."""

    def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
        """Record an order event; `status` is the new state, or None where it does not change."""

    def queue(self, client_order_id: str, ahead: float) -> None:
        """Record the displayed size at an order's price when it was accepted."""

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """Record a quantity that the venue has changed."""

    def fill(self, fill: Fill) -> bool:
        """Record a fill, once per (instrument, trade id); False when it was there already."""

    def funding(
        self, ts_ns: int, instrument_id: str, strategy_id: str, position: Decimal, rate: Decimal | None, amount: Decimal
    ) -> None:
        """Record a funding payment; received is positive."""

    def risk(self, event: RiskEvent) -> None:
        """Record a breaker edge, a halt, or an order's illegal step."""

    def reopen(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """Record that an order which was held for over is not: `status` is open again. None: at its last known instant."""

    def settle(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """Record how an order ended by the venue's own word, whatever was believed before. None: at its last known instant."""


CLOSED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED", "NOT_EXECUTED", "FORGOTTEN_NO_FILL"})
"""What is over. Beside them an order is NEW, ACK, PARTIALLY_FILLED, PENDING_CANCEL or UNKNOWN."""
KEEPS_PARTIAL = frozenset({"PENDING_CANCEL"})
"""Open states that a partial fill does not end."""


class IdUsed(Recoverable):
    """A client order id that an order of this journal has had; nothing was written, and the order must not be sent."""


@dataclass(slots=True)
class MemoryJournal:
    """The journal of a backtest: rows in memory, written once, to Parquet."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[int, str, str, str]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[OrderRequest, Refused]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    risk_events: list[RiskEvent] = field(default_factory=list)
    _trades: set[tuple[str, str]] = field(default_factory=set)
    _net: dict[str, Decimal] = field(default_factory=dict)

    def order(self, request: OrderRequest, mid: float | None) -> None:
        """See `Journal.order`."""
        self.orders[request.client_order_id] = {
            "seq": self.order_count, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id,
            "instrument_id": request.instrument_id, "client_order_id": request.client_order_id,
            "side": request.side.name, "order_type": request.order_type, "price": request.price,
            "quantity": request.quantity, "filled_quantity": ZERO, "avg_price": None, "post_only": request.post_only,
            "reduce_only": request.reduce_only, "time_in_force": request.time_in_force, "status": "NEW",
            "ts_accepted": None, "ts_closed": None, "reject_reason": None, "why": request.purpose.why,
            "edge_bps": request.purpose.edge_bps, "mid_decision": mid, "queue_ahead": None,
            "source": request.purpose.source,
        }  # fmt: skip

    def refusal(self, request: OrderRequest, refused: Refused) -> None:
        """See `Journal.refusal`."""
        self.refusals.append((request, refused))

    @property
    def refused(self) -> int:
        """How many orders were refused."""
        return len(self.refusals)

    @property
    def order_count(self) -> int:
        """How many orders there were."""
        return len(self.orders)

    @property
    def fill_count(self) -> int:
        """How many fills there were."""
        return len(self.fills)

    def row(self, client_order_id: str) -> dict[str, Any] | None:
        """Row of an order, wherever it is; None for an order that is not this session's."""
        return self.orders.get(client_order_id)

    @property
    def let_go(self) -> Mapping[tuple[str, str], Decimal]:
        """Signed base units by (instrument, strategy) of the fills that are not in `fills` any more."""
        return {}

    def recall(self) -> str | None:
        """Have every order and fill in `orders` and `fills`, as the end of a session needs them; why not, where that fails."""
        return None

    def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
        """See `Journal.event`."""
        self._note(ts_ns, client_order_id, event, detail)
        row = self.orders.get(client_order_id)
        if row is None or status is None or row["status"] in CLOSED:
            return  # what is over stays as it ended, whatever arrives late
        if (status == "ACK" or event == "OrderAccepted") and row["ts_accepted"] is None:
            row["ts_accepted"] = ts_ns
        if status == "ACK" and row["filled_quantity"]:
            status = "PARTIALLY_FILLED"
        row["status"] = status
        if status in CLOSED:
            row["ts_closed"] = ts_ns
        if status in ("REJECTED", "DENIED"):
            row["reject_reason"] = detail

    def queue(self, client_order_id: str, ahead: float) -> None:
        """See `Journal.queue`."""
        self.orders[client_order_id]["queue_ahead"] = ahead

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """See `Journal.resize`."""
        row = self.orders.get(client_order_id)
        if row is not None:
            row["quantity"] = quantity

    def fill(self, fill: Fill) -> bool:
        """See `Journal.fill`."""
        key = (fill.instrument_id, fill.trade_id)
        if key in self._trades:
            return False
        self._trades.add(key)
        sign = 1 if fill.side == "BUY" else -1
        net = self._net[fill.instrument_id] = self._net.get(fill.instrument_id, ZERO) + sign * fill.quantity
        order = self.orders.get(fill.client_order_id)
        if order is not None:
            self._fill_order(order, fill)
        self.fills.append({
            "seq": self.fill_count, "ts_ns": fill.ts_ns, "trade_id": fill.trade_id, "strategy_id": fill.strategy_id,
            "instrument_id": fill.instrument_id, "client_order_id": fill.client_order_id, "side": fill.side,
            "price": fill.price, "quantity": fill.quantity, "liquidity": fill.liquidity, "fee": fill.fee,
            "fee_asset": fill.fee_asset, "position_after": net,
            "mid_decision": order["mid_decision"] if order else None,
            "ts_decision": order["ts_ns"] if order else fill.ts_ns,
            "ts_arrival": order["ts_accepted"] if order else None,
        })  # fmt: skip
        return True

    def _note(self, ts_ns: int, client_order_id: str, event: str, detail: str) -> None:
        self.events.append((ts_ns, client_order_id, event, detail))

    def net(self, instrument_id: str) -> Decimal:
        """Signed sum of the fills of an instrument, base units."""
        return self._net.get(instrument_id, ZERO)

    def has_trade(self, instrument_id: str, trade_id: str) -> bool:
        """Whether a trade is booked."""
        return (instrument_id, trade_id) in self._trades

    @staticmethod
    def _fill_order(order: dict[str, Any], fill: Fill) -> None:
        before = order["filled_quantity"]
        total = before + fill.quantity
        paid = (order["avg_price"] or ZERO) * before + fill.price * fill.quantity
        order["filled_quantity"] = total
        order["avg_price"] = (paid / total).quantize(Decimal("1e-12"))
        if order["ts_accepted"] is None:
            order["ts_accepted"] = fill.ts_ns  # a market order is filled on arrival, without an acceptance of its own
        if total >= order["quantity"]:
            order["status"], order["ts_closed"] = "FILLED", fill.ts_ns
        elif order["status"] not in CLOSED | KEEPS_PARTIAL:
            order["status"] = "PARTIALLY_FILLED"

    def funding(
        self, ts_ns: int, instrument_id: str, strategy_id: str, position: Decimal, rate: Decimal | None, amount: Decimal
    ) -> None:
        """See `Journal.funding`."""
        self.payments.append({
            "seq": len(self.payments), "ts_ns": ts_ns, "instrument_id": instrument_id, "strategy_id": strategy_id,
            "position": position, "rate": rate, "amount": amount,
        })  # fmt: skip

    def risk(self, event: RiskEvent) -> None:
        """See `Journal.risk`."""
        self.risk_events.append(event)

    def reopen(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.reopen`."""
        row = self.orders.get(client_order_id)
        self._note(_when(row, ts_ns), client_order_id, "Reopened", why)
        if row is not None:
            row["status"], row["ts_closed"], row["reject_reason"] = status, None, None

    def settle(self, client_order_id: str, status: str, why: str, ts_ns: int | None = None) -> None:
        """See `Journal.settle`."""
        row = self.orders.get(client_order_id)
        when = _when(row, ts_ns)
        self._note(when, client_order_id, "Settled", why)
        if row is not None:
            row["status"], row["ts_closed"] = status, when
            row["reject_reason"] = why if status == "REJECTED" else None

    def adopt(self, ts_ns: int, held: Mapping[str, tuple[Decimal, Decimal]]) -> list[str]:
        """Book what the account holds when a session begins, by instrument: signed base units and the price it is taken at.

        Booked as fills without a fee, so that every later figure counts them from there.

        Returns
        -------
        list of str
            What an earlier session had not told, one line each; in memory there is none.
        """
        for iid, (amount, price) in held.items():
            self.fill(adoption(ts_ns, iid, amount, price, f"adopted-{iid.partition('-')[0]}"))
        return []

    def tables(self) -> dict[str, pa.Table]:
        """Everything as Arrow tables, by the names and schemas of `execution.records`."""
        events = [
            {"seq": i, "ts_ns": ts, "client_order_id": coid, "event": event, "detail": detail}
            for i, (ts, coid, event, detail) in enumerate(self.events)
        ]
        refusals = [refusal_row(i, request, refused) for i, (request, refused) in enumerate(self.refusals)]
        return {
            "orders": records.table(records.ORDERS, list(self.orders.values())),
            "order_events": records.table(records.ORDER_EVENTS, events),
            "fills": records.table(records.FILLS, self.fills),
            "refusals": records.table(records.REFUSALS, refusals),
            "funding": records.table(records.FUNDING, self.payments),
            "risk_events": records.table(records.RISK_EVENTS, [risk_row(i, e) for i, e in enumerate(self.risk_events)]),
        }


def adoption(ts_ns: int, instrument_id: str, amount: Decimal, price: Decimal, trade_id: str) -> Fill:
    """A position that was there before us, or a difference that nobody explains, as a fill."""
    side = "BUY" if amount > 0 else "SELL"
    return Fill(ts_ns, trade_id, EXTERNAL, instrument_id, trade_id, side, price, abs(amount), "TAKER", ZERO, "USDT")


def unanswered(row: Mapping[str, Any]) -> bool:
    """Whether nothing was heard of an order since it was handed over: it may still reach the venue, or wait there unseen."""
    return row["status"] == "NEW" or (row["ts_accepted"] is None and row["status"] not in CLOSED)


def _when(row: Mapping[str, Any] | None, ts_ns: int | None) -> int:
    """The instant given, or the last one that is known of the order."""
    if ts_ns is not None:
        return ts_ns
    known = () if row is None else (row["ts_ns"], row["ts_accepted"], row["ts_closed"])
    return max((ts for ts in known if ts is not None), default=0)


def refusal_row(seq: int, request: OrderRequest, refused: Refused) -> dict[str, Any]:
    """A refusal as a row of its table."""
    return {
        "seq": seq, "ts_ns": request.ts_ns, "strategy_id": request.strategy_id, "instrument_id": request.instrument_id,
        "client_order_id": request.client_order_id, "side": request.side.name, "order_type": request.order_type,
        "price": request.price, "quantity": request.quantity, "reason": str(refused.reason), "detail": refused.detail,
        "figures": json.dumps(dict(refused.figures), sort_keys=True),
    }  # fmt: skip


def risk_row(seq: int, event: RiskEvent) -> dict[str, Any]:
    """A risk event as a row of its table."""
    return {
        "seq": seq, "ts_ns": event.ts_ns, "kind": event.kind, "name": event.name, "instrument_id": event.instrument_id,
        "state": event.state, "level": event.level, "detail": event.detail,
        "figures": json.dumps(dict(event.figures), sort_keys=True),
    }  # fmt: skip
