"""Reading: order, chunks, periods, and what is missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.kinds import Kind
from catalog.store import Catalog, Period
from catalog.tables import Action, BookSide
from catalog.writer import CatalogWriter
from errors import CatalogMissing, CorruptData, InstrumentMissing, PeriodEmpty
from tests.catalog.samples import (
    BAR_TYPE,
    MIDNIGHT,
    PERP,
    PERP_ID,
    bars,
    book_over_midnight,
    deltas,
    funding,
    marks,
    quotes,
    trades,
)

EVERY = frozenset(Kind)
BOOK = frozenset({Kind.DELTAS})


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    at = MIDNIGHT - 20
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.QUOTES, quotes([at, at + 3, MIDNIGHT + 5]))
        transaction.add(PERP, Kind.TRADES, trades([at, at + 2, MIDNIGHT + 5]))
        transaction.add(PERP, Kind.DELTAS, book_over_midnight())
        transaction.add(PERP, Kind.MARK, marks([at]))
        transaction.add(PERP, Kind.FUNDING, funding([at]))
        transaction.add(PERP, Kind.BARS, bars([at]), bar_type=BAR_TYPE)
    return Catalog(tmp_path)


def flat(chunks: Iterator[list[Any]]) -> list[Any]:
    return [item for chunk in chunks for item in chunk]


def shape(items: list[Any]) -> list[tuple[str, int]]:
    return [(type(item).__name__, item.ts_init - MIDNIGHT) for item in items]


def levels(batch: Any) -> list[tuple[str, str, str]]:
    return [(str(delta.action), str(delta.order.price), str(delta.order.size)) for delta in batch.deltas]


def test_events_come_by_receipt_time_and_ties_in_the_documented_order(catalog: Catalog) -> None:
    assert shape(flat(catalog.chunks([PERP_ID], None, kinds=EVERY))) == [
        ("FundingRateUpdate", -20),
        ("MarkPriceUpdate", -20),
        ("OrderBookDeltas", -20),
        ("TradeTick", -20),
        ("QuoteTick", -20),
        ("Bar", -20),
        ("TradeTick", -18),
        ("QuoteTick", -17),
        ("OrderBookDeltas", -10),
        ("OrderBookDeltas", -5),
        ("OrderBookDeltas", 5),
        ("TradeTick", 5),
        ("QuoteTick", 5),
        ("OrderBookDeltas", 7),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
def test_chunk_size_never_changes_what_is_read(catalog: Catalog, size: int) -> None:
    chunks = list(catalog.chunks([PERP_ID], None, kinds=EVERY, max_events=size))
    assert [str(x) for x in flat(iter(chunks))] == [str(x) for x in flat(catalog.chunks([PERP_ID], None, kinds=EVERY))]
    times = [{item.ts_init for item in chunk} for chunk in chunks]
    assert all(not a & b for a, b in itertools.pairwise(times)), "one time must not be split over chunks"


def test_a_book_is_not_replaced_at_midnight_when_it_is_there_already(catalog: Catalog) -> None:
    batches = flat(catalog.chunks([PERP_ID], None, kinds=BOOK))
    assert [batch.is_snapshot for batch in batches] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("start", "opening"),
    [
        (-15, [("CLEAR", "0.0", "0.000"), ("ADD", "61800.1", "0.005"), ("ADD", "61800.2", "0.006")]),
        (-10, [("CLEAR", "0.0", "0.000"), ("ADD", "61800.1", "0.005"), ("ADD", "61800.2", "0.006")]),
        (
            -2,
            [
                ("CLEAR", "0.0", "0.000"),
                ("ADD", "61800.1", "0.005"),
                ("ADD", "61800.0", "0.007"),
                ("ADD", "61800.2", "0.006"),
                ("ADD", "61800.3", "0.008"),
            ],
        ),
        (
            6,
            [
                ("CLEAR", "0.0", "0.000"),
                ("ADD", "61800.0", "0.007"),
                ("ADD", "61800.2", "0.006"),
                ("ADD", "61800.3", "0.008"),
            ],
        ),
    ],
)
def test_a_period_opens_with_the_book_at_its_first_instant(
    catalog: Catalog, start: int, opening: list[tuple[str, str, str]]
) -> None:
    period = Period(MIDNIGHT + start, MIDNIGHT + 100)
    first, *rest = flat(catalog.chunks([PERP_ID], period, kinds=BOOK))
    assert (first.ts_init, first.is_snapshot) == (MIDNIGHT + start, True)
    assert levels(first) == opening
    assert [batch.ts_init - MIDNIGHT for batch in rest] == [t for t in (-10, -5, 5, 7) if t >= start]
    assert not any(batch.is_snapshot for batch in rest)


def test_the_end_of_a_period_is_excluded(catalog: Catalog) -> None:
    period = Period(MIDNIGHT - 20, MIDNIGHT + 5)
    times = [item.ts_init - MIDNIGHT for item in flat(catalog.chunks([PERP_ID], period, kinds=EVERY))]
    assert max(times) == -5


def test_a_period_after_everything_holds_nothing(catalog: Catalog) -> None:
    period = Period(MIDNIGHT + 50, MIDNIGHT + 60)
    assert flat(catalog.chunks([PERP_ID], period, kinds=EVERY)) == []


def test_a_gap_leaves_an_empty_book_at_the_start_of_a_period(tmp_path: Path) -> None:
    none = BookSide.NO_ORDER_SIDE
    rows = [
        (5, Action.CLEAR, none, 0, 0, False),
        (5, Action.ADD, BookSide.BUY, 618_001, 5, True),
        (7, Action.CLEAR, none, 0, 0, True),
        (9, Action.CLEAR, none, 0, 0, False),
        (9, Action.ADD, BookSide.BUY, 618_002, 5, True),
    ]
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.DELTAS, deltas(rows))
    first, second = flat(Catalog(tmp_path).chunks([PERP_ID], Period(8, 100), kinds=BOOK))
    assert levels(first) == [("CLEAR", "0.0", "0.000")]
    assert levels(second) == [("CLEAR", "0.0", "0.000"), ("ADD", "61800.2", "0.005")]


def test_counts_and_coverage_are_those_of_the_files(catalog: Catalog) -> None:
    assert catalog.coverage(PERP_ID) == Period(MIDNIGHT - 20, MIDNIGHT + 8)
    assert catalog.count(PERP_ID, Kind.TRADES) == 3
    assert catalog.count(PERP_ID, Kind.TRADES, Period(MIDNIGHT - 19, MIDNIGHT + 5)) == 1
    assert catalog.count(PERP_ID, Kind.DELTAS) == 7 + 5


def test_a_missing_catalog_is_named_with_exit_code_3(tmp_path: Path) -> None:
    with pytest.raises(CatalogMissing, match="there is no catalog at") as caught:
        Catalog(tmp_path / "nowhere")
    assert caught.value.exit_code == 3


def test_a_missing_instrument_is_answered_with_the_nearest_one(catalog: Catalog) -> None:
    with pytest.raises(
        InstrumentMissing, match=r"BTCUSDT\.BINANCE is not in the catalog .* nearest: BTCUSDT-PERP\.BINANCE"
    ):
        flat(catalog.chunks(["BTCUSDT.BINANCE"], None, kinds=EVERY))


def test_an_instrument_without_data_has_no_coverage(tmp_path: Path) -> None:
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.FUNDING, funding([5]))
    with pytest.raises(PeriodEmpty, match="no market data"):
        Catalog(tmp_path).coverage(PERP_ID)


def _one_file(catalog: Catalog, kind: Kind) -> Path:
    return catalog.files(PERP_ID, kind)[0].path


def test_a_file_that_is_no_parquet_is_named(catalog: Catalog) -> None:
    _one_file(catalog, Kind.TRADES).write_bytes(b"not parquet")
    with pytest.raises(CorruptData, match=r"cannot be read as Parquet") as caught:
        flat(catalog.chunks([PERP_ID], None, kinds=EVERY))
    assert caught.value.exit_code == 3
    assert _one_file(catalog, Kind.TRADES).name in str(caught.value)


def test_flipped_bytes_inside_a_file_are_named(catalog: Catalog) -> None:
    path = _one_file(catalog, Kind.QUOTES)
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    with pytest.raises(CorruptData, match="damaged in row group 0"):
        flat(catalog.chunks([PERP_ID], None, kinds=EVERY))


def test_a_file_with_other_columns_is_named(catalog: Catalog) -> None:
    _one_file(catalog, Kind.QUOTES).write_bytes(_one_file(catalog, Kind.TRADES).read_bytes())
    with pytest.raises(CorruptData, match="lacks the columns ask_price, ask_size, bid_price, bid_size"):
        flat(catalog.chunks([PERP_ID], None, kinds=EVERY))


def test_a_certificate_that_is_no_certificate_is_named(catalog: Catalog) -> None:
    path = catalog.path / "certificates" / PERP_ID / "2024-08-08.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CorruptData, match=r"2024-08-08\.json is not a certificate"):
        catalog.certificates(PERP_ID)
