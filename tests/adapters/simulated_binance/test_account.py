"""Money: worked numbers and exact conservation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.simulated_binance.account import Account
from adapters.simulated_binance.clock import Clock, ManualTime
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.settings import AccountSettings, SymbolSettings

BTC = Contract("BTCUSDT", SymbolSettings())


def account(**settings: Any) -> Account:
    return Account(AccountSettings(**settings), {"BTCUSDT": BTC}, Ledger(Clock(ManualTime(0))))


def trade(own: Account, side: Side, quantity: int, price: str, *, maker: bool = False) -> tuple[Decimal, Decimal]:
    return own.fill(BTC, side, quantity, Decimal(price), maker=maker, trade_id=1, now_ms=0)


def test_a_round_trip_pays_two_fees_and_keeps_the_difference() -> None:
    own = account()
    # 0.100 × 60,000 = 6,000: taker 5 bps = 3.00; 0.100 × 60,100 = 6,010: maker 2 bps = 1.202; profit 10.
    assert trade(own, Side.BUY, 100, "60000") == (Decimal(0), Decimal("3.00"))
    assert trade(own, Side.SELL, 100, "60100", maker=True) == (Decimal(10), Decimal("1.202"))
    assert own.wallet == Decimal("10005.798")


def test_a_fill_larger_than_the_position_turns_it_over_at_the_new_price() -> None:
    own = account()
    trade(own, Side.BUY, 100, "60000")
    realised, _ = trade(own, Side.SELL, 300, "59000")
    position = own.positions["BTCUSDT"]
    assert realised == Decimal(-100)
    assert (position.amount, position.entry_price) == (Decimal("-0.200"), Decimal(59000))
    assert position.unrealised(Decimal(58000)) == Decimal(200)


def test_a_rebate_is_received() -> None:
    own = account(maker_bps=Decimal(-1))
    _, fee = trade(own, Side.BUY, 100, "60000", maker=True)
    assert fee == Decimal("-0.6")
    assert own.wallet == Decimal("10000.6")


def test_a_position_of_the_scenario_is_there_from_the_start() -> None:
    own = account(positions={"BTCUSDT": {"quantity": Decimal("-0.5"), "entry_price": Decimal(61000)}})
    assert own.positions["BTCUSDT"].amount == Decimal("-0.5")
    assert own.wallet == Decimal(10000)


FILLS = st.lists(
    st.tuples(
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(min_value=1, max_value=5000),
        st.integers(min_value=5_000_000, max_value=7_000_000),
        st.booleans(),
    ),
    max_size=40,
)


@given(FILLS)
def test_money_is_conserved_to_the_last_unit(fills: list[tuple[Side, int, int, bool]]) -> None:
    own, cash = account(), Decimal(0)
    for side, quantity, price, maker in fills:
        value = BTC.price.value(price)
        _, fee = own.fill(BTC, side, quantity, value, maker=maker, trade_id=1, now_ms=0)
        cash -= side * value * BTC.size.value(quantity) + fee
    position = own.positions["BTCUSDT"]
    # What the wallet gained minus what the open position cost is exactly the cash that moved.
    assert own.wallet - Decimal(10000) - position.cost == cash
    assert own.wallet == Decimal(10000) + sum(Decimal(str(entry["income"])) for entry in own.income)
    assert position.amount == sum(side * BTC.size.value(quantity) for side, quantity, _, _ in fills)
    assert (position.quantity == 0) == (position.cost == 0)
