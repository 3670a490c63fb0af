"""Two strategies on one symbol: each has its own position, the venue has one."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Quantity

from tests.engine import IID, WIDE, Entry, Ran, Stepped, entry, quiet, run

BUY, SELL = OrderSide.BUY, OrderSide.SELL

type Step = tuple[int, OrderSide, float, bool]


def scripted(name: str, steps: list[Step]) -> Entry:
    """A strategy that sends a market order (side, size, reduce-only) on a numbered venue message."""

    def at(self: Any, number: int) -> None:
        for when, side, size, reduce_only in steps:
            if when == number:
                make = self.order_factory
                self.submit_order(make.market(IID, side, Quantity(size, 3), reduce_only=reduce_only))

    cls = type(f"Netted{name.title()}", (Stepped,), {"at": at, "__module__": __name__})
    return entry(cls, name, order_id_tag=name)


def both(one: list[Step], two: list[Step], **more: Any) -> Ran:
    return run([scripted("one", one), scripted("two", two)], quiet(20), **more)


def sent(result: Ran) -> list[tuple[str, str, float, bool, str]]:
    return [
        (row["strategy_id"], row["side"], float(row["quantity"]), row["reduce_only"], row["status"])
        for row in result.rows("orders")
    ]


@pytest.mark.req("R-14")
def test_an_exit_that_the_net_position_covers_stays_reduce_only() -> None:
    result = both([(2, BUY, 0.3, False), (6, SELL, 0.3, True)], [(3, BUY, 0.2, False)])
    assert sent(result)[-1] == ("one", "SELL", 0.3, True, "FILLED")
    assert float(result.net) == 0.2


@pytest.mark.req("R-14")
def test_an_exit_goes_without_the_flag_where_the_account_is_flat() -> None:
    """One is long 0.3, two short 0.3: the venue holds nothing and would reject reduceOnly."""
    result = both([(2, BUY, 0.3, False), (6, SELL, 0.3, True)], [(3, SELL, 0.3, False)])
    assert sent(result)[-1] == ("one", "SELL", 0.3, False, "FILLED")
    assert [strategy.position for strategy in result.package.strategies] == [0.0, -0.3]  # type: ignore[attr-defined]
    assert float(result.net) == -0.3


@pytest.mark.req("R-14")
def test_an_exit_is_split_where_the_net_position_covers_a_part() -> None:
    """One is long 0.3, two short 0.1: 0.2 of the exit reduce the account, 0.1 do not."""
    result = both([(2, BUY, 0.3, False), (6, SELL, 0.3, True)], [(3, SELL, 0.1, False)])
    assert sent(result)[-2:] == [("one", "SELL", 0.2, True, "FILLED"), ("one", "SELL", 0.1, False, "FILLED")]
    ids = [row["client_order_id"] for row in result.rows("orders")]
    assert len(set(ids)) == len(ids)
    assert [float(row["position_after"]) for row in result.rows("fills")] == pytest.approx([0.3, 0.2, 0.0, -0.1])


@pytest.mark.req("R-2", "R-14")
def test_limits_hold_back_only_what_would_enlarge_the_account() -> None:
    """Both may hold 0.3 (30 USDT) alone; after the exit of one the account would be short 0.3 against a limit of 26."""
    tight = WIDE.model_copy(update={"max_position_notional_quote": 26.0})
    result = both(
        [(2, BUY, 0.2, False), (4, BUY, 0.2, False), (6, SELL, 0.4, True)],
        [(3, SELL, 0.15, False), (5, SELL, 0.15, False)],
        risk=tight,
    )
    assert float(result.net) == pytest.approx(0.0)  # long 0.1 was closed, the rest would have made it short 0.3
    assert [row["reason"] for row in result.rows("refusals")] == ["position_notional"]
    one, two = result.package.strategies
    assert (one.position, two.position) == (pytest.approx(0.3), pytest.approx(-0.3))  # type: ignore[attr-defined]


def test_an_exit_sent_twice_closes_once() -> None:
    result = both(
        [(2, BUY, 0.3, False), (6, SELL, 0.3, True), (7, SELL, 0.3, True)], [(3, SELL, 0.3, False)], insert_ms=150
    )
    exits = [row for row in sent(result) if row[:2] == ("one", "SELL")]
    assert exits == [("one", "SELL", 0.3, False, "FILLED")]
    assert result.strategy.position == 0.0


def test_one_strategy_alone_is_left_as_it_is() -> None:
    result = run([scripted("one", [(2, BUY, 0.3, False), (6, SELL, 0.5, True)])], quiet(20))
    assert [row["reduce_only"] for row in result.rows("orders")] == [False, True]
    assert result.net == 0


def test_every_close_helper_is_fitted_too() -> None:
    def at(self: Any, number: int) -> None:
        if number == 2:
            self.submit_order(self.order_factory.market(IID, BUY, Quantity(0.3, 3)))
        if number == 6:
            self.market_exit()

    leaving = entry(type("Leaving", (Stepped,), {"at": at, "__module__": __name__}), "one", order_id_tag="one")
    result = run([leaving, scripted("two", [(3, SELL, 0.3, False)])], quiet(20))
    assert sent(result)[-1] == ("one", "SELL", 0.3, False, "FILLED")
    assert result.strategy.position == 0.0
