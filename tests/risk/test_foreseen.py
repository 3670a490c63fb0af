"""A book that knows its messages ahead shows exactly what has been delivered."""

from __future__ import annotations

from pathlib import Path

import pytest
from nautilus_trader.model import InstrumentId, OrderBookDeltas

from catalog.sample.generate import generate
from catalog.sample.spec import SampleSpec
from catalog.store import Catalog, Kind
from catalog.stretch import Chunk
from risk.books import Books

ID = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")


@pytest.fixture(scope="module")
def chunks(tmp_path_factory: pytest.TempPathFactory) -> list[Chunk]:
    """Two generated minutes in small chunks."""
    folder: Path = tmp_path_factory.mktemp("foreseen") / "catalog"
    generate(SampleSpec(seed=5, minutes=2, funding_at_minute=None), folder)
    found = list(
        Catalog(folder).chunks([str(ID)], None, kinds=frozenset({Kind.DELTAS}), max_events=2_000, foresee=True)
    )
    assert len(found) > 3
    return found


def messages(chunk: Chunk) -> list[OrderBookDeltas]:
    return [event for event in chunk if type(event) is OrderBookDeltas]


def same(ahead: Books, real: Books) -> bool:
    top = real.top(ID)
    best = (top.bid, top.ask) if top is not None else (0.0, 0.0)
    return ahead.top(ID) == top and all(
        ahead.displayed(ID, is_bid, price) == real.displayed(ID, is_bid, price)
        for is_bid, price in ((True, best[0]), (True, best[0] - 1.0), (False, best[1]), (False, best[1] + 1.0))
    )


def test_top_and_displayed_sizes_are_those_of_an_applied_book_after_every_message(chunks: list[Chunk]) -> None:
    ahead, real = Books(), Books()
    for chunk in chunks:
        ahead.preload(chunk.stretches)
        for deltas in messages(chunk):
            for books in (ahead, real):
                books.apply_deltas(deltas, "strategy")
                books.apply_deltas(deltas, books)
            assert same(ahead, real)
    assert ahead.series()[ID] == real.series()[ID]


def test_a_preloaded_book_shows_nothing_that_has_not_been_delivered(chunks: list[Chunk]) -> None:
    books = Books()
    books.preload(chunks[0].stretches)
    assert books.top(ID) is None
    assert books.displayed(ID, True, chunks[0].stretches[0].bid[0]) == 0.0
    books.apply_deltas(messages(chunks[0])[0], "strategy")
    top, stretch = books.top(ID), chunks[0].stretches[0]
    assert top is not None
    assert top.ts_ns == stretch.ts_ns[0]
    assert len(books.series()[ID].ts_ns) == 1


def test_a_real_book_that_is_asked_for_late_holds_all_that_was_delivered_and_stays_live(chunks: list[Chunk]) -> None:
    ahead, real = Books(record=False), Books(record=False)
    kept = None
    for number, chunk in enumerate(chunks):
        ahead.preload(chunk.stretches)
        for row, deltas in enumerate(messages(chunk)):
            ahead.apply_deltas(deltas, "strategy")
            real.apply_deltas(deltas, "strategy")
            if (number, row) == (2, 7):
                kept = ahead.book(ID)  # in the middle of the third chunk, and held from then on
            if kept is not None and row % 20 == 0:
                other = real.book(ID)
                assert other is not None
                for side in ("bids", "asks"):
                    levels = [(str(x.price), x.size()) for x in getattr(kept, side)(20)]
                    assert levels == [(str(x.price), x.size()) for x in getattr(other, side)(20)]


def test_an_unexpected_message_ends_the_foresight_and_the_book_goes_on_as_applied(chunks: list[Chunk]) -> None:
    ahead, real = Books(), Books()
    for number, chunk in enumerate(chunks):
        ahead.preload(chunk.stretches)
        for row, deltas in enumerate(messages(chunk)):
            if (number, row) == (1, 4):
                continue  # lost on the way: neither book is given it
            ahead.apply_deltas(deltas, "strategy")
            real.apply_deltas(deltas, "strategy")
            assert same(ahead, real)
    assert ahead.series()[ID] == real.series()[ID]


def test_a_stretch_that_did_not_happen_completely_is_not_built_upon(chunks: list[Chunk]) -> None:
    ahead, real = Books(), Books()
    for chunk in chunks[:3]:
        ahead.preload(chunk.stretches)
        for deltas in messages(chunk)[: -1 if chunk is chunks[0] else None]:
            ahead.apply_deltas(deltas, "strategy")
            real.apply_deltas(deltas, "strategy")
        assert same(ahead, real)
    assert ahead.series()[ID] == real.series()[ID]
