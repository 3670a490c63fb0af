"""M-7: what our own client asks the venue about orders and what the venue answers, into the journal's chained record.

Whatever places or cancels is written down before it leaves and when it is answered. Lists that are asked again and again are
written when they differ from the last time.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from execution.safety.asker import Exchange
from execution.safety.rows import AlgoRow, OrderRow
from execution.safety.wire_ids import logical_id
from execution.venue_record import Keeps

LISTS = frozenset({
    "GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders", "GET /fapi/v1/userTrades", "GET /fapi/v3/positionRisk",
})  # fmt: skip
QUERIES = frozenset({"GET /fapi/v1/order", "GET /fapi/v1/algoOrder"})
_CHANGES = ("POST ", "DELETE ")
_COUNTDOWN = "POST /fapi/v1/countdownCancelAll"
_ORDERS = frozenset({"POST /fapi/v1/order", "GET /fapi/v1/order", "DELETE /fapi/v1/order"})
_ALGO = frozenset({"POST /fapi/v1/algoOrder", "GET /fapi/v1/algoOrder"})
_CANCEL, _CANCEL_ALGO = "DELETE /fapi/v1/order", "DELETE /fapi/v1/algoOrder"
_REFUSED = 400


class RestRecord:
    """Witness of one session's safety client; see `execution.safety.asker.Asker.witness`.

    Parameters
    ----------
    journal
        On disk.
    now_ns
        UTC clock.
    """

    def __init__(self, journal: Keeps, now_ns: Callable[[], int]) -> None:
        self._journal, self._now_ns = journal, now_ns
        self._last: dict[tuple[str, str], bytes] = {}

    def __call__(self, exchange: Exchange) -> None:
        """Take a request that leaves, or its end."""
        changes = exchange.what.startswith(_CHANGES)
        if not (changes or exchange.what in LISTS | QUERIES):
            return
        if not exchange.done:
            if changes and exchange.what != _COUNTDOWN:
                self._write("asked", exchange)
                if (name := _cancels(exchange)) is not None:
                    self._journal.cancel_sent(name)
            return
        if exchange.what in LISTS and not self._is_news(exchange):
            return
        self._write("answered", exchange)
        self._number(exchange)

    def _write(self, kind: str, exchange: Exchange) -> None:
        body: dict[str, Any] = {"what": exchange.what, "params": dict(exchange.params)}
        if exchange.done:
            body |= {"status": exchange.status, "text": exchange.text}
        self._journal.message(self._now_ns(), kind, body)

    def _is_news(self, exchange: Exchange) -> bool:
        key, digest = (exchange.what, str(sorted(exchange.params.items()))), sha256(exchange.text.encode()).digest()
        seen, self._last[key] = self._last.get(key), digest
        return seen != digest

    def _number(self, exchange: Exchange) -> None:
        """Learn the venue's id of an order, and what became of a cancel, from an answer about it."""
        if exchange.status is None or exchange.status >= _REFUSED:
            return
        if exchange.what in _ORDERS and (row := _read(exchange.text, OrderRow)) is not None:
            self._journal.venue_ids(row.logical_id, venue_order_id=row.order_id)
            if exchange.what.startswith("DELETE"):
                self._cancelled(exchange, row.logical_id, row.status)
        elif exchange.what == _CANCEL_ALGO and (done := _read(exchange.text, _AlgoDone)) is not None:
            self._cancelled(exchange, logical_id(done.wire_id), "CANCELED")
        elif exchange.what in _ALGO and (algo := _read(exchange.text, AlgoRow)) is not None:
            number = int(algo.order_id) if algo.order_id.isdecimal() else None
            self._journal.venue_ids(algo.logical_id, venue_order_id=number or None, algo_id=algo.algo_id)

    def _cancelled(self, exchange: Exchange, name: str, outcome: str) -> None:
        if _cancels(exchange) is None:  # it was named by the venue's id alone
            self._journal.cancel_sent(name)
        self._journal.cancel_answered(name, outcome)


class _AlgoDone(msgspec.Struct, frozen=True):
    """What the venue says to the cancel of a conditional order."""

    wire_id: str = msgspec.field(name="clientAlgoId")


def _cancels(exchange: Exchange) -> str | None:
    """Order that a request cancels, where it names it by our id."""
    if exchange.what not in (_CANCEL, _CANCEL_ALGO):
        return None
    wire = exchange.params.get("origClientOrderId") or exchange.params.get("clientAlgoId")
    return None if wire is None else logical_id(wire)


def _read[T](text: str, shape: type[T]) -> T | None:
    """Read an answer; one that is no such row is in the record as it came, and tells no id."""
    try:
        return msgspec.json.decode(text, type=shape, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
