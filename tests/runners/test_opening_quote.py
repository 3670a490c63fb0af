"""A market order is accepted before the first trade: the host opens each book with one quote."""

from __future__ import annotations

from runners.opening_quote import OpeningQuotes, top_quote
from tests.engine import book


def test_the_first_message_of_a_book_gives_its_top_as_a_quote() -> None:
    quote = top_quote(book(1, [(99.9, 2.0), (100.0, 5.0)], [(100.1, 1.0), (100.3, 4.0)], snapshot=True))
    assert quote is not None
    assert [str(value) for value in (quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size)] == [
        "100.0", "5.000", "100.1", "1.000",
    ]  # fmt: skip
    assert quote.ts_init == 1_000_000


def test_a_message_with_one_side_only_gives_none() -> None:
    assert top_quote(book(1, [(99.9, 2.0)], snapshot=True)) is None


def test_each_book_is_opened_once_however_the_data_is_chunked() -> None:
    first = book(1, [(100.0, 5.0)], [(100.1, 1.0)], snapshot=True)
    later = book(2, [(100.0, 6.0)], [(100.1, 2.0)], snapshot=True)
    opening = OpeningQuotes([first.instrument_id])
    assert len(opening.of([first, later])) == 1
    assert opening.of([later]) == []


def test_a_book_whose_first_message_has_one_side_is_opened_by_a_later_one() -> None:
    half, whole = book(1, [(100.0, 5.0)], snapshot=True), book(2, [(100.0, 6.0)], [(100.1, 2.0)], snapshot=True)
    opening = OpeningQuotes([half.instrument_id])
    assert opening.of([half]) == []
    assert [str(quote.ask_price) for quote in opening.of([whole, whole])] == ["100.1"]
