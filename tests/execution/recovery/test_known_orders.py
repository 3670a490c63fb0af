"""Tables 4 and 6 of recovery, one test per row, named by it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution.recovery.actions import BookTrade, Cancel, Keep, Ready, Refuse, Reopen, Settle, Wait
from execution.recovery.model import DAY_MS, Accepted
from execution.recovery.rows import Row
from tests.execution.recovery.scene import (
    BTC,
    ID,
    NOW,
    SIGNED,
    journal,
    only,
    order,
    planned,
    row,
    rows_of,
    trade,
    venue,
)

D = Decimal


# Table 4 -----------------------------------------------------------------------------------------------------------------


def test_4_pending_cancel_open_is_deleted_again_by_the_venues_number() -> None:
    half = trade("0.4")
    actions = planned(journal(row("PENDING_CANCEL")), venue(order("PARTIALLY_FILLED", "0.4"), trades=[half]))
    cancel = only(actions, Cancel)
    assert (cancel.row, cancel.order.number, cancel.client_order_id) == (Row.PENDING_CANCEL_OPEN, 7, ID)
    assert only(actions, BookTrade).trade == half
    assert not [one for one in actions if isinstance(one, Settle)]


@pytest.mark.parametrize(("told", "end"), [("CANCELED", "CANCELED"), ("EXPIRED", "EXPIRED")])
def test_4_pending_cancel_ended_books_and_takes_the_venues_quantity(told: str, end: str) -> None:
    actions = planned(journal(row("PENDING_CANCEL")), venue(order(told, "0.4"), trades=[trade("0.4")]))
    settle = only(actions, Settle)
    assert (settle.row, settle.status, settle.filled) == (Row.PENDING_CANCEL_ENDED, end, D("0.4"))
    assert only(actions, BookTrade).row is Row.TRADE_OF_ORDER


def test_4_pending_cancel_filled_books_and_counts_the_position_at_once() -> None:
    actions = planned(journal(row("PENDING_CANCEL")), venue(order("FILLED", "1"), trades=[trade("1")]))
    assert rows_of(actions) == [Row.TRADE_OF_ORDER, Row.PENDING_CANCEL_FILLED, Row.ADOPTED]
    assert only(actions, Keep).quantity == D(1)


def test_4_a_refused_delete_proves_nothing_and_the_query_decides() -> None:
    """-2011 stands in the journal's cancels and in no input of the plan: not found before the fence is a wait all the same."""
    young = row("PENDING_CANCEL", signed_ms=NOW - 4_000)
    actions = planned(journal(young), venue(absent_since_ms={}))
    assert rows_of(actions) == [Row.BEFORE_FENCE]


def test_4_local_cancel_open_is_a_false_terminal() -> None:
    actions = planned(journal(row("CANCELED")), venue(order("NEW")))
    assert rows_of(actions) == [Row.LOCAL_CANCEL_OPEN, Row.LOCAL_CANCEL_OPEN]
    reopen, cancel = actions
    assert isinstance(reopen, Reopen)
    assert (reopen.status, reopen.alert) == ("UNKNOWN", True)
    assert isinstance(cancel, Cancel)


# Table 6 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.req("O-4", "O-6")
@pytest.mark.parametrize("status", ["NEW", "UNKNOWN"])
def test_6_before_fence_not_found_waits_until_the_fence_is_over(status: str) -> None:
    young = row(status, signed_ms=NOW - 9_999)
    wait = only(planned(journal(young), venue(absent_since_ms={})), Wait)
    assert (wait.row, wait.until_ms) == (Row.BEFORE_FENCE, NOW - 9_999 + 10_000)  # 5 s window, 1 s clock, 4 s slack
    assert planned(journal(young), venue(absent_since_ms={}), slack_ms=3_000) != [wait]


@pytest.mark.parametrize(("told", "filled"), [("NEW", "0"), ("PARTIALLY_FILLED", "0.4")])
def test_6_prepared_open_books_and_cancels(told: str, filled: str) -> None:
    trades = [trade(filled)] if filled != "0" else []
    actions = planned(journal(row("UNKNOWN")), venue(order(told, filled), trades=trades))
    assert only(actions, Cancel).row is Row.PREPARED_OPEN
    assert len(actions) == 1 + len(trades)


def test_6_prepared_filled_pages_trades_until_their_sum_is_what_was_executed() -> None:
    part = planned(journal(row()), venue(order("FILLED", "1"), trades=[trade("0.4")]))
    assert rows_of(part) == [Row.TRADE_OF_ORDER, Row.TRADES_MISSING]
    whole = planned(journal(row()), venue(order("FILLED", "1"), trades=[trade("0.4"), trade("0.6", 101)]))
    assert rows_of(whole)[:3] == [Row.TRADE_OF_ORDER, Row.TRADE_OF_ORDER, Row.PREPARED_FILLED]
    assert only(whole, Settle).status == "FILLED"


@pytest.mark.parametrize(
    ("told", "end"), [("CANCELED", "CANCELED"), ("EXPIRED", "EXPIRED"), ("EXPIRED_IN_MATCH", "EXPIRED")]
)
def test_6_prepared_ended_empty_ends_the_same(told: str, end: str) -> None:
    settle = only(planned(journal(row()), venue(order(told))), Settle)
    assert (settle.row, settle.status, settle.filled) == (Row.PREPARED_ENDED_EMPTY, end, D(0))


def test_6_prepared_ended_with_fills_ends_the_same_with_fills() -> None:
    actions = planned(journal(row()), venue(order("EXPIRED", "0.4"), trades=[trade("0.4")]))
    settle = only(actions, Settle)
    assert (settle.row, settle.status, settle.filled) == (Row.PREPARED_ENDED_WITH_FILLS, "EXPIRED", D("0.4"))


@pytest.mark.req("O-4", "O-6")
def test_6_absent_with_the_equation_holding_is_not_executed() -> None:
    settle = only(planned(journal(row()), venue()), Settle)
    assert (settle.row, settle.status, settle.filled) == (Row.ABSENT, "NOT_EXECUTED", D(0))


@pytest.mark.req("O-4")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"absent_since_ms": {}}, Row.ABSENT_SEEN_ONCE),
        ({"absent_since_ms": {ID: NOW - 1_999}}, Row.ABSENT_SEEN_ONCE),
        ({"asked": {}}, Row.QUERY_FAILED),
        ({"asked": {ID: "failed"}}, Row.QUERY_FAILED),
        ({"trades_from_ms": {BTC: SIGNED - 999}}, Row.TRADES_MISSING),
        ({"trades_from_ms": {}}, Row.TRADES_MISSING),
    ],
)
def test_6_absent_needs_both_answers_the_trades_and_two_looks_two_seconds_apart(
    changes: dict[str, Any], expected: Row
) -> None:
    assert rows_of(planned(journal(row()), venue(**changes))) == [expected]


@pytest.mark.req("O-6")
def test_6_absent_but_broken_refuses_and_names_the_command_that_accepts() -> None:
    seen = venue(positions={BTC: D("0.25")})
    actions = planned(journal(row()), seen)
    assert rows_of(actions) == [Row.ABSENT_BUT_BROKEN, Row.DIFFERS]
    refuse = actions[0]
    assert isinstance(refuse, Refuse)
    assert refuse.command == 'python -m runners.recover --account demo --accept BTCUSDT=0.25 --reason "…"'
    assert "+0.25" in refuse.why
    torn = planned(journal(row()), replace(seen, same_since_ms=None))  # a fill between two questions: looked at again
    assert rows_of(torn) == [Row.NOT_QUIESCENT]


def test_6_a_trade_is_resolved_to_its_order_before_anything_is_concluded() -> None:
    asked = venue(trades=[trade("0.3")])
    assert Row.TRADE_WITHOUT_ORDER in rows_of(planned(journal(row()), asked))
    nobody = replace(asked, unknown_numbers=frozenset({(BTC, 7)}))
    refuse = next(one for one in planned(journal(row()), nobody) if one.row is Row.DIFFERS)
    assert "candidate trades: 100 BUY 0.3 at 60000" in refuse.why
    found = venue(order("CANCELED", "0.3"), trades=[trade("0.3")])
    assert rows_of(planned(journal(row()), found))[:2] == [Row.TRADE_OF_ORDER, Row.PREPARED_ENDED_WITH_FILLS]


def aged(days: int, **changes: Any) -> Any:
    """A row of some days ago; everything else is as old as it must be."""
    then = NOW - days * DAY_MS - 1
    return journal(row(signed_ms=then, **changes), began_ms=then - 10_000, last_signed_ms=then)


@pytest.mark.parametrize("acknowledged", [False, True])
def test_6_older_than_3_days_without_a_trade_is_forgotten(acknowledged: bool) -> None:
    settle = only(planned(aged(3, acknowledged=acknowledged), venue()), Settle)
    assert (settle.row, settle.status) == (Row.OLD_NO_TRADE, "FORGOTTEN_NO_FILL")


@pytest.mark.parametrize(("quantity", "end"), [("1", "FILLED"), ("0.4", "CANCELED")])
def test_6_older_than_3_days_with_trades_is_booked_by_the_venues_number(quantity: str, end: str) -> None:
    seen = replace(venue(trades=[trade(quantity)]), absent_since_ms={ID: NOW - 10_000})
    actions = planned(aged(4, venue_order_id=7, acknowledged=True), seen)
    assert rows_of(actions)[:2] == [Row.OLD_TRADED, Row.OLD_TRADED]
    assert (only(actions, Settle).status, only(actions, Settle).filled) == (end, D(quantity))


def test_6_older_than_90_days_refuses_until_a_person_accepts() -> None:
    known = aged(90)
    refuse = only(planned(known, venue()), Refuse)
    assert (refuse.row, "--accept BTCUSDT=0" in refuse.command) == (Row.TOO_OLD, True)
    accepted = {BTC: Accepted(D(0), "cleaned up by hand")}
    settle = only(planned(known, venue(), accepted=accepted), Settle)
    assert (settle.row, settle.status) == (Row.ACCEPTED, "FORGOTTEN_NO_FILL")
    assert "cleaned up by hand" in settle.why


def test_6_fills_whose_trades_are_older_than_90_days_refuse_too() -> None:
    known, long_ago = aged(100), NOW - 95 * DAY_MS
    seen = venue(order("FILLED", "1", created_ms=long_ago, updated_ms=long_ago), positions={BTC: D(1)})
    assert rows_of(planned(known, seen)) == [Row.TOO_OLD, Row.DIFFERS]


def test_6_query_failed_asks_again_and_is_not_ready() -> None:
    actions = planned(journal(row("ACK", acknowledged=True)), venue(asked={ID: "failed"}))
    wait = only(actions, Wait)
    assert (wait.row, wait.until_ms) == (Row.QUERY_FAILED, NOW + 500)
    assert not [one for one in actions if isinstance(one, Ready)]


@pytest.mark.parametrize("status", ["ACK", "PARTIALLY_FILLED"])
def test_6_acked_open_and_ended_go_as_the_venue_has_it(status: str) -> None:
    filled = D("0.4") if status == "PARTIALLY_FILLED" else D(0)
    known = row(status, acknowledged=True, filled=filled)
    net = journal(known, nets={BTC: filled})
    still = planned(net, venue(order("NEW", f"{filled}"), positions={BTC: filled}))
    assert only(still, Cancel).row is Row.ACKED_OPEN
    over = planned(net, venue(order("CANCELED", f"{filled}"), positions={BTC: filled}))
    assert (only(over, Settle).row, only(over, Settle).status) == (Row.ACKED_ENDED, "CANCELED")


@pytest.mark.req("O-6")
def test_6_acked_absent_within_3_days_cannot_be_and_names_the_suspicion() -> None:
    refuse = only(planned(journal(row("ACK", acknowledged=True, venue_order_id=7)), venue()), Refuse)
    assert refuse.row is Row.ACKED_ABSENT
    assert "wrong key, a wrong environment or a reset of the testnet" in refuse.why


@pytest.mark.req("O-6")
@pytest.mark.parametrize("status", ["REJECTED", "NOT_EXECUTED", "EXPIRED"])
def test_6_false_terminal_is_reopened_cancelled_and_told(status: str) -> None:
    actions = planned(journal(row(status)), venue(order("NEW")))
    assert rows_of(actions) == [Row.FALSE_TERMINAL, Row.FALSE_TERMINAL]
    assert actions[0].alert


@pytest.mark.req("O-6")
@pytest.mark.parametrize("status", ["CANCELED", "REJECTED", "NOT_EXECUTED"])
def test_6_late_fill_is_booked_told_and_counted_in_the_position(status: str) -> None:
    actions = planned(journal(row(status)), venue(order("FILLED", "1"), trades=[trade("1")]))
    book = only(actions, BookTrade)
    assert (book.row, book.alert, book.strategy_id) == (Row.LATE_FILL, True, "s1")
    assert only(actions, Keep).row is Row.ADOPTED


def test_6_ended_otherwise_a_reject_that_was_cancelled_after_a_part_ends_as_the_venue_has_it() -> None:
    actions = planned(journal(row("REJECTED")), venue(order("CANCELED", "0.4"), trades=[trade("0.4")]))
    settle = only(actions, Settle)
    assert (settle.row, settle.status, settle.reopens) == (Row.ENDED_OTHERWISE, "CANCELED", True)


@pytest.mark.req("O-6")
@pytest.mark.parametrize("told", ["FILLED", "CANCELED", "PARTIALLY_FILLED"])
def test_6_booked_more_than_executed_refuses(told: str) -> None:
    known = journal(row("FILLED", filled=D(1)), nets={BTC: D(1)})
    refuse = next(one for one in planned(known, venue(order(told, "0.6"), positions={BTC: D("0.6")})))
    assert isinstance(refuse, Refuse)
    assert refuse.row is Row.BOOKED_MORE
    assert "the journal has 1 filled, the venue executed 0.6" in refuse.why


def test_6_two_orders_under_one_id_refuse() -> None:
    refuse = only(planned(journal(row()), venue(order("FILLED", "0"), order("CANCELED", number=8))), Refuse)
    assert refuse.row is Row.TWO_UNDER_ONE_ID
    assert "orders 7, 8" in refuse.why


@pytest.mark.req("O-10", "X-4")
@pytest.mark.parametrize(
    ("positions", "then"), [("adopt", Row.ADOPTED), ("refuse", Row.HELD_REFUSED), ("close", Row.CLOSED)]
)
def test_6_no_policy_takes_the_stop_of_a_position_that_is_still_open(positions: str, then: Row) -> None:
    known = journal(row("ACK", is_algo=True, acknowledged=True, quantity=D(0), side="SELL"), nets={BTC: D(1)})
    stop = order("NEW", is_algo=True, protects=True, quantity=D(0), side="SELL")
    actions = planned(known, venue(stop, positions={BTC: D(1)}), positions=positions)
    assert rows_of(actions)[:2] == [Row.PROTECTIVE_STOP, then]
    assert not [one for one in actions if isinstance(one, Cancel)]


def test_6_a_protective_stop_of_an_open_position_stays_and_that_of_none_goes() -> None:
    known = journal(row("ACK", is_algo=True, acknowledged=True, quantity=D(0), side="SELL"), nets={BTC: D(1)})
    stop = order("NEW", is_algo=True, protects=True, quantity=D(0), side="SELL")
    kept = planned(known, venue(stop, positions={BTC: D(1)}))
    assert rows_of(kept) == [Row.PROTECTIVE_STOP, Row.ADOPTED, Row.READY]
    assert only(planned(replace(known, nets={}), venue(stop)), Cancel).order.is_algo


def test_a_trade_of_a_row_that_is_booked_already_is_not_booked_again() -> None:
    known = journal(row("FILLED", filled=D(1)), nets={BTC: D(1)}, trades=frozenset({(BTC, 100)}))
    actions = planned(known, venue(order("FILLED", "1"), trades=[trade("1")]))
    assert rows_of(actions) == [Row.ADOPTED, Row.READY]
