"""`config`: check, show, diff, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from runners._cli import run
from runners.config import __main__ as config
from runners.config.schema import SCHEMA_FILE
from tests.runners.configs import written


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(config.app, [str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_check_says_what_a_valid_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", written(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "tiny.yaml: valid, tiny " in printed
    assert "flow-1 (strategies.order_flow:OrderFlow)" in printed


def test_check_names_file_line_key_and_the_nearest_valid_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("check", written(tmp_path, ("leverage: 3", "leverge: 3"))) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "tiny.yaml:13: venue.leverge is not a key; did you mean leverage" in error


def test_check_takes_several_files_and_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    assert command("check", path, path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found] == ["tiny", "tiny"]
    assert len(found[0]["hash"]) == 64


def test_show_fills_in_every_default_and_loads_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("show", written(tmp_path), "--set", "venue.leverage=2") == 0
    text = capsys.readouterr().out
    found = yaml.safe_load(text)
    assert found["venue"]["leverage"] == 2
    assert found["risk"]["edge_margin_bps"] == 0.5  # a default
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    assert command("diff", tmp_path / "shown.yaml", tmp_path / "tiny.yaml") == 0
    assert capsys.readouterr().out == "venue.leverage: 2.0 → 3.0\n1 keys differ.\n"


def test_what_looks_different_and_is_equal_has_no_differences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", ("  leverage: 3\n", "  queue: both\n  leverage: 3.0\n"))
    assert command("diff", written(tmp_path), other) == 0
    assert capsys.readouterr().out == "equal.\n"


def test_a_run_can_be_compared_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    place = tmp_path / "runs" / "20240808T000000Z-tiny-00000000"
    place.mkdir(parents=True)
    assert command("show", path, "--json") == 0
    then = json.loads(capsys.readouterr().out)
    then["seed"] = 8
    (place / "manifest.json").write_text(json.dumps({"config": then}), encoding="utf-8")
    (place / "summary.json").write_text("{}", encoding="utf-8")
    assert command("diff", "last", path, "--runs", tmp_path / "runs", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"key": "seed", "a": 8, "b": 7}]
    assert command("diff", "nothing.yaml", path) == 2
    assert "there is no file nothing.yaml" in capsys.readouterr().err


def test_schema_is_the_file_beside_the_configurations(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("schema") == 0
    assert capsys.readouterr().out == SCHEMA_FILE.read_text(encoding="utf-8")


def test_schema_of_a_strategys_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("schema", "--class", "strategies.order_flow:OrderFlow") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["properties"]["stop_bps"]["description"].startswith("Protective stop")
    assert command("schema", "--class", "tests.runners.plain:Bare", "--trust-code") == 2
    assert "plain Nautilus strategy" in capsys.readouterr().err
