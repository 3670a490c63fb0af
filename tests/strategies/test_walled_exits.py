"""A position whose price has multiplied is larger than the third wall lets through as one order, and is left all the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from risk.config import RiskConfig
from strategies.intents import Enter, Exit, Side, Target
from tests.engine import FREE, IID, KEY, MS, WIDE, Ran, Stepped, book, opening, perpetual, quote, run

SMALL = RiskConfig.model_validate(
    WIDE.model_dump() | {"max_order_notional_quote": 250.0, "max_position_notional_quote": 250.0}
)
"""The wall stands at 4 x 250 = 1000 quote units, and one part of an exit is worth half of it at most."""


class Leaver(Stepped):
    """Takes 2 at about 100 with the second message; `way` leaves at the sixth."""

    side: ClassVar[Side] = Side.BUY
    way: ClassVar[Callable[[Any], None]]

    def at(self, number: int) -> None:
        if number == 2:
            self.act([Enter(self.side, 2.0, None, 1, "in")])
        if number == 6:
            type(self).way(self)


def jumping(to: float, *, quoted: bool = True) -> list[Any]:
    """Four messages at 100, then the price `to`, of which quotes tell the engine too unless they are not `quoted`."""
    data: list[Any] = [quote(1000, 100.0, 100.1), opening(1000)]
    data += [book(1000 + 100 * k, [(90.0, 5 + k)]) for k in (1, 2, 3)]
    data += [quote(1400, to, to + 0.1)] if quoted else []
    data += [book(1400, [(to, 90), (to - 1, 90)], [(to + 0.1, 90)], snapshot=True)]
    return data + [book(1400 + 100 * k, [(to - 5.0, 5 + k)]) for k in range(1, 10)]


def left(way: Callable[[Any], None], data: list[Any], side: Side = Side.BUY, **more: Any) -> Ran:
    leaver = type("Leaving", (Leaver,), {"way": staticmethod(way), "side": side})
    ran = run(leaver, data, policy=FREE, risk=SMALL, walled=True, **more)
    assert ran.faults.first is None, ran.faults.trace
    return ran


def exits(ran: Ran) -> list[tuple[Decimal, str]]:
    return [(row["quantity"].normalize(), row["status"]) for row in ran.rows("orders") if row["reduce_only"]]


def close_position(strategy: Any) -> None:
    strategy.close_position(strategy.guard_cache.positions_open(None, IID, strategy.strategy_id)[0])


def limit_order(strategy: Any) -> None:
    order = strategy.order_factory.limit(IID, OrderSide.SELL, Quantity(2, 3), Price(499.0, 1), reduce_only=True)
    strategy.submit_order(order)


WAYS: list[Callable[[Any], None]] = [
    lambda s: s.act([Exit("out")]),
    lambda s: s.act([Exit("slowly", urgent=False)]),
    lambda s: s.act([Target(0.0, None, 1, "out")]),
    close_position,
    lambda s: s.close_all_positions(IID),
    lambda s: s.market_exit(),
    limit_order,
]


@pytest.mark.req("R-14", "R-12")
@pytest.mark.parametrize(
    "way", WAYS, ids=["exit", "patient", "target", "close", "close all", "market exit", "own limit"]
)
def test_after_the_price_has_quintupled_a_position_is_left_in_parts_that_the_wall_lets_through(way: Any) -> None:
    """2 at 500.1 are 1000.2, above the wall of 1000; 500 / 500.1 = 0.9998 is floored to 0.999."""
    ran = left(way, jumping(500.0))
    assert [quantity for quantity, _ in exits(ran)] == [Decimal("0.999"), Decimal("0.999"), Decimal("0.002")]
    assert "DENIED" not in {status for _, status in exits(ran)}
    if way is not WAYS[1]:  # the patient exit rests at the ask
        assert ran.net == 0
    assert ran.rows("refusals") == []


@pytest.mark.req("R-14")
def test_a_short_is_left_in_parts_too() -> None:
    ran = left(lambda s: s.act([Exit("out")]), jumping(500.0), Side.SELL)
    assert exits(ran) == [(Decimal("0.999"), "FILLED"), (Decimal("0.999"), "FILLED"), (Decimal("0.002"), "FILLED")]
    assert ran.net == 0


class Late:
    """Every order reaches the engine 150 ms after the strategy has sent it."""

    def insert_ns(self) -> int:
        return 150 * MS

    def cancel_ns(self) -> int:
        return 0


@pytest.mark.req("R-14")
def test_a_price_that_nearly_doubles_once_more_while_the_exit_is_on_its_way_stops_none_of_it() -> None:
    """Sent at 500 as 0.999 + 0.999 + 0.002; at 995 the engine values the first at 994.0, still below 1000."""
    data = sorted([*jumping(500.0), quote(1600, 995.0, 995.1)], key=lambda event: int(event.ts_init))
    ran = left(WAYS[0], data, sampled=Late())
    assert exits(ran) == [(Decimal("0.999"), "FILLED"), (Decimal("0.999"), "FILLED"), (Decimal("0.002"), "FILLED")]


@pytest.mark.req("R-14")
def test_the_engine_values_by_its_last_quote_so_a_fall_that_it_was_not_told_of_traps_nothing() -> None:
    """At 20 the limit of 250 allows 12; the engine still values them at its old quote of 100.1: 1201, above the wall."""

    class Falling(Stepped):
        def at(self, number: int) -> None:
            if number in (6, 7):
                self.act([Enter(Side.BUY, 6.0, None, 1, "in")])
            if number == 9:
                self.act([Exit("out")])

    ran = run(Falling, jumping(20.0, quoted=False), policy=FREE, risk=SMALL, walled=True)
    assert ran.faults.first is None, ran.faults.trace
    assert [quantity for quantity, _ in exits(ran)] == [Decimal("4.995"), Decimal("4.995"), Decimal("2.01")]
    assert {status for _, status in exits(ran)} == {"FILLED"}
    assert ran.net == 0


@pytest.mark.req("R-14")
def test_below_wall_and_venue_maximum_an_exit_is_one_order_and_the_smaller_of_both_cuts() -> None:
    assert exits(left(WAYS[0], jumping(120.0))) == [(Decimal(2), "FILLED")]
    largest = [perpetual(max_quantity=Quantity(0.8, 3))]
    for way in (WAYS[0], limit_order, WAYS[5]):

        class Thrice(Leaver):
            chosen: ClassVar[Any] = staticmethod(way)

            def at(self, number: int) -> None:
                if number in (2, 3, 4):
                    self.act([Enter(Side.BUY, 0.5, None, 1, "in")])
                if number == 6:
                    type(self).chosen(self)

        ran = run(Thrice, jumping(499.0), policy=FREE, risk=SMALL, walled=True, instruments=largest)
        assert [str(quantity) for quantity, _ in exits(ran)] == ["0.8", "0.7"]
        assert ran.net == 0
        assert not ran.package.services.view.working
        assert ran.package.services.view.net(KEY) == 0
