"""Intents into orders: rounding, diffing, re-pricing, leaving."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nautilus_trader.model import OrderSide, Price, Quantity

from risk.desk import Desk
from risk.policy import Policy, WaiveEdge
from risk.request import OrderRequest
from risk.verdict import Reason, Refused
from risk.view import AccountView, WorkingOrder
from strategies.acting import Actor
from strategies.intents import CancelAll, Enter, Exit, Level, Quote, Side, Target
from tests.engine import FREE, IID, KEY, MAKER, Stepped, book, opening, perpetual, quiet, quote, run
from tests.risk.account import gate

WAIVED = WaiveEdge(waived="a test")
ONE = Policy(edge=WAIVED)


class Sheet:
    """A strategy that only notes what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.clock = SimpleNamespace(timestamp_ns=lambda: 1)
        self.order_factory = self

    def limit(self, _iid: Any, side: Any, quantity: Quantity, price: Price, **more: Any) -> dict[str, Any]:
        return {"side": side, "quantity": quantity.as_decimal(), "price": price.as_decimal(), **more}

    def market(self, _iid: Any, side: Any, quantity: Quantity, **more: Any) -> dict[str, Any]:
        return {"side": side, "quantity": quantity.as_decimal(), "price": None, **more}

    def submit_order(self, order: dict[str, Any]) -> None:
        self.sent.append(order)

    def cancel_order(self, order_id: Any) -> None:
        self.cancelled.append(str(order_id))


def desk(sheet: Sheet, policy: Policy = MAKER) -> tuple[Actor, list[tuple[OrderRequest, Refused]]]:
    refused: list[tuple[OrderRequest, Refused]] = []
    numbers = iter(f"bt{n:012d}" for n in range(1, 10_000))
    made = Desk("s", gate().view, policy, lambda: next(numbers), refuse=lambda r, why: refused.append((r, why)))
    strategy: Any = sheet
    return Actor(strategy, made, perpetual()), refused


PRICE = st.floats(0.1, 200_000, allow_nan=False)
SIZE = st.floats(1e-6, 1e6, allow_nan=False)


@pytest.mark.req("O-13")
@settings(database=None, max_examples=300)
@given(PRICE, PRICE, SIZE)
def test_prices_go_outward_and_sizes_down_by_less_than_one_increment(bid: float, ask: float, size: float) -> None:
    sheet = Sheet()
    actor, refused = desk(sheet)
    actor.perform(Quote((Level(bid, size),), (Level(ask, size),), None, "a test"))
    if size < 0.000_999:
        assert (sheet.sent, len(refused)) == ([], 2)
        return
    assume(len(sheet.sent) == 2)
    noise = Decimal("1e-6")  # of an increment: float error of the strategy's own arithmetic
    for order, price, sign in ((sheet.sent[0], bid, 1), (sheet.sent[1], ask, -1)):
        outward = (Decimal(price) - order["price"]) * sign / Decimal("0.1")
        assert -noise * max(1, int(price / 100)) <= outward < 1
        assert order["price"] % Decimal("0.1") == 0
        down = (Decimal(size) - order["quantity"]) / Decimal("0.001")
        assert -noise <= down < 1
        assert order["quantity"] % Decimal("0.001") == 0


@pytest.mark.parametrize(
    ("size", "quantity"),
    [(1.0, "1"), (0.0019, "0.001"), (0.3 - 0.1 - 0.1, "0.1"), (0.7 - 0.4, "0.3"), (1.9999, "1.999"), (2.0, "2")],
)
def test_a_size_that_is_a_step_but_for_float_error_keeps_it(size: float, quantity: str) -> None:
    sheet = Sheet()
    desk(sheet)[0].perform(Enter(Side.BUY, size, None, 1, "a test"))
    assert sheet.sent[0]["quantity"] == Decimal(quantity)


@pytest.mark.req("R-11", "O-13")
@pytest.mark.parametrize("size", [0.0009, 0.0, -1.0])
def test_a_size_below_one_step_is_recorded_and_not_lost(size: float) -> None:
    sheet = Sheet()
    actor, refused = desk(sheet)
    actor.perform(Enter(Side.SELL, size, 3.0, 1, "too small"))
    assert sheet.sent == []
    request, why = refused[0]
    assert (str(why.reason), request.side, request.purpose.why) == ("step", Side.SELL, "too small")
    assert why.detail == f"size {size:g} is below one step 0.001"


@pytest.mark.parametrize("size", [math.nan, math.inf])
def test_a_size_that_is_no_number_raises(size: float) -> None:
    with pytest.raises(Exception, match=r"."):
        desk(Sheet())[0].perform(Enter(Side.BUY, size, None, 1, "a test"))


@pytest.mark.req("O-12")
@pytest.mark.parametrize(
    ("side", "offset", "price"),
    [(Side.BUY, 0, "100.0"), (Side.BUY, 3, "99.7"), (Side.SELL, 0, "100.1"), (Side.SELL, 2, "100.3")],
)
def test_an_entry_is_post_only_so_many_ticks_behind_its_own_best_price(side: Side, offset: int, price: str) -> None:
    sheet = Sheet()
    desk(sheet)[0].perform(Enter(side, 1.0, None, 1, "a test", offset))
    order = sheet.sent[0]
    assert (order["price"], order["post_only"], order["reduce_only"]) == (Decimal(price), True, False)
    assert len(str(order["client_order_id"])) == 14


def test_the_policy_decides_between_post_only_limit_and_market() -> None:
    for kind, expected in (("post_only", (True, "100.0")), ("limit", (False, "100.0")), ("market", (None, None))):
        sheet = Sheet()
        desk(sheet, Policy(entry_order=kind, edge=WAIVED))[0].perform(Enter(Side.BUY, 1.0, None, 1, "a test"))
        order = sheet.sent[0]
        assert (order.get("post_only"), None if order["price"] is None else str(order["price"])) == expected


@pytest.mark.parametrize(
    "gone",
    [
        lambda view, name: view.fill(name, Decimal(1)),
        lambda view, name: view.resize(name, Decimal(0)),
        lambda view, name: view.close(name),
    ],
    ids=["filled", "clipped", "cancelled"],
)
def test_a_wish_that_stood_is_looked_at_again_once_an_order_of_it_is_gone(
    gone: Callable[[AccountView, str], None],
) -> None:
    sheet, view = Sheet(), gate().view
    numbers = (f"bt{n:012d}" for n in itertools.count(1))
    actor = Actor(cast(Any, sheet), Desk("s", view, MAKER, lambda: next(numbers)), perpetual())
    wish = Quote((Level(99.5, 1.0),), (Level(100.5, 1.0),), None, "quote", 1)
    actor.perform(wish)
    assert len(sheet.sent) == 2
    for one, side in zip(sheet.sent, (Side.BUY, Side.SELL), strict=True):
        name = str(one["client_order_id"])
        view.count(WorkingOrder(name, "s", KEY, side, one["price"], one["quantity"], False, 1, accepted=True))
    for _ in range(3):
        actor.perform(wish)
    assert len(sheet.sent) == 2
    gone(view, str(sheet.sent[0]["client_order_id"]))
    actor.perform(wish)
    assert [one["price"] for one in sheet.sent] == [Decimal("99.5"), Decimal("100.5"), Decimal("99.5")]


# In the engine ------------------------------------------------------------------------------------------------------------


class Act(Stepped):
    """Performs `plan[n]` at message n and notes what works afterwards."""

    plan: ClassVar[dict[int, list[Any]]]

    def on_ready(self) -> None:
        super().on_ready()
        self.worked: dict[int, list[tuple[int, float | None, bool]]] = {}

    def at(self, number: int) -> None:
        orders = [o for o in self.working.values() if not o.pending_cancel]
        self.worked[number] = [
            (int(o.side), None if o.price is None else float(o.price), o.reduce_only) for o in orders
        ]
        self.act(type(self).plan.get(number, []))


def acting(plan: dict[int, list[Any]], data: list[Any] | None = None, **more: Any) -> Any:
    ran = run(type("Acting", (Act,), {"plan": plan}), data or quiet(), **more)
    assert not ran.faults.count, ran.faults.trace
    return ran


def sent(ran: Any) -> list[tuple[str, str, float | None, float, bool]]:
    return [
        (
            r["side"],
            r["order_type"],
            None if r["price"] is None else float(r["price"]),
            float(r["quantity"]),
            r["reduce_only"],
        )
        for r in ran.rows("orders")
    ]


BUY = Enter(Side.BUY, 1.0, None, 1, "in")


@pytest.mark.req("O-6")
def test_asking_again_while_an_entry_works_is_the_same_wish_and_no_refusal() -> None:
    ran = acting({n: [BUY] for n in range(2, 9)}, policy=ONE, insert_ms=150)
    assert len(sent(ran)) == 1
    assert ran.rows("refusals") == []


def test_an_entry_the_other_way_cancels_the_old_one_first() -> None:
    sell = Enter(Side.SELL, 1.0, None, 1, "turned")
    ran = acting({2: [BUY], 4: [sell], 7: [sell]}, policy=ONE, insert_ms=50, cancel_ms=50)
    assert sent(ran) == [("BUY", "LIMIT", 100.0, 1.0, False), ("SELL", "LIMIT", 100.1, 1.0, False)]
    assert ran.rows("orders")[0]["ts_closed"] < ran.rows("orders")[1]["ts_ns"]
    assert ran.rows("refusals") == []


FALLING = [quote(1000, 100.0, 100.1), opening(1000), book(1100, [(80.0, 1)])]
for _k in range(12):
    _bid = round(100.0 - 0.1 * _k, 1)
    FALLING.append(
        book(1200 + 100 * _k, [(_bid, 0), (round(_bid - 0.1, 1), 5)], [(round(_bid + 0.1, 1), 0), (_bid, 3)])
    )  # the whole book falls by a tick with each message: what was the best bid is the best ask


@pytest.mark.req("O-12")
@pytest.mark.parametrize(("reprices", "tries"), [(3, 4), (0, 1), (5, 6)])
def test_a_post_only_entry_that_would_have_taken_is_repriced_a_bounded_number_of_times(
    reprices: int, tries: int
) -> None:
    policy = Policy(edge=WAIVED, post_only_reprices=reprices)  # one open entry at most: the rejected one takes no room
    ran = acting({2: [BUY]}, FALLING, policy=policy, insert_ms=50)
    rows = ran.rows("orders")
    assert [row["status"] for row in rows] == ["REJECTED"] * tries
    assert [float(row["price"]) for row in rows] == [round(100.0 - 0.1 * n, 1) for n in range(tries)]
    assert ran.rows("refusals") == []
    assert Policy().post_only_reprices == 3


@pytest.mark.req("O-12")
@pytest.mark.parametrize("then", [CancelAll("changed my mind"), Exit("changed my mind"), Quote((), (), None, "none")])
def test_an_entry_that_is_no_longer_wanted_is_not_tried_again(then: Any) -> None:
    ran = acting({2: [BUY, then]}, FALLING, policy=ONE, insert_ms=50, cancel_ms=50)
    assert len(sent(ran)) == 1


@pytest.mark.req("O-12")
def test_a_strategy_with_its_own_rejection_handler_is_repriced_all_the_same() -> None:
    class Own(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([BUY])

        def on_order_rejected(self, event: Any) -> None:
            """Without `super()`."""

    assert len(run(Own, FALLING, policy=ONE, insert_ms=50).rows("orders")) == 4


def _quote(bid: float, ask: float, ticks: int = 1, size: float = 1.0) -> Quote:
    return Quote((Level(bid, size),), (Level(ask, size),), None, "quote", ticks)


def test_a_quote_that_is_near_enough_keeps_its_place_and_a_stale_one_is_replaced() -> None:
    plan: dict[int, list[Any]] = {2: [_quote(99.5, 100.5)], 4: [_quote(99.5, 100.54)], 6: [_quote(99.4, 100.5)]}
    plan[8] = [_quote(99.6, 100.4, ticks=3)]  # two ticks and one are less than three
    ran = acting(plan, policy=MAKER)
    orders = [(side, price) for side, _, price, _, _ in sent(ran)]
    assert orders == [
        ("BUY", 99.5), ("SELL", 100.5),
        ("SELL", 100.6),  # 100.54 goes outward to 100.6, a tick from 100.5
        ("BUY", 99.4), ("SELL", 100.5),
    ]  # fmt: skip
    assert sorted(ran.strategy.worked[9]) == [(-1, 100.5, False), (1, 99.4, False)]


def test_a_side_without_a_level_is_cancelled() -> None:
    ran = acting({2: [_quote(99.5, 100.5)], 4: [Quote((Level(99.5, 1.0),), (), None, "one side")]}, policy=MAKER)
    assert ran.strategy.worked[6] == [(1, 99.5, False)]
    assert len(sent(ran)) == 2


def test_the_same_quote_again_and_again_sends_nothing_new() -> None:
    ran = acting({n: [_quote(99.5, 100.5)] for n in range(2, 11)}, policy=MAKER, insert_ms=250)
    assert len(sent(ran)) == 2


def test_a_quote_that_stood_is_sent_again_when_something_else_took_it_away() -> None:
    """By a cancel of the strategy's own: the wish is the same object, and what rested is gone."""
    wish = _quote(99.5, 100.5)

    class Cancelling(Act):
        plan: ClassVar[dict[int, list[Any]]] = {n: [wish] for n in range(2, 12)}

        def at(self, number: int) -> None:
            if number == 5:
                self.cancel_all_orders(self.instrument_id)
            super().at(number)

    ran = run(Cancelling, quiet(), policy=MAKER)
    assert not ran.faults.count, ran.faults.trace
    assert [side for side, *_ in sent(ran)] == ["BUY", "SELL"] * 2
    assert sorted(ran.strategy.worked[11]) == [(-1, 100.5, False), (1, 99.5, False)]


@pytest.mark.req("O-6")
@pytest.mark.parametrize(("room", "orders"), [(1, "B"), (2, "BS"), (3, "BSB"), (4, "BSBS")])
def test_quotes_respect_the_room_and_share_it_between_the_sides(room: int, orders: str) -> None:
    wanted = Quote(
        (Level(99.9, 1), Level(99.8, 1), Level(99.7, 1)), (Level(100.2, 1), Level(100.3, 1), Level(100.4, 1)), None, "q"
    )
    ran = acting({n: [wanted] for n in (2, 4, 6)}, policy=Policy(edge=WAIVED, max_open_entries=room))
    assert "".join(side[0] for side, *_ in sent(ran)) == orders
    assert ran.rows("refusals") == []


def test_while_a_stale_quote_is_being_cancelled_its_room_is_taken() -> None:
    plan: dict[int, list[Any]] = {n: [_quote(99.5 if n < 5 else 99.0, 100.5)] for n in range(2, 10)}
    ran = acting(plan, policy=Policy(edge=WAIVED, max_open_entries=2), cancel_ms=150)
    bids = [row for row in ran.rows("orders") if row["side"] == "BUY"]
    assert [float(row["price"]) for row in bids] == [99.5, 99.0]
    assert bids[1]["ts_ns"] >= bids[0]["ts_closed"]
    assert ran.rows("refusals") == []


HOLD = {2: [Enter(Side.BUY, 0.8, None, 1, "in")]}  # filled at once by a market order


@pytest.mark.req("O-12")
def test_an_urgent_exit_is_reduce_only_and_not_sent_twice() -> None:
    ran = acting({**HOLD, **{n: [Exit("out")] for n in range(4, 11)}}, policy=FREE, insert_ms=150)
    assert sent(ran)[1:] == [("SELL", "MARKET", None, 0.8, True)]
    assert ran.net == 0


@pytest.mark.req("O-12")
def test_an_exit_leaves_nothing_of_a_position_that_the_engine_has_added_up_as_floats() -> None:
    enters = {n: [Enter(Side.BUY, size, None, 1, "in")] for n, size in ((2, 0.1), (4, 0.2))}  # 0.30000000000000004
    ran = acting({**enters, **{n: [Exit("out")] for n in range(8, 12)}}, policy=FREE, insert_ms=150)
    assert sent(ran)[2:] == [("SELL", "MARKET", None, 0.3, True)]
    assert ran.net == 0


@pytest.mark.req("O-12")
def test_an_exit_cancels_resting_entries_and_leaves_other_strategies_alone() -> None:
    ran = acting({2: [_quote(99.5, 100.5)], 4: [Exit("out")]}, policy=MAKER)
    assert {row["status"] for row in ran.rows("orders")} == {"CANCELED"}
    assert len(sent(ran)) == 2  # flat: nothing to close


def test_quotes_leave_a_resting_exit_alone() -> None:
    ran = acting({**HOLD, 4: [Exit("slowly", urgent=False)], 6: [_quote(99.5, 100.1)]}, policy=FREE)
    assert sent(ran)[1] == ("SELL", "LIMIT", 100.1, 0.8, True)
    assert (-1, 100.1, True) in ran.strategy.worked[8]
    assert (-1, 100.1, False) in ran.strategy.worked[8]


def test_a_patient_exit_rests_at_the_best_price_and_follows_it() -> None:
    data = [*quiet(6), book(1600, asks=[(100.1, 0), (100.0, 0)]), book(1700, [(100.0, 0)], [(100.0, 4)])]
    data += [book(1700 + 100 * n, [(80.0, n)]) for n in range(1, 6)]
    plan: dict[int, list[Any]] = {**HOLD, **{n: [Exit("slowly", urgent=False)] for n in range(4, 14)}}
    ran = acting(plan, data, policy=FREE)
    assert sent(ran)[1:] == [("SELL", "LIMIT", 100.1, 0.8, True), ("SELL", "LIMIT", 100.0, 0.8, True)]


@pytest.mark.req("R-14")
def test_an_urgent_exit_replaces_a_patient_one_and_a_protective_stop_does_not_hinder_it() -> None:
    class Stopped(Act):
        plan: ClassVar[dict[int, list[Any]]] = {**HOLD, 6: [Exit("slowly", urgent=False)], 8: [Exit("now")]}

        def at(self, number: int) -> None:
            super().at(number)
            if number == 4:
                order = self.order_factory.stop_market(
                    IID, OrderSide.SELL, Quantity(0.8, 3), Price(90.0, 1), reduce_only=True
                )
                self.submit_order(order)

    ran = run(Stopped, quiet(), policy=FREE, insert_ms=50, cancel_ms=50)
    assert not ran.faults.count, ran.faults.trace
    kinds = [(row["order_type"], row["status"]) for row in ran.rows("orders")[1:]]
    assert kinds[0][0] == "STOP_MARKET"
    stop = ran.rows("orders")[1]["client_order_id"]
    events = [row["event"] for row in ran.rows("order_events") if row["client_order_id"] == stop]
    assert "OrderPendingCancel" not in events  # the stop protects until the exit has filled
    assert kinds[1:] == [("LIMIT", "CANCELED"), ("MARKET", "FILLED")]
    assert ran.net == 0


@pytest.mark.req("O-12")
def test_a_target_flips_by_closing_first_and_then_enters() -> None:
    def target(size: float) -> Target:
        return Target(size, None, 1, "target")

    plan: dict[int, list[Any]] = {2: [target(0.8)], **{n: [target(-0.5)] for n in range(4, 12)}}
    ran = acting(plan, policy=FREE, insert_ms=50)
    assert sent(ran) == [
        ("BUY", "MARKET", None, 0.8, False), ("SELL", "MARKET", None, 0.8, True), ("SELL", "MARKET", None, 0.5, False),
    ]  # fmt: skip
    assert float(ran.net) == -0.5


@pytest.mark.req("O-12")
def test_a_smaller_target_reduces_with_the_flag_and_a_reached_one_does_nothing() -> None:
    plan: dict[int, list[Any]] = {2: [Target(0.8, None, 1, "t")], 4: [Target(0.3, None, 1, "t")]}
    plan |= {n: [Target(0.1 + 0.2, None, 1, "t")] for n in (6, 7)}
    ran = acting(plan, policy=FREE)
    assert sent(ran)[1:] == [("SELL", "MARKET", None, 0.5, True)]
    assert ran.rows("refusals") == []


def test_a_target_that_has_changed_cancels_the_entry_of_the_old_one() -> None:
    plan: dict[int, list[Any]] = {2: [Target(1.0, None, 1, "t")], 4: [Target(0.0, None, 1, "t")]}
    ran = acting(plan, policy=ONE)
    assert ran.strategy.worked[4] == [(1, 100.0, False)]
    assert ran.strategy.worked[6] == []
    assert len(sent(ran)) == 1


def test_a_target_waits_for_its_entry() -> None:
    ran = acting({n: [Target(1.0, None, 1, "t")] for n in range(2, 10)}, policy=ONE)
    assert len(sent(ran)) == 1


def test_cancel_all_cancels_entries_and_exits_of_this_strategy() -> None:
    plan: dict[int, list[Any]] = {**HOLD, 4: [Exit("slowly", urgent=False)], 6: [CancelAll("all")]}
    ran = acting(plan, policy=FREE)
    assert ran.strategy.worked[6] == [(-1, 100.1, True)]
    assert ran.strategy.worked[8] == []


@pytest.mark.req("O-1")
def test_ids_of_a_run_are_unique_fourteen_characters_and_ours() -> None:
    plan: dict[int, list[Any]] = {n: [_quote(99.0 + 0.1 * n, 101.0 + 0.1 * n)] for n in range(2, 11)}
    ran = acting({**plan, 11: [Exit("out")]}, policy=MAKER)
    ids = list(ran.venue_orders)
    assert len(ids) == len(set(ids)) == len(ran.rows("orders")) > 10
    assert {len(i) for i in ids} == {14}
    assert not [i for i in ids if i.startswith("O-")]


@pytest.mark.req("R-11")
def test_what_shuts_entries_is_said_once_until_it_changes() -> None:
    sheet, shut = Sheet(), Refused(Reason.BREAKER, "spread_multiple: wide")
    actor, _ = desk(sheet)
    now: list[Refused | None] = [None]
    actor._desk.closed = lambda _iid, _ts: now[0]
    wish = Enter(Side.BUY, 0.001, None, 1, "a test")

    def asked(times: int) -> int:
        before = len(sheet.sent)
        for _ in range(times):
            actor.perform(wish)
        return len(sheet.sent) - before

    assert asked(2) == 2
    now[0] = shut
    assert asked(5) == 1  # the gate refuses and records this one
    now[0] = Refused(Reason.BREAKER, "spread_multiple: wide")  # the same words again, of the same episode
    assert asked(5) == 0
    now[0] = Refused(Reason.HALTED, "daily loss")
    assert asked(5) == 1
    now[0] = None
    assert asked(2) == 2
    now[0] = shut  # a new episode
    assert asked(5) == 1


@pytest.mark.req("R-11")
def test_a_quote_while_entries_are_shut_still_takes_back_what_rests() -> None:
    sheet = Sheet()
    actor, _ = desk(sheet)
    actor._desk.closed = lambda _iid, _ts: Refused(Reason.BREAKER, "wide")
    wish = Quote((Level(100.0, 1.0),), (Level(101.0, 1.0),), None, "a test")
    actor.perform(wish)
    actor.perform(wish)
    assert len(sheet.sent) == 2  # both sides, once
