"""Closing through the gate: reduce-only, clipped to what is left, split to what the venue takes, until flat."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, PositionSide, Price, Quantity

from execution.closing import Closer
from risk.request import Purpose
from risk.view import StrategyPosition
from strategies.intents import Enter, Exit, Side
from tests.engine import FREE, IID, KEY, MAKER, MS, Stepped, perpetual, quiet, run


class Holder(Stepped):
    """Buys 1 at the second message; `then` acts at the fifth."""

    def at(self, number: int) -> None:
        if number == 2:
            self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
        if number == 5:
            self.then()

    def then(self) -> None:
        """Act."""

    @property
    def held(self) -> Any:
        return self.guard_cache.positions_open(None, IID, self.strategy_id)[0]  # type: ignore[attr-defined]


def exits(ran: Any) -> list[tuple[str, float, bool, str, str]]:
    rows = [row for row in ran.rows("orders") if row["reduce_only"]]
    return [(r["side"], float(r["quantity"]), r["reduce_only"], r["why"], r["source"]) for r in rows]


@pytest.mark.req("O-12", "R-12")
def test_close_position_is_reduce_only_whatever_is_asked_for() -> None:
    class Closing(Holder):
        def then(self) -> None:
            self.close_position(self.held, reduce_only=False, quote_quantity=True, tags=["mine"])

    ran = run(Closing, quiet())
    assert exits(ran) == [("SELL", 1.0, True, "close position", "close")]
    assert ran.net == 0


@pytest.mark.req("O-12")
def test_closing_twice_sends_one_exit_and_cannot_flip() -> None:
    class Closing(Holder):
        def then(self) -> None:
            for _ in range(3):
                self.close_position(self.held)
            self.close_all_positions(IID)

    ran = run(Closing, quiet(), insert_ms=150)
    assert len(exits(ran)) == 1
    assert ran.net == 0


@pytest.mark.parametrize(("side", "left"), [(PositionSide.SHORT, 1), (PositionSide.LONG, 0), (None, 0)])
def test_close_all_positions_keeps_to_the_side_asked_for(side: PositionSide | None, left: int) -> None:
    class Closing(Holder):
        def then(self) -> None:
            self.close_all_positions(IID, side)

    assert run(Closing, quiet()).net == left


def test_a_closed_position_is_not_closed_again() -> None:
    class Closing(Holder):
        def at(self, number: int) -> None:
            super().at(number)
            if number == 8:
                self.close_position(self.guard_cache.positions_closed()[0])  # type: ignore[attr-defined]

        def then(self) -> None:
            self.close_position(self.held)

    ran = run(Closing, quiet())
    assert len(exits(ran)) == 1
    assert not ran.faults.count


@pytest.mark.req("R-14")
def test_an_exit_above_the_venues_largest_order_is_sent_in_parts() -> None:
    class Closing(Stepped):
        def at(self, number: int) -> None:
            if number in (2, 3, 4):
                self.act([Enter(Side.BUY, 0.4, None, 1, "in")])
            if number == 6:
                self.market_exit()

    ran = run(Closing, quiet(), instruments=[perpetual(max_quantity=Quantity(0.5, 3))])
    assert [quantity for _, quantity, *_ in exits(ran)] == [0.5, 0.5, 0.2]
    assert ran.net == 0


@pytest.mark.req("R-14", "R-12")
def test_a_market_exit_closes_also_what_fills_while_it_is_under_way_and_then_lets_entries_in() -> None:
    class Leaving(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.steps: list[str] = []

        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
            if number == 4:
                self.act([Enter(Side.BUY, 0.5, None, 1, "late")])  # fills at 1500, after the exit was sent
                self.market_exit()
                self.act([Enter(Side.BUY, 0.1, None, 1, "refused")])
            if number == 5:
                self.leaving = self.is_exiting()
            if number == 12:
                self.act([Enter(Side.BUY, 0.2, None, 1, "again")])

        def on_market_exit(self) -> None:
            self.steps.append("on_market_exit")

        def post_market_exit(self) -> None:
            self.steps.append(f"flat at {self.now_ns // MS}")

    ran = run(Leaving, quiet(17), insert_ms=150, cancel_ms=150)
    assert not ran.faults.count, ran.faults.trace
    assert [row["reason"] for row in ran.rows("refusals")] == ["exiting"]
    assert ran.strategy.leaving
    assert ran.strategy.steps[0] == "on_market_exit"
    assert len(ran.strategy.steps) == 2
    assert float(ran.net) == 0.2
    assert sum(quantity for _, quantity, *_ in exits(ran)) == 1.5


@pytest.mark.req("R-14")
def test_a_market_exit_cancels_resting_orders_first() -> None:
    class Leaving(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "rests")])
            if number == 4:
                self.market_exit()

    ran = run(Leaving, quiet(), policy=MAKER)
    assert [row["status"] for row in ran.rows("orders")] == ["CANCELED"]
    assert not ran.strategy.guard_door.exiting


@pytest.mark.req("R-14")
def test_at_the_end_positions_are_closed_and_late_fills_too() -> None:
    class Trading(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
            if number in (4, 8):
                self.act([Enter(Side.BUY, 0.5, None, 1, "late")])

    ran = run(Trading, quiet(16), insert_ms=150, cancel_ms=150, end_ms=1350)
    assert ran.net == 0
    assert {source for *_, source in exits(ran)} == {"stop"}
    assert len(ran.rows("orders")) == 4  # two entries, two exits; the third wish came after the end


def test_an_exit_that_the_venue_clips_is_over_when_it_has_filled() -> None:
    class Clipped(Holder):
        def then(self) -> None:
            order = self.order_factory.limit(IID, OrderSide.SELL, Quantity(3, 3), Price(100.0, 1), reduce_only=True)
            self.submit_order(order)

    ran = run(Clipped, quiet())
    assert ran.rows("orders")[1]["status"] == "FILLED"
    assert (float(ran.net), len(ran.strategy.working)) == (0, 0)


@pytest.mark.req("L-4")
@pytest.mark.parametrize("post_only", [True, False])
def test_reduce_only_on_a_flat_position_and_crossing_post_only_are_rejected_and_forgotten(post_only: bool) -> None:
    class Wrong(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                order = self.order_factory.limit(
                    IID, OrderSide.BUY, Quantity(1, 3), Price(100.2, 1), post_only=post_only, reduce_only=not post_only
                )
                self.submit_order(order)

    ran = run(Wrong, quiet(), policy=FREE)
    assert ran.rows("orders")[0]["status"] == "REJECTED"
    assert ran.rows("orders")[0]["reject_reason"]
    assert (float(ran.net), len(ran.package.services.view.working)) == (0, 0)
    assert ran.package.services.view.entries("s", KEY) == 0


@pytest.mark.req("R-14", "R-3")
@pytest.mark.parametrize("way", ["intent", "close_position", "market_exit"])
def test_a_halt_traps_no_position(way: str) -> None:
    class Halted(Holder):
        def then(self) -> None:
            self.services.gate.halt("a test")  # type: ignore[attr-defined]
            self.act([Enter(Side.BUY, 0.1, None, 1, "refused")])
            if way == "intent":
                self.act([Exit("out")])
            elif way == "close_position":
                self.close_position(self.held)
            else:
                self.market_exit()

    ran = run(Halted, quiet(), policy=FREE)
    assert float(ran.net) == 0
    assert [row["reason"] for row in ran.rows("refusals")] == ["halted"]
    assert len(exits(ran)) == 1


class Clock:
    """Keeps alerts until a test fires them."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, int, Any]] = []

    def timestamp_ns(self) -> int:
        return 7

    def set_time_alert_ns(self, name: str, at_ns: int, callback: Any) -> None:
        self.alerts.append((name, at_ns, callback))

    def fire(self) -> None:
        self.alerts.pop()[2](None)


@pytest.mark.req("O-12", "R-14")
def test_a_market_exit_that_a_throttled_venue_rejects_is_tried_again_each_second_until_flat() -> None:
    """-1008 does not stop a reduce-only exit, also where nobody asks for it a second time."""
    sent: list[str] = []
    held = SimpleNamespace(is_closed=False, signed_qty=1.0, size_precision=3, instrument_id=IID)
    position, view = StrategyPosition(1.0, 100.0, 1), SimpleNamespace(working={}, positions={})
    view.positions["s", KEY] = position
    view.open_orders = lambda _iid: ()
    strategy: Any = SimpleNamespace(
        clock=Clock(), strategy_id="s", guard_cache=SimpleNamespace(positions_open=lambda *_: [held] if view.positions else []),
        order_factory=SimpleNamespace(market=lambda _iid, side, quantity, **more: f"{side.name} {quantity} {more['reduce_only']}"),
        submit_order=lambda order, *_: sent.append(order), cancel_all_orders=lambda _iid: None,
    )  # fmt: skip
    services, desk, door = (
        SimpleNamespace(view=view),
        SimpleNamespace(strategy_id="s", purpose=None),
        SimpleNamespace(exiting=False),
    )
    closer = Closer(strategy, services, desk, door)  # type: ignore[arg-type]
    closer.rejected()
    assert strategy.clock.alerts == []  # a reject of any other order
    closer.leave(Purpose(why="breaker"), hook=False)
    for tries in (1, 2, 3):
        assert sent == ["SELL 1.000 True"] * tries
        closer.rejected()
        closer.rejected()  # both parts of an exit that went in two
        closer.finish()
        assert [(name, at_ns) for name, at_ns, _ in strategy.clock.alerts] == [("hyper-leave", 7 + 10**9)]
        assert door.exiting  # entries stay shut
        strategy.clock.fire()
    view.positions.clear()
    closer.rejected()  # -2022: the one before has closed it
    strategy.clock.fire()
    assert (len(sent), door.exiting) == (4, False)
