"""The script language and when faults fire."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.simulated_binance.settings import load_scenario
from errors import ConfigError
from tests.adapters.simulated_binance.support import Desk, fault, still_scenario

ORDER = "POST /fapi/v1/order"
DROP = {"act": "drop"}


def fires(desk: Desk, what: str = ORDER, symbol: str | None = "BTCUSDT", times: int = 6) -> list[int]:
    """Which of a number of equal requests are hit, counted from 1."""
    return [number for number in range(1, times + 1) if desk.venue.faults.on_request(what, symbol)]


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({}, [1]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "times": None}, [2, 3, 4, 5, 6]),
        ({"nth": 2, "every": 2, "times": None}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"symbol": "ETHUSDT"}, []),
        ({"request": "* /fapi/v1/*", "nth": 2}, [2]),
        ({"request": "DELETE *"}, []),
    ],
)
def test_a_trigger_counts_what_matches(when: dict[str, object], hits: list[int]) -> None:
    desk = Desk(still_scenario(faults=[{"name": "f", "when": {"request": ORDER} | when, "do": [DROP]}]))
    assert fires(desk) == hits


def test_a_trigger_looks_only_into_its_window() -> None:
    when = {"request": ORDER, "after_secs": 10, "until_secs": 20, "times": None}
    desk = Desk(still_scenario(faults=[{"name": "f", "when": when, "do": [DROP]}]))
    assert fires(desk, times=1) == []
    desk.wait(15)
    assert fires(desk, times=2) == [1, 2]
    desk.wait(10)
    assert fires(desk, times=1) == []


def test_chances_are_drawn_from_the_seed() -> None:
    def drawn(seed: int) -> list[int]:
        when = {"request": ORDER, "probability": 0.3, "times": None}
        desk = Desk(still_scenario(seed=seed, faults=[{"name": "f", "when": when, "do": [DROP]}]))
        return fires(desk, times=200)

    assert drawn(1) == drawn(1) != drawn(2)
    assert 40 <= len(drawn(1)) <= 80


def test_a_fault_fires_at_its_time_and_is_written_down() -> None:
    faults = [{"name": "skew", "when": {"at_secs": 5}, "do": [{"act": "skew_clock", "ms": -2000}]}]
    desk = Desk(still_scenario(faults=faults))
    desk.wait(4.9)
    assert desk.venue.clock.skew_ms == 0
    desk.wait(0.2)
    assert desk.venue.clock.skew_ms == -2000
    row = desk.venue.ledger.of("fault")[0]
    assert (row["name"], row["cause"], row["acts"]) == ("skew", "time", ["skew_clock"])


def test_a_fault_fires_at_the_nth_step_of_our_orders() -> None:
    when = {"order": "TRADE", "nth": 2}
    desk = Desk(still_scenario(faults=[{"name": "f", "when": when, "do": [{"act": "skew_clock", "ms": 1}]}]))
    desk.place("BUY", "0.100")
    desk.venue.advance()
    assert desk.venue.clock.skew_ms == 0
    desk.place("SELL", "0.100")
    desk.venue.advance()
    assert desk.venue.clock.skew_ms == 1


def test_a_fault_can_be_armed_while_the_venue_runs() -> None:
    desk = Desk()
    desk.venue.arm(fault("late", {"request": ORDER}, DROP))
    assert fires(desk, times=2) == [1]


@pytest.mark.parametrize(
    ("when", "do", "text"),
    [
        ({}, [DROP], "exactly one of"),
        ({"request": ORDER, "at_secs": 1}, [DROP], "exactly one of"),
        ({"at_secs": 1}, [DROP], "needs a `request` or an `event`"),
        ({"event": "user/*"}, [{"act": "hang"}], "needs a `request` trigger"),
        ({"request": ORDER}, [{"act": "reorder"}], "needs an `event` trigger"),
        ({"request": ORDER}, [{"act": "explode"}], "does not match any of the expected tags"),
        ({"request": ORDER}, [{"act": "delay"}], "Field required"),
        ({"request": ORDER, "probability": 2}, [DROP], "less than or equal to 1"),
        ({"request": ORDER}, [], "at least 1 item"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(
    when: dict[str, object], do: list[dict[str, object]], text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        fault("bad", when, *do)


def test_a_scenario_file_names_what_is_wrong_in_it(tmp_path: Path) -> None:
    file = tmp_path / "venue.yaml"
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(file)
    file.write_text("symbols: {BTCUSDT: {tick: 0}}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"symbols\.BTCUSDT\.tick"):
        load_scenario(file)
    skip = "faults: [{name: f, when: {at_secs: 1}, do: [{act: skip_depth, symbol: ETHUSDT}]}]"
    file.write_text(skip, encoding="utf-8")
    with pytest.raises(ConfigError, match="names ETHUSDT"):
        load_scenario(file)
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="not YAML"):
        load_scenario(file)


def test_paths_of_a_scenario_file_are_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "venue.yaml"
    file.write_text(
        "symbols: {BTCUSDT: {market: {kind: recording, path: r.gz}}}\nledger: {path: out/ledger.jsonl}",
        encoding="utf-8",
    )
    scenario = load_scenario(file)
    market = scenario.symbols["BTCUSDT"].market
    assert market.kind == "recording"
    assert market.path == tmp_path / "r.gz"
    assert scenario.ledger.path == tmp_path / "out" / "ledger.jsonl"


def test_every_scenario_that_ships_loads() -> None:
    shipped = sorted((Path(__file__).resolve().parents[3] / "live_configs").glob("venue_*.yaml"))
    assert len(shipped) >= 5
    assert all(load_scenario(path).symbols for path in shipped)
