"""M-7: what the engine tells and what our own client asks, as it goes into the chained record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from execution.rest_record import RestRecord
from execution.safety.asker import Exchange
from execution.venue_record import VenueRecord
from strategies.intents import CancelAll, Enter, Exit, Side
from tests.engine import FREE, IID, Stepped, quiet, run

ORDER = (
    '{"symbol":"BTCUSDT","orderId":77,"clientOrderId":"x-aHRE4BCj-Rh1","side":"BUY","status":"CANCELED","type":"LIMIT",'
    '"origQty":"1","executedQty":"0"}'
)
ALGO = (
    '{"symbol":"BTCUSDT","algoId":5,"clientAlgoId":"x-aHRE4BCj-Rh2","orderType":"STOP_MARKET","side":"SELL","algoStatus":"NEW",'
    '"actualOrderId":""}'
)


class Told:
    """Takes what a journal takes."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str, Mapping[str, Any]]] = []
        self.ids: list[tuple[str, int | None, int | None]] = []
        self.cancels: list[tuple[str, str]] = []

    def message(self, ts_ns: int, kind: str, body: Mapping[str, Any]) -> None:
        self.messages.append((ts_ns, kind, body))

    def venue_ids(self, client_order_id: str, *, venue_order_id: int | None = None, algo_id: int | None = None) -> None:
        self.ids.append((client_order_id, venue_order_id, algo_id))

    def cancel_sent(self, client_order_id: str) -> None:
        self.cancels.append((client_order_id, "sent"))

    def cancel_answered(self, client_order_id: str, outcome: str) -> None:
        self.cancels.append((client_order_id, outcome))


class Busy(Stepped):
    """Buys and leaves, then rests and takes back."""

    def at(self, number: int) -> None:
        acts: dict[int, list[Any]] = {
            2: [Enter(Side.BUY, 1.0, None, 1, "in")],
            4: [Exit("out")],
            8: [CancelAll("back")],
        }
        if number == 6:
            self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1)))
        elif number in acts:
            self.act(acts[number])


@pytest.mark.req("M-7")
def test_every_order_and_position_event_is_recorded_with_all_its_fields() -> None:
    told = Told()

    def prepare(package: Any) -> None:
        record = VenueRecord(told)
        package.services.relay.listeners.append(record.order)
        package.services.relay.position_listeners.append(record.position)

    ran = run(Busy, quiet(), policy=FREE, prepare=prepare)
    assert ran.faults.first is None
    kinds = [kind for _, kind, _ in told.messages]
    assert {"OrderInitialized", "OrderFilled", "OrderPendingCancel", "OrderCanceled"} <= set(kinds)
    assert kinds.count("PositionOpened") == kinds.count("PositionClosed") == 1
    filled = next(body for _, kind, body in told.messages if kind == "OrderFilled")
    assert {"trade_id", "last_qty", "last_px", "commission", "venue_order_id"} <= set(filled)
    closed = next(body for _, kind, body in told.messages if kind == "PositionClosed")
    assert closed["signed_qty"] == 0.0
    assert closed["instrument_id"].startswith("BTCUSDT")
    cancelled = [order_id for order_id, outcome in told.cancels if outcome == "sent"]
    assert told.cancels == [(cancelled[0], "sent"), (cancelled[0], "canceled")]


def exchange(what: str, text: str = "", *, status: int | None = 200, done: bool = True, **params: str) -> Exchange:
    return Exchange(what, params, done, status if done else None, text)


@pytest.mark.req("M-7")
def test_what_changes_something_is_recorded_before_it_leaves_and_when_it_is_answered() -> None:
    told = Told()
    record = RestRecord(told, lambda: 9)
    record(exchange("DELETE /fapi/v1/order", done=False, symbol="BTCUSDT", orderId="77"))
    record(exchange("DELETE /fapi/v1/order", ORDER, symbol="BTCUSDT", orderId="77"))
    assert [(ts, kind) for ts, kind, _ in told.messages] == [(9, "asked"), (9, "answered")]
    assert told.messages[0][2] == {"what": "DELETE /fapi/v1/order", "params": {"symbol": "BTCUSDT", "orderId": "77"}}
    assert told.messages[1][2]["text"] == ORDER
    assert told.ids == [("h1", 77, None)]
    assert told.cancels == [("h1", "sent"), ("h1", "CANCELED")]


@pytest.mark.req("M-7")
def test_a_cancel_by_our_own_id_is_noted_when_it_leaves_answered_or_not() -> None:
    told = Told()
    record = RestRecord(told, lambda: 9)
    named: dict[str, Any] = {"symbol": "BTCUSDT", "origClientOrderId": "x-aHRE4BCj-Rh1"}
    record(exchange("DELETE /fapi/v1/order", done=False, **named))
    assert told.cancels == [("h1", "sent")]
    record(exchange("DELETE /fapi/v1/order", ORDER, **named))
    assert told.cancels == [("h1", "sent"), ("h1", "CANCELED")]
    record(exchange("DELETE /fapi/v1/algoOrder", done=False, algoId="5"))
    record(
        exchange("DELETE /fapi/v1/algoOrder", '{"algoId":5,"clientAlgoId":"x-aHRE4BCj-Rh2","code":"200"}', algoId="5")
    )
    assert told.cancels[2:] == [("h2", "sent"), ("h2", "CANCELED")]
    record(exchange("DELETE /fapi/v1/order", done=False, symbol="BTCUSDT", orderId="8"))
    assert len(told.cancels) == 4


@pytest.mark.req("M-7")
def test_queries_about_orders_teach_the_venues_ids() -> None:
    told = Told()
    record = RestRecord(told, lambda: 9)
    record(exchange("GET /fapi/v1/order", ORDER, symbol="BTCUSDT"))
    record(exchange("POST /fapi/v1/algoOrder", ALGO, symbol="BTCUSDT"))
    assert told.ids == [("h1", 77, None), ("h2", None, 5)]
    assert told.cancels == []


@pytest.mark.req("M-7")
def test_refusals_silences_and_garbage_are_recorded_and_teach_nothing() -> None:
    told = Told()
    record = RestRecord(told, lambda: 9)
    record(exchange("POST /fapi/v1/order", '{"code":-2022,"msg":"ReduceOnly Order is rejected."}', status=400))
    record(exchange("POST /fapi/v1/order", "ReadTimeout", status=None))
    record(exchange("DELETE /fapi/v1/order", "<html>"))
    assert [body["status"] for _, _, body in told.messages] == [400, None, 200]
    assert (told.ids, told.cancels) == ([], [])


@pytest.mark.req("M-7")
def test_a_list_is_recorded_when_it_is_news_and_what_is_not_about_orders_never() -> None:
    told = Told()
    record = RestRecord(told, lambda: 9)
    for text in ("[]", "[]", "[1]", "[1]", "[]"):
        record(exchange("GET /fapi/v1/openOrders", text, symbol="BTCUSDT"))
    record(exchange("GET /fapi/v1/openOrders", "[]", symbol="ETHUSDT"))
    for what in ("GET /fapi/v3/balance", "GET /fapi/v1/income", "GET /fapi/v1/openOrders"):
        record(exchange(what, "", done=False))
    record(exchange("GET /fapi/v3/balance", "[]"))
    assert [body["text"] for _, _, body in told.messages] == ["[]", "[1]", "[]", "[]"]
