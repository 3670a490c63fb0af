"""P-2, B-7: the first exception anywhere in a strategy is recorded and ends the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from execution.handlers import HANDLERS
from execution.journal import MemoryJournal
from strategies.intents import CancelAll, Enter, Exit, Side
from tests.engine import FREE, IID, MAKER, MS, Stepped, book, funding, opening, quiet, quote, run, trade


class Boom(Exception):
    """What the strategies here raise."""


def boom(*_: Any) -> None:
    raise Boom("on purpose")


class Noted(Stepped):
    """Notes the last message that it heard of."""

    last = 0

    def at(self, number: int) -> None:
        self.last = number
        self.act_at(number)

    def act_at(self, number: int) -> None:
        """Act."""


def _buy_and_leave(self: Any, number: int) -> None:
    if number == 2:
        self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
    if number == 5:
        self.act([Exit("out")])


def _rest_and_cancel(self: Any, number: int) -> None:
    if number == 2:
        self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1)))
    if number == 4:
        self.act([CancelAll("out")])


def _crossing(self: Any, number: int) -> None:
    if number == 2:
        order = self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(100.3, 1), post_only=True)
        self.submit_order(order)


def _refused(self: Any, number: int) -> None:
    if number == 2:
        self.act([Enter(Side.BUY, 1e6, None, 1, "too large")])


HANDLER_CASES: list[tuple[str, Callable[[Any, int], None]]] = [
    ("on_order_initialized", _rest_and_cancel), ("on_order_submitted", _rest_and_cancel),
    ("on_order_accepted", _rest_and_cancel), ("on_order_pending_cancel", _rest_and_cancel),
    ("on_order_canceled", _rest_and_cancel), ("on_order_rejected", _crossing), ("on_order_denied", _refused),
    ("on_order_filled", _buy_and_leave), ("on_order_event", _buy_and_leave), ("on_position_opened", _buy_and_leave),
    ("on_position_closed", _buy_and_leave), ("on_position_event", _buy_and_leave),
]  # fmt: skip


@pytest.mark.req("B-7")
@pytest.mark.parametrize(("handler", "acts"), HANDLER_CASES, ids=[name for name, _ in HANDLER_CASES])
def test_an_exception_in_an_order_or_position_handler_ends_the_run(
    handler: str, acts: Callable[[Any, int], None]
) -> None:
    cls = type("Failing", (Noted,), {"act_at": acts, handler: boom})
    ran = run(cls, quiet(), policy=FREE, insert_ms=50, cancel_ms=50)
    assert isinstance(ran.faults.first, Boom)
    assert ran.faults.where == f"Failing: {handler} raised Boom('on purpose')"
    assert "test_guard_faults.py" in ran.faults.trace
    assert ran.strategy.last < 9
    assert ran.package.services.gate.halted
    assert not ran.package.services.gate.halts.latched  # what broke is in this process: a supervisor may start it again


def _subscribe(name: str) -> Callable[[Any], None]:
    def on_ready(self: Any) -> None:
        Stepped.on_ready(self)
        if name == "timer":
            self.every(0.1, boom)
        elif name == "alert":
            self.clock.set_time_alert_ns("mine", 1300 * MS, callback=boom)
        elif name == "alert by position":
            self.clock.set_time_alert_ns("mine", 1300 * MS, boom)
        elif name == "default handler":
            self.clock.register_default_handler(boom)
            self.clock.set_timer_ns("mine", 100 * MS)
        elif name == "topic":
            self.subscribe_topic("mine", boom)
        elif name == "trade":
            self.subscribe_prints()
        elif name == "quote":
            self.subscribe_quotes(IID)
        elif name == "mark or funding":
            self.subscribe_funding_rates(IID)

    return on_ready


def _publish(self: Any, number: int) -> None:
    if number == 3:
        self.publish_message("mine", "hello")


CALLBACKS: dict[str, dict[str, Any]] = {
    "timer": {}, "alert": {}, "alert by position": {}, "default handler": {}, "topic": {"act_at": _publish},
    "trade": {"on_trade": boom}, "quote": {"on_quote": boom}, "mark or funding": {"on_funding_rate": boom},
}  # fmt: skip


@pytest.mark.req("B-7")
@pytest.mark.parametrize("name", CALLBACKS)
def test_an_exception_in_a_callback_ends_the_run(name: str) -> None:
    from nautilus_trader.model import AggressorSide

    cls = type("Failing", (Noted,), {"on_ready": _subscribe(name), **CALLBACKS[name]})
    data = sorted(
        [*quiet(), trade(1250, 100.0, 1, AggressorSide.SELL), quote(1251, 100.0, 100.1), funding(1252, "0.0001", 9000)],
        key=lambda event: int(event.ts_init),
    )
    ran = run(cls, data)
    assert isinstance(ran.faults.first, Boom)
    assert ran.strategy.last < 9
    assert ran.faults.first.__traceback__ is not None


@pytest.mark.req("B-7")
@pytest.mark.parametrize("handler", ["on_ready", "on_start", "at", "on_stop"])
def test_an_exception_at_start_in_a_data_handler_or_at_stop_is_recorded(handler: str) -> None:
    ran = run(type("Failing", (Stepped,), {handler: boom}), quiet())
    assert isinstance(ran.faults.first, Boom)
    assert ran.faults.count == 1


@pytest.mark.req("B-7")
def test_leaving_by_system_exit_is_a_fault_too() -> None:
    def leave(*_: Any) -> None:
        raise SystemExit(3)

    ran = run(type("Leaving", (Noted,), {"act_at": leave}), quiet())
    assert isinstance(ran.faults.first, SystemExit)
    assert ran.strategy.last == 1


def test_the_first_exception_is_kept_and_later_ones_are_counted() -> None:
    class Two(Stepped):
        def at(self, number: int) -> None:
            raise Boom(f"in {number}")

        def on_stop(self) -> None:
            raise Boom("at stop")

    ran = run(Two, quiet())
    assert str(ran.faults.first) == "in 1"
    assert ran.faults.count == 2


def test_every_handler_of_the_engine_is_wrapped_when_overridden() -> None:
    from execution.guarding import guard_class

    names = [name for name in HANDLERS if name not in {"on_start", "on_stop"}]
    guarded: Any = guard_class(type("All", (Stepped,), dict.fromkeys(names, boom)))
    assert all(getattr(guarded, name).__wrapped__ is not None for name in HANDLERS if name != "on_start")


@pytest.mark.req("O-10")
def test_a_strategy_that_fails_while_stopping_still_has_its_orders_cancelled() -> None:
    class Failing(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])

        def on_stop(self) -> None:
            raise Boom("at stop")

    ran = run(Failing, quiet(), policy=MAKER)
    assert list(ran.venue_orders.values()) == ["CANCELED"]


@pytest.mark.req("O-10")
def test_after_a_fault_resting_orders_are_cancelled_and_nothing_more_is_sent() -> None:
    class Failing(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
            if number == 4:
                raise Boom("now")

    ran = run(Failing, quiet(), policy=MAKER, chunk=2)
    assert list(ran.venue_orders.values()) == ["CANCELED"]
    assert ran.strategy.count == 4


@pytest.mark.req("O-2")
def test_a_journal_that_cannot_write_prevents_the_send() -> None:
    class Full(MemoryJournal):
        def order(self, request: Any, mid: float | None) -> None:
            raise OSError("no space left on device")

    class One(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])

    def prepare(package: Any) -> None:
        package.services.journal = Full()

    ran = run(One, quiet(), prepare=prepare)
    assert ran.venue_orders == {}
    assert isinstance(ran.faults.first, OSError)


def test_the_book_keepers_exception_ends_the_run_too() -> None:
    class Idle(Stepped):
        def on_ready(self) -> None:
            self.count, self.seen, self.denied = 0, [], []

    def prepare(package: Any) -> None:
        package.services.gate.observe = boom

    class Gate:
        look_ns = -1

        def __getattr__(self, name: str) -> Any:
            return boom if name == "observe" else None

    def replace(package: Any) -> None:
        package.services.gate = Gate()

    ran = run(Idle, [opening(1000), book(1100, [(99.0, 1)])], prepare=replace)
    assert isinstance(ran.faults.first, Boom)
    assert ran.faults.where == "BookKeeper"


def test_an_unsubscribed_topic_is_heard_no_more() -> None:
    class Listener(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.heard: list[object] = []
            self.subscribe_topic("mine", self.hear)

        def hear(self, message: object) -> None:
            self.heard.append(message)

        def at(self, number: int) -> None:
            if number == 4:
                self.unsubscribe_topic("mine", self.hear)
            self.publish_message("mine", number)

    assert run(Listener, quiet()).strategy.heard == [1, 2, 3]
