"""Loading a run directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from errors import CorruptData
from monitoring.report import load
from tests.monitoring.build_run import IID, Scene, at, fill, quote


def scene() -> Scene:
    return Scene(quotes=[quote(0, 99, 101), quote(5, 99, 101)], fills=[fill(1, "BUY", "1", "100")])


def test_a_run_may_hold_one_bound_or_two(tmp_path: Path) -> None:
    assert list(load(scene().write(tmp_path / "one")).bounds) == ["conservative"]
    both = scene()
    both.optimistic = []
    assert list(load(both.write(tmp_path / "two")).bounds) == ["conservative", "optimistic"]


@pytest.mark.parametrize(
    "name", ["market.parquet", "volume.parquet", "conservative/fills.parquet", "conservative/account.json"]
)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    scene().write(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(CorruptData, match=Path(name).name):
        load(tmp_path)


def test_a_parquet_file_of_garbage_is_named(tmp_path: Path) -> None:
    scene().write(tmp_path)
    (tmp_path / "market.parquet").write_bytes(b"garbage")
    with pytest.raises(CorruptData, match=r"market\.parquet"):
        load(tmp_path)


def test_a_manifest_without_a_key_names_the_key(tmp_path: Path) -> None:
    scene().write(tmp_path)
    known = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(known | {"fidelity": None}), encoding="utf-8")
    with pytest.raises(CorruptData, match="fidelity"):
        load(tmp_path)


def test_a_folder_without_bounds_is_no_run(tmp_path: Path) -> None:
    scene().write(tmp_path)
    (tmp_path / "conservative").rename(tmp_path / "elsewhere")
    with pytest.raises(CorruptData, match="none of the folders"):
        load(tmp_path)


def test_fills_of_an_instrument_without_prices_are_refused(tmp_path: Path) -> None:
    other = scene()
    other.quotes = [row | {"instrument_id": "ETHUSDT-PERP.BINANCE"} for row in other.quotes]
    other.account = {"net_pnl": "0"}
    other.fills = []
    other.write(tmp_path)
    fills = scene()
    fills.write(tmp_path / "full")
    (tmp_path / "full" / "conservative" / "fills.parquet").replace(tmp_path / "conservative" / "fills.parquet")
    with pytest.raises(CorruptData, match=IID):
        load(tmp_path)


def test_time_going_backwards_in_the_market_is_refused(tmp_path: Path) -> None:
    bad = scene()
    bad.quotes = [quote(5, 99, 101), quote(0, 99, 101)]
    with pytest.raises(CorruptData, match="backwards"):
        load(bad.write(tmp_path))


def test_one_sided_rows_do_not_move_the_mid(tmp_path: Path) -> None:
    wide = scene()
    wide.quotes = [quote(0, 99, 101), quote(1, 0.0, 103), quote(2, 101, 103)]
    run = load(wide.write(tmp_path))
    assert run.mids[IID].mid.tolist() == [100.0, 102.0]


def test_a_fill_after_the_last_move_of_the_book_extends_the_run(tmp_path: Path) -> None:
    late = scene()
    late.fills = [fill(9, "BUY", "1", "100")]
    assert load(late.write(tmp_path)).end_ns == at(9)
