"""What a person reads: what was found, what was done, and a last line that counts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from runners.operating import clearing
from runners.operating.cli import perform, symbols_of
from runners.operating.commanding import Wish
from tests.runners.operating.support import LONG, TAG, Scene, told


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks a little apart."""
    monkeypatch.setattr(clearing, "QUIET_SECS", 0.2)


def test_the_last_line_is_the_verdict_and_the_table_says_what_became_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(scene: Scene) -> None:
        (tmp_path / "state" / "test").mkdir(parents=True)
        scene.rest(f"{TAG}1")
        scene.rest("web_1", price="58000.0")
        target = scene.target()
        code = await asyncio.to_thread(perform, target, Wish(flatten=True), yes=False, json_wanted=False)
        lines = capsys.readouterr().out.splitlines()
        assert (code, lines[0]) == (0, "test at 127.0.0.1 (local), account simulated-1")
        assert lines[1] == "entries of test are shut: the arm token is gone: no entry can go"
        cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
        assert ["order", "BTCUSDT", "BUY", "0.01", "t1zzzzzz000001", "ours", "cancelled"] in cells
        assert ["order", "BTCUSDT", "BUY", "0.01", "web_1", "not ours", "left (--all)"] in cells
        assert next(row[-1] for row in cells if row[0] == "position").startswith("closed: SELL 0.01 at 60000")
        assert lines[-1].startswith("clean: two looks ")
        assert lines[-1].endswith("show no order of ours and no position")

    told(tmp_path, story, account=LONG)


def test_with_json_standard_output_is_one_object_and_the_rest_goes_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(scene: Scene) -> None:
        scene.rest(f"{TAG}1")
        target = scene.target()
        code = await asyncio.to_thread(perform, target, Wish(flatten=False), yes=False, json_wanted=True)
        printed = capsys.readouterr()
        found = json.loads(printed.out)
        assert (code, found["exit_code"], found["rows"][0]["quantity"]) == (0, 0, "0.010")
        assert "account simulated-1" in printed.err

    told(tmp_path, story)


def test_symbols_may_be_typed_as_instrument_ids_and_in_small_letters() -> None:
    assert symbols_of(["btcusdt", "BTCUSDT-PERP.BINANCE", " ethusdt "]) == ("BTCUSDT", "ETHUSDT")
