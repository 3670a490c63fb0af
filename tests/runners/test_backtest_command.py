"""`python -m runners.backtest` on two generated minutes: results, repeatability, and what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from runners import backtest
from runners._cli import run
from tests.runners.configs import GOOD, written

PROJECT = Path(__file__).parents[2]
SAMPLE = "  sample: {minutes: 2}"
ACTIVE = """\
strategies:
  - id: script
    order_id_tag: "001"
    class: tests.runners.scripted:Scripted
    params:
      start_ns: 1723075200000000000
      steps:
        - {at: 20, do: market, size: "0.010"}
        - {at: 40, do: market, side: SELL, size: "0.004", reduce_only: true}
        - {at: 50, do: limit, size: "0.010", price: "50000.0", post_only: true}
    policy: {entry_order: market, edge: {waived: "a test of the machinery"}, max_open_entries: 5}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the sample is generated once."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def active(folder: Path, *changes: tuple[str, str]) -> Path:
    """A configuration whose strategy trades on schedule."""
    strategies = GOOD[GOOD.index("strategies:") : GOOD.index("risk:")]
    funded = (SAMPLE, "  sample: {minutes: 2, funding_at_minute: 1}")
    recorded = ("  funding: {constant_bps_per_8h: 1.0}", "  funding: recorded")
    return written(folder, (strategies, ACTIVE), funded, recorded, *changes)


def succeed(*arguments: str | Path) -> None:
    """Run to the end."""
    _exit(arguments, 0)


def _exit(arguments: tuple[str | Path, ...], code: int) -> None:
    with pytest.raises(SystemExit) as caught:
        run(backtest.app, [str(argument) for argument in arguments])
    assert caught.value.code == code


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str | Path) -> str:
    """Run, expect an exit code, and return the one sentence on stderr."""
    _exit(arguments, code)
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert "Traceback" not in error
    return error


@pytest.mark.req("P-1", "B-2", "B-3")
def test_a_run_directory_has_all_files_and_a_waterfall_without_residual(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    succeed(active(tmp_path), "--output", out, "--trust-code")
    names = {"orders", "order_events", "fills", "refusals", "funding", "risk_events", "equity"}
    for bound in ("conservative", "optimistic"):
        assert {path.stem for path in (out / bound).glob("*.parquet")} == names
        assert (out / bound / "account.json").exists()
    assert {"config.yaml", "manifest.json", "summary.json", "report.html", "market.parquet", "volume.parquet"} <= {
        path.name for path in out.iterdir()
    }
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["fills"] >= 2
    assert summary["funding"] < 0  # long 0.006 or 0.010 over a positive rate
    assert [bound["residual"] for bound in summary["bounds"].values()] == [0, 0]
    printed = capsys.readouterr().out
    assert "SYNTHETIC" in printed
    assert "Net P&L" in printed


@pytest.mark.req("B-0", "D-8", "D-9")
def test_manifest_names_everything_that_produced_the_run(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    succeed(active(tmp_path), "--output", out, "--trust-code", "--json")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert manifest["fidelity"] == "l2"
    assert manifest["waived"] == [{"strategy_id": "script", "reason": "a test of the machinery"}]
    assert manifest["trading_start_ns"] - manifest["period"]["start_ns"] == 10_000_000_000
    assert [found["grade"] for found in manifest["certificates"]] == ["A"]
    assert "nautilus_trader" in manifest["packages"]
    resolved = yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))
    assert resolved == manifest["config"]


@pytest.mark.req("B-6")
def test_two_processes_write_the_same_bytes(here: Path, tmp_path: Path) -> None:
    config = active(tmp_path)
    succeed(config, "--output", tmp_path / "one", "--trust-code")
    code = "import sys; from runners.__main__ import app; from runners._cli import run; run(app, sys.argv[1:])"
    arguments = ["backtest", str(config), "--output", str(tmp_path / "two"), "--trust-code"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": "5"}
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=here, env=environment, check=True, capture_output=True)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) == 16
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.req("B-0")
def test_top_of_book_fidelity_runs_end_to_end(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    succeed(active(tmp_path, ("fidelity: l2", "fidelity: l1_trades")), "--output", out, "--trust-code")
    assert pq.read_table(out / "conservative" / "fills.parquet").num_rows >= 2
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["residual"] == 0


def test_flatten_leaves_no_position(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    config = active(tmp_path, ("  leverage: 3", "  leverage: 3\n  close_at_end: flatten\n  queue: conservative"))
    succeed(config, "--output", out, "--trust-code")
    account = json.loads((out / "conservative" / "account.json").read_text(encoding="utf-8"))
    assert account["positions"] == {}
    assert not (out / "optimistic").exists()


def test_without_output_the_directory_is_named_by_time_name_and_hash(here: Path, tmp_path: Path) -> None:
    succeed(active(tmp_path), "--trust-code", "--set", f"output={tmp_path / 'runs'}")
    (found,) = (tmp_path / "runs").iterdir()
    stamp, name, digest = found.name.split("-")
    assert (len(stamp), name, len(digest)) == (16, "tiny", 8)
    assert json.loads((found / "manifest.json").read_text(encoding="utf-8"))["config_hash"].startswith(digest)


@pytest.mark.req("B-7")
def test_a_strategy_that_raises_exits_1_and_leaves_nothing(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = active(tmp_path, ('{at: 20, do: market, size: "0.010"}', "{at: 20, do: raise}"))
    error = fails(capsys, 1, config, "--output", tmp_path / "run", "--trust-code")
    assert "planted" in error
    assert "scripted.py" in error
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_output_that_exists_exits_2_and_is_kept(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    assert "exists already" in fails(capsys, 2, active(tmp_path), "--output", tmp_path / "run", "--trust-code")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_wrong_key_exits_2(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean leverage" in fails(capsys, 2, written(tmp_path, ("leverage: 3", "leverge: 3")))


def test_a_wrong_grade_letter_exits_2(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not a grade" in fails(capsys, 2, written(tmp_path), "--accept-grade", "Z")


@pytest.mark.req("B-3")
def test_funding_that_is_not_in_the_data_exits_3_with_the_remedy(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = active(tmp_path, (", funding_at_minute: 1", ""))
    error = fails(capsys, 3, config, "--output", tmp_path / "run", "--trust-code")
    assert "constant_bps_per_8h" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.req("B-7")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ((SAMPLE, "  catalog: nowhere"), "there is no catalog at nowhere"),
        (("[BTCUSDT-PERP.BINANCE]", "[BTCUSDC-PERP.BINANCE]"), "BTCUSDC-PERP.BINANCE is not in the catalog"),
        (("warmup_secs: 10", "warmup_secs: 500"), "uses up all data"),
    ],
    ids=["no catalog", "no instrument", "warm-up longer than the data"],
)
def test_data_that_is_not_there_exits_3(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: tuple[str, str], sentence: str
) -> None:
    assert sentence in fails(capsys, 3, written(tmp_path, changes), "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def catalog_of(here: Path, tmp_path: Path) -> Path:
    """A copy of the sample's catalog."""
    succeed(active(tmp_path), "--output", tmp_path / "first", "--trust-code")
    (found,) = [path for path in (here / "data" / "samples").iterdir() if path.is_dir() and _has_funding(path)]
    copy = tmp_path / "catalog"
    shutil.copytree(found, copy)
    return copy


def _has_funding(path: Path) -> bool:
    return (path / "data" / "funding_rates").is_dir()


@pytest.mark.req("D-8")
def test_low_or_missing_certificates_exit_3_unless_accepted(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of(here, tmp_path)
    config = active(tmp_path, ("  sample: {minutes: 2, funding_at_minute: 1}", f"  catalog: {catalog}"))
    (certificate,) = (catalog / "certificates").rglob("*.json")
    content = json.loads(certificate.read_text(encoding="utf-8"))
    content |= {"grade": "C", "reasons": ["C: planted"]}
    certificate.write_text(json.dumps(content), encoding="utf-8")
    error = fails(capsys, 3, config, "--output", tmp_path / "run", "--trust-code")
    assert "has grade C (C: planted), below A; accept it with --accept-grade C" in error
    succeed(config, "--output", tmp_path / "accepted", "--trust-code", "--accept-grade", "c")
    certificate.unlink()
    capsys.readouterr()
    assert "has no certificate for 2024-08-08" in fails(capsys, 3, config, "--output", tmp_path / "run", "--trust-code")
    assert not (tmp_path / "run").exists()


@pytest.mark.req("B-7")
def test_a_period_outside_the_catalog_exits_3_and_names_what_there_is(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of(here, tmp_path)
    period = '{start: "2024-09-01T00:00:00Z", end: "2024-09-02T00:00:00Z"}'
    config = active(
        tmp_path, ("  sample: {minutes: 2, funding_at_minute: 1}", f"  catalog: {catalog}\n  period: {period}")
    )
    error = fails(capsys, 3, config, "--output", tmp_path / "run", "--trust-code")
    assert "2024-08-08T00:00:00Z" in error


@pytest.mark.req("B-8")
def test_a_period_that_starts_inside_the_data_warms_up_on_what_is_before_it(here: Path, tmp_path: Path) -> None:
    catalog = catalog_of(here, tmp_path)
    period = '{start: "2024-08-08T00:00:30Z", end: "2024-08-08T00:01:40Z"}'
    config = active(
        tmp_path, ("  sample: {minutes: 2, funding_at_minute: 1}", f"  catalog: {catalog}\n  period: {period}")
    )
    succeed(config, "--output", tmp_path / "run", "--trust-code")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    start = 1_723_075_200_000_000_000
    assert manifest["trading_start_ns"] == start + 30_000_000_000
    assert manifest["period"] == {"start_ns": start + 20_000_000_000, "end_ns": start + 100_000_000_000}
    market = pq.read_table(tmp_path / "run" / "market.parquet")["ts_ns"].to_pylist()
    assert market[0] == start + 20_000_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX facility")
def test_a_disk_that_fills_up_while_writing_exits_1_and_leaves_nothing(here: Path, tmp_path: Path) -> None:
    config = active(tmp_path)
    succeed(config, "--output", tmp_path / "first", "--trust-code")
    code = (
        "import resource, sys; from runners.backtest import app; from runners._cli import run; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000)); run(app, sys.argv[1:])"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(config), "--output", str(tmp_path / "runs" / "run"), "--trust-code"],
        cwd=here, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "results cannot be written" in done.stderr
    assert list((tmp_path / "runs").iterdir()) == []
