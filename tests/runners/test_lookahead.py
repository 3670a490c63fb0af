"""`lookahead`: passes for what only knows the past, and finds a strategy that knows more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from catalog.kinds import Kind
from catalog.store import Catalog, Period
from errors import RunFailed
from runners import lookahead
from runners._cli import run
from runners.config import Resolved, Trust, load_backtest
from runners.decisions import Decisions
from runners.look_ahead import Cut, cut_times, look_ahead
from runners.market import Market, open_market
from runners.truncation import redirected, truncated
from tests.runners.short import STRATEGIES, short

ANY = Trust(everything=True)
PLANTED = "tests.runners.planted"
IID = "BTCUSDT-PERP.BINANCE"
MINUTE = 60_000_000_000


def opened(folder: Path, cls: str, params: str) -> tuple[Resolved, Market]:
    resolved = load_backtest(short(folder, cls, params), trust=ANY)
    return resolved, open_market(resolved.config)


def tape_of(market: Market) -> str:
    return market.catalog.path.resolve().as_posix()


def checked(folder: Path, cls: str, params: str, cuts: int = 3) -> list[Cut]:
    return look_ahead(*opened(folder, cls, params), ANY, cuts)


@pytest.mark.req("V-3")
@pytest.mark.parametrize("name", STRATEGIES)
def test_our_strategies_do_not_look_ahead(in_samples: Path, tmp_path: Path, name: str) -> None:
    found = checked(tmp_path, *STRATEGIES[name])
    assert [cut.passed for cut in found] == [True] * len(found)
    assert found[-1].compared >= 5
    assert len(found) == 3


@pytest.mark.req("V-3")
@pytest.mark.parametrize("more", ["", ", cached: true"], ids=["reads each time", "keeps it in its module"])
def test_a_strategy_that_reads_the_future_from_the_catalog_is_caught(
    in_samples: Path, tmp_path: Path, more: str
) -> None:
    _, market = opened(tmp_path, f"{PLANTED}:Idle", "{}")
    found = checked(tmp_path, f"{PLANTED}:ReadsTape", f"{{tape: '{tape_of(market)}'{more}}}", cuts=8)
    changed = [cut for cut in found if not cut.passed]
    assert changed
    first = changed[0].parting
    assert first is not None
    assert first.a is not None
    assert first.b is not None
    assert "side" in first.fields
    assert {first.a["side"], first.b["side"]} == {"BUY", "SELL"}


def test_a_path_with_no_future_in_it_passes(in_samples: Path, tmp_path: Path) -> None:
    """The same class that looks 0 seconds ahead, at trades before now: nothing to find."""
    _, market = opened(tmp_path, f"{PLANTED}:Idle", "{}")
    found = checked(tmp_path, f"{PLANTED}:ReadsTape", f"{{tape: '{tape_of(market)}', ahead_secs: -5.0}}")
    assert all(cut.passed for cut in found)


@pytest.mark.req("V-3")
def test_a_strategy_that_fails_without_the_future_is_caught(in_samples: Path, tmp_path: Path) -> None:
    _, market = opened(tmp_path, f"{PLANTED}:Idle", "{}")
    params = f"{{tape: '{tape_of(market)}', strict: true, ahead_secs: 1.0}}"
    resolved, market = opened(tmp_path, f"{PLANTED}:ReadsTape", params)
    whole = Market(
        market.catalog, market.config, Period(market.period.start_ns, market.period.end_ns - MINUTE),
        market.trading_start_ns, market.certificates, market.synthetic, market.source,
    )  # fmt: skip
    found = look_ahead(resolved, whole, ANY, 2)
    assert any(cut.error is not None and "no tape there" in cut.error for cut in found)


@pytest.mark.req("V-3")
def test_orders_sent_while_stopping_are_no_decisions(in_samples: Path, tmp_path: Path) -> None:
    found = checked(tmp_path, f"{PLANTED}:Leaver", "{}", cuts=1)
    assert [(cut.compared, cut.passed) for cut in found] == [(1, True)]


def test_a_strategy_that_decides_nothing_cannot_pass(in_samples: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="nothing can be checked"):
        checked(tmp_path, f"{PLANTED}:Idle", "{}")


def test_the_data_is_cut_after_the_first_event_at_or_after_a_decision() -> None:
    times = np.array([10, 20, 20, 30, 40], np.int64)
    rows = [{"ts_ns": ts} for ts in (10, 15, 15, 30, 40)]
    assert cut_times(Decisions(rows, times), 8) == [11, 21, 31, 41]
    assert cut_times(Decisions(rows, times), 2) == [11, 41]


def test_a_truncated_catalog_holds_what_was_received_before_the_cut(in_samples: Path, tmp_path: Path) -> None:
    _, market = opened(tmp_path, f"{PLANTED}:Idle", "{}")
    start = market.period.start_ns
    copy = truncated(market.catalog, [IID], start + 2 * MINUTE, tmp_path / "copy")
    for kind in (Kind.DELTAS, Kind.TRADES, Kind.QUOTES):
        wanted = market.catalog.count(IID, kind, Period(start, start + 2 * MINUTE))
        assert 0 < copy.count(IID, kind) == wanted < market.catalog.count(IID, kind)
    for file in copy.files(IID):
        last = pq.read_table(file.path)["ts_init"].cast("int64").to_pylist()[-1]
        assert last == file.end_ns < start + 2 * MINUTE
    assert str(copy.instrument(IID).id) == IID
    assert len(Catalog(tmp_path / "copy").certificates(IID)) == 1


def test_only_paths_into_the_catalog_are_redirected(tmp_path: Path) -> None:
    source, target = tmp_path / "catalog", tmp_path / "copy"
    params = {
        "tape": str(source / "data" / "x"),
        "deep": [{"root": str(source)}],
        "n": 5,
        "model": str(tmp_path / "m.json"),
    }
    found = redirected(params, source, target)
    assert found == {
        "tape": str(target / "data" / "x"), "deep": [{"root": str(target)}], "n": 5, "model": str(tmp_path / "m.json"),
    }  # fmt: skip


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(lookahead.app, [*map(str, arguments), "--trust-code"])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.req("V-3")
def test_the_command_exits_1_and_names_the_first_order_that_changed(
    in_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, market = opened(tmp_path, f"{PLANTED}:Idle", "{}")
    path = short(tmp_path, f"{PLANTED}:ReadsTape", f"{{tape: '{tape_of(market)}'}}")
    assert command(path, "--cuts", "8") == 1
    printed = capsys.readouterr()
    assert "differs in side" in printed.out
    assert "all data" in printed.out
    assert "cut off" in printed.out
    assert printed.err.startswith("error: look-ahead: decisions changed at ")


def test_the_command_exits_0_where_nothing_changes_and_speaks_json(
    in_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = short(tmp_path, *STRATEGIES["breakout"])
    assert command(path, "--cuts", "1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert [cut["passed"] for cut in found["cuts"]] == [True]
