"""Every shipped configuration runs on a generated hour's beginning and on the recording, and explains its P&L to the unit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.recording.ingest import ingest_recording
from runners import backtest
from runners._cli import run

CONFIGS = Path(__file__).resolve().parents[2] / "backtest_configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("btc*.yaml"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, usdm_recording: Path) -> Path:
    """The USD-M recording, ingested."""
    catalog = tmp_path_factory.mktemp("recorded") / "catalog"
    ingest_recording(usdm_recording, market="usdm", symbol="BTCUSDT", catalog=catalog)
    return catalog


def summary_of(config: str, output: Path, *changes: str) -> dict[str, object]:
    options = [option for change in changes for option in ("--set", change)]
    with pytest.raises(SystemExit) as caught:
        run(backtest.app, [str(CONFIGS / f"{config}.yaml"), "--output", str(output), *options])
    assert caught.value.code == 0
    found: dict[str, object] = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    return found


def assert_explained(summary: dict[str, object]) -> None:
    bounds = summary["bounds"]
    assert isinstance(bounds, dict)
    assert {name: float(bound["residual"]) for name, bound in bounds.items()} == {
        "conservative": 0.0,
        "optimistic": 0.0,
    }
    assert summary["status"] == "completed"


@pytest.mark.req("B-5", "P-1")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "btc_recorded"])
def test_every_shipped_strategy_explains_its_result_on_a_sample(name: str, tmp_path: Path) -> None:
    summary = summary_of(
        name, tmp_path / "run", "data.sample.minutes=12", "data.sample.funding_at_minute=6", "data.warmup_secs=60"
    )
    assert_explained(summary)


@pytest.mark.req("B-5")
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_strategy_explains_its_result_on_the_recording(name: str, tmp_path: Path, recorded: Path) -> None:
    changes = (f"data.catalog={recorded.as_posix()}", "data.warmup_secs=60", "venue.funding={constant_bps_per_8h: 1.0}")
    sample = () if name == "btc_recorded" else ("data.sample=null",)
    assert_explained(summary_of(name, tmp_path / "run", *sample, *changes))
