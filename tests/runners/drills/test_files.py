"""L-3: thirteen files with exactly those names, each of which says what it breaks and what proves it right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from errors import ConfigError, UsageError
from runners.config import load_live
from runners.drills.files import FOLDER, load_drill, path_of
from runners.drills.model import NAMES, Drill
from runners.drills.schema import DRILL_SCHEMA_FILE, drill_schema_text
from tests.runners.test_cli import python

L3 = {
    "feed_drop", "feed_gap", "user_stream_silence", "delayed_ack", "unknown_result", "lost_cancel_ack", "duplicate_report",
    "restart_with_exposure", "fast_market", "clock_skew", "rate_limited", "name_resolution", "venue_outage",
}  # fmt: skip
"""As the requirement has them, typed here a second time."""


@pytest.mark.req("L-3")
def test_the_thirteen_drills_are_the_files_of_the_folder_and_nothing_else_is() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.yaml" for name in L3}
    assert set(NAMES) == L3
    assert len(NAMES) == 13


@pytest.mark.parametrize("name", NAMES)
def test_each_drill_loads_breaks_something_and_its_node_takes_its_settings(name: str) -> None:
    drill = load_drill(path_of(name))
    settings = [f"{key}={json.dumps(value)}" for key, value in drill.node.set.items()]
    assert load_live(FOLDER / drill.node.config, settings).config.account.environment == "local"
    assert drill.expect.checks


def changed(tmp_path: Path, name: str = "feed_gap", **changes: Any) -> Path:
    """A drill of ours with other keys."""
    data = yaml.safe_load(path_of(name).read_text(encoding="utf-8")) | changes
    path = tmp_path / f"{data['name']}.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"titel": "x"}, "titel"),
        ({"steps": [{"step": "start"}, {"step": "jump"}, {"step": "stop"}]}, "steps"),
        ({"expect": {"checks": []}}, "checks"),
        ({"expect": {"checks": [{"that": "x", "ledger": {"kind": "order"}}]}}, "give at_least, at_most or both"),
        ({"expect": {"checks": [{"that": "x", "at_least": 1}]}}, "give exactly one of ledger and journal"),
        ({"steps": [{"step": "start"}, {"step": "stop"}, {"step": "ended", "codes": [5]}]}, "nothing is broken"),
        ({"version": 2}, "version 2"),
    ],
)
def test_what_is_wrong_in_a_drill_is_named_with_the_file(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    path = changed(tmp_path, **changes)
    with pytest.raises(ConfigError) as caught:
        load_drill(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_a_drill_under_another_name_than_its_file_and_an_unknown_symbol_are_refused(tmp_path: Path) -> None:
    path = changed(tmp_path)
    with pytest.raises(ConfigError, match="one name"):
        load_drill(path.rename(tmp_path / "other.yaml"))
    gap = {"step": "break", "name": "x", "do": [{"act": "skip_depth", "symbol": "ETHUSDT"}]}
    steps = [{"step": "start"}, gap, {"step": "stop"}]
    with pytest.raises(ConfigError, match="ETHUSDT"):
        load_drill(changed(tmp_path, steps=steps))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean feed_drop"):
        path_of("feed-drop")


def test_schema_file_is_up_to_date() -> None:
    assert DRILL_SCHEMA_FILE.read_text(encoding="utf-8") == drill_schema_text(), "run: python -m runners.config.schema"


def test_every_field_of_a_drill_is_described() -> None:
    own = {
        "Drill",
        "Expect",
        "Expectation",
        "Moment",
        "NodeSettings",
        "Rows",
        "Start",
        "Until",
        "Break",
        "Wait",
        "Ended",
    }
    schema = Drill.model_json_schema()
    for name, definition in schema["$defs"].items():
        if name in own:
            plain = [key for key in definition["properties"] if key != "step"]
            assert all(definition["properties"][key].get("description") for key in plain), name


def test_the_command_lists_the_drills_and_refuses_to_guess_which() -> None:
    listed = python("-m", "runners", "drill", "--list")
    assert (listed.returncode, [line.split()[0] for line in listed.stdout.splitlines()]) == (0, list(NAMES))
    for arguments in ((), ("feed_gap", "--all"), ("no_such_drill",)):
        assert python("-m", "runners.drill", *arguments).returncode == 2
