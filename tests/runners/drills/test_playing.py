"""L-3: drills are played against a real node; two of them here, the others by `python -m runners.drill --all` or marker `soak`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.drills.files import load_drill, path_of
from runners.drills.judge import Judged, judge
from runners.drills.model import NAMES
from runners.drills.playing import play
from runners.drills.telling import Outcome, as_json
from tests.runners.test_cli import python

QUICK = ("feed_gap", "lost_cancel_ack")
TAG, ALIAS = "l1", "local"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The quick drills, played beside each other: most of a drill is waiting."""
    keep = tmp_path_factory.mktemp("drills")

    async def both() -> list[Outcome]:
        return await asyncio.gather(*(play(path_of(name), keep) for name in QUICK))

    return {one.drill.name: one for one in asyncio.run(both())}


@pytest.mark.req("L-3", "X-2")
@pytest.mark.parametrize("name", QUICK)
def test_a_drill_passes_and_tells_what_was_broken_what_was_done_and_what_the_ledger_says(
    name: str, outcomes: dict[str, Outcome]
) -> None:
    found = as_json(outcomes[name])
    assert (found["verdict"], found["reasons"]) == ("PASS", [])
    told = {(line["who"], line["text"].split(":")[0]) for line in found["story"]}
    assert {("venue", "fault"), ("drill", "starts the node"), ("node", "ended")} <= told
    assert found["ledger"]["most_per_id"] == 1
    assert (found["ledger"]["open_at_end"], set(found["ledger"]["positions"].values())) == ((), {"0.000"})


def rejudged(outcome: Outcome, planted: dict[str, Any] | None = None) -> Judged:
    """The same ledger and journal, judged once more, with the first check changed if asked for."""
    expect = outcome.drill.expect
    if planted is not None:
        changed = expect.checks[0].model_copy(update=planted)
        expect = expect.model_copy(update={"checks": (changed, *expect.checks[1:])})
    return judge(outcome.played.evidence(outcome.drill, ALIAS, TAG), expect)


@pytest.mark.req("L-3")
def test_with_an_expectation_that_is_planted_wrong_the_same_drill_fails(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["feed_gap"]
    assert rejudged(outcome).passes
    planted = replace(outcome, judged=rejudged(outcome, {"at_least": 1000.0}))
    assert not planted.passes
    assert [reason.split(":")[0] for reason in planted.reasons] == [outcome.drill.expect.checks[0].that]


@pytest.mark.req("L-3")
def test_with_one_order_more_in_the_ledger_the_same_drill_fails(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["feed_gap"]
    path = outcome.played.folder / "venue.jsonl"
    whole = path.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in whole.splitlines()]
    first = next(row for row in rows if row["kind"] == "order")
    rows.append(first | {"seq": len(rows) + 1, "order_id": 1, "ts_ns": rows[-1]["ts_ns"]})
    try:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        failed = {check.that for check in rejudged(outcome).checks if not check.holds}
    finally:
        path.write_text(whole, encoding="utf-8")
    assert failed >= {"no client id was accepted twice", "no order of ours is open at the end", "DOUBLED 0", "LOST 0"}


def test_a_drill_that_cannot_go_on_as_written_fails_with_exit_code_1_and_says_why(tmp_path: Path) -> None:
    data = yaml.safe_load(path_of("feed_gap").read_text(encoding="utf-8"))
    data["node"]["config"] = str((path_of("feed_gap").parent / "../binance_local.yaml").resolve())
    never = {"step": "until", "what": "a thing that never comes", "venue": {"kind": "never"}, "within_secs": 0.2}
    data["steps"] = [data["steps"][0], never, data["steps"][2]]
    path = tmp_path / "feed_gap.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    ended = python("-m", "runners.drill", str(path), "--json", "--keep", str(tmp_path / "kept"))
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["passed"]) == (1, "0 of 1")
    assert found["drills"][0]["reasons"][0] == "this did not come within 0.2 s: a thing that never comes"
    assert "everything that was to break at the venue broke" in found["drills"][0]["reasons"][1]


@pytest.mark.soak
@pytest.mark.req("L-3", "X-2")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in QUICK])
def test_every_other_drill_passes(name: str, tmp_path: Path) -> None:
    outcome = asyncio.run(play(path_of(name), tmp_path))
    assert (outcome.passes, outcome.reasons) == (True, [])
    assert load_drill(path_of(name)).name == name
