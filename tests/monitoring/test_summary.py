"""`summary.json` and the terminal table."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from monitoring.report import Summary, load, summarise, terminal
from monitoring.report.models import BoundSummary
from tests.monitoring.build_run import IID, Scene, at, fill, paid, quote, random_scene

KEYS = [
    "schema_version",
    "run_id",
    "config_hash",
    "code_version",
    "status",
    "events",
    "orders",
    "fills",
    "refusals",
    "net_pnl",
    "gross_pnl",
    "fees",
    "funding",
    "residual",
    "max_drawdown",
    "sharpe",
    "sharpe_se",
    "sharpe_reason",
    "maker_share",
    "fill_ratio",
    "round_trips",
    "turnover",
    "wall_seconds",
]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_scene(5, minutes=12, trades=80).write(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def summary(run_dir: Path) -> Summary:
    return summarise(load(run_dir))


def printed(summary: Summary, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(terminal(summary, Path("runs") / "x"))
    return out.getvalue()


@pytest.mark.req("B-5")
def test_summary_json_has_the_keys_of_the_design_and_both_bounds(summary: Summary) -> None:
    found = json.loads(summary.model_dump_json())
    assert [key for key in KEYS if key not in found] == []
    assert list(found["bounds"]) == ["conservative", "optimistic"]


def test_headline_is_the_conservative_bound_repeated(summary: Summary) -> None:
    found = json.loads(summary.model_dump_json())
    shared = set(found) & set(BoundSummary.model_fields)
    assert {"net_pnl", "sharpe_reason", "turnover"} <= shared
    assert {key: found[key] for key in shared} == {key: found["bounds"]["conservative"][key] for key in shared}


def test_every_key_is_described() -> None:
    schema = Summary.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    assert [f"{m['title']}.{k}" for m in models for k, v in m["properties"].items() if "description" not in v] == []


def test_summary_survives_its_own_json(summary: Summary) -> None:
    text = summary.model_dump_json()
    assert Summary.model_validate_json(text).model_dump_json() == text


def test_same_run_gives_the_same_summary_byte_by_byte(run_dir: Path, summary: Summary) -> None:
    assert summarise(load(run_dir)).model_dump_json() == summary.model_dump_json()


def test_figures_of_a_small_session_are_the_worked_ones(tmp_path: Path) -> None:
    scene = Scene(
        quotes=[quote(0, 99, 101), quote(100, 101, 103)],
        fills=[fill(10, "BUY", "2", "99"), fill(50, "SELL", "1", "101"), fill(100, "SELL", "1", "102")],
        funding=[paid(60, "-0.1", "1")],
        starting="1000",
    )
    found = summarise(load(scene.write(tmp_path)))
    bound = found.bounds["conservative"]
    assert (float(found.net_pnl), float(found.gross_pnl), float(found.turnover)) == (4.9, 5.0, 401.0)
    assert bound.net_bps == pytest.approx(4.9 / 401 * 1e4)
    assert (found.round_trips, bound.hit_rate, bound.holding_secs_mean) == (1, 1.0, 90.0)
    assert found.sharpe_reason == "1 day of equity; 30 are needed"
    assert bound.pnl_by_day == {"2024-08-08": 4.9}
    # 200 for 40 s, 100 for 50 s of 100 s
    assert bound.exposure.mean_quote == pytest.approx(130.0)
    assert bound.exposure.time_in_market == pytest.approx(0.9)


def test_two_instruments_share_one_account(tmp_path: Path) -> None:
    other = {"instrument_id": "ETHUSDT-PERP.BINANCE"}
    scene = Scene(
        quotes=[quote(0, 99, 101), quote(0, 9, 11) | other, quote(50, 103, 105), quote(50, 7, 9) | other],
        fills=[fill(10, "BUY", "1", "100"), fill(20, "SELL", "5", "10", **other)],
    )
    found = summarise(load(scene.write(tmp_path)))
    assert (float(found.net_pnl), float(found.residual)) == (4.0 + 10.0, 0.0)
    assert found.bounds["conservative"].exposure.max_quote == pytest.approx(150.0)


@pytest.mark.req("B-5", "R-11")
def test_terminal_shows_net_of_both_bounds_top_refusals_marks_and_the_path(summary: Summary) -> None:
    text = printed(summary)
    nets = [f"{bound.net_pnl:+,.2f}" for bound in summary.bounds.values()]
    top = [f"{reason} {count}" for reason, count in list(summary.bounds["conservative"].refusals_by_reason.items())[:3]]
    wanted = [*nets, *top, "SYNTHETIC", "Maker share", "funding", "Max drawdown", "Edge check waived", "report.html"]
    assert [piece for piece in wanted if piece not in text] == []


def test_terminal_fits_eighty_columns(summary: Summary) -> None:
    assert max(len(line.rstrip()) for line in printed(summary, 80).splitlines()) <= 80


def test_marks_name_what_is_not_as_it_should_be(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101)])
    scene.manifest = {
        "status": "halted",
        "fidelity": "l1_trades",
        "certificates": [{"instrument_id": IID, "day": "2024-08-08", "grade": "C"}],
        "synthetic": False,
        "warmup_secs": 0,
        "trading_start_ns": at(0),
    }
    marks = {mark.label: mark for mark in summarise(load(scene.write(tmp_path))).trust}
    assert {label for label, mark in marks.items() if mark.level != "plain"} == {
        "Status",
        "Fidelity",
        "Certificates",
        "Warm-up",
    }
    assert "SYNTHETIC" not in marks
    assert marks["Latency"].text == "insert 200 ms, cancel 200 ms (config)"
