"""The risk sections of the page: complete, honest when thinned, and without a message in a browser."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.report import load, summarise
from monitoring.report.figures import risk_page
from monitoring.report.html import page
from tests.monitoring.build_run import IID, Scene, edge, halt, quote, random_scene, refusal
from tests.monitoring.test_html import browse, drawn, figures_in

EVIL = "<script>alert(1)</script>"


def episode(seconds: float, name: str = "spread_multiple") -> list[dict[str, Any]]:
    return [
        edge(seconds, name, "open", detail="spread 1.3 bps", figures='{"multiple": 13.3}'),
        edge(seconds + 0.5, name, "half_open"),
        edge(seconds + 0.8, name, "closed", "none"),
    ]


def busy() -> Scene:
    scene = random_scene(5, minutes=12, trades=80)
    scene.risk_events = [row for n in range(5) for row in episode(310 + 20 * n)]
    scene.risk_events += [
        edge(500, "feed_silence_ms", "open", "hard", instrument_id="", detail="no market event for 15948 ms"),
        edge(509, "feed_silence_ms", "closed", "none", instrument_id=""),
        halt(600, "kill_switch", f"drawdown {EVIL}"),
    ]
    scene.manifest |= {"status": "halted", "config": {"risk": {"max_drawdown_pct": 5.0}}}
    return scene


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = load(busy().write(tmp_path_factory.mktemp("run")))
    return page(run, summarise(run))


def bars(text: str) -> dict[str, Any]:
    picture = figures_in(text)[f"risk-{IID}"]
    return {trace["name"]: trace for trace in picture["data"] if trace["type"] == "bar"}


@pytest.mark.req("R-11")
def test_every_stretch_is_a_bar_of_its_kind_with_reason_and_figures(text: str) -> None:
    found = bars(text)
    assert {name: drawn(trace["x"]) for name, trace in found.items()} == {
        "soft": 5, "half open": 5, "hard": 1, "halted": 1,
    }  # fmt: skip
    assert set(found["soft"]["y"]) == {"spread<br>_multiple"}
    pointed = found["soft"]["customdata"][0]
    assert "spread 1.3 bps" in pointed
    assert "multiple 13.3" in pointed
    assert pointed.endswith("0.5 s")


def test_a_halt_is_a_line_with_its_reason_and_stands_at_the_top_of_the_page(text: str) -> None:
    layout = figures_in(text)[f"risk-{IID}"]["layout"]
    assert [shape["x0"] == shape["x1"] for shape in layout["shapes"]] == [True]
    assert "halted: drawdown" in layout["annotations"][0]["text"]
    assert '<a href="#risk-edges">HALTED (conservative, optimistic) at 2024-08-08 00:10:00 UTC: drawdown' in text
    assert EVIL not in text


def test_edges_that_are_equal_in_both_bounds_are_one_row(text: str) -> None:
    assert text.count("no market event for 15948 ms") == 1
    assert "HALT kill_switch</td>" in text


def test_the_section_says_why_it_is_empty(tmp_path: Path) -> None:
    quotes = [quote(0, 99, 101), quote(99, 99, 101)]
    old, calm = load(Scene(quotes=quotes).write(tmp_path / "old")), Scene(quotes=quotes, risk_events=[])
    assert "made before there were any" in page(old, summarise(old))
    new = load(calm.write(tmp_path / "new"))
    assert "Every breaker was closed all the time" in page(new, summarise(new))


def test_more_stretches_than_pixels_are_joined_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours on 1200 columns of 6 s; ten openings a second apart, two stretches each, lie in two columns: 20 → 2."""
    monkeypatch.setattr(risk_page, "MOST_BARS", 19)
    events = [row for n in range(10) for row in episode(600 + n)]
    scene = Scene(quotes=[quote(0, 99, 101), quote(7200, 99, 101)], risk_events=events)
    run = load(scene.write(tmp_path))
    text = page(run, summarise(run))
    assert {name: drawn(trace["x"]) for name, trace in bars(text).items()} == {"soft": 2}
    assert "18 stretches that share a pixel column" in text


def test_refusals_are_stacked_per_minute_and_none_is_lost(tmp_path: Path) -> None:
    rows = [refusal(seconds, reason) for seconds in range(0, 600, 7) for reason in ("edge", "tick")]
    rows += [refusal(30, f"reason_{n}") for n in range(8)]
    run = load(Scene(quotes=[quote(0, 99, 101), quote(600, 99, 101)], refusals=rows).write(tmp_path))
    found = figures_in(page(run, summarise(run)))["refusals"]
    counts = {trace["name"]: trace["y"] for trace in found["data"]}
    total = sum(sum(values) if isinstance(values, list) else _sum(values) for values in counts.values())
    assert total == len(rows) == 180
    assert list(counts)[-1] == "others"
    assert found["layout"]["barmode"] == "stack"


def _sum(packed: dict[str, str]) -> int:
    return int(np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"]).sum())


@pytest.mark.parametrize(("days", "minutes"), [(0.04, 1), (0.6, 5), (7, 15), (60, 240)])
def test_long_runs_get_wider_bars(days: float, minutes: int) -> None:
    edges, step = risk_page._bins(0, round(days * 86_400e9))
    assert step == minutes
    assert len(edges) <= 722


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (500, False)])
def test_the_risk_page_opens_without_console_message(width: int, dark: bool, text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    tree, said, _ = browse(path, width, tmp_path, dark)
    assert said == []
    assert 'data-ready="true"' in tree
