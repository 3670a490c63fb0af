"""`export`: rows for spreadsheets, against figures worked by hand."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from execution import records
from runners import backtest, export, exporting
from runners._cli import run
from runners.exporting import FLOWS, TRIPS, Book, plain, time_text
from tests.runners.short import STRATEGIES, short

START = 1_723_075_200_000_000_000  # 2024-08-08T00:00:00Z
IID = "BTCUSDT-PERP.BINANCE"


def walk(*steps: tuple[str, str]) -> list[str]:
    book = Book()
    return [plain(book.fill(Decimal(size), Decimal(price))) for size, price in steps]


def test_realised_profit_is_against_the_average_cost() -> None:
    """Buy 1 at 100 and 1 at 110: the average is 105. Selling half a unit at 111 realises 3, the rest at 103 loses 3."""
    assert walk(("1", "100"), ("1", "110"), ("-0.5", "111"), ("-1.5", "103")) == ["0", "0", "3", "-3"]


def test_a_fill_through_zero_realises_the_old_side_and_opens_the_new_one_at_its_price() -> None:
    """Long 1 at 100; selling 3 at 90 loses 10 and leaves short 2 at 90; buying 2 at 80 gains 20."""
    assert walk(("1", "100"), ("-3", "90"), ("2", "80")) == ["0", "-10", "20"]


def test_a_closed_book_starts_anew() -> None:
    assert walk(("1", "100"), ("-1", "101"), ("1", "200"), ("-1", "200")) == ["0", "1", "0", "0"]


def test_times_are_utc_to_the_millisecond_and_numbers_are_plain() -> None:
    assert time_text(START + 1_002_999_999) == "2024-08-08 00:00:01.002"
    assert [plain(Decimal(text)) for text in ("1E-7", "100.000", "0E-16", "-0")] == ["0.0000001", "100", "0", "0"]


def fill(
    seq: int, secs: float, side: str, price: str, quantity: str, fee: str, strategy: str = "one"
) -> dict[str, Any]:
    return {
        "seq": seq, "ts_ns": START + round(secs * 1e9), "trade_id": f"t{seq}", "strategy_id": strategy, "instrument_id": IID,
        "client_order_id": f"o{seq}", "side": side, "price": Decimal(price), "quantity": Decimal(quantity),
        "liquidity": "TAKER", "fee": Decimal(fee), "fee_asset": "USDT", "position_after": Decimal(0), "mid_decision": None,
        "ts_decision": START, "ts_arrival": None,
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Long 0.3 by one, short 0.1 by two, funding on both, closed by one."""
    folder = tmp_path / "run" / "conservative"
    folder.mkdir(parents=True)
    fills = [
        fill(0, 1, "BUY", "100", "0.3", "0.015"), fill(1, 2, "SELL", "110", "0.1", "0.0055", "two"),
        fill(2, 9, "SELL", "120", "0.3", "0.018"),
    ]  # fmt: skip
    paid = {
        "seq": 0,
        "ts_ns": START + 5_000_000_000,
        "instrument_id": IID,
        "strategy_id": "one",
        "position": Decimal("0.3"),
    }
    funding = [{**paid, "rate": Decimal("0.0001"), "amount": Decimal("-0.003")}]
    pq.write_table(records.table(records.FILLS, fills), folder / "fills.parquet")
    pq.write_table(records.table(records.FUNDING, funding), folder / "funding.parquet")
    (tmp_path / "run" / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "run" / "summary.json").write_text('{"headline": "conservative"}', encoding="utf-8")
    return tmp_path / "run"


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(export.app, [str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_fills_realise_against_the_netted_position(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0.1 of 0.3 sold at 110 by two: +1. Of the 0.3 that one sells at 120, 0.2 close (+4) and 0.1 open a short."""
    assert command("fills", place) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(found[0]) == list(FLOWS)
    assert [row["realised_pnl"] for row in found] == ["0", "1", "4"]
    assert found[1] == {
        "time_utc": "2024-08-08 00:00:02.000", "trade_id": "t1", "symbol": "BTCUSDT-PERP", "side": "SELL", "qty": "0.1",
        "price": "110", "fee": "0.0055", "fee_asset": "USDT", "realised_pnl": "1", "funding": "", "strategy_id": "two",
        "client_order_id": "o1", "liquidity": "TAKER",
    }  # fmt: skip


def test_income_puts_funding_among_the_fills(place: Path) -> None:
    found = exporting.income(place, "conservative")
    assert [(row.get("trade_id"), row.get("funding")) for row in found] == [
        ("t0", None), ("t1", None), (None, "-0.003"), ("t2", None),
    ]  # fmt: skip


def test_a_file_that_is_there_is_kept_unless_forced(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "fills.csv"
    assert command("fills", place, "--csv", out) == 0
    text = out.read_bytes()
    assert text.count(b"\n") == 4
    assert b"\r" not in text
    out.write_text("mine", encoding="utf-8")
    assert command("fills", place, "--csv", out) == 2
    assert out.read_text(encoding="utf-8") == "mine"
    assert command("fills", place, "--csv", out, "--force") == 0
    assert out.read_bytes() == text


@pytest.mark.parametrize("order", [("--csv",), ("--csv", "-"), ("--csv", "--bound", "conservative"), ()])
def test_csv_without_a_file_goes_to_the_screen(
    place: Path, order: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.parent)
    assert command("fills", place, *order) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == ",".join(FLOWS)
    assert len(printed.out.splitlines()) == 4
    assert printed.err == ""
    assert sorted(path.name for path in place.parent.iterdir()) == ["run"]


def test_csv_before_the_run_does_not_write_a_file_of_the_runs_name(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("fills", "--csv", "run", "--runs", place.parent) == 2
    assert "name the run first" in capsys.readouterr().err
    assert command("fills", "--csv", "--runs", place.parent) == 0


def test_a_bound_that_was_not_run_is_a_usage_error(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("income", place, "--bound", "optimistic") == 2
    assert "has no optimistic bound" in capsys.readouterr().err


def test_exports_of_a_real_run_add_up_to_its_summary(
    in_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = short(tmp_path, *STRATEGIES["mean_reversion"], minutes=2, warmup_secs=10)
    with pytest.raises(SystemExit):
        run(backtest.app, [str(config), "--output", str(tmp_path / "run"), "--set", "venue.close_at_end=flatten"])
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    capsys.readouterr()
    assert command("income", tmp_path / "run", "--json") == 0
    flows = json.loads(capsys.readouterr().out)
    assert len(flows) == summary["fills"] > 0
    realised = sum(Decimal(row["realised_pnl"]) for row in flows)
    paid = sum(Decimal(row["fee"]) for row in flows)
    assert float(realised - paid) == pytest.approx(summary["net_pnl"], abs=1e-6)
    assert command("round-trips", tmp_path / "run") == 0
    trips = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(trips[0]) == list(TRIPS)
    assert len(trips) == summary["round_trips"]
    assert float(sum(Decimal(row["net"]) for row in trips)) == pytest.approx(summary["net_pnl"], abs=1e-6)
