"""What the account is worth, and which orders can still fill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import MarkPriceUpdate, Money, Price

from risk.costs import FeeRates, Funding
from risk.request import Side
from strategies.intents import Enter, Exit
from tests.engine import (
    BTC,
    IID,
    KEY,
    MS,
    SPOT_IID,
    USDT,
    Stepped,
    book,
    funding,
    opening,
    perpetual,
    quiet,
    quote,
    run,
    spot_pair,
)  # fmt: skip
from tests.risk.account import ETH_KEY, Account, gate, order


def test_orders_count_from_approval_until_filled_or_closed() -> None:
    view = gate().view
    first, second, leaving = order(quantity="2"), order(quantity="3"), order(quantity="9", reduce_only=True)
    for request in (first, second, leaving):
        view.add(request)
    assert view.resting(KEY).on(Side.BUY) == 5
    assert (view.entries("s", KEY), view.entries("s", ETH_KEY), view.entries("other", KEY)) == (2, 0, 0)
    view.fill(first.client_order_id, Decimal("0.5"))
    assert view.resting(KEY).on(Side.BUY) == Decimal("4.5")
    view.fill(first.client_order_id, Decimal("1.5"))
    assert first.client_order_id not in view.working
    view.close(second.client_order_id)
    assert view.resting(KEY).on(Side.BUY) == 0


@pytest.mark.parametrize(("net", "worst"), [("0", 5), ("2", 6), ("-4", 9), ("-1", 6)])
def test_the_worst_position_looks_at_both_sides(net: str, worst: int) -> None:
    view = gate(Account(net={KEY: net})).view
    view.add(order(quantity="4"))
    view.add(order(quantity="5", side=Side.SELL, price="100.1"))
    assert view.worst(KEY) == worst


@pytest.mark.req("R-14")
def test_a_clipped_order_leaves_only_what_the_venue_left_of_it() -> None:
    view, request = gate().view, order(quantity="3", reduce_only=True)
    view.add(request)
    view.fill(request.client_order_id, Decimal(1))
    view.resize(request.client_order_id, Decimal("1.5"))
    assert view.working[request.client_order_id].leaves == Decimal("0.5")
    view.resize(request.client_order_id, Decimal(1))
    assert request.client_order_id not in view.working
    view.resize("unknown", Decimal(1))
    view.fill("unknown", Decimal(1))
    assert not view.working


class Buyer(Stepped):
    """Buys 1 at 100.1, notes the equity, sells at 100.0."""

    def at(self, number: int) -> None:
        if number == 2:
            self.act([Enter(Side.BUY, 1.0, None, 1, "buy")])
        if number == 5:
            self.equity = self.desk.view.equity()
            self.act([Exit("sell")])
        if number == 8:
            self.flat = self.desk.view.equity()


def test_equity_of_a_margin_account_is_cash_plus_unrealised_at_the_mid() -> None:
    ran = run(Buyer, quiet(), fees=FeeRates(0.0, 0.0))
    assert ran.strategy.equity == Decimal("99999.95")  # 100.05 − 100.1
    assert ran.strategy.flat == Decimal("99999.9")


def test_equity_is_read_off_the_engine_again_only_when_something_has_changed() -> None:
    asked: list[object] = []

    class Asked(Account):
        def unrealized_pnl(self, iid: object, price: object) -> Any:
            asked.append(iid)
            return super().unrealized_pnl(iid, price)

    account = Asked(cash="10000", unrealised="-10")
    view = gate(account).view
    assert [view.equity(), view.equity()] == [Decimal(9990)] * 2
    once = len(asked)
    account.cash, account.unrealised = "9000", "-20"
    assert view.equity() == Decimal(9990)  # nobody said that anything has happened
    view.refresh()
    assert view.equity() == Decimal(8980)  # a fill, funding, or a second later
    view.beside = Decimal(5)
    assert view.equity() == Decimal(8985)
    assert len(asked) == 3 * once
    account.unrealised = "-30"
    view.books.apply_deltas(book(3000, [(100.0, 0.0), (99.9, 5.0)], iid=perpetual().id), "caller")
    assert view.equity() == Decimal(8975)  # the mid has moved


def test_equity_of_a_cash_account_values_the_coin_it_holds() -> None:
    data = [quote(1000, 100.0, 100.1, iid=SPOT_IID), *quiet(12, iid=SPOT_IID)]
    balances = [Money(100_000, USDT), Money(2, BTC)]
    ran = run(Buyer, data, fees=FeeRates(0.0, 0.0), cash=True, instruments=[spot_pair()], balances=balances)
    assert not ran.faults.count
    assert ran.strategy.equity == Decimal("100200.05")  # 99899.9 + 3 × 100.05
    assert ran.strategy.flat == Decimal("100200.0")  # 99999.9 + 2 × 100.05


@pytest.mark.parametrize(
    ("told", "net"),
    [("0.01900000000000002", "0.019"), ("-0.02300000000000001", "-0.023"), ("0.3", "0.3"), ("0", "0")],
)
def test_the_net_position_is_exact_though_the_engine_adds_floats(told: str, net: str) -> None:
    """0.147 - 0.022 - 0.066 - 0.040 is 0.019, and the engine's sum is not."""
    assert gate(Account(net={KEY: told})).view.net(KEY) == Decimal(net)


def test_two_strategies_share_one_equity_and_one_net_position() -> None:
    view = gate(Account(cash="10000", unrealised="-12.5")).view
    assert view.equity() == Decimal("9987.5")
    view.books.apply_deltas(opening(2000, perpetual().id), "caller")
    assert view.mid(KEY) == Decimal("100.05")
    assert view.mid("SOLUSDT-PERP.BINANCE") is None
    assert view.elsewhere(KEY, Side.BUY).gross == 0


@pytest.mark.req("R-7")
def test_funding_and_mark_price_come_from_the_market_data_without_a_subscription() -> None:
    class Looking(Stepped):
        def at(self, number: int) -> None:
            if number in (2, 6):
                view = self.desk.view
                self.looked = [*getattr(self, "looked", []), (view.funding(KEY), view.reference(KEY))]

    mark = MarkPriceUpdate(IID, Price(101.0, 1), 1350 * MS, 1350 * MS)
    data = sorted([*quiet(), funding(1150, "0.0003", 5000), mark], key=lambda event: int(event.ts_init))
    before, after = run(Looking, data).strategy.looked
    assert before == (None, Decimal("100.05"))
    assert after == (Funding(3.0, 5000 * MS, 8 * 3_600_000 * MS), Decimal("101.0"))
