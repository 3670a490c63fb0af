"""Table 7 of recovery, one test per row, named by it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from execution.recovery.actions import BookTrade, Cancel, Keep, Latch, Rebuild, Refuse, SplitBrain, Wait
from execution.recovery.model import JournalState
from execution.recovery.own_ids import OwnId, read_id
from execution.recovery.rows import Row
from execution.recovery.strangers import ROLLBACK
from execution.recovery.trades import EXTERNAL, RECOVERED
from tests.execution.recovery.scene import (
    BTC,
    ID,
    NOW,
    STARTED,
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
TAIL = "h1k7q2mz000009"  # the journal's last sequence is 5
OTHER = "h1zzzzzz000001"


def test_an_id_is_read_back() -> None:
    assert read_id("x-aHRE4BCj-R" + TAIL) == OwnId("k7q2mz", 9)
    assert read_id("x-aHRE4BCj-Rh1hello") == OwnId("", 0)
    assert read_id("x-aHRE4BCj-Rh1k7q2mz00000i") == OwnId("", 0)  # i is no digit


@pytest.mark.req("O-6")
def test_7_journal_lost_its_tail_rebuilds_cancels_and_latches() -> None:
    actions = planned(journal(), venue(order("NEW", name=TAIL)))
    assert [type(one) for one in actions] == [Rebuild, Cancel, Latch]
    assert {one.row for one in actions} == {Row.LOST_TAIL}
    assert only(actions, Latch).name == ROLLBACK


def test_7_journal_lost_its_tail_books_the_trades_to_the_rebuilt_row() -> None:
    actions = planned(journal(), venue(order("FILLED", "1", name=TAIL), trades=[trade("1")]))
    book = only(actions, BookTrade)
    assert (book.client_order_id, book.strategy_id, book.row) == (TAIL, RECOVERED, Row.LOST_TAIL)
    assert rows_of(actions).index(Row.LOST_TAIL) == 0  # the row first, then its trade
    assert isinstance(actions[0], Rebuild)


@pytest.mark.req("O-6")
def test_7_journal_replaced_is_seen_twice_unchanged_then_rebuilt_cancelled_and_latched() -> None:
    one = order("NEW", name=OTHER)
    once = planned(journal(), venue(one, unchanged_since_ms={(False, BTC, 7): NOW - 1_999}))
    assert rows_of(once) == [Row.REPLACED_SEEN_ONCE]
    assert isinstance(once[0], Wait)
    twice = planned(journal(), venue(one))
    assert [type(found) for found in twice] == [Rebuild, Cancel, Latch]
    assert {found.row for found in twice} == {Row.REPLACED}


def test_7_left_from_before_the_first_start_is_cancelled_without_a_latch() -> None:
    actions = planned(journal(first_start=True), venue(order("NEW", name=OTHER)))
    assert [(type(one), one.row) for one in actions] == [(Cancel, Row.FIRST_START)]
    over = venue(order("CANCELED", name=OTHER))
    assert rows_of(planned(journal(first_start=True), over)) == [Row.READY]


@pytest.mark.req("O-6", "O-9")
def test_7_split_brain_touches_nothing_else() -> None:
    ours, theirs = order("NEW"), order("NEW", name=OTHER, number=9, created_ms=STARTED, updated_ms=STARTED)
    actions = planned(journal(row("ACK", acknowledged=True)), venue(ours, theirs))
    assert [type(one) for one in actions] == [SplitBrain]
    assert "another node trades this account" in actions[0].why


def test_7_an_orphan_that_the_countdown_cancelled_after_our_start_is_no_split_brain() -> None:
    gone = order("CANCELED", name=OTHER, updated_ms=STARTED + 1)
    assert [type(one) for one in planned(journal(), venue(gone))] == [Rebuild, Latch]


@pytest.mark.req("O-9")
@pytest.mark.parametrize("wire", ["web_1", "x-aHRE4BCj-Rb2k7q2mz000001", "x-someone-else"])
def test_7_foreign_order_refused_or_counted_and_never_cancelled(wire: str) -> None:
    seen = venue(order("NEW", wire_id=wire))
    refuse = only(planned(journal(), seen), Refuse)
    assert (refuse.row, wire in refuse.why) == (Row.FOREIGN_REFUSED, True)
    counted = planned(journal(), seen, foreign="count")
    assert rows_of(counted) == [Row.FOREIGN_COUNTED, Row.READY]
    assert only(counted, Keep).kind == "order"


def test_7_foreign_trade_of_a_person_is_booked_as_external_and_explains_the_position() -> None:
    actions = planned(journal(), venue(order("FILLED", "1", wire_id="web_1"), trades=[trade("1")]))
    book = only(actions, BookTrade)
    assert (book.row, book.strategy_id, book.client_order_id) == (Row.FOREIGN_TRADE, EXTERNAL, "web_1")
    assert only(actions, Keep).row is Row.ADOPTED


@pytest.mark.req("R-13", "O-6")
@pytest.mark.parametrize("prefix", ["autoclose-", "adl_autoclose", "settlement_autoclose-"])
def test_7_forced_close_is_booked_latched_and_told(prefix: str) -> None:
    known = journal(nets={BTC: D(1)})
    sold = trade("1", side="SELL")
    closed = order("FILLED", "1", wire_id=f"{prefix}17", side="SELL")
    actions = planned(known, venue(closed, trades=[sold], positions={}))
    assert rows_of(actions) == [Row.FORCED_CLOSE, Row.FORCED_CLOSE]
    assert only(actions, BookTrade).alert
    assert only(actions, Latch).name == "forced_close"


def test_7_a_liquidation_notice_with_trade_number_zero_is_no_trade() -> None:
    assert rows_of(planned(journal(), venue(trades=[trade("1", 0)], positions={}))) == [Row.READY]


@pytest.mark.parametrize("linked", [True, False], ids=["by number", "by quantity and time"])
def test_7_the_child_of_a_conditional_order_is_its_parents(linked: bool) -> None:
    known = journal(row("ACK", is_algo=True, acknowledged=True))
    algo = order("FINISHED", is_algo=True, number=3, child=7 if linked else None)
    child = order("FILLED", "1", wire_id="whatever")
    actions = planned(known, venue(algo, child, trades=[trade("1")]))
    assert rows_of(actions)[:2] == [Row.ALGO_CHILD, Row.ACKED_ENDED]
    assert only(actions, BookTrade).client_order_id == ID


def test_7_a_conditional_order_that_triggered_waits_for_its_child() -> None:
    known = journal(row("ACK", is_algo=True, acknowledged=True))
    assert rows_of(planned(known, venue(order("TRIGGERED", is_algo=True, child=7)))) == [Row.ALGO_CHILD]


@pytest.mark.parametrize("known", [journal(nets={BTC: D(1)}), journal(nets={BTC: D(1)}, first_start=True)])
def test_7_a_stop_that_protects_what_is_held_stays_also_where_no_journal_knows_it(known: JournalState) -> None:
    name = OTHER if known.first_start else TAIL
    stop = order("NEW", name=name, is_algo=True, protects=True, quantity=D(0), side="SELL")
    actions = planned(known, venue(stop, positions={BTC: D(1)}))
    assert isinstance(actions[0], Rebuild)
    assert not [one for one in actions if isinstance(one, Cancel)]
    wrong_side = venue(order("NEW", name=name, is_algo=True, protects=True, side="BUY"), positions={BTC: D(1)})
    assert [one for one in planned(known, wrong_side) if isinstance(one, Cancel)]


def test_7_a_conditional_order_of_ours_without_a_row_goes_as_a_regular_one() -> None:
    actions = planned(journal(), venue(order("NEW", name=TAIL, is_algo=True)))
    assert [type(one) for one in actions] == [Rebuild, Cancel, Latch]


@pytest.mark.req("O-9", "X-4")
@pytest.mark.parametrize("foreign", ["refuse", "count"])
def test_7_of_an_operator_the_stop_of_a_position_stays_and_what_protects_nothing_goes(foreign: str) -> None:
    """A watchdog that has ended a node leaves a stop under an id of its own: the next start must not ask a person to remove it."""
    left = order("NEW", wire_id="operator-h1zzzzzz000001", is_algo=True, protects=True, quantity=D(0), side="SELL")
    kept = planned(journal(nets={BTC: D(1)}), venue(left, positions={BTC: D(1)}), foreign=foreign)
    assert rows_of(kept) == [Row.OPERATOR, Row.ADOPTED, Row.READY]
    cancel = only(planned(journal(), venue(left), foreign=foreign), Cancel)
    assert (cancel.row, cancel.order, cancel.alert) == (Row.OPERATOR, left, True)


def test_7_a_trade_of_an_operator_is_external_and_told_as_what_it_is() -> None:
    sold = order("FILLED", "1", wire_id="operator-h1zzzzzz000001", side="SELL")
    actions = planned(journal(nets={BTC: D(1)}), venue(sold, trades=[trade("1", side="SELL")], positions={}))
    book = only(actions, BookTrade)
    assert (book.row, book.strategy_id, book.why.endswith("by a watchdog or by hand")) == (
        Row.FOREIGN_TRADE,
        EXTERNAL,
        True,
    )
