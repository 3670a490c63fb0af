"""The heat map's book, read back through a catalog."""

from __future__ import annotations

from pathlib import Path

import pytest
from nautilus_trader.model import (
    BookAction,
    BookOrder,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
)

from catalog.sample import INSTRUMENT_ID, SampleSpec, ensure_sample
from catalog.store import Catalog
from errors import CatalogMissing
from monitoring.report import load, summarise, write_html
from monitoring.report.book_grid import LevelChange
from monitoring.report.book_source import level_changes, read_levels
from tests.monitoring.build_run import SECOND, Scene, fill, quote

F_LAST = 128


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_sample(SampleSpec(seed=3, minutes=2), tmp_path_factory.mktemp("samples"))


def delta(action: BookAction, side: OrderSide, price: str, size: str) -> OrderBookDelta:
    order = BookOrder(side, Price.from_str(price), Quantity.from_str(size), 0)
    return OrderBookDelta(InstrumentId.from_str(INSTRUMENT_ID), action, order, F_LAST, 1, 5, 7)


def test_venue_messages_become_level_changes() -> None:
    deltas = [
        OrderBookDelta.clear(InstrumentId.from_str(INSTRUMENT_ID), 1, 5, 7),
        delta(BookAction.ADD, OrderSide.BUY, "100.5", "2.0"),
        delta(BookAction.UPDATE, OrderSide.SELL, "101.0", "3.5"),
        delta(BookAction.DELETE, OrderSide.BUY, "100.5", "0.0"),
    ]
    assert list(level_changes([OrderBookDeltas(InstrumentId.from_str(INSTRUMENT_ID), deltas)])) == [
        LevelChange(7, True, 0.0, 0.0, clear=True),
        LevelChange(7, True, 100.5, 2.0),
        LevelChange(7, False, 101.0, 3.5),
        LevelChange(7, True, 100.5, 0.0),
    ]


def test_a_window_begins_with_the_whole_book_of_that_instant(sample: Path) -> None:
    start = Catalog(sample).coverage(INSTRUMENT_ID).start_ns + 60 * SECOND
    changes = list(read_levels(sample, INSTRUMENT_ID, start, start + 10 * SECOND))
    assert (changes[0].clear, changes[0].ts_ns) == (True, start)
    opening = [change for change in changes[1:] if change.ts_ns == start and change.size > 0]
    best_bid, best_ask = (f(c.price for c in opening if c.is_bid is bid) for f, bid in ((max, True), (min, False)))
    assert 0 < best_ask - best_bid < 50
    assert changes[-1].ts_ns <= start + 10 * SECOND


def test_a_missing_catalog_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogMissing):
        list(read_levels(tmp_path / "none", INSTRUMENT_ID, 0, 1))


@pytest.mark.req("B-5")
def test_page_draws_the_book_from_the_catalog_that_the_manifest_names(sample: Path, tmp_path: Path) -> None:
    begin = Catalog(sample).coverage(INSTRUMENT_ID).start_ns
    bid = next(c.price for c in read_levels(sample, INSTRUMENT_ID, begin, begin + SECOND) if c.is_bid and c.size)
    rows = [quote(t, bid, bid + 1.0) | {"ts_ns": begin + t * SECOND} for t in (0, 110)]
    bought = fill(0, "BUY", "0.1", f"{bid:.1f}") | {"ts_ns": begin + 30 * SECOND}
    run_dir = Scene(quotes=rows, fills=[bought], manifest={"catalog": str(sample)}).write(tmp_path)
    text = write_html(run_dir, summarise(load(run_dir))).read_text(encoding="utf-8")
    assert f'data-figure="book-{INSTRUMENT_ID}"' in text
