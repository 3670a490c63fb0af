"""The command."""

from __future__ import annotations

import gzip
import json
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.simulated_binance.ledger import read_ledger
from errors import ConfigError, DataError
from runners.venue import app

CONFIG = Path(__file__).resolve().parents[3] / "live_configs" / "venue_btc.yaml"


@pytest.mark.req("X-2")
def test_the_command_says_where_it_listens_and_how_the_account_stands(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    ledger = tmp_path / "ledger.jsonl"
    done = CliRunner().invoke(
        app, [str(CONFIG), "--stop-after", "1.5", "--status-secs", "0.1", "--ledger", str(ledger)]
    )
    assert done.exit_code == 0, done.output
    assert "REST http://127.0.0.1:" in done.output
    assert done.output.count("wallet 10000.00000000 USDT") >= 3
    assert [row["kind"] for row in read_ledger(ledger)] == ["start", "balance", "position", "stop"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_machine_reads_json_lines() -> None:
    done = CliRunner().invoke(app, [str(CONFIG), "--stop-after", "0.1", "--json"])
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert (lines[0]["event"], lines[-1]["event"]) == ("listening", "status")
    assert lines[0]["rest"].startswith("http://127.0.0.1:")


def test_a_recording_that_breaks_off_in_the_middle_ends_the_program(tmp_path: Path) -> None:
    trade = '{"e":"trade","p":"100.0","q":"1","m":true,"X":"MARKET"}'
    lines = ['1000000000 {"lastUpdateId":1,"bids":[["100.0","1"]],"asks":[["100.1","1"]]}', f"1200000000 {trade}"]
    (tmp_path / "r.gz").write_bytes(gzip.compress("\n".join([*lines, f"1300000000 {trade[:-1]}"]).encode()))
    scenario = tmp_path / "venue.yaml"
    scenario.write_text("symbols: {BTCUSDT: {market: {kind: recording, path: r.gz}}}", encoding="utf-8")
    done = CliRunner().invoke(app, [str(scenario), "--stop-after", "30"])
    assert isinstance(done.exception, DataError)
    assert "REST http" in done.output


def test_a_missing_scenario_is_one_sentence() -> None:
    done = CliRunner().invoke(app, ["nowhere.yaml"])
    assert isinstance(done.exception, ConfigError)
