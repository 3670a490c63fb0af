"""One book per instrument: who applies a batch, what makes the top, and what is displayed at a price."""

from __future__ import annotations

from risk.books import Books, Top
from tests.engine import IID, book, opening, quote

KEEPER = object()


def test_the_first_that_is_called_applies_each_batch_and_a_second_call_changes_nothing() -> None:
    books = Books()
    batch = opening(1000)
    for caller in ("a", "b"):
        books.apply_deltas(batch, caller)
    books.apply_deltas(batch, KEEPER)
    assert books.top(IID) == Top(100.0, 5.0, 100.1, 1.0, 1_000_000_000)
    assert len(books.series()[IID].ts_ns) == 1


def test_a_strategy_that_subscribes_late_sees_the_book_after_its_batch() -> None:
    books = Books()
    books.apply_deltas(opening(1000), KEEPER)
    batch = book(1100, [(100.0, 9)])
    books.apply_deltas(batch, "late")
    top = books.top(IID)
    assert top is not None
    assert top.bid_size == 9.0
    books.apply_deltas(batch, KEEPER)
    assert len(books.series()[IID].ts_ns) == 2


def test_the_keeper_applies_when_a_strategy_no_longer_sees_events() -> None:
    books = Books()
    books.apply_deltas(opening(1000), "gone")
    books.apply_deltas(opening(1000), KEEPER)
    for ms, size in ((1100, 6.0), (1200, 7.0)):
        books.apply_deltas(book(ms, [(100.0, size)]), KEEPER)
        top = books.top(IID)
        assert top is not None
        assert top.bid_size == size


def test_depth_makes_the_top_and_a_lagging_quote_does_not() -> None:
    books = Books()
    books.apply_deltas(opening(1000), "a")
    books.apply_quote(quote(1001, 99.0, 99.1), "a")
    top = books.top(IID)
    assert top is not None
    assert top.bid == 100.0


def test_quotes_make_the_top_where_there_is_no_depth() -> None:
    books = Books(from_quotes=True)
    books.apply_quote(quote(1000, 99.0, 99.1, 3), "a")
    books.apply_deltas(opening(1001), "a")
    assert books.top(IID) == Top(99.0, 3.0, 99.1, 3.0, 1_000_000_000)
    assert books.displayed(IID, is_bid=True, price=99.0) == 3.0
    assert books.displayed(IID, is_bid=True, price=98.9) == 0.0


def test_displayed_size_at_best_deeper_missing_and_unknown() -> None:
    books = Books()
    assert books.displayed(IID, is_bid=True, price=100.0) == 0.0
    books.apply_deltas(opening(1000), "a")
    assert [books.displayed(IID, is_bid=True, price=p) for p in (100.0, 99.9, 99.8, 100.1)] == [5.0, 7.0, 0.0, 0.0]
    assert [books.displayed(IID, is_bid=False, price=p) for p in (100.1, 100.3, 100.4)] == [1.0, 2.0, 0.0]


def test_a_cleared_book_has_no_top() -> None:
    books = Books()
    books.apply_deltas(opening(1000), "a")
    books.apply_deltas(book(1100, [(100.0, 5)], snapshot=True), "a")
    assert books.top(IID) is None


def test_a_message_that_leaves_the_top_alone_makes_no_row() -> None:
    books = Books()
    books.apply_deltas(opening(1000), "a")
    books.apply_deltas(book(1100, [(90.0, 5)]), "a")
    assert books.series()[IID].ts_ns == [1_000_000_000]
    assert Books(record=False).series() == {}


def test_whoever_is_called_first_applies_each_message_once_in_any_order_of_calls() -> None:
    books = Books()
    callers = ["a", "b", KEEPER]
    first = [[books.apply_deltas(book(1000 + k, [(100.0, 1.0 + k)]), who) is not None for who in order]
             for k, order in enumerate((callers, callers[::-1], [callers[1], callers[2], callers[0]]))]  # fmt: skip
    assert first == [[True, False, False]] * 3


def test_two_messages_of_one_instant_and_number_are_both_applied() -> None:
    books = Books()
    calls = [books.apply_deltas(book(1000, [(100.0, size)]), who) for size in (1.0, 2.0) for who in ("a", "b")]
    assert [call is not None for call in calls] == [True, False, True, False]
