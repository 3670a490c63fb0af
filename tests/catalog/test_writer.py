"""The writer: read back by Nautilus, all or nothing, each source once."""

from __future__ import annotations

import errno
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nautilus_trader.model import NautilusDataType
from nautilus_trader.persistence import ParquetDataCatalog

from catalog.certificate import Certificate, Measures, Source
from catalog.kinds import Kind
from catalog.store import Catalog
from catalog.tables import Action, BookSide
from catalog.writer import CatalogWriter
from errors import CorruptData, DataError, RunFailed
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


def contents(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def add_trades(path: Path, source: str, times: list[int]) -> bool:
    with CatalogWriter(path).transaction(source) as transaction:
        transaction.add(PERP, Kind.TRADES, trades(times))
    assert transaction.result is not None
    return transaction.result.new


def add_in_pieces(path: Path, source: str, pieces: list[list[int]]) -> None:
    with CatalogWriter(path).transaction(source) as transaction:
        for times in pieces:
            transaction.add(PERP, Kind.TRADES, trades(times))


def test_nautilus_reads_back_every_kind_in_order(tmp_path: Path) -> None:
    times = [MIDNIGHT - 20 + i for i in range(10)]
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.DELTAS, book_over_midnight())
        transaction.add(PERP, Kind.TRADES, trades(times))
        transaction.add(PERP, Kind.QUOTES, quotes(times))
        transaction.add(PERP, Kind.MARK, marks(times))
        transaction.add(PERP, Kind.FUNDING, funding([MIDNIGHT - 20]))
        transaction.add(PERP, Kind.BARS, bars(times), bar_type=BAR_TYPE)
    theirs = ParquetDataCatalog(str(tmp_path))
    assert [instrument.id for instrument in theirs.instruments()] == [PERP.id]
    read = theirs.query_trade_ticks([PERP_ID])
    assert [(str(tick.price), str(tick.size), tick.ts_init) for tick in read] == [
        ("61800.1", "0.002", t) for t in times
    ]
    assert [str(tick.ask_price) for tick in theirs.query_quote_ticks([PERP_ID])] == ["61800.2"] * 10
    assert [str(mark.value) for mark in theirs.query_mark_price_updates([PERP_ID])] == ["61800.5"] * 10
    assert [(str(bar.high), str(bar.volume)) for bar in theirs.query_bars([BAR_TYPE])] == [("61800.3", "1.500")] * 10
    (rate,) = theirs.query(NautilusDataType.FundingRateUpdate, [PERP_ID])
    assert (rate.rate, rate.interval, rate.next_funding_ns) == (Decimal("0.0001"), 480, MIDNIGHT)
    rows = theirs.query_order_book_deltas([PERP_ID])
    assert [row.ts_init - MIDNIGHT for row in rows] == [-20, -20, -20, -10, -5, 0, 0, 0, 0, 0, 5, 7]


def test_a_day_of_deltas_opens_with_the_book_that_the_day_before_left(tmp_path: Path) -> None:
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.DELTAS, book_over_midnight())
    opening = ParquetDataCatalog(str(tmp_path)).query_order_book_deltas([PERP_ID], start=MIDNIGHT, end=MIDNIGHT)
    assert [(str(row.action), str(row.order.price), str(row.order.size), row.flags) for row in opening] == [
        ("CLEAR", "0.0", "0.000", 32),
        ("ADD", "61800.1", "0.005", 32),
        ("ADD", "61800.0", "0.007", 32),
        ("ADD", "61800.2", "0.006", 32),
        ("ADD", "61800.3", "0.008", 160),
    ]


def test_many_small_pieces_give_the_same_files_as_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = book_over_midnight()
    with CatalogWriter(tmp_path / "whole").transaction("one") as transaction:
        transaction.add(PERP, Kind.DELTAS, table)
    monkeypatch.setattr("catalog.partition.TAIL_ROWS", 2)
    with CatalogWriter(tmp_path / "pieces").transaction("one") as transaction:
        for row in range(len(table)):
            transaction.add(PERP, Kind.DELTAS, table.slice(row, 1))
    names = [
        sorted(f.name for f in (tmp_path / part / "data/order_book_deltas" / PERP_ID).iterdir())
        for part in ("whole", "pieces")
    ]
    assert names[0] == names[1]
    for name in names[0]:
        one, other = (
            pq.read_table(tmp_path / part / "data/order_book_deltas" / PERP_ID / name).to_pylist()
            for part in ("whole", "pieces")
        )
        assert one == other


def test_every_file_declares_that_it_is_sorted_by_receipt_time(tmp_path: Path) -> None:
    with CatalogWriter(tmp_path).transaction("one") as transaction:
        transaction.add(PERP, Kind.DELTAS, book_over_midnight())
        transaction.add(PERP, Kind.QUOTES, quotes([MIDNIGHT]))
    for kind in (Kind.DELTAS, Kind.QUOTES):
        for file in (tmp_path / "data" / kind.folder / PERP_ID).iterdir():
            group = pq.read_metadata(file).row_group(0)
            (column,) = group.sorting_columns
            assert group.column(column.column_index).path_in_schema == "ts_init"


def test_a_source_that_is_there_already_changes_nothing(tmp_path: Path) -> None:
    assert add_trades(tmp_path, "one", [5, 6])
    before = contents(tmp_path)
    assert not add_trades(tmp_path, "one", [5, 6])
    assert contents(tmp_path) == before


def test_another_source_may_follow_but_not_overlap(tmp_path: Path) -> None:
    add_trades(tmp_path, "one", [5, 9])
    add_trades(tmp_path, "two", [10, 12])
    before = contents(tmp_path)
    with pytest.raises(DataError, match="overlap"):
        add_trades(tmp_path, "three", [8, 8])
    assert contents(tmp_path) == before


def test_an_exception_inside_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    add_trades(tmp_path, "one", [5])
    before = contents(tmp_path)
    with pytest.raises(CorruptData, match="receipt time"):
        add_in_pieces(tmp_path, "two", [[7], [6]])
    assert contents(tmp_path) == before


def test_a_disk_that_is_full_before_the_commit_leaves_the_catalog_as_it_was(tmp_path: Path) -> None:
    add_trades(tmp_path, "one", [5])
    before = contents(tmp_path)

    def full(_name: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(RunFailed, match=r"No space left on device.*as it was before"),
        CatalogWriter(tmp_path, full).transaction("two") as transaction,
    ):
        transaction.add(PERP, Kind.TRADES, trades([7]))
    assert contents(tmp_path) == before


def test_a_disk_that_is_full_while_rows_are_written_leaves_the_catalog_as_it_was(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="only POSIX can limit the size of a file")
    add_trades(tmp_path, "one", [5])
    before = contents(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        with (
            pytest.raises(RunFailed, match=r"could not be written \(.*File too large.*as it was before"),
            CatalogWriter(tmp_path).transaction("two") as transaction,
        ):
            transaction.add(PERP, Kind.TRADES, trades(list(range(10, 200_010))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == before


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptData, match="order of their receipt time"):
        add_trades(tmp_path, "one", [6, 5])
    with pytest.raises(CorruptData, match="order of their receipt time"):
        add_in_pieces(tmp_path, "x", [[6], [5]])
    assert not list(tmp_path.glob("data/**/*.parquet"))


def test_deltas_without_a_starting_point_are_refused(tmp_path: Path) -> None:
    orphan = deltas([(5, Action.UPDATE, BookSide.BUY, 618_001, 5, True)])
    with (
        pytest.raises(CorruptData, match="must begin with a CLEAR row"),
        CatalogWriter(tmp_path).transaction("x") as transaction,
    ):
        transaction.add(PERP, Kind.DELTAS, orphan)


def test_a_source_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no market data"), CatalogWriter(tmp_path).transaction("x"):
        pass


def test_certificates_of_two_sources_on_one_day_are_joined(tmp_path: Path) -> None:
    for source, start in (("one", MIDNIGHT + 5), ("two", MIDNIGHT + 50)):
        counted = Measures(start_ns=start, end_ns=start + 1, trades=2, lines=2)
        certificate = Certificate.issue(
            PERP_ID, "2024-08-09", counted, (Source(id=source, kind="import", name=source),)
        )
        with CatalogWriter(tmp_path).transaction(source) as transaction:
            transaction.add(PERP, Kind.TRADES, trades([start, start + 1]))
            transaction.certificate(certificate)
    (joined,) = Catalog(tmp_path).certificates(PERP_ID)
    assert joined.measures.trades == 4
    assert [source.id for source in joined.sources] == ["one", "two"]
