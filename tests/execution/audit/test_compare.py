"""Each kind of difference by a worked example: both figures, and what it would mean."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution.audit.books import books_of_session
from execution.audit.compare import compare
from execution.audit.confirm import Confirming
from execution.audit.differences import Difference, Kind
from execution.audit.figures import (
    Account,
    Anchor,
    Books,
    Expected,
    IncomeFigures,
    OrderFigures,
    Settings,
    TradeFigures,
)
from execution.journal import MemoryJournal
from tests.execution.test_journals import BTC
from tests.execution.test_journals import order as asked_for

NOW = 1_000_000
D = Decimal
SETTINGS = Settings(margin={"BTCUSDT": "isolated"}, leverage={"BTCUSDT": 3})
EXPECTED = Expected(SETTINGS, ("BTCUSDT",))


def order(name: str = "h1a", status: str = "ACK", filled: str = "0", age_ms: int = 60_000, **more: Any) -> OrderFigures:
    """An order of 0.010 BTC."""
    return OrderFigures(name, "BTCUSDT", "BUY", status, D("0.010"), D(filled), NOW - age_ms, **more)


def trade(number: str = "7", quantity: str = "0.010", fee: str = "0.24", **more: Any) -> TradeFigures:
    """A purchase at 60,000."""
    given: dict[str, Any] = {"ts_ms": NOW - 50_000} | more
    return TradeFigures("BTCUSDT", number, "h1a", "BUY", D(60000), D(quantity), D(fee), "USDT", **given)


def income(kind: str, number: int, amount: str, trade_id: str = "", ts_ms: int = NOW - 50_000) -> IncomeFigures:
    """A change of the wallet."""
    return IncomeFigures(kind, number, "BTCUSDT", "USDT", D(amount), ts_ms, trade_id)


FILL = trade()
FUNDING = income("FUNDING_FEE", 41, "-0.60")
FEE = income("COMMISSION", 40, "-0.24", "7")
BOOKS = Books(
    orders={"h1a": order(status="PARTIALLY_FILLED", filled="0.010")}, open=("h1a",), trades={FILL.key: FILL},
    booked=frozenset({FILL.key}), net={"BTCUSDT": D("0.010")}, incomes={FUNDING.key: FUNDING},
    anchor=Anchor(D(10000), NOW - 100_000),
)  # fmt: skip
ACCOUNT = Account(
    now_ms=NOW, open_orders=(order(status="PARTIALLY_FILLED", filled="0.010"),), trades={FILL.key: FILL},
    trades_from_ms=NOW - 100_000, positions={"BTCUSDT": D("0.010")}, wallet=D("9999.16"), incomes=(FUNDING, FEE),
    settings=SETTINGS,
)  # fmt: skip
"""10,000 less a fee of 0.24 and funding of 0.60 is 9,999.16."""


def found(books: Books = BOOKS, account: Account = ACCOUNT, expected: Expected = EXPECTED) -> list[Difference]:
    """Compare."""
    return compare(books, account, expected)


@pytest.mark.req("L-7")
def test_what_agrees_says_nothing() -> None:
    assert found() == []
    assert found(replace(BOOKS, orders={}, open=()), replace(ACCOUNT, open_orders=())) == []
    assert compare(BOOKS, Account(NOW), EXPECTED) == []  # what was not asked is not compared


STRANGER = order("web_1", "NEW", is_ours=False)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[Kind, str, str, str]]] = {
    "an order of ours that the journal does not know": (
        {}, {"open_orders": (*(ACCOUNT.open_orders or ()), order("h1zz", "NEW"))},
        (Kind.ORDER_UNKNOWN, "h1zz", "–", "BUY 0.01 NEW"),
    ),
    "an order of somebody else": (
        {}, {"open_orders": (*(ACCOUNT.open_orders or ()), STRANGER)}, (Kind.ORDER_FOREIGN, "web_1", "–", "BUY 0.01 NEW"),
    ),
    "an order that the journal holds for over": (
        {"orders": {"h1a": order(status="CANCELED", filled="0.010")}, "open": ()}, {},
        (Kind.ORDER_OPEN, "h1a", "CANCELED", "PARTIALLY_FILLED"),
    ),
    "an order of which nothing was heard": (
        {"orders": {"h1a": order(status="NEW")}}, {"open_orders": (order(status="NEW"),)},
        (Kind.ORDER_UNHEARD, "h1a", "NEW", "NEW"),
    ),
    "an executed quantity": (
        {"orders": {"h1a": order(filled="0.004")}}, {}, (Kind.ORDER_FILLED, "h1a", "0.004", "0.01"),
    ),
    "an end that was not told": (
        {}, {"open_orders": (), "asked": {"h1a": order(status="CANCELED", filled="0.010")}},
        (Kind.ORDER_ENDED, "h1a", "PARTIALLY_FILLED 0.01", "CANCELED 0.01"),
    ),
    "an order that the venue does not know": (
        {}, {"open_orders": (), "asked": {"h1a": None}}, (Kind.ORDER_ABSENT, "h1a", "PARTIALLY_FILLED", "–"),
    ),
    "a fill that costs another fee": (
        {"trades": {FILL.key: trade(fee="0.12")}}, {},
        (Kind.FILL_DIFFERS, "trade 7", "BUY 0.01 at 60000, fee 0.12 USDT", "BUY 0.01 at 60000, fee 0.24 USDT"),
    ),
    "a fill that never was": (
        {"trades": {FILL.key: FILL, ("BTCUSDT", "8"): trade("8")}}, {},
        (Kind.FILL_EXTRA, "trade 8", "BUY 0.01 at 60000, fee 0.24 USDT", "–"),
    ),
    "a position": ({}, {"positions": {}}, (Kind.POSITION, "", "0.01", "0")),
    "funding that is not booked": (
        {"incomes": {}}, {"wallet": D("9999.76")}, (Kind.INCOME_MISSING, "FUNDING_FEE 41", "–", "-0.60 USDT"),
    ),
    "funding that never was": (
        {"incomes": {FUNDING.key: FUNDING, ("FUNDING_FEE", 42): income("FUNDING_FEE", 42, "1")}}, {},
        (Kind.INCOME_EXTRA, "FUNDING_FEE 42", "+1 USDT", "–"),
    ),
    "funding of another amount": (
        {"incomes": {FUNDING.key: income("FUNDING_FEE", 41, "-0.06")}}, {},
        (Kind.INCOME_DIFFERS, "FUNDING_FEE 41", "-0.06 USDT", "-0.60 USDT"),
    ),
    "a wallet that nothing explains": ({}, {"wallet": D("9000.00")}, (Kind.WALLET, "", "9999.16", "9000")),
    "hedge mode": (
        {}, {"settings": replace(SETTINGS, hedge=True)}, (Kind.POSITION_MODE, "", "one-way (configured)", "hedge"),
    ),
    "multi-assets mode": (
        {}, {"settings": replace(SETTINGS, multi_assets=True)},
        (Kind.ASSET_MODE, "", "single-asset (configured)", "multi-assets"),
    ),
    "margin type": (
        {}, {"settings": replace(SETTINGS, margin={"BTCUSDT": "cross"})},
        (Kind.MARGIN_TYPE, "", "isolated (configured)", "cross"),
    ),
    "leverage": (
        {}, {"settings": replace(SETTINGS, leverage={"BTCUSDT": 20})}, (Kind.LEVERAGE, "", "3 (configured)", "20"),
    ),
}  # fmt: skip


@pytest.mark.req("L-7", "L-6")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_difference_is_named_with_both_figures_and_alone(
    case: tuple[dict[str, Any], dict[str, Any], tuple[Kind, str, str, str]],
) -> None:
    books, account, expected = case
    (one,) = found(replace(BOOKS, **books), replace(ACCOUNT, **account))
    assert (one.kind, one.key, one.journal, one.venue) == expected
    assert f"journal {one.journal}, venue {one.venue}; {one.meaning}" in str(one)
    assert one.meaning


@pytest.mark.req("L-7")
def test_a_fill_that_is_missing_is_seen_as_fill_as_position_and_in_the_wallet() -> None:
    more = trade("9", "0.002", "0.05")
    account = replace(
        ACCOUNT, trades={FILL.key: FILL, more.key: more}, positions={"BTCUSDT": D("0.012")}, wallet=D("9999.11"),
        incomes=(FUNDING, FEE, income("COMMISSION", 43, "-0.05", "9")),
    )  # fmt: skip
    position, fill, wallet = found(account=account)
    assert (position.journal, position.venue) == ("0.01", "0.012")
    assert position.meaning.startswith("0.002 more than our fills make it: ")
    assert (fill.kind, fill.venue) == (Kind.FILL_MISSING, "BUY 0.002 at 60000, fee 0.05 USDT, order h1a")
    assert (wallet.journal, wallet.venue) == ("9999.16", "9999.11")
    assert wallet.meaning == "-0.05, which the fills and payments that are missing explain"


def test_an_order_that_may_still_travel_is_no_difference() -> None:
    young = Books(orders={"h1a": order(status="NEW", age_ms=9_000)}, open=("h1a",))
    assert found(young, Account(NOW, open_orders=(), asked={"h1a": None})) == []
    assert found(young, Account(NOW, open_orders=(order(status="NEW", age_ms=9_000),))) == []
    undecided = replace(young, orders={"h1a": order(status="UNKNOWN", age_ms=30_000)})
    assert found(undecided, Account(NOW, open_orders=(), asked={"h1a": None})) == []
    old = replace(young, orders={"h1a": order(status="UNKNOWN", age_ms=30_001)})
    (one,) = found(old, Account(NOW, open_orders=(), asked={"h1a": None}))
    assert one.meaning == "it never arrived: its row is to be closed as NOT_EXECUTED"


@pytest.mark.req("L-7", "O-4")
def test_a_cancel_that_was_sent_behind_an_order_without_an_answer_makes_it_no_more_decided() -> None:
    """Seen after 40 minutes of soak: order and cancel were lost, and the audit shut entries while it was still being asked for."""
    absent = Account(NOW, open_orders=(), asked={"h1a": None})
    for answered, age_ms, meaning in (
        (False, 30_000, []),
        (False, 30_001, ["it never arrived: its row is to be closed as NOT_EXECUTED"]),
        (True, 10_001, ["this key or environment is another account's, or the venue was reset"]),
    ):
        cancelling = order(status="PENDING_CANCEL", age_ms=age_ms, is_answered=answered)
        assert [one.meaning for one in found(Books(orders={"h1a": cancelling}, open=("h1a",)), absent)] == meaning


@pytest.mark.req("L-7")
def test_an_order_is_answered_once_the_venue_has_told_of_it() -> None:
    journal = MemoryJournal()
    for name, events in (
        ("h1", ()),
        ("h2", ("PENDING_CANCEL",)),
        ("h3", ("ACK", "PENDING_CANCEL")),
        ("h4", ("REJECTED",)),
    ):
        journal.order(asked_for(name), None)
        for status in events:
            journal.event(200, name, "Event", status)
    books = books_of_session(journal, [BTC], Anchor(D(100), 0), {}, since_ms=0)
    assert [books.orders[name].is_answered for name in ("h1", "h2", "h3", "h4")] == [False, False, True, True]


def test_orders_of_others_are_counted_where_that_is_configured() -> None:
    account = Account(NOW, open_orders=(STRANGER,))
    assert found(Books(), account, replace(EXPECTED, foreign="count")) == []
    assert len(found(Books(), account)) == 1


def test_an_adopted_position_is_no_trade_of_the_venue_and_a_cent_is_no_difference() -> None:
    adopted = trade("adopted-BTCUSDT", "0.010", "0")
    books = replace(BOOKS, trades={adopted.key: adopted, FILL.key: FILL})
    assert found(books, replace(ACCOUNT, wallet=D("9999.17"))) == []
    assert [one.kind for one in found(books, replace(ACCOUNT, wallet=D("9999.18")))] == [Kind.WALLET]


@pytest.mark.req("L-7")
def test_only_money_goes_on_with_open_entries() -> None:
    assert {kind for kind in Kind if not Difference(kind, "", "", "", "", "").shuts} == {
        Kind.INCOME_MISSING, Kind.INCOME_EXTRA, Kind.INCOME_DIFFERS, Kind.WALLET,
    }  # fmt: skip


@pytest.mark.req("L-7")
def test_a_difference_counts_when_two_looks_two_seconds_apart_have_seen_the_same() -> None:
    def off(journal: str, venue: str) -> list[Difference]:
        return found(replace(BOOKS, net={"BTCUSDT": D(journal)}), replace(ACCOUNT, positions={"BTCUSDT": D(venue)}))

    confirming = Confirming()
    assert confirming.take(off("0.010", "0.012"), 100.0) == []
    assert confirming.take(off("0.010", "0.012"), 101.9) == []
    (one,) = confirming.take(off("0.014", "0.016"), 102.0)  # traded on, still 0.002 apart
    assert (one.journal, one.venue) == ("0.014", "0.016")
    assert confirming.take(off("0.010", "0.010"), 103.0) == []  # it has arrived
    assert confirming.take(off("0.010", "0.012"), 105.0) == []  # another one: counted anew
    assert confirming.take(off("0.010", "0.011"), 107.5) == []  # something else travels
    assert confirming.doubts
