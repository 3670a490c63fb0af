"""What the engine tells: queue ahead, state before each handler, refusals, one publication, and the end of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, OrderSide, Price, Quantity

from execution.topics import HALT, ORDER_EVENTS, REFUSALS
from risk.config import RiskConfig
from strategies.intents import Enter, Side
from tests.engine import FREE, IID, KEY, MAKER, MS, WIDE, Stepped, book, opening, quiet, quote, run, trade

SELL = AggressorSide.SELL


class Maker(Stepped):
    """Rests 1 at 100.0 from the second message."""

    def at(self, number: int) -> None:
        if number == 2:
            self.act([Enter(Side.BUY, 1.0, None, 1, "rest")])


MARKET = [
    *quiet(3), trade(1230, 100.1, 0.5, AggressorSide.BUY), book(1300, [(100.0, 9)]), book(1400, [(100.0, 11)]),
    trade(1500, 100.0, 4.9, SELL, 2), trade(1501, 100.0, 0.4, SELL, 3), trade(1502, 100.0, 4.5, SELL, 4),
    trade(1503, 100.0, 2, SELL, 5), book(1600, [(90.0, 2)]),
]  # fmt: skip


@pytest.mark.req("B-2")
@pytest.mark.parametrize(
    ("insert_ms", "accepted", "ahead", "first_fill"),
    [
        (90, 1200, 5.0, 1501),  # 4.9 + 0.4 > 5
        (120, 1230, 5.0, 1501),  # on a trade: the book is still that of 1200
        (150, 1300, 9.0, 1502),  # 4.9 + 0.4 + 4.5 > 9
        (250, 1400, 11.0, 1503),
    ],
)
def test_queue_ahead_is_what_the_engine_then_makes_us_wait_for(
    insert_ms: int, accepted: int, ahead: float, first_fill: int
) -> None:
    ran = run(Maker, MARKET, policy=MAKER, insert_ms=insert_ms)
    row = ran.rows("orders")[0]
    assert (row["ts_accepted"] // MS, row["queue_ahead"]) == (accepted, ahead)
    assert ran.rows("fills")[0]["ts_ns"] // MS == first_fill
    assert ran.rows("fills")[0]["liquidity"] == "MAKER"


def test_each_handler_sees_the_state_after_its_event() -> None:
    class Watching(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.states: list[tuple[str, int]] = []

        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(100.1, 1)))
                order = self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(100.3, 1), post_only=True)
                self.submit_order(order)

        def on_order_filled(self, event: Any) -> None:
            self.states.append(("filled", len(self.working)))

        def on_order_rejected(self, event: Any) -> None:
            self.states.append(("rejected", len(self.working)))

        def on_position_opened(self, event: Any) -> None:
            self.states.append(("opened", len(self.working)))

    ran = run(Watching, quiet(), insert_ms=50)
    assert ran.strategy.states == [("filled", 1), ("opened", 1), ("rejected", 0)]
    kinds = [row["event"] for row in ran.rows("order_events")]
    assert kinds.count("OrderFilled") == kinds.count("OrderRejected") == 1


@pytest.mark.req("R-11")
def test_a_refusal_reaches_the_strategy_the_journal_and_whoever_listens() -> None:
    class Listening(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.heard: list[Any] = []
            self.subscribe_topic(REFUSALS, self.heard.append)

        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 20.0, None, 1, "too large")])

    risk = WIDE.model_copy(update={"max_order_notional_quote": 2000.0})
    ran = run(Listening, quiet(), policy=FREE, risk=risk)
    row = ran.rows("refusals")[0]
    assert (row["reason"], row["detail"]) == ("order_notional", "order notional 2001 > 2000")
    assert json.loads(row["figures"]) == {"limit": "2000", "value": "2001"}
    assert ran.strategy.denied == ["order_notional: order notional 2001 > 2000"]
    assert ran.strategy.seen == ["OrderDenied"]
    request, refused = ran.strategy.heard[0]
    assert (request.client_order_id, refused.detail) == (row["client_order_id"], row["detail"])
    assert ran.rows("orders") == []
    assert ran.venue_orders == {}


@pytest.mark.req("R-11")
def test_a_list_goes_as_a_whole_or_not_at_all_and_each_order_is_told() -> None:
    class Listing(Stepped):
        def at(self, number: int) -> None:
            sizes = {2: (1, 30, 1), 4: (1, 2, 1)}.get(number, ())
            orders = [
                self.order_factory.limit(IID, OrderSide.BUY, Quantity(size, 3), Price(99.0, 1), post_only=True)
                for size in sizes
            ]
            if orders:
                self.submit_order_list(orders)

    risk = WIDE.model_copy(update={"max_order_notional_quote": 2000.0})
    ran = run(Listing, quiet(), policy=MAKER, risk=risk)
    assert not ran.faults.count, ran.faults.trace
    assert ran.strategy.denied[0].startswith("order_notional")
    assert ran.strategy.denied[1] == "another order of its list was refused"
    assert len(ran.strategy.denied) == 2
    assert [row["status"] for row in ran.rows("orders")] == ["DENIED", "CANCELED", "CANCELED", "CANCELED"]
    assert len(ran.venue_orders) == 3
    assert dict(ran.package.services.view.working).keys() == {o["client_order_id"] for o in ran.rows("orders")[1:]}


def test_an_order_sent_twice_is_refused_and_the_working_one_stays() -> None:
    class Twice(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.order = self.order_factory.limit(
                    IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1), post_only=True
                )
            if number in (2, 3):
                self.submit_order(self.order)
            if number == 5:
                self.kept = len(self.working)

    ran = run(Twice, quiet(), policy=MAKER)
    assert [row["reason"] for row in ran.rows("refusals")] == ["id_reused"]
    assert ran.strategy.kept == 1
    assert ran.rows("orders")[0]["ts_accepted"] is not None


@pytest.mark.req("O-8")
def test_a_fill_reported_twice_counts_once_in_view_and_journal() -> None:
    class Echo(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(2, 3), Price(100.1, 1)))

        def on_order_filled(self, event: Any) -> None:
            services = self.services  # type: ignore[attr-defined]
            services.relay.order(event, "s")
            self.leaves = [float(order.leaves) for order in self.working.values()]

    ran = run(Echo, quiet())
    assert len(ran.rows("fills")) == 1
    assert ran.strategy.leaves == [1.0]
    assert [row["event"] for row in ran.rows("order_events")].count("OrderFilled") == 1


def test_every_order_event_is_published_once() -> None:
    class Listening(Maker):
        def on_ready(self) -> None:
            super().on_ready()
            self.heard: list[str] = []
            self.subscribe_topic(ORDER_EVENTS, lambda event: self.heard.append(type(event).__name__))

        def on_order_accepted(self, event: Any) -> None:
            """Overridden, so that both the handler and `on_order_event` are called."""

    ran = run(Listening, quiet(), policy=MAKER)
    assert ran.strategy.heard == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]


@pytest.mark.req("B-6")
def test_orders_of_the_end_are_closed_from_the_engines_cache() -> None:
    class Ending(Stepped):
        def at(self, number: int) -> None:
            if number in (2, 11):
                self.act([Enter(Side.BUY, 1.0, None, 1, "rest")])

        def on_stop(self) -> None:
            self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))

    ran = run(Ending, quiet(), policy=FREE.model_copy(update={"entry_order": "limit"}), insert_ms=150, cancel_ms=150)
    first, last, *_ = ran.rows("orders")
    assert (first["status"], last["status"]) == ("CANCELED", "CANCELED")
    assert first["ts_closed"] >= last["ts_ns"]
    assert [row["reason"] for row in ran.rows("refusals")] == ["order_type"]
    assert not [row for row in ran.rows("orders") if row["status"] in ("NEW", "ACK", "PARTIALLY_FILLED")]


def test_a_fill_that_happened_while_stopping_is_found_in_the_cache() -> None:
    class Ending(Stepped):
        def on_stop(self) -> None:
            self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))

    ran = run(Ending, quiet())
    assert ran.rows("orders")[0]["status"] == "FILLED"
    assert float(ran.net) == float(ran.rows("fills")[0]["position_after"]) == 1.0


def test_an_order_that_was_still_waiting_out_its_latency_never_was() -> None:
    class Late:
        def insert_ns(self) -> int:
            return 10_000 * MS

        cancel_ns = insert_ns

    ran = run(Maker, quiet(), policy=MAKER, sampled=Late())
    row = ran.rows("orders")[0]
    assert (row["status"], row["reject_reason"]) == ("DENIED", "the run ended before the order was sent")
    assert ran.venue_orders == {}


@pytest.mark.req("R-1", "R-13")
def test_a_loss_between_orders_halts_and_takes_back_resting_entries() -> None:
    class Losing(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.heard: list[object] = []
            self.subscribe_topic(HALT, self.heard.append)

        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))
                self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(80.0, 1)))
            if number == 3:
                exit_price = Price(120.0, 1)
                self.submit_order(
                    self.order_factory.limit(IID, OrderSide.SELL, Quantity(1, 3), exit_price, reduce_only=True)
                )
            if number == 6:
                self.left = [order.reduce_only for order in self.working.values()]

    risk = RiskConfig(
        max_order_notional_quote=1e4, max_position_notional_quote=1e4, max_daily_loss_quote=5, max_drawdown_pct=50
    )
    fall = book(3000, [(100.0, 0), (99.9, 0), (94.0, 5)], [(100.1, 0), (100.2, 0), (100.3, 0), (94.1, 5)])
    data = [quote(1000, 100.0, 100.1), opening(1000), *(book(1000 + 100 * k, [(70.0, k)]) for k in (1, 2)), fall]
    data += [book(3000 + 100 * k, [(70.0, k)]) for k in (1, 2, 3)]
    ran = run(Losing, data, policy=FREE, risk=risk)
    assert not ran.faults.count, ran.faults.trace
    assert ran.strategy.heard == ["daily loss 6.10 > 5.00"]  # 100.1 − 94.05 + fee 0.05005
    assert ran.strategy.left == [True]  # the exit stays
    assert ran.package.services.view.entries("s", KEY) == 0
