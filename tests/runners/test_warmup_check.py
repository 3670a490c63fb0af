"""`warmup-check`: says when an indicator needs longer than the warm-up."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from errors import PeriodEmpty, RunFailed, UsageError
from runners import warmup_check
from runners._cli import run
from runners.config import Trust, load_backtest
from runners.decisions import COLUMNS, Row
from runners.market import open_market
from runners.warm_up import Length, WarmUp, _length, warm_up
from tests.runners.short import STRATEGIES, short

ANY = Trust(everything=True)
SLOW = "tests.runners.planted:SlowMean"


def checked(folder: Path, cls: str, params: str, warmup_secs: int = 30) -> WarmUp:
    resolved = load_backtest(short(folder, cls, params, warmup_secs=warmup_secs), trust=ANY)
    return warm_up(resolved, open_market(resolved.config), ANY, (1, 2, 4))


@pytest.mark.req("B-8")
def test_a_mean_over_45_seconds_needs_60_not_30(in_samples: Path, tmp_path: Path) -> None:
    found = checked(tmp_path, SLOW, "{samples: 45}")
    assert [length.secs for length in found.lengths] == [30, 60, 120]
    assert found.lengths[0].differing > 0
    assert found.lengths[0].parting is not None
    assert [length.differing for length in found.lengths[1:]] == [0, 0]
    assert found.enough_secs() == 60


@pytest.mark.req("B-8")
def test_a_mean_over_20_seconds_needs_no_more_than_30(in_samples: Path, tmp_path: Path) -> None:
    assert checked(tmp_path, SLOW, "{samples: 20}").enough_secs() == 30


@pytest.mark.req("B-8")
def test_a_mean_over_100_seconds_settles_with_none_of_them(in_samples: Path, tmp_path: Path) -> None:
    assert checked(tmp_path, SLOW, "{samples: 100}").enough_secs() is None


@pytest.mark.req("B-8")
@pytest.mark.parametrize("name", ["breakout", "mean_reversion"])
def test_bar_strategies_that_see_enough_bars_pass(in_samples: Path, tmp_path: Path, name: str) -> None:
    found = checked(tmp_path, *STRATEGIES[name], warmup_secs=30)
    assert found.lengths[-1].decisions >= 5
    assert found.enough_secs() == 30


def test_without_a_warm_up_whole_minutes_are_compared(in_samples: Path, tmp_path: Path) -> None:
    found = checked(tmp_path, SLOW, "{samples: 20}", warmup_secs=0)
    assert [length.secs for length in found.lengths] == [0, 60, 120]
    assert found.lengths[0].differing > 0
    assert found.enough_secs() == 60


def test_data_that_is_too_short_is_an_error(in_samples: Path, tmp_path: Path) -> None:
    with pytest.raises(PeriodEmpty, match="too short to compare warm-ups of 150 s and 300 s"):
        checked(tmp_path, SLOW, "{samples: 20}", warmup_secs=150)


def test_a_strategy_that_decides_nothing_cannot_pass(in_samples: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="nothing can be compared"):
        checked(tmp_path, "tests.runners.planted:Idle", "{}")


def test_a_length_is_enough_only_when_all_longer_ones_agree() -> None:
    def found(*differing: int) -> WarmUp:
        return WarmUp(0, tuple(Length(10.0 * 2**k, 100, count, None) for k, count in enumerate(differing)))

    assert found(0, 3, 0).enough_secs() is None
    assert found(5, 3, 0).enough_secs(0.03) == 20
    assert found(5, 3, 0).enough_secs(0.05) == 10
    assert found(0, 0, 0).enough_secs() == 10


def decision(secs: int, price: str | None, side: str = "BUY") -> Row:
    row: Row = dict.fromkeys(COLUMNS)
    return row | {"ts_ns": secs, "side": side, "price": None if price is None else Decimal(price)}


def test_prices_within_the_tolerance_are_the_same_decision() -> None:
    """10 000 against 10 001 is 1 bp, within 1 and beyond 0.9; another side or another time is another decision."""
    one, other = [decision(1, "10000"), decision(2, None)], [decision(1, "10001"), decision(2, None)]
    assert [_length(60, one, other, bps).differing for bps in (0.0, 0.9, 1.0)] == [1, 1, 0]
    assert _length(60, one, other, 1.0).parting is None
    parted = _length(60, one, other, 0.9).parting
    assert parted is not None
    assert (parted.index, parted.fields) == (0, ("price",))
    assert _length(60, [decision(1, "10000", "SELL")], [decision(1, "10000")], 100.0).differing == 1
    assert _length(60, [decision(1, "10000")], [decision(3, "10000")], 100.0).differing == 1


def test_each_decision_is_paired_once_and_a_missing_one_counts() -> None:
    """Two bids at one instant: 100 and 200 against 200 alone leave one without a partner."""
    two, alone = [decision(1, "100"), decision(1, "200")], [decision(1, "200")]
    assert _length(60, two, alone, 0.0).differing == 1
    assert _length(60, alone, two, 0.0).differing == 1
    assert _length(60, two, list(reversed(two)), 0.0).differing == 0


SHIPPED = Path(__file__).resolve().parents[2] / "backtest_configs"


@pytest.mark.req("B-8")
@pytest.mark.parametrize("name", ["btc_breakout", "btc_mean_reversion"])
def test_the_shipped_bar_strategies_warm_up_long_enough(in_samples: Path, name: str) -> None:
    resolved = load_backtest(SHIPPED / f"{name}.yaml", (), ANY)
    found = warm_up(resolved, open_market(resolved.config), ANY, (1, 2))
    assert found.lengths[-1].decisions >= 3
    assert found.enough_secs() == resolved.config.data.warmup_secs


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        run(warmup_check.app, [*map(str, arguments), "--trust-code"])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.req("B-8")
def test_the_command_exits_1_and_names_the_length_that_is_enough(
    in_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(short(tmp_path, SLOW, "{samples: 45}")) == 1
    error = capsys.readouterr().err
    assert error == "error: 30 s of warm-up are too short: decisions settle from 60 s on; set data.warmup_secs to it.\n"
    assert command(short(tmp_path, SLOW, "{samples: 45}"), "--json", "--tolerance-pct", "100") == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_a_pass_within_a_tolerance_says_so(
    in_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = short(tmp_path, SLOW, "{samples: 45}")
    assert command(path, "--tolerance-pct", "100", "--tolerance-bps", "2") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        "30 s of warm-up are enough: at most 100 % of decisions differ (prices within 2 bps count as the same)."
    )


@pytest.mark.parametrize("factors", ["1", "1,x", "0,2", ""])
def test_wrong_factors_are_a_usage_error(tmp_path: Path, factors: str) -> None:
    with pytest.raises(UsageError, match="at least two whole numbers"):
        warmup_check.warmup_check(tmp_path / "none.yaml", factors=factors)
