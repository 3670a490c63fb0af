"""What a strategy is given, and what it may not hide."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, OrderSide, Price, Quantity

from risk.books import Top
from risk.costs import FeeRates
from strategies.base import _GIVEN, GuardedStrategy, StrategyParams
from strategies.intents import CancelAll, Enter, Exit, Side
from tests.engine import FREE, IID, MS, NoParams, Stepped, entry, quiet, quote, run, trade

BUY = Enter(Side.BUY, 1.0, 9.0, 1, "in")


def test_a_strategy_reads_book_position_orders_fees_and_time() -> None:
    class Reading(Stepped):
        def at(self, number: int) -> None:
            if number == 1:
                self.first = (self.position, self.entry_price, self.entry_ts_ns, dict(self.working), self.now_ns)
            if number == 2:
                self.act([BUY])
            if number == 4:
                self.second = (self.position, self.entry_price, self.entry_ts_ns)
                self.tops = (self.top(), self.book.best_bid_price() if self.book else None)
            if number == 5:
                self.submit_order(
                    self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1), post_only=True)
                )
                self.worked = list(self.working.values())

    ran = run(Reading, quiet(), insert_ms=50)
    strategy = ran.strategy
    assert strategy.first == (0.0, 0.0, 0, {}, 1000 * MS)
    assert strategy.second == (1.0, 100.1, 1200 * MS)
    assert strategy.tops == (Top(100.0, 5.0, 100.1, 1.0, 1300 * MS), Price(100.0, 1))
    assert (strategy.tick, strategy.step, str(strategy.step_decimal)) == (0.1, 0.001, "0.001")
    assert strategy.fees == FeeRates(2.0, 5.0)
    assert [(int(o.side), float(o.leaves), o.ts_ns) for o in strategy.worked] == [(1, 1.0, 1400 * MS)]
    assert strategy.base_units(200.1) == 200.1 / 100.05


@pytest.mark.req("B-8")
def test_during_warm_up_entries_are_dropped_and_nothing_is_refused() -> None:
    class Eager(Stepped):
        def at(self, number: int) -> None:
            self.act([BUY])
            self.warmth = [*getattr(self, "warmth", []), self.warm]

    ran = run(Eager, quiet(5), start_ms=1200)
    assert ran.strategy.warmth == [False, False, True, True, True]
    assert ran.rows("refusals") == []
    assert ran.rows("orders")[0]["ts_ns"] == 1200 * MS


@pytest.mark.req("R-14", "B-8")
def test_a_position_that_is_there_during_warm_up_can_be_left_and_not_enlarged() -> None:
    class Adopting(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([BUY])
                order = self.order_factory.limit(IID, OrderSide.BUY, Quantity(1, 3), Price(99.0, 1), post_only=True)
                self.submit_order(order)
            if number == 4:
                self.desk.trading_start_ns = 10**18  # as after a restart: still learning, and already holding
                self.act([BUY, CancelAll("out")])
            if number == 6:
                self.worked = len(self.working)
                self.act([BUY, Exit("out")])

    ran = run(Adopting, quiet(), policy=FREE)
    assert ran.strategy.worked == 0
    assert float(ran.net) == 0
    assert [row["status"] for row in ran.rows("orders")] == ["FILLED", "CANCELED", "FILLED"]
    assert ran.rows("refusals") == []


def test_prints_and_timers_arrive() -> None:
    class Listening(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.prints: list[float] = []
            self.ticks: list[int] = []
            self.slow: list[int] = []
            self.subscribe_prints()
            self.every(0.25, lambda: self.ticks.append(self.now_ns // MS))
            self.every(1.0, lambda: self.slow.append(self.now_ns // MS))

        def on_trade(self, event: Any) -> None:
            self.prints.append(float(event.price))

    data = sorted([*quiet(), trade(1150, 100.1, 1, AggressorSide.BUY)], key=lambda e: int(e.ts_init))
    ran = run(Listening, data)
    assert ran.strategy.prints == [100.1]
    assert ran.strategy.ticks == [1250, 1500, 1750, 2000]
    assert ran.strategy.slow == [2000]


@pytest.mark.parametrize("name", sorted(_GIVEN))
def test_a_subclass_that_hides_what_the_base_gives_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"Hiding defines {name}, which GuardedStrategy gives"):
        type("Hiding", (Stepped,), {name: 1})


def test_everything_public_that_the_base_gives_is_protected() -> None:
    own = {name for name in vars(GuardedStrategy) if not name.startswith("_") and not name.startswith("on_")}
    assert own <= _GIVEN


def test_private_names_of_a_subclass_do_not_disturb_the_base_or_the_guard() -> None:
    class Private(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self._actor = self._key = self._timers = self._cache = self._door = "mine"
            self.passing = True

        def _fail(self, *_: Any) -> str:
            return "mine"

        _flatten = _approve = _deny = recorded = _fail

        def at(self, number: int) -> None:
            if number == 2:
                self.act([BUY])
                self.heard = [self._fail(), self._flatten(), self._approve(), self._deny(), self.recorded()]
            if number == 5:
                self.market_exit()

    ran = run(Private, quiet(), policy=FREE)
    assert not ran.faults.count, ran.faults.trace
    assert ran.strategy.heard == ["mine"] * 5
    assert [row["status"] for row in ran.rows("orders")] == ["FILLED", "FILLED"]


def test_overriding_on_start_without_super_is_said_at_the_first_intent() -> None:
    class Starting(Stepped):
        def on_start(self) -> None:
            Stepped.on_ready(self)

        def at(self, number: int) -> None:
            self.act([BUY])

    ran = run(Starting, quiet())
    assert "does not call super().on_start()" in str(ran.faults.first)


def test_before_any_book_there_is_no_top_and_no_size() -> None:
    class Early(Stepped):
        def on_ready(self) -> None:
            super().on_ready()
            self.early = (self.top(), self.book, self.base_units(100.0))
            self.act([BUY])

    ran = run(Early, quiet())
    assert ran.strategy.early == (None, None, 0.0)
    assert ran.rows("orders") == []


@pytest.mark.req("P-2")
def test_parameters_are_frozen_and_know_no_other_key() -> None:
    from pydantic import ValidationError

    class Params(StrategyParams):
        levels: int = 3

    with pytest.raises(ValidationError, match="Extra inputs"):
        Params.model_validate({"level": 3})
    with pytest.raises(ValidationError, match="frozen"):
        Params().levels = 4  # type: ignore[misc]
    assert isinstance(NoParams(), StrategyParams)


@pytest.mark.req("P-2", "B-6")
def test_the_same_class_runs_twice_with_the_same_orders_and_ids_in_any_chunks() -> None:
    class Trading(Stepped):
        def at(self, number: int) -> None:
            if number % 3 == 2:
                self.act([Enter(Side.BUY, 0.1 * number, None, 1, "in")])
            if number % 5 == 0:
                self.act([Exit("out")])

    runs = [run(Trading, quiet(30), insert_ms=150, chunk=chunk) for chunk in (None, None, 2, 7)]
    tables = [ran.package.journal.tables() for ran in runs]
    for other in tables[1:]:
        for name, table in tables[0].items():
            assert table.equals(other[name]), name
    assert len(tables[0]["fills"]) > 5


def test_two_strategies_have_their_own_positions_orders_and_ids() -> None:
    class Long(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 0.5, None, 1, "long")])
            if number == 6:
                self.own = (self.position, len(self.working))

    class Short(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.SELL, 0.2, None, 1, "short")])
            if number == 4:
                order = self.order_factory.limit(IID, OrderSide.SELL, Quantity(1, 3), Price(105.0, 1), post_only=True)
                self.submit_order(order)
            if number == 6:
                self.own = (self.position, len(self.working))
                self.market_exit()

    entries = [entry(Long, "long", order_id_tag="001"), entry(Short, "short", order_id_tag="002")]
    ran = run(entries, quiet())
    long, short = ran.package.strategies
    assert not ran.faults.count, ran.faults.trace
    assert (long.own, short.own) == ((0.5, 0), (-0.2, 1))  # type: ignore[attr-defined]
    assert float(ran.net) == 0.5
    assert len({row["client_order_id"] for row in ran.rows("orders")}) == 4
    assert {row["strategy_id"] for row in ran.rows("orders")} == {"long", "short"}


def test_a_strategy_that_needs_depth_says_so_where_there_is_none() -> None:
    class NeedsDepth(GuardedStrategy[NoParams]):
        def on_ready(self) -> None:
            self.subscribe_book()

    ran = run(NeedsDepth, [quote(1000, 100.0, 100.1)], from_quotes=True)
    assert "needs depth" in str(ran.faults.first)
