"""Removing and verifying."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.kinds import Kind
from catalog.maintenance import remove, verify
from catalog.recording.ingest import ingest_recording
from catalog.store import Catalog
from errors import InstrumentMissing, PeriodEmpty
from tests.catalog.lines import GOOD, write

PERP_ID = "BTCUSDT-PERP.BINANCE"


def ingest(tmp_path: Path) -> Path:
    catalog = tmp_path / "catalog"
    ingest_recording(write(tmp_path / "a.gz", GOOD), market="usdm", symbol="BTCUSDT", catalog=catalog)
    return catalog


def test_a_fresh_catalog_has_no_problem(tmp_path: Path) -> None:
    assert verify(ingest(tmp_path)) == []


def test_a_truncated_file_is_a_problem_of_its_day(tmp_path: Path) -> None:
    catalog = ingest(tmp_path)
    path = Catalog(catalog).files(PERP_ID, Kind.TRADES)[0].path
    path.write_bytes(path.read_bytes()[:-40])
    found = verify(catalog, PERP_ID)
    assert [(problem.day, "cannot be read as Parquet" in problem.what) for problem in found] == [
        ("2024-08-08", True),
        ("2024-08-08", False),
    ]
    assert found[1].what == "rows differ from the certificate: trades 0 not 2"


def test_rows_without_a_certificate_are_a_problem(tmp_path: Path) -> None:
    catalog = ingest(tmp_path)
    (catalog / "certificates" / PERP_ID / "2024-08-08.json").unlink()
    assert [problem.what for problem in verify(catalog)] == ["there is no certificate"]


def test_a_removed_day_is_gone_and_can_be_ingested_again(tmp_path: Path) -> None:
    catalog = ingest(tmp_path)
    assert len(remove(catalog, PERP_ID, "2024-08-08")) == 4
    assert Catalog(catalog).files(PERP_ID) == []
    with pytest.raises(PeriodEmpty, match=r"nothing of .* on 2024-08-08"):
        remove(catalog, PERP_ID, "2024-08-08")
    assert Catalog(ingest(tmp_path)).count(PERP_ID, Kind.TRADES) == 2


def test_a_removed_instrument_leaves_nothing(tmp_path: Path) -> None:
    catalog = ingest(tmp_path)
    remove(catalog, PERP_ID)
    assert Catalog(catalog).instrument_ids() == []
    left = [file.name for file in catalog.rglob("*") if file.is_file()]
    assert sorted(left) == [".lock", "catalog.json"]
    with pytest.raises(InstrumentMissing, match="there is none"):
        remove(catalog, PERP_ID)


def test_of_two_days_of_one_source_the_one_removed_can_be_filled_again(usdm_recording: Path, tmp_path: Path) -> None:
    def again() -> bool:
        return ingest_recording(usdm_recording, market="usdm", symbol="BTCUSDT", catalog=tmp_path).new

    assert again()
    rows = Catalog(tmp_path).count(PERP_ID, Kind.DELTAS)
    remove(tmp_path, PERP_ID, "2024-08-08")
    assert Catalog(tmp_path).count(PERP_ID, Kind.DELTAS) < rows
    assert verify(tmp_path) == []
    assert again()
    assert Catalog(tmp_path).count(PERP_ID, Kind.DELTAS) == rows
    assert not again()
