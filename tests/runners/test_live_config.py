"""Live files: what they inherit, what they may not loosen, and the sentences that say so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from errors import ConfigError
from runners._cli import run
from runners.config import LiveConfig, load_backtest, load_live, to_yaml
from runners.config import __main__ as config
from runners.config.schema import LIVE_SCHEMA_FILE, live_schema_text
from runners.config.tighter import changes
from tests.runners.configs import written

PROJECT = Path(__file__).parents[2]
SHIPPED = sorted((PROJECT / "live_configs").glob("binance_*.yaml"))
LIVE = """\
version: 1
mode: testnet
base: tiny.yaml
account:
  alias: demo-1
  environment: demo
  leverage: 3
risk:
  max_order_notional_quote: 800
"""


def live(folder: Path, *changed: tuple[str, str]) -> Path:
    """Write `LIVE` beside its base, with each (old, new) replaced."""
    written(folder)
    text = LIVE
    for old, new in changed:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "live.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_base_gives_name_instruments_strategies_fees_and_limits(tmp_path: Path) -> None:
    found = load_live(live(tmp_path))
    base = load_backtest(tmp_path / "tiny.yaml").config
    assert (found.config.name, found.config.instruments) == ("tiny", base.instruments)
    assert (found.config.strategies, found.config.fees, found.config.report) == (
        base.strategies, base.venue.fees, base.report,
    )  # fmt: skip
    assert found.config.risk.max_order_notional_quote == 800
    assert found.config.risk.max_position_notional_quote == 2000
    assert found.changed == ("risk.max_order_notional_quote: 1000 → 800",)


LOOSER = {
    "a larger order": (
        "max_order_notional_quote: 800", "max_order_notional_quote: 1200",
        r"live\.yaml:9: risk\.max_order_notional_quote 1200 is looser than 1000 of tiny\.yaml; a live file may only be tighter",
    ),
    "a smaller margin over costs": (
        "max_order_notional_quote: 800", "edge_margin_bps: 0.1", r"edge_margin_bps 0\.1 is looser than 0\.5",
    ),
    "a breaker switched off": (
        "max_order_notional_quote: 800", "breakers: {feed_age_ms: null}", r"breakers\.feed_age_ms null is looser than on",
    ),
    "a later breaker": (
        "max_order_notional_quote: 800", "breakers: {feed_age_ms: {hard: 9000}}", r"feed_age_ms\.hard 9000 is looser than 3000",
    ),
    "a cheaper exit": (
        "max_order_notional_quote: 800", "throttles: {collar_mid_bps: null}", r"collar_mid_bps null is looser than 200",
    ),
    "a window that is neither": (
        "max_order_notional_quote: 800", "breakers: {book_gaps: {window_secs: 900}}",
        r"book_gaps\.window_secs is 900 here and 600 in tiny\.yaml, and neither is the tighter one; change it in the base",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), LOOSER.values(), ids=LOOSER.keys())
def test_a_looser_limit_is_refused_with_both_figures(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_live(live(tmp_path, (old, new)))
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert (len(str(caught.value).splitlines()), caught.value.exit_code) == (1, 2)


TIGHTER = {
    "a limit where there was none": "max_gross_notional_quote: 1500",
    "an earlier breaker": "breakers: {feed_age_ms: {soft: 400}}",
    "a longer cool-down": "breakers: {slippage_bps: {cooldown_secs: 900}}",
    "a latch": "daily_loss_latches: true",
    "the exit's fee in the edge": "edge_exit_fee: taker",
}


@pytest.mark.parametrize("line", TIGHTER.values(), ids=TIGHTER.keys())
def test_a_tighter_limit_is_taken_and_echoed(tmp_path: Path, line: str) -> None:
    found = load_live(live(tmp_path, ("max_order_notional_quote: 800", line)))
    assert len(found.changed) == 1
    assert "→" in found.changed[0]


def test_every_limit_of_the_risk_block_is_known_to_be_tighter_one_way_or_refused() -> None:
    base = {"max_x": 2, "edge_margin_bps": 1.0, "strange": 1, "block": {"soft": 5}}
    moved = {"max_x": None, "edge_margin_bps": 2.0, "strange": 2, "block": None}
    found = {change.name: change.tighter for change in changes(base, moved)}
    assert found == {
        "risk.max_x": False, "risk.edge_margin_bps": True, "risk.strange": None, "risk.block": False,
    }  # fmt: skip


WRONG = {
    "unknown key, with the nearest": (("leverage: 3", "leverge: 3"), r"live\.yaml:7: account\.leverge .*did you mean leverage"),
    "a base that is not there": (("base: tiny.yaml", "base: no.yaml"), r"live\.yaml:3: base no\.yaml is not a file"),
    "an address where none belongs": (("leverage: 3", "url: http://127.0.0.1:1"), r":4: account\.url goes with environment local"),
    "a foreign address": (
        ("environment: demo", "environment: local\n  url: http://fapi.binance.com:80"), r"not an address of this machine",
    ),
    "one of two key names": (("leverage: 3", "key_env: A_KEY"), r"both of account\.key_env and account\.secret_env"),
    "real money by the wrong name": (("mode: testnet", "mode: live"), r"mode live needs environment production, not demo"),
    "play money with real keys": (("environment: demo", "environment: production"), r"mode testnet never trades"),
    "no account": (("account:\n  alias: demo-1\n  environment: demo\n  leverage: 3\n", ""), r"account is missing"),
    "a newer version": (("version: 1", "version: 2"), r":1: version 2 is newer"),
    "a limit under an order of the base": (
        ("max_order_notional_quote: 800", "max_order_notional_quote: 400"),
        r"order_notional_quote 500 is above risk\.max_order_notional_quote 400",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_refuses_in_one_line(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_live(live(tmp_path, change))
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_resolved_file_loads_to_itself_without_its_base(tmp_path: Path) -> None:
    first = load_live(live(tmp_path))
    data = yaml.safe_load(to_yaml(first.config))
    data["base"] = None
    again = tmp_path / "resolved.yaml"
    again.write_text(yaml.safe_dump(data), encoding="utf-8")
    assert load_live(again).config == first.config.model_copy(update={"base": None})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_live_file_loads_and_holds_no_secret(path: Path) -> None:
    found = load_live(path).config
    assert found.name
    assert set(yaml.safe_load(path.read_text(encoding="utf-8"))["account"]) <= set(type(found.account).model_fields)


def test_the_schema_file_is_up_to_date() -> None:
    assert LIVE_SCHEMA_FILE.read_text(encoding="utf-8") == live_schema_text(), "run: python -m runners.config.schema"


def test_every_field_of_the_schema_is_described() -> None:
    schema: dict[str, Any] = LiveConfig.model_json_schema(by_alias=True)
    for name, definition in [("root", schema), *schema["$defs"].items()]:
        for key, field in definition.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(config.app, [str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_the_config_command_understands_live_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = live(tmp_path)
    assert command("check", path, tmp_path / "tiny.yaml") == 0
    assert "live.yaml: valid, tiny " in capsys.readouterr().out
    assert command("show", path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["account"]["alias"] == "demo-1"
    assert command("diff", path, path) == 0
    assert capsys.readouterr().out == "equal.\n"
    assert command("schema", "--live") == 0
    assert capsys.readouterr().out == LIVE_SCHEMA_FILE.read_text(encoding="utf-8")
