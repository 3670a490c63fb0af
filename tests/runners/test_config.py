"""Configuration files: what is refused, and the sentence that says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from errors import ConfigError, HyperTradingError, UsageError
from runners.config import BacktestConfig, Trust, canonical_json, config_hash, load_backtest, to_yaml
from runners.config.schema import SCHEMA_FILE, schema_text
from tests.runners.configs import GOOD, written

CONFIGS = sorted((Path(__file__).parents[2] / "backtest_configs").glob("*.yaml"))

WRONG = {
    "unknown key, with its line and the nearest valid key": (
        ("  leverage: 3", "  leverge: 3"),
        r"tiny\.yaml:13: venue\.leverge is not a key; did you mean leverage",
    ),
    "unknown key of a strategy's parameters": (
        ("order_notional_quote: 500", "order_notional_qoute: 500"),
        r"tiny\.yaml:21: strategies\.0\.params\.order_notional_qoute is not a key; did you mean order_notional_quote",
    ),
    "unit in the name of a key": (
        ("warmup_secs: 10", "warmup_ms: 10000"),
        r":9: data\.warmup_ms is not a key: it is given in seconds, as warmup_secs",
    ),
    "unit in a value": (
        ("warmup_secs: 10", "warmup_secs: 10s"),
        r":9: data\.warmup_secs must be a valid number of seconds, not '10s'",
    ),
    "value out of bounds": (
        ("leverage: 3", "leverage: 300"),
        r":13: venue\.leverage must be less than or equal to 125.*not 300",
    ),
    "missing key, with what it is": (
        ("  fidelity: l2\n", ""),
        r":6: data\.fidelity is missing: l2 \(order-book deltas",
    ),
    "a word that is not a choice": (
        ("  funding: {constant_bps_per_8h: 1.0}", "  funding: recordd"),
        r":15: venue\.funding is 'recordd'.*recorded or",
    ),
    "wrong key in one of two forms": (
        ("{constant_bps_per_8h: 1.0}", "{constant_bps_per_day: 1.0}"),
        r":15: venue\.funding\.constant_bps_per_day is not a key; did you mean constant_bps_per_8h",
    ),
    "a key of one of two forms whose value is empty": (
        ("strategies.order_flow:OrderFlow", 'strategies.order_flow:OrderFlow\n    policy: {edge: {waived: ""}}'),
        r":20: strategies\.0\.policy\.edge\.waived must have at least 3 characters.*; wanted: Why no edge is demanded",
    ),
    "the same key twice": (
        ("  leverage: 3", "  leverage: 3\n  leverage: 4"),
        r":14: venue\.leverage is there twice, first on line 13",
    ),
    "two sources": (
        ("  sample: {minutes: 2}", "  sample: {minutes: 2}\n  catalog: data"),
        r":6: .*exactly one of data\.sample and data\.catalog",
    ),
    "an empty period": (
        (
            "  sample: {minutes: 2}",
            '  catalog: data\n  period: {start: "2024-08-02T00:00:00Z", end: "2024-08-02T00:00:00Z"}',
        ),
        r":8: .*the period is empty",
    ),
    "a time without a zone": (
        (
            "  sample: {minutes: 2}",
            '  catalog: data\n  period: {start: "2024-08-01T00:00:00", end: "2024-08-02T00:00:00Z"}',
        ),
        r":8: data\.period\.start .*UTC",
    ),
    "a tag that YAML reads as a number": (('"001"', "001"), r":18: strategies\.0\.order_id_tag .*in quotes"),
    "a strategy that is not there": (("order_flow:OrderFlow", "order_flow:OrderFlw"), r":19: .*has no 'OrderFlw'"),
    "a class outside project and workspace": (
        ("strategies.order_flow:OrderFlow", "json:JSONDecoder"),
        r":19: .*--trust-code",
    ),
    "an order size above its own limit": (
        ("max_order_notional_quote: 1000", "max_order_notional_quote: 400"),
        r":21: order_notional_quote 500 is above risk\.max_order_notional_quote 400 \(.*tiny\.yaml:23\)",
    ),
    "an older version": (
        ("version: 1", "version: 0"),
        r":1: version 0 is not a version any more: write the file for version 1",
    ),
    "a newer version": (("version: 1", "version: 2"), r":1: version 2 is newer"),
    "no version": (("version: 1\n", ""), r"version is missing; add the line 'version: 1'"),
    "an instrument id without venue": (
        ("[BTCUSDT-PERP.BINANCE]", "[BTCUSDT]"),
        r":5: .*BTCUSDT is not an instrument id",
    ),
    "a market that does not fit the instrument": (("market: usdm", "market: spot"), r"spot"),
    "leverage on spot": (("market: usdm", "market: spot"), r"leverage must be 1 on spot"),
    "not a mapping": ((GOOD, "- 1\n- 2\n"), r"must hold keys and values"),
    "broken YAML": (("sample: {minutes: 2}", "sample: {minutes: 2"), r"tiny\.yaml:\d+: not valid YAML"),
}


@pytest.mark.parametrize(("change", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_refuses(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_backtest(written(tmp_path, change))
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("change", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_one_mistake_is_one_line(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_backtest(written(tmp_path, change))
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml cannot be read"):
        load_backtest(tmp_path / "no.yaml")


def test_several_mistakes_are_all_named(tmp_path: Path) -> None:
    path = written(tmp_path, ("leverage: 3", "leverge: 3"), ("warmup_secs: 10", "warmup_secs: -1"))
    with pytest.raises(ConfigError) as caught:
        load_backtest(path)
    assert len(str(caught.value).splitlines()) == 2


def test_set_changes_values_by_path_and_list_items_by_id(tmp_path: Path) -> None:
    settings = [
        "venue.fees.maker_bps=-0.5",
        "strategies.flow-1.params.stop_bps=12",
        "strategies.0.id=other",
        "data.sample={minutes: 3}",
    ]
    config = load_backtest(written(tmp_path), settings).config
    assert config.venue.fees.maker_bps == -0.5
    assert config.strategies[0].params["stop_bps"] == 12
    assert config.strategies[0].id == "other"
    assert config.data.sample is not None
    assert config.data.sample.minutes == 3


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("venue.leverage", "is not key=value"),
        ("strategies.nobody.id=1", "the list has no item nobody"),
        ("venue.leverage=[", "not valid YAML"),
        ("venue.leverge=2", r"--set venue\.leverge=2: venue\.leverge is not a key; did you mean leverage"),
        ("venue.leverage=-2", r"--set venue\.leverage=-2: venue\.leverage must be greater"),
    ],
)
def test_a_wrong_setting_is_quoted(tmp_path: Path, setting: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        load_backtest(written(tmp_path), [setting])


def test_resolved_config_has_every_default_filled_in_and_loads_to_itself(tmp_path: Path) -> None:
    first = load_backtest(written(tmp_path))
    assert first.config.strategies[0].params["book_levels"] == 5
    assert first.config.venue.latency_ms is not None
    assert first.config.venue.latency_ms.insert == 200
    again = tmp_path / "resolved.yaml"
    again.write_text(to_yaml(first.config), encoding="utf-8")
    assert load_backtest(again).hash == first.hash


@pytest.mark.req("B-6")
def test_hash_does_not_depend_on_order_comments_or_spelled_out_defaults(tmp_path: Path) -> None:
    first = load_backtest(written(tmp_path))
    data = yaml.safe_load(GOOD)
    data["venue"]["queue"] = "both"
    shuffled = tmp_path / "shuffled.yaml"
    shuffled.write_text("# a comment\n" + yaml.safe_dump(data, sort_keys=True), encoding="utf-8")
    assert load_backtest(shuffled).hash == first.hash
    assert load_backtest(written(tmp_path), ["seed=8"]).hash != first.hash


def test_hash_is_sha256_of_canonical_json(tmp_path: Path) -> None:
    config = load_backtest(written(tmp_path)).config
    text = canonical_json(config)
    assert len(config_hash(config)) == 64
    assert json.loads(text)["strategies"][0]["class"] == "strategies.order_flow:OrderFlow"
    assert " " not in text.split('"description"', maxsplit=1)[0][:50]


def test_code_from_the_workspace_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tmp_path / "mine_alone"
    workspace.mkdir()
    (workspace / "own.py").write_text("from strategies.order_flow import OrderFlow as Own\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = written(tmp_path, ("strategies.order_flow:OrderFlow", "mine_alone.own:Own"))
    assert load_backtest(path, trust=Trust(workspace)).config.strategies[0].class_path == "mine_alone.own:Own"
    with pytest.raises(ConfigError, match="--trust-code"):
        load_backtest(path)
    assert load_backtest(path, trust=Trust(everything=True)).hash


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_bundled_config_loads(path: Path) -> None:
    assert load_backtest(path).config.name


def test_schema_file_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m runners.config.schema"


def test_every_field_of_the_schema_is_described() -> None:
    schema = BacktestConfig.model_json_schema(by_alias=True)
    for name, definition in [("root", schema), *schema["$defs"].items()]:
        for key, field in definition["properties"].items():
            assert field.get("description"), f"{name}.{key}"


def test_an_error_is_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(HyperTradingError):
        load_backtest(written(tmp_path, ("seed: 7", "seed: x")))
