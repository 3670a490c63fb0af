"""In the real engine: breakers, halts and order care do what they say, and exits pass whatever is shut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, OrderSide, Price, Quantity

from execution.journal import MemoryJournal
from execution.order_care import OrderCareConfig, PartialFillPolicy
from execution.topics import RISK
from risk.breakers.config import BreakersConfig
from risk.config import DrawdownThrottle
from strategies.intents import Enter, Side
from tests.engine import FREE, IID, KEY, MS, WIDE, Stepped, book, opening, quiet, quote, run, trade

SELL, BUY = AggressorSide.SELL, AggressorSide.BUY
CROSSED = [(100.0, 0), (99.9, 0)], [(100.1, 0), (100.2, 0), (100.3, 0)]


def breakers(**changes: Any) -> Any:
    """Limits as wide as can be, with the named breakers on."""
    off: dict[str, Any] = dict.fromkeys(BreakersConfig.model_fields)
    return WIDE.model_copy(update={"breakers": BreakersConfig.model_validate(off | changes)})


class Quoting(Stepped):
    """Buys 1, rests an entry, a resting exit and a protective stop; at later messages enters again and leaves."""

    again, leave = 9, 0

    def on_ready(self) -> None:
        super().on_ready()
        self.edges: list[Any] = []
        self.subscribe_topic(RISK, self.edges.append)

    def at(self, number: int) -> None:
        make = self.order_factory
        if number == 2:
            self.submit_order(make.market(IID, OrderSide.BUY, Quantity(1, 3)))
            self.submit_order(make.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(80.0, 1)))
        if number == 3:
            exit_price = Price(120.0, 1)
            self.submit_order(make.limit(IID, OrderSide.SELL, Quantity(0.4, 3), exit_price, reduce_only=True))
            self.submit_order(make.stop_market(IID, OrderSide.SELL, Quantity(0.5, 3), Price(50.0, 1), reduce_only=True))
        if number == self.again:
            self.submit_order(make.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(81.0, 1)))
        if number == self.leave:
            self.submit_order(make.market(IID, OrderSide.SELL, Quantity(1, 3), reduce_only=True))


def market(wide_at: float = 1500) -> list[Any]:
    """Calm, then a spread of 20, then calm again."""
    gone = book(wide_at, [(100.0, 0), (99.9, 0)], [(100.1, 0), (100.2, 0), (100.3, 0), (110.0, 3)])
    back = book(wide_at + 100, [(100.0, 5)], [(100.1, 1), (110.0, 0)])
    calm = [book(wide_at + 100 * k, [(70.0, k)]) for k in range(2, 12)]
    return [quote(1000, 100.0, 100.1), opening(1000), *[book(1000 + 100 * k, [(90.0, k)]) for k in (1, 2, 3, 4)], gone, back,
            *calm]  # fmt: skip


WIDE_SPREAD = {"soft": 5, "window_secs": 60, "min_samples": 2, "sample_secs": 0, "floor_bps": 10, "cooldown_secs": 0.3,
               "clear_events": 2}  # fmt: skip


def statuses(ran: Any) -> list[tuple[str, str]]:
    return [
        (f"{row['side']} {row['order_type']} {row['price'] or ''}".strip()[:14], row["status"])
        for row in ran.rows("orders")
    ]


@pytest.mark.req("R-6", "R-11", "R-3a")
def test_a_soft_breaker_refuses_entries_with_its_figures_and_clears_by_itself() -> None:
    class Later(Quoting):
        again = 6  # on the wide message

        def at(self, number: int) -> None:
            super().at(number)
            if number == 14:
                self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(82.0, 1)))

    ran = run(Later, market(), policy=FREE, risk=breakers(spread_multiple=WIDE_SPREAD))
    assert not ran.faults.count, ran.faults.trace
    (refused,) = ran.rows("refusals")
    assert (refused["reason"], refused["ts_ns"]) == ("breaker", 1500 * MS)
    assert refused["detail"].startswith(f"spread_multiple {KEY}: spread 2000.00 bps is 200.0 times the floor 10.00")
    assert json.loads(refused["figures"]) == {"open": f"spread_multiple {KEY}"}
    edges = [(row["name"], row["state"], row["level"], row["ts_ns"] // MS) for row in ran.rows("risk_events")]
    assert edges == [
        ("spread_multiple", "open", "soft", 1500),
        ("spread_multiple", "half_open", "soft", 1800),
        ("spread_multiple", "closed", "none", 1900),
    ]
    assert [event.state for event in ran.strategy.edges] == ["open", "half_open", "closed"]
    assert ran.rows("orders")[-1]["price"] == 82


@pytest.mark.req("R-3a", "R-14")
def test_a_hard_breaker_cancels_all_but_the_protective_stop() -> None:
    ran = run(Quoting, market(), policy=FREE, risk=breakers(spread_multiple=WIDE_SPREAD | {"hard": 20}))
    ended = {row["client_order_id"]: row for row in ran.rows("orders")}
    closed_ms = [(row["order_type"], row["reduce_only"], (row["ts_closed"] or 0) // MS) for row in ended.values()]
    assert closed_ms[1:3] == [("LIMIT", False, 1500), ("LIMIT", True, 1500)]
    assert closed_ms[3][2] > 2000  # the protective stop stood until the end of the run
    assert ran.package.services.gate.halted is None


@pytest.mark.req("R-3a", "R-14")
def test_a_hard_breaker_that_flattens_leaves_no_position() -> None:
    ran = run(Quoting, market(), policy=FREE, risk=breakers(
        spread_multiple=WIDE_SPREAD | {"hard": 20, "hard_action": "flatten"}
    ))  # fmt: skip
    assert not ran.faults.count, ran.faults.trace
    assert ran.net == 0
    last = ran.rows("orders")[-1]
    assert (last["order_type"], last["reduce_only"], last["source"]) == ("MARKET", True, "stop")


@pytest.mark.req("R-3", "R-3a", "B-9")
def test_a_latching_breaker_trips_the_switch_and_an_exit_still_passes() -> None:
    class Leaving(Quoting):
        again, leave = 14, 15

    ran = run(Leaving, market(), policy=FREE, risk=breakers(spread_multiple=WIDE_SPREAD | {"latch": True}))
    assert not ran.faults.count, ran.faults.trace
    assert str(ran.package.services.gate.halted).startswith(f"spread_multiple {KEY}: spread")
    assert [row["reason"] for row in ran.rows("refusals")] == ["halted"]
    assert ran.net == 0  # 0.4 + 0.5 rest as exits, and yet all of it could leave at market


@pytest.mark.req("R-4", "R-8")
def test_silence_is_seen_by_the_clock_and_not_only_by_the_next_message() -> None:
    data = [*quiet(8), book(9000, [(70.0, 1)])]
    ran = run(
        Quoting, data, policy=FREE, risk=breakers(feed_silence_ms={"soft": 2000, "hard": 4000, "clear_events": 1})
    )
    edges = [(row["level"], row["ts_ns"] // MS) for row in ran.rows("risk_events") if row["state"] == "open"]
    assert edges == [("soft", 4000), ("hard", 6000)]  # last message at 1700, looked at each second
    resting = next(row for row in ran.rows("orders") if row["price"] == 80)
    assert resting["ts_closed"] // MS == 6000


@pytest.mark.req("O-7")
def test_an_order_that_rests_too_long_is_cancelled_once() -> None:
    care = OrderCareConfig(resting_order_max_age_secs=2)
    data = [*quiet(5), *[book(2000 + 500 * k, [(70.0, 1 + k)]) for k in range(8)]]
    ran = run(Quoting, data, policy=FREE, care=care, cancel_ms=700)
    row = next(row for row in ran.rows("orders") if row["price"] == 80)
    assert (row["status"], row["ts_closed"] // MS) == (
        "CANCELED",
        5000,
    )  # decided at 4000, at the venue 4700, next message 5000
    cared = [
        r for r in ran.rows("order_events") if r["event"] == "Cared" and r["client_order_id"] == row["client_order_id"]
    ]
    assert [(r["ts_ns"] // MS, r["detail"]) for r in cared] == [(4000, "cancel: rested 3 s")]


@pytest.mark.req("O-5")
@pytest.mark.parametrize(("policy", "net"), [("keep", 0.7), ("cancel_rest", 0.7), ("take_rest", 0.0)])
def test_the_rest_of_a_partly_filled_exit_is_kept_cancelled_or_taken(policy: Any, net: float) -> None:
    class Exiting(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))
            if number == 3:
                price = Price(100.2, 1)
                self.submit_order(
                    self.order_factory.limit(IID, OrderSide.SELL, Quantity(1, 3), price, reduce_only=True)
                )

    care = OrderCareConfig(partial_fill=PartialFillPolicy(policy=policy, after_secs=1))
    data = [*quiet(5), book(1450, [], [(100.2, 0)]), trade(1500, 100.2, 0.3, BUY, 2),
            *[book(2000 + 500 * k, [(70.0, 1 + k)]) for k in range(6)]]  # fmt: skip
    ran = run(Exiting, data, policy=FREE, care=care, queue=False)
    assert not ran.faults.count, ran.faults.trace
    assert float(ran.net) == pytest.approx(net)
    sold = sum(float(row["filled_quantity"]) for row in ran.rows("orders") if row["side"] == "SELL")
    assert sold == pytest.approx(1 - net)


@pytest.mark.req("R-14")
def test_an_exit_larger_than_the_position_is_clipped_to_it() -> None:
    class Oversize(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(0.5, 3)))
            if number == 3:
                self.submit_order(self.order_factory.market(IID, OrderSide.SELL, Quantity(3, 3), reduce_only=True))

    ran = run(Oversize, quiet(6), policy=FREE)
    assert ran.net == 0
    assert [float(row["quantity"]) for row in ran.rows("orders")] == [0.5, 0.5]


@pytest.mark.req("R-5", "R-6")
@pytest.mark.parametrize(("size", "sent", "reason"), [(1.0, 0.5, None), (0.001, None, "size_factor")])
def test_a_soft_breaker_with_a_size_factor_makes_entries_smaller(
    size: float, sent: float | None, reason: str | None
) -> None:
    class Small(Stepped):
        def at(self, number: int) -> None:
            if number == 6:
                self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(size, 3), Price(90.0, 1)))

    spread = WIDE_SPREAD | {"size_factor": 0.5}
    ran = run(Small, market(), policy=FREE, risk=breakers(spread_multiple=spread))
    assert [float(row["quantity"]) for row in ran.rows("orders")] == ([] if sent is None else [sent])
    assert [row["reason"] for row in ran.rows("refusals")] == ([] if reason is None else [reason])


@pytest.mark.req("R-6")
def test_a_drawdown_makes_entries_smaller_in_a_straight_line() -> None:
    class Falling(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(3, 3)))
            if number == 8:
                self.act([Enter(Side.BUY, 1.0, None, 1, "after the fall")])

    throttle = DrawdownThrottle.model_validate({"start_pct": 0, "stop_pct": "0.04"})
    risk = WIDE.model_copy(update={"drawdown_throttle": throttle})
    fall = book(1500, [(100.0, 0), (99.9, 0), (94.0, 5)], [(100.1, 0), (100.2, 0), (100.3, 0), (94.1, 5)])
    data = [quote(1000, 100.0, 100.1), opening(1000), *[book(1000 + 100 * k, [(70.0, k)]) for k in (1, 2)], fall]
    data += [book(2600 + 100 * k, [(70.0, k)]) for k in range(5)]
    ran = run(Falling, data, policy=FREE, risk=risk)
    # Bought 1 at 100.1, 1.5 at 100.2, 0.5 at 100.3 = 300.55; at 94.05 worth 282.15; with the fee of 0.150275 the loss is
    # 18.550275 of 100,000: 0.0186 % of 0.04 %, so 53.6 % of the size is left, 0.536 after rounding down.
    assert [float(row["quantity"]) for row in ran.rows("orders")] == [3.0, 0.536]


@pytest.mark.req("R-3")
def test_a_journal_that_cannot_be_written_stops_the_send_and_trips_the_switch() -> None:
    class Two(Stepped):
        def at(self, number: int) -> None:
            if number in (2, 3):
                self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))

    class Full(MemoryJournal):
        def order(self, request: Any, mid: float | None) -> None:
            raise OSError(28, "No space left on device")

    def full(package: Any) -> None:
        package.services.journal = Full()

    ran = run(Two, quiet(6), policy=FREE, prepare=full)
    assert ran.venue_orders == {}
    assert isinstance(ran.faults.first, OSError)
    assert "No space left on device" in str(ran.package.services.gate.halted)
    assert ran.package.services.gate.halts.latched


@pytest.mark.req("R-1")
def test_a_streak_of_losses_pauses_entries_and_takes_back_what_rests() -> None:
    class Losing(Stepped):
        def at(self, number: int) -> None:
            make = self.order_factory
            if number in (2, 4):
                self.submit_order(make.market(IID, OrderSide.BUY, Quantity(0.1, 3)))
            if number in (3, 5):
                self.submit_order(make.market(IID, OrderSide.SELL, Quantity(0.1, 3), reduce_only=True))
            if number == 3:
                self.submit_order(make.limit(IID, OrderSide.BUY, Quantity(0.1, 3), Price(80.0, 1)))
            if number in (7, 14):
                self.submit_order(make.limit(IID, OrderSide.BUY, Quantity(0.1, 3), Price(81.0, 1)))

    risk = WIDE.model_copy(update={"max_losses_in_a_row": 2, "loss_pause_secs": 0.5})
    ran = run(Losing, quiet(16), policy=FREE, risk=risk)
    assert not ran.faults.count, ran.faults.trace
    assert [row["reason"] for row in ran.rows("refusals")] == ["loss_streak"]
    assert [(row["kind"], row["name"]) for row in ran.rows("risk_events")] == [("halt", "loss_streak")]
    resting = {float(row["price"]): row for row in ran.rows("orders") if row["price"] is not None}
    assert resting[80.0]["ts_closed"] // MS == 1500  # the message after the second loss
    assert resting[81.0]["ts_ns"] // MS == 2300
