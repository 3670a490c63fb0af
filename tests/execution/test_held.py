"""Limits on what is held, while nothing is sent: a move of the price exceeds them, and what would add to it is taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from execution.held import HeldLimits
from execution.journal import RiskEvent
from risk.config import RiskConfig
from risk.held import Held, exceeded, increases
from risk.request import Side
from tests.engine import IID, KEY, WIDE, Stepped, book, quiet, run
from tests.risk.account import ETH_KEY, Account, gate, order

D = Decimal
SEC = 1_000_000_000


def limited(**limits: Any) -> RiskConfig:
    return WIDE.model_copy(update=limits)


def names(held: dict[str, tuple[str, str]], **limits: Any) -> list[tuple[str, str, Decimal]]:
    """What is exceeded by positions given as (net, price)."""
    positions = {iid: Held(D(net), D(price)) for iid, (net, price) in held.items()}
    return [(e.limit, e.instrument_id, e.value) for e in exceeded(positions, D(100), limited(**limits))]


@pytest.mark.req("R-13")
@pytest.mark.parametrize(("price", "over"), [("500", []), ("500.1", [("position_notional", KEY, D("1000.2"))])])
def test_two_at_500_is_a_notional_of_1000_long_or_short_and_equality_passes(
    price: str, over: list[tuple[str, str, Decimal]]
) -> None:
    limits = {"max_position_notional_quote": 1000.0, "max_gross_leverage": 125}
    assert names({KEY: ("2", price)}, **limits) == over
    assert names({KEY: ("-2", price)}, **limits) == over


@pytest.mark.req("R-13")
def test_the_account_as_a_whole_long_300_and_short_200_is_500_gross_100_net_and_five_times_100() -> None:
    held = {KEY: ("3", "100"), ETH_KEY: ("-2", "100")}
    found = names(held, max_gross_notional_quote=499.0, max_net_notional_quote=99.0, max_gross_leverage=4.9)
    assert found == [("gross_notional", "", D(500)), ("net_notional", "", D(100)), ("gross_leverage", "", D(5))]
    assert names(held, max_gross_notional_quote=500.0, max_net_notional_quote=100.0, max_gross_leverage=5.0) == []


@pytest.mark.req("R-13")
@pytest.mark.parametrize(
    ("side", "iid", "limit", "adds"),
    [
        (1, KEY, "position_notional", True), (-1, KEY, "position_notional", False), (1, ETH_KEY, "position_notional", False),
        (1, KEY, "gross_notional", True), (-1, KEY, "gross_notional", False), (-1, ETH_KEY, "gross_notional", True),
        (1, ETH_KEY, "net_notional", True), (-1, ETH_KEY, "net_notional", False), (1, "FLAT", "gross_notional", True),
    ],
)  # fmt: skip
def test_what_adds_to_an_excess(side: int, iid: str, limit: str, adds: bool) -> None:
    held = {KEY: Held(D(3), D(100)), ETH_KEY: Held(D(-2), D(100))}
    config = limited(
        max_position_notional_quote=299.0,
        max_gross_notional_quote=499.0,
        max_net_notional_quote=99.0,
        max_gross_leverage=125,
    )
    (excess,) = [one for one in exceeded(held, D(1000), config) if one.limit == limit]
    assert increases(side, iid, held, excess) is adds


@pytest.mark.req("R-13", "R-11")
def test_both_edges_are_recorded_once_and_only_entries_that_add_are_taken_back() -> None:
    account, told = Account(net={KEY: "2"}), list[RiskEvent]()
    made = gate(account, risk=limited(max_position_notional_quote=200.0))
    made.view.add(order(client_order_id="adds"))
    made.view.add(order(client_order_id="reduces", side=Side.SELL))
    made.view.add(order(client_order_id="exit", side=Side.SELL, reduce_only=True))
    watch = HeldLimits(made, told.append)
    assert [decision.client_order_id for decision in watch.look(SEC)] == ["adds"]  # 2 at the mid of 100.05 are 200.1
    assert [decision.client_order_id for decision in watch.look(2 * SEC)] == ["adds"]
    account.net[KEY] = "1"
    assert list(watch.look(3 * SEC)) == []
    assert [(e.ts_ns, e.kind, e.name, e.state, e.level) for e in told] == [
        (SEC, "limit", "position_notional", "open", "hard"), (3 * SEC, "limit", "position_notional", "closed", "none"),
    ]  # fmt: skip
    assert (told[0].detail, told[0].figures) == ("position_notional 200.1 > 200", {"value": "200.1", "limit": "200"})


class Holder(Stepped):
    """Buys one at market, then rests an entry on each side."""

    def at(self, number: int) -> None:
        if number == 2:
            self.submit_order(self.order_factory.market(IID, OrderSide.BUY, Quantity(1, 3)))
        if number == 4:
            for side, price in ((OrderSide.BUY, 99.0), (OrderSide.SELL, 130.0)):
                self.submit_order(
                    self.order_factory.limit(IID, side, Quantity(0.1, 3), Price(price, 1), post_only=True)
                )


@pytest.mark.req("R-13")
def test_in_the_engine_a_price_that_rises_takes_the_resting_buy_back_and_nothing_else() -> None:
    rise = [book(2500, [(112.0, 3)], [(100.1, 0), (100.2, 0), (100.3, 0), (112.1, 5)])]
    later = [book(2600 + 100 * k, [(90.0, 50 + k)]) for k in range(30)]
    ran = run(Holder, [*quiet(), *rise, *later], risk=limited(max_position_notional_quote=111.0))
    cared = [row for row in ran.rows("order_events") if row["event"] == "Cared"]
    (buy,) = [row for row in ran.rows("orders") if (row["side"], row["order_type"]) == ("BUY", "LIMIT")]
    assert [(row["client_order_id"], row["detail"]) for row in cared] == [
        (buy["client_order_id"], "cancel: position_notional 112.05 > 111")
    ]
    assert (buy["status"], buy["ts_closed"] <= 3_100_000_000) == ("CANCELED", True)
    assert [(row["kind"], row["name"], row["state"]) for row in ran.rows("risk_events")] == [
        ("limit", "position_notional", "open")
    ]
    assert ran.package.services.gate.halted is None
    assert ran.net == 1
