"""`runs`: names, lists, comparisons and removal of past runs."""

from __future__ import annotations

import json
import shutil
import webbrowser
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from errors import UsageError
from runners import backtest, runs
from runners._cli import run
from runners.comparing import DECIDED, Parting, compare, parting
from runners.differences import Difference, differences
from runners.run_names import find_run, list_runs
from runners.run_tables import _differences, _sentence, show
from tests.runners.short import STRATEGIES, short

IID = "BTCUSDT-PERP.BINANCE"


def fake(folder: Path, name: str) -> Path:
    """A directory that looks like a run."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "manifest.json").write_text("{}", encoding="utf-8")
    summary = {
        "run_id": name, "status": "completed", "verdict": "LOSS", "net_pnl": -1.25, "currency": "USDT", "fills": 3,
        "max_drawdown": 0.01, "synthetic": True, "config_hash": "abcdef0123456789",
    }  # fmt: skip
    (place / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return place


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(runs.app, [str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


OLD, NEW, TWIN = "20240808T101500Z-btc-aaaaaaaa", "20240809T101500Z-btc-bbbbbbbb", "20240809T101500Z-btc-bbbbbbbb-2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (TWIN, OLD, NEW):
        fake(tmp_path / "runs", name)
    (tmp_path / "runs" / f".{NEW}.partial-1").mkdir()
    return tmp_path / "runs"


def test_runs_are_listed_by_time_and_unfinished_ones_are_not(folder: Path) -> None:
    assert [place.run_id for place in list_runs(folder)] == [OLD, NEW, TWIN]
    assert list_runs(folder / "nothing") == []


def test_a_run_is_found_by_directory_by_the_beginning_of_its_id_and_as_the_last(folder: Path) -> None:
    assert find_run(str(folder / OLD), Path("elsewhere")) == folder / OLD
    assert find_run("20240808", folder) == folder / OLD
    assert find_run(NEW, folder) == folder / NEW  # the whole name, although another begins with it
    assert find_run("last", folder) == folder / TWIN
    assert find_run("btc", folder) == folder / TWIN  # by the configuration's name: the newest


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("20240809", f"20240809 begins 2 run ids: {NEW}, {TWIN}; write more of it"),
        ("2023", f"there is no run 2023 in .*; the newest are {TWIN}, {NEW}, {OLD}"),
    ],
)
def test_a_name_that_fits_none_or_several_is_an_error_that_lists_them(folder: Path, name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        find_run(name, folder)


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds none; make one with: python -m runners backtest CONFIG"):
        find_run("last", tmp_path)


def test_list_prints_a_row_per_run_newest_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", "--runs", folder) == 0
    printed = capsys.readouterr().out
    assert printed.index(NEW) < printed.index(OLD)
    assert "-1.25 USDT" in printed
    assert "SYNTHETIC" in printed
    assert command("list", "--runs", folder, "--json") == 0
    assert [row["run_id"] for row in json.loads(capsys.readouterr().out)] == [TWIN, NEW, OLD]


def test_open_shows_the_report_in_the_browser(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert command("open", "2024080", "--runs", folder / "nothing") == 2
    assert command("open", "last", "--runs", folder) == 0
    assert shown == [(folder / TWIN / "report.html").resolve().as_uri()]


def test_prune_lists_first_and_removes_only_when_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("prune", "--keep", "1", "--runs", folder) == 0
    assert "2 of 3 runs would be removed; add --yes to do it." in capsys.readouterr().out
    assert len(list_runs(folder)) == 3
    (folder / "notes").mkdir()
    assert command("prune", "--keep", "1", "--yes", "--runs", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"removed": True, "runs": [OLD, NEW]}
    assert sorted(path.name for path in folder.iterdir()) == [f".{NEW}.partial-1", TWIN, "notes"]


def test_differences_name_keys_and_compare_strategies_by_id() -> None:
    a = {"seed": 7, "strategies": [{"id": "x", "params": {"n": 1}}, {"id": "y"}], "data": {"sample": None}}
    b = {"seed": 7, "strategies": [{"id": "y"}, {"id": "x", "params": {"n": 2}}], "data": {"catalog": "c"}}
    assert differences(a, b) == [
        Difference("strategies.x.params.n", 1, 2),
        Difference("data.sample", None, "–"),
        Difference("data.catalog", "–", "c"),
    ]


def row(ts_ns: int, price: str) -> dict[str, Any]:
    values = dict.fromkeys(DECIDED, "x") | {"ts_ns": ts_ns, "price": Decimal(price), "quantity": Decimal(1)}
    return dict(values)


def test_sequences_part_at_the_first_row_that_differs_or_that_only_one_has() -> None:
    one, two, three = row(1, "10"), row(2, "11"), row(2, "12")
    assert parting([one, two], [one, two], DECIDED) is None
    found = parting([one, two], [one, three], DECIDED)
    assert found is not None
    assert (found.index, found.fields, found.a, found.b) == (1, ("price",), two, three)
    longer = parting([one], [one, two], DECIDED)
    assert longer is not None
    assert (longer.index, longer.a, longer.b) == (1, None, two)


@pytest.fixture(scope="module")
def pair(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Three real runs: one, the same again, and one with another holding time."""
    place = tmp_path_factory.mktemp("pair")
    config = short(place, *STRATEGIES["mean_reversion"], minutes=2, warmup_secs=10)
    patch = pytest.MonkeyPatch()
    patch.chdir(samples)
    for name, more in (("a", []), ("same", []), ("b", ["--set", "strategies.one.params.max_hold_secs=6"])):
        with pytest.raises(SystemExit) as caught:
            run(backtest.app, [str(config), "--output", str(place / name), *more])
        assert caught.value.code == 0
    patch.undo()
    return place / "a", place / "same", place / "b"


def test_equal_runs_compare_as_equal(pair: tuple[Path, Path, Path]) -> None:
    found = compare(pair[0], pair[1])
    assert (found.config, found.origin, found.missing) == ([], [], [])
    assert set(found.bounds) == {"conservative", "optimistic"}
    for bound in found.bounds.values():
        assert (bound.orders, bound.fills) == (None, None)
        assert bound.waterfall["net"][0] == bound.waterfall["net"][1]


def test_compare_shows_the_key_the_waterfalls_and_the_first_order_that_differs(
    pair: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("compare", pair[0], pair[2]) == 0
    printed = capsys.readouterr().out
    assert "strategies.one.params.max_hold_secs" in printed
    assert "B − A" in printed
    assert "conservative" in printed
    assert command("compare", pair[0], pair[2], "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["config"] == [{"key": "strategies.one.params.max_hold_secs", "a": 20.0, "b": 6.0}]
    bound = found["bounds"]["conservative"]
    assert set(bound["waterfall"]) == {"spread", "markout", "inventory", "fees", "funding", "net"}
    orders = bound["orders"]
    assert orders["index"] >= 1  # the first entry is the same, its exit is not
    assert orders["a"] != orders["b"]


def test_compare_of_strangers_folds_a_strategy_that_one_run_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    keys = {"id": "two", "class": "strategies.breakout:Breakout", "params": {"bar_secs": 10, "stop_atr": 2.0}}
    found = differences(
        {"strategies": [{"id": "one", "class": "a:B", "note": None}], "start_ns": 1_723_075_200_000_000_000},
        {"strategies": [{"id": "one", "class": "a:B", "note": "x"}, keys], "start_ns": 1_723_075_260_000_000_000},
    )
    assert len(found) == 6  # note, start, and four keys of `two`
    show(_differences("configuration", found))
    lines = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines] == [
        ["strategies.one.note", "null", "x"],
        ["start_ns", "2024-08-08 00:00:00.000000", "2024-08-08 00:01:00.000000"],
        ["strategies.two", "–", "strategies.breakout:Breakout"],
    ]


def test_nothing_in_common_is_not_called_the_first_0_equal() -> None:
    row = {"ts_ns": 0, "strategy_id": "s", "side": "BUY", "quantity": Decimal(1), "price": None, "instrument_id": IID}
    assert _sentence("orders", Parting(0, ("side",), row, row | {"side": "SELL"}), (1, 1)).startswith(
        "orders: they differ from the first on; then\n"
    )
    assert "the first 2 are equal; then only A goes on" in _sentence("orders", Parting(2, (), row, None), (3, 2))


def test_a_run_with_one_bound_is_compared_on_that_bound(pair: tuple[Path, Path, Path], tmp_path: Path) -> None:
    alone = shutil.copytree(pair[0], tmp_path / "alone")
    summary = json.loads((alone / "summary.json").read_text(encoding="utf-8"))
    del summary["bounds"]["optimistic"]
    (alone / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    found = compare(alone, pair[1])
    assert (list(found.bounds), found.missing) == (["conservative"], ["optimistic"])
