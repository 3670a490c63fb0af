"""What the episodes found, each as the shortest story that shows it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, OrderSide, Price, Quantity

from risk.arm_token import FileTokenStore, Identity
from risk.breach import Limit
from risk.halts import Halts
from risk.kill_switch import KillSwitch, run_switch
from risk.latch_log import FileLatchLog
from risk.loss import NS_PER_DAY, LossConfig, LossLedger, LossState
from risk.request import Side
from tests.engine import FREE, IID, KEY, MAKER, Stepped, book, quiet, run, trade
from tests.properties.play import Play
from tests.properties.profile import Profile
from tests.risk.account import ETH_KEY, Account, gate, order

DAILY = LossConfig(max_daily_loss_quote=Decimal(100))


class Holding(Account):
    """Holds one BTC, worth its price."""

    def unrealized_pnl(self, iid: object, price: Any) -> Any:
        self.unrealised = str(price.as_decimal())
        return super().unrealized_pnl(iid, price)


def one_sided(made: Any) -> None:
    made.view.books.apply_deltas(book(1001, [], [(100.1, 0), (100.2, 0), (100.3, 0)]), "caller")


@pytest.mark.req("R-1")
def test_the_halt_of_a_day_survives_a_restart_though_equity_has_recovered() -> None:
    before = Halts(run_switch("run"), LossLedger(DAILY))
    before.read(0, Decimal(1000))
    before.read(1, Decimal("899.99"))
    before.read(2, Decimal(1000))
    state = LossState.from_json(before.losses.state.to_json())
    after = Halts(run_switch("run"), LossLedger(DAILY, state))
    found = after.refusal(3)
    assert found is not None
    assert (found.limit, found.detail) == (Limit.DAILY_LOSS, "daily loss 100.01 > 100.00")
    assert after.reason == before.reason == "daily loss 100.01 > 100.00"
    assert after.refusal(NS_PER_DAY - 1) is not None
    assert after.refusal(NS_PER_DAY) is None  # also before the first reading of the new day


@pytest.mark.req("R-3")
def test_the_first_reason_of_a_halt_wins_across_a_restart(tmp_path: Path) -> None:
    identity = Identity(account="1", environment="demo", config_hash="x")

    def process() -> KillSwitch:
        return KillSwitch(FileTokenStore(tmp_path / "arm.json"), FileLatchLog(tmp_path / "latch.jsonl"), identity)

    first = process()
    first.arm(1, "me", "start")
    first.trip(2, "operator")
    second = process()
    trip = second.trip(3, "drawdown 6.00 % > 5.00 %")
    assert (trip.ts_ns, trip.reason) == (2, "operator")
    assert process().refusal() == "latched: operator"
    second.reset(4, "me", "looked at it")
    assert second.trip(5, "drawdown").reason == "drawdown"
    assert process().refusal() == "latched: drawdown"


@pytest.mark.req("R-1", "R-3")
def test_an_emptied_book_makes_a_position_neither_worthless_nor_a_loss() -> None:
    made = gate(Holding(net={KEY: "1"}))
    assert made.view.equity() == Decimal("10100.05")
    one_sided(made)
    assert made.view.mid(KEY) is None
    assert made.view.equity() == Decimal("10100.05")
    assert made.view.elsewhere(ETH_KEY, Side.BUY).gross == Decimal("100.05")


@pytest.mark.req("R-1", "R-3")
def test_half_an_account_is_no_equity() -> None:
    made = gate(Account(net={KEY: "1"}), book=False)  # after a restart, before the first book
    assert made.view.equity() is None
    made.observe(1_000_000_000)
    assert made.halts.losses.state == LossState()
    assert gate(Account(), book=False).view.equity() == Decimal(10_000)  # nothing has to be priced


class Leaving(Stepped):
    """Rests 1 at 100.0, leaves the market two messages later."""

    def at(self, number: int) -> None:
        if number == 2:
            size, price = Quantity(1, 3), Price(100.0, 1)
            self.submit_order(self.order_factory.limit(IID, OrderSide.BUY, size, price, post_only=True))
        if number == 4:
            self.market_exit()


@pytest.mark.req("R-14", "O-12")
def test_leaving_the_market_closes_what_an_entry_still_filled_while_its_cancel_was_on_its_way() -> None:
    whole = trade(1350, 100.0, 20, AggressorSide.SELL, 2)
    data = sorted([*quiet(12), whole], key=lambda event: int(event.ts_init))
    ran = run(Leaving, data, policy=MAKER, cancel_ms=200)
    assert not ran.faults.count, ran.faults.trace
    assert ran.net == 0
    assert [(r["side"], r["reduce_only"]) for r in ran.rows("orders")] == [("BUY", False), ("SELL", True)]


@pytest.mark.req("R-2", "O-3")
def test_what_is_left_of_an_order_that_was_executed_after_its_reject_counts_in_the_exposure(tmp_path: Path) -> None:
    world = Play(Profile(breakers=False), tmp_path, Counter())
    world.enter("a", KEY, 1, "post_only", 0, 5000, None)
    world.settle(0, "reject", 1, 0)
    assert world.gate.view.resting(KEY).on(Side.BUY) == 0
    world.settle(0, "fill", 3, 0)
    assert world.venue.net[KEY] == Decimal("1.5")
    assert world.gate.view.resting(KEY).on(Side.BUY) == Decimal("3.5")
    world.settle(0, "fill", 10, 0)
    assert world.gate.view.resting(KEY).on(Side.BUY) == 0


@pytest.mark.req("R-2")
def test_a_sale_that_only_reduces_its_position_may_not_break_the_net_limit() -> None:
    risk = {"max_net_notional_quote": 400.0}
    made = gate(Account(net={KEY: "25", ETH_KEY: "-25"}), policy=FREE)
    made.config = made.config.model_copy(update=risk)
    refused: Any = made.check(order(side=Side.SELL, quantity="5", price="100.1"))
    assert refused.reason == "net_notional"
    assert refused.figures == {"value": "500.25", "limit": "400"}  # 5 × 100.05
