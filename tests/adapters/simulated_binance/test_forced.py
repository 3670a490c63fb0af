"""What happens to the account without its asking."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.simulated_binance.faults.perform import perform
from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.orders import Side
from tests.adapters.simulated_binance.support import Desk, fault, still_scenario


def do(desk: Desk, **action: object) -> None:
    one: Fault = fault("now", {"at_secs": 0}, action)
    perform(desk.venue, one.do[0])  # type: ignore[arg-type]


def test_longs_pay_funding_at_the_funding_time() -> None:
    desk = Desk(
        still_scenario(symbol={"funding_rate": "0.001", "first_funding_secs": 10, "funding_interval_secs": 100})
    )
    ear = desk.listen_user()
    desk.place("BUY", "0.100")
    wallet = desk.account.wallet
    desk.wait(11)
    # 0.1 × 60,000.05 × 0.001 = 6.000005
    assert desk.account.wallet - wallet == Decimal("-6.000005")
    update = ear.messages[-1]
    assert (update["a"]["m"], update["a"]["B"][0]["bc"], update["a"]["P"]) == ("FUNDING_FEE", "-6.00000500", [])
    desk.wait(100)
    assert [row["amount"] for row in desk.venue.ledger.of("funding")] == [Decimal("-6.000005")] * 2


def test_shorts_receive_it() -> None:
    desk = Desk()
    desk.place("SELL", "0.100")
    wallet = desk.account.wallet
    do(desk, act="settle_funding", symbol="BTCUSDT", rate="0.001")
    assert desk.account.wallet - wallet == Decimal("6.000005")


def test_a_position_beyond_its_margin_is_warned_then_liquidated() -> None:
    desk = Desk()
    ear = desk.listen_user()
    desk.place("BUY", "3.000")
    desk.place("SELL", "0.100", "61000.0", reduceOnly="true")
    do(desk, act="gap_price", symbol="BTCUSDT", bps="-500")  # 57,000: equity 10,000 − 90 − 9,000 = 910 > 684
    assert [message["e"] for message in ear.messages].count("MARGIN_CALL") == 0
    do(desk, act="gap_price", symbol="BTCUSDT", bps="-10")
    assert ear.of("MARGIN_CALL")[0]["p"][0]["pa"] == "3.000"
    assert desk.position == Decimal("3.000")
    do(desk, act="gap_price", symbol="BTCUSDT", bps="-20")
    assert (desk.position, desk.exchange.desk.open_orders()) == (Decimal(0), [])
    updates = [m["o"] for m in ear.of("ORDER_TRADE_UPDATE") if m["o"]["c"].startswith("autoclose-")]
    assert [(u["x"], u["X"], u["t"] > 0) for u in updates] == [
        ("NEW", "NEW", False),
        ("CALCULATED", "NEW", False),
        ("CALCULATED", "FILLED", True),
    ]
    assert desk.account.income[-1]["incomeType"] == "INSURANCE_CLEAR"


def test_liquidation_can_be_switched_off() -> None:
    desk = Desk(still_scenario(behaviour={"liquidations": False}))
    desk.place("BUY", "3.000")
    do(desk, act="gap_price", symbol="BTCUSDT", bps="-1000")
    assert desk.position == Decimal("3.000")


@pytest.mark.parametrize(
    ("how", "prefix"),
    [("adl", "adl_autoclose"), ("settlement", "settlement_autoclose-"), ("liquidation", "autoclose-")],
)
def test_the_venue_closes_part_of_the_position(how: str, prefix: str) -> None:
    desk = Desk()
    ear = desk.listen_user()
    desk.place("SELL", "0.100")
    do(desk, act="forced_close", symbol="BTCUSDT", how=how, fraction="0.5")
    assert desk.position == Decimal("-0.050")
    last = ear.of("ORDER_TRADE_UPDATE")[-1]["o"]
    assert last["c"].startswith(prefix)
    assert (last["x"], last["l"], last["S"]) == ("CALCULATED", "0.050", "BUY")
    assert desk.venue.ledger.of("trade")[-1]["by"] == "venue"


def test_forcing_a_flat_account_does_nothing() -> None:
    desk = Desk()
    do(desk, act="forced_close", symbol="BTCUSDT")
    do(desk, act="settle_funding", symbol="BTCUSDT")
    assert desk.exchange.desk.orders == {}
    assert desk.account.income == []


def test_a_person_trades_rests_and_cancels_on_our_account() -> None:
    desk = Desk()
    desk.place("BUY", "0.100", "59000.0")
    do(desk, act="person_trade", symbol="BTCUSDT", side="SELL", quantity="0.250")
    do(desk, act="person_order", symbol="BTCUSDT", side="BUY", quantity="0.1", price="59000.0")
    assert desk.position == Decimal("-0.250")
    assert [order.by for order in desk.exchange.desk.open_orders()] == ["api", "person"]
    assert desk.exchange.desk.fills[0].order.client_id.startswith("web_")
    do(desk, act="person_cancel", symbol="BTCUSDT")
    assert desk.exchange.desk.open_orders() == []


def test_a_gap_fills_resting_orders_at_their_own_price() -> None:
    desk = Desk()
    order = desk.place("BUY", "0.100", "59900.0")
    do(desk, act="gap_price", symbol="BTCUSDT", bps="-100")
    assert order.filled == 100
    assert desk.exchange.desk.fills[0].price == 5_990_000
    assert desk.market.book.best(Side.SELL) == 5_940_010


def test_the_market_goes_on_from_where_it_gapped_to() -> None:
    desk = Desk()
    do(desk, act="gap_price", symbol="BTCUSDT", bps="100")
    desk.show({60001.0: 2.0}, {})
    assert desk.market.book.others(Side.BUY, 6_060_100) == 2000
