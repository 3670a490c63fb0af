"""The book computed ahead against a book to which every message is applied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nautilus_trader.model import BookType, InstrumentId, OrderBook, OrderBookDeltas, OrderSide, Price

from catalog.recording.ingest import ingest_recording
from catalog.sample.generate import generate
from catalog.sample.spec import SampleSpec
from catalog.store import Catalog, Kind, Period
from catalog.stretch import Chunk, Foresight, Stretch
from catalog.tables import Action, BookSide, Precision, deltas_table

ID = "BTCUSDT-PERP.BINANCE"
KINDS = frozenset({Kind.DELTAS, Kind.TRADES})
STEPS = (0, 1, 5, 30, 100, 400)  # ticks from the best price at which the displayed size is compared


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, usdm_recording: Path) -> Catalog:
    """The recorded day."""
    folder = tmp_path_factory.mktemp("recording") / "catalog"
    ingest_recording(usdm_recording, market="usdm", symbol="BTCUSDT", catalog=folder)
    return Catalog(folder)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Three generated minutes."""
    folder = tmp_path_factory.mktemp("sample") / "catalog"
    generate(SampleSpec(seed=11, minutes=3, funding_at_minute=None), folder)
    return Catalog(folder)


def top_of(book: OrderBook) -> tuple[float, float, float, float] | None:
    """Best levels as `risk.books` reads them off a real book."""
    bid, ask = book.best_bid_price(), book.best_ask_price()
    if bid is None or ask is None:
        return None
    digits = bid.precision
    return (
        round(float(bid), digits),
        float(book.best_bid_size() or 0),
        round(float(ask), digits),
        float(book.best_ask_size() or 0),
    )


def compare(chunks: Iterator[Chunk]) -> int:
    """Apply every message to a real book, and to one that opens with each stretch; return how many there were."""
    real, seen = OrderBook(InstrumentId.from_str(ID), BookType.L2_MBP), 0
    for chunk in chunks:
        for stretch in chunk.stretches:
            opened = OrderBook(InstrumentId.from_str(ID), BookType.L2_MBP)
            opened.apply_deltas(stretch.opening())
            messages = [event for event in chunk if type(event) is OrderBookDeltas]
            assert len(messages) == len(stretch)
            for row, deltas in enumerate(messages):
                real.apply_deltas(deltas)
                opened.apply_deltas(deltas)
                expect_same(stretch, row, deltas, real)
                assert top_of(opened) == top_of(real)
            seen += len(stretch)
    return seen


def expect_same(stretch: Stretch, row: int, deltas: OrderBookDeltas, real: OrderBook) -> None:
    """Compare top, identity and, now and then, displayed sizes."""
    top = top_of(real)
    assert (stretch.ts_ns[row], stretch.sequence[row]) == (deltas.ts_init, deltas.sequence)
    assert stretch.valid[row] == (top is not None)
    if top is None:
        return
    assert (stretch.bid[row], stretch.bid_size[row], stretch.ask[row], stretch.ask_size[row]) == top
    if row % 97 == 0:
        for is_bid, best, taker in ((True, top[0], OrderSide.SELL), (False, top[2], OrderSide.BUY)):
            for step in STEPS:
                price = round(best + (-step if is_bid else step) * 0.1, 1)
                shown = float(real.get_quantity_at_level(Price(price, 1), taker, 8))
                assert stretch.displayed(row + 1, is_bid, price) == shown


@pytest.mark.parametrize("size", [200_000, 7_000])
def test_tops_and_sizes_of_the_recording_are_those_of_a_real_book(recording: Catalog, size: int) -> None:
    assert compare(recording.chunks([ID], None, kinds=KINDS, max_events=size, foresee=True)) == 6_548


def test_so_they_are_from_a_start_inside_a_partition(recording: Catalog) -> None:
    covered = recording.coverage(ID)
    period = Period(covered.start_ns + 100_000_000_000, covered.end_ns - 100_000_000_000)
    assert compare(recording.chunks([ID], period, kinds=KINDS, max_events=9_000, foresee=True)) > 2_000


def test_and_so_they_are_on_a_generated_market(sample: Catalog) -> None:
    assert compare(sample.chunks([ID], None, kinds=KINDS, max_events=3_000, foresee=True)) > 1_000


def test_nothing_is_computed_unless_asked(sample: Catalog) -> None:
    assert all(chunk.stretches == () and chunk.prints is None for chunk in sample.chunks([ID], None, kinds=KINDS))


def test_messages_that_the_arithmetic_does_not_cover_end_the_foresight() -> None:
    foresight = Foresight(ID, Precision(1, 3))
    kept = np.array([Action.ADD, Action.DELETE], np.int8)  # a deletion that still states its size: not ours
    table = deltas_table(
        Precision(1, 3), action=kept, side=np.full(2, BookSide.BUY, np.int8), price=np.array([1000, 1000]),
        size=np.array([5, 5]), flags=np.array([128, 128], np.uint8), sequence=np.array([1, 2]),
        ts_event=np.array([1, 2]), ts_init=np.array([1, 2]),
    )  # fmt: skip
    assert foresight.stretch([object(), object()], table) is None
    assert foresight.stretch([object()], table.slice(0, 1)) is None  # the book is not known any more
    assert Foresight(ID, Precision(1, 3)).stretch([object()], table.slice(0, 1)) is not None
