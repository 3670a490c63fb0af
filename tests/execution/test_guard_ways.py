"""R-12: every way in which a strategy can create, change or close is gated, found by reflection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nautilus_trader import common, trading
from nautilus_trader.common import Clock, OrderFactory
from nautilus_trader.model import (
    BookType,
    ClientOrderId,
    ExecAlgorithmId,
    LimitOrder,
    OrderSide,
    Price,
    Quantity,
    TriggerType,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from execution.guard import Guard
from execution.guarded_clock import GuardedClock
from execution.guarded_factory import GuardedFactory
from execution.seal import SEALED, UngatedOrder, seal
from tests.engine import FREE, IID, MAKER, Setup, Stepped, engine, quiet, run

CREATE_OR_CHANGE = frozenset(SEALED)
CANCEL = frozenset({"cancel_order", "cancel_orders", "cancel_all_orders", "cancel_gtd_expiry"})
ASK_VENUE = frozenset({"query_account", "query_order", "reconnect_socket"})
LIFE = frozenset({
    "degrade", "dispose", "fault", "load", "reset", "resume", "save", "shutdown_system", "start", "stop", "is_exiting",
    "is_degraded", "is_disposed", "is_faulted", "is_ready", "is_running", "is_stopped", "state",
})  # fmt: skip
GIVEN = frozenset({"cache", "clock", "config", "log", "order_factory", "portfolio", "strategy_id", "trader_id"})
DATA = frozenset({
    "add_synthetic", "update_synthetic", "indicators_initialized", "registered_indicators", "register_indicator_for_bars",
    "register_indicator_for_quote_ticks", "register_indicator_for_trade_ticks", "publish_data", "publish_message",
    "publish_signal", "set_external_order_instrument_ids", "post_market_exit",
})  # fmt: skip
PREFIXES = ("on_", "subscribe_", "unsubscribe_", "request_")


@pytest.mark.req("R-12")
def test_every_public_name_of_strategy_is_known_so_that_an_upgrade_that_adds_one_fails_here() -> None:
    names = {name for name in dir(Strategy) if not name.startswith("_") and not name.startswith(PREFIXES)}
    assert names == CREATE_OR_CHANGE | CANCEL | ASK_VENUE | LIFE | GIVEN | DATA


@pytest.mark.req("R-12")
def test_the_guard_stands_before_everything_that_creates_changes_or_closes() -> None:
    assert CREATE_OR_CHANGE | CANCEL - {"cancel_gtd_expiry"} <= set(vars(Guard))
    seal()
    seal()  # twice changes nothing
    assert all(hasattr(getattr(Strategy, name), "__sealed__") for name in CREATE_OR_CHANGE)
    assert not hasattr(getattr(Strategy.submit_order, "__wrapped__"), "__sealed__")  # noqa: B009


@pytest.mark.req("R-12")
@pytest.mark.parametrize(
    ("other", "acts"),
    [
        (
            "ExecutionAlgorithm",
            {"submit_order", "modify_order", "cancel_order", "deny_order", "spawn_limit", "spawn_market"},
        ),
        ("Controller", {"create_strategy", "start_strategy", "stop_strategy", "exit_market"}),
    ],
)
def test_algorithms_and_controllers_are_no_strategies_and_so_cannot_be_configured(other: str, acts: set[str]) -> None:
    found = getattr(trading, other, None) or getattr(common, other, None)
    assert found is not None
    assert not issubclass(found, Strategy)
    assert acts & set(dir(found)), "it can still act, which is why it is refused"


@pytest.mark.req("R-12")
def test_every_callback_of_the_clock_is_recorded() -> None:
    takes = {"register_default_handler", "set_time_alert", "set_time_alert_ns", "set_timer", "set_timer_ns"}
    plain = {
        "cancel_callbacks", "cancel_default_handler", "cancel_timer", "cancel_timers", "new_test", "next_time_ns", "set_time",
        "timer_count", "timer_names", "timestamp", "timestamp_ms", "timestamp_ns", "timestamp_us", "utc_now",
    }  # fmt: skip
    assert {name for name in dir(Clock) if not name.startswith("_")} == takes | plain
    clock = GuardedClock(Clock.new_test(), lambda _where, target: target)
    for name in takes:
        assert getattr(clock, name).__name__ == "call"


@pytest.mark.req("O-1")
def test_every_maker_of_orders_gives_ids_of_ours() -> None:
    makers = {
        "market", "limit", "stop_market", "stop_limit", "market_to_limit", "market_if_touched", "limit_if_touched",
        "trailing_stop_market", "trailing_stop_limit", "bracket",
    }  # fmt: skip
    plain = {
        "generate_client_order_id", "generate_order_list_id", "get_client_order_id_count", "get_order_list_id_count",
        "create_list", "reset", "strategy_id", "trader_id",
    }  # fmt: skip
    assert {name for name in dir(OrderFactory) if not name.startswith("_")} - plain == makers

    class Real:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            return lambda **kwargs: kwargs

    numbers = iter(f"bt{n:012d}" for n in range(1, 100))
    factory = GuardedFactory(Real(), lambda: next(numbers))
    seen = [str(value) for name in sorted(makers) for value in getattr(factory, name)().values()]
    assert len(seen) == len(set(seen)) == len(makers) + 2
    assert str(factory.limit(client_order_id=ClientOrderId("mine"))["client_order_id"]) == "mine"


# Each way, in an engine, while the gate refuses everything: nothing may reach the venue. ----------------------------------


def _limit(s: Any, **more: Any) -> Any:
    return s.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1), **more)


def _position(s: Any) -> Any:
    return s.guard_cache.positions_open(None, IID, s.strategy_id)[0]


def _working(s: Any) -> ClientOrderId:
    return ClientOrderId(next(iter(s.working)))


class Attempt(Stepped):
    """Gets a position and a resting order, then tries one way with all doors shut."""

    way: Callable[[Any], Any]
    services: Any

    def at(self, number: int) -> None:
        if number == 2:
            self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))
            self.submit_order(_limit(self, post_only=True))
        if number == 4:
            self.before = set(self.desk.view.working)
            self.services.gate.rules = {}  # not even an exit is approved
            type(self).way(self)
        if number == 5:
            self.services.gate.rules = self.kept

    def on_ready(self) -> None:
        super().on_ready()
        self.modified: list[str] = []
        self.kept = self.services.gate.rules

    def on_order_modify_rejected(self, event: Any) -> None:
        self.modified.append(event.reason)


WAYS: dict[str, Callable[[Any], Any]] = {
    "submit_order": lambda s: s.submit_order(_limit(s)),
    "submit_order_list": lambda s: s.submit_order_list([_limit(s), _limit(s)]),
    "modify_order": lambda s: s.modify_order(_working(s), Quantity(2, 3)),
    "modify_orders": lambda s: s.modify_orders([(_working(s), Quantity(2, 3), None, None)]),
    "close_position": lambda s: s.close_position(_position(s)),
    "close_all_positions": lambda s: s.close_all_positions(IID),
    "market_exit": lambda s: s.market_exit(),
}


@pytest.mark.req("R-12", "R-11")
@pytest.mark.parametrize("name", sorted(CREATE_OR_CHANGE))
def test_no_way_reaches_the_engine_when_the_gate_says_no(name: str) -> None:
    cls = type("Try", (Attempt,), {"way": WAYS[name]})
    ran = run(cls, quiet(), policy=FREE)
    assert not ran.faults.count, ran.faults.trace
    assert len(ran.venue_orders) == 2  # the two that were allowed
    assert ran.net == 1
    assert {row["reason"] for row in ran.rows("refusals")} == {"unsupported"}
    told = ran.strategy.modified if name.startswith("modify") else ran.strategy.denied
    assert told


@pytest.mark.req("R-12", "P-2")
@pytest.mark.parametrize("name", sorted(CREATE_OR_CHANGE))
def test_calling_the_engines_own_method_past_the_guard_raises_and_ends_the_run(name: str) -> None:
    def way(s: Any) -> None:
        call = getattr(Strategy, name)
        if name == "market_exit":
            call(s)
        else:
            subjects: dict[str, Callable[[Any], Any]] = {
                "submit_order": _limit, "submit_order_list": lambda s: [_limit(s)], "modify_order": _working,
                "modify_orders": lambda s: [(_working(s), Quantity(2, 3), None, None)], "close_position": _position,
                "close_all_positions": lambda _: IID,
            }  # fmt: skip
            call(s, subjects[name](s))

    ran = run(type("Past", (Attempt,), {"way": way}), quiet(), policy=FREE)
    assert isinstance(ran.faults.first, UngatedOrder)
    assert len(ran.venue_orders) == 2
    assert ran.net == 1


class Sneaky(Stepped):
    """Overrides `submit_order` and forgets the gate: sends another order than the one that was approved."""

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        super().submit_order(_limit(self))

    def at(self, number: int) -> None:
        if number == 2:
            self.submit_order(_limit(self))


class Twice(Stepped):
    """Sends what was approved, twice."""

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        super().submit_order(order)
        super().submit_order(order)

    at = Sneaky.at


class Super(Stepped):
    """Calls `super()` from inside."""

    def at(self, number: int) -> None:
        if number == 2:
            super().submit_order(_limit(self))


@pytest.mark.req("R-12")
@pytest.mark.parametrize(("cls", "sent"), [(Sneaky, 0), (Twice, 1), (Super, 0)])
def test_an_approval_is_for_one_order_and_one_send(cls: type[Any], sent: int) -> None:
    ran = run(cls, quiet(), policy=FREE)
    assert isinstance(ran.faults.first, UngatedOrder)
    assert str(ran.faults.first).endswith("without a gate")  # the seal, before the second wall
    assert len(ran.venue_orders) == sent


class Unguarded(Strategy):
    """A plain Nautilus strategy that nobody wired."""

    def __new__(cls, config: StrategyConfig) -> Any:
        return super().__new__(cls, config)  # type: ignore[call-arg]

    def on_start(self) -> None:
        self.raised: list[str] = []
        self.subscribe_book_deltas(IID, BookType.L2_MBP)

    def on_book_deltas(self, deltas: Any) -> None:
        order = self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1))
        attempts: list[Callable[[], Any]] = [
            lambda: self.submit_order(order), lambda: self.submit_order_list([order]), self.market_exit,
            lambda: self.close_all_positions(IID), lambda: self.modify_order(order.client_order_id, Quantity(2, 3)),
        ]  # fmt: skip
        for attempt in attempts:
            try:
                attempt()
            except UngatedOrder as error:
                self.raised.append(str(error))


@pytest.mark.req("R-12")
def test_a_strategy_that_nobody_guards_fails_closed() -> None:
    seal()
    made = engine(Setup())
    try:
        strategy = Unguarded(StrategyConfig())
        made.add_strategy(strategy)
        made.add_data(quiet(3))
        made.run()
        assert len(strategy.raised) == 15
        assert made.cache.orders() == []
    finally:
        made.dispose()


UNSUPPORTED: dict[str, Callable[[Any], Any]] = {
    "execution algorithm": lambda s: _limit(s, exec_algorithm_id=ExecAlgorithmId("TWAP")),
    "emulated": lambda s: _limit(s, emulation_trigger=TriggerType.BID_ASK),
    "quote quantity": lambda s: _limit(s, quote_quantity=True),
    "emulated exit": lambda s: _limit(s, emulation_trigger=TriggerType.LAST_PRICE, reduce_only=True),
}


@pytest.mark.req("R-12")
@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_orders_that_send_past_python_are_refused(kind: str) -> None:
    class One(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(UNSUPPORTED[kind](self))

    ran = run(One, quiet(), policy=FREE)
    assert ran.venue_orders == {}
    assert [row["reason"] for row in ran.rows("refusals")] == ["unsupported"]
    assert ran.strategy.denied[0].startswith("unsupported: ")
    assert ran.strategy.seen == ["OrderDenied"]


@pytest.mark.req("R-12")
def test_an_order_that_gets_past_everything_meets_the_second_wall() -> None:
    class Past(Stepped):
        def at(self, number: int) -> None:
            self.last = number
            if number == 2:
                unsealed = getattr(Strategy.submit_order, "__wrapped__")  # noqa: B009 - mypy does not know it
                unsealed(self, _limit(self))

    ran = run(Past, quiet(), policy=FREE)
    assert ran.strategy.last == 2  # nothing more is heard
    assert isinstance(ran.faults.first, UngatedOrder)
    assert ran.faults.count == 1
    assert "second wall" in str(ran.package.services.gate.halted)
    assert ran.rows("orders")[0]["why"] == "ungated"
    assert set(ran.venue_orders.values()) == {"CANCELED"}


@pytest.mark.req("R-12", "O-1")
def test_a_second_send_of_an_approved_order_meets_the_second_wall() -> None:
    class Again(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.order = _limit(self, post_only=True)
                self.submit_order(self.order)
            if number == 3:
                getattr(Strategy.submit_order, "__wrapped__")(self, self.order)  # noqa: B009

    ran = run(Again, quiet(), policy=MAKER)
    assert "second wall" in ran.faults.where
    assert ran.rows("orders")[0]["ts_accepted"] == 1_100_000_000  # the row of the first send is kept


@pytest.mark.req("O-1")
def test_an_order_built_by_hand_with_an_id_of_its_own_is_refused() -> None:
    class Own(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.submit_order(_limit(self, client_order_id=ClientOrderId("O-19700101-000001-001-001-1")))
                made = _limit(self)
                assert isinstance(made, LimitOrder)
                assert len(str(made.client_order_id)) == 14

    ran = run(Own, quiet())
    assert [row["reason"] for row in ran.rows("refusals")] == ["id_form"]
    assert not ran.faults.count
