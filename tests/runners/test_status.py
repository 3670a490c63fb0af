"""`status` and the file it reads."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from errors import CorruptData
from risk.breakers.config import BreakersConfig
from risk.breakers.events import BookUpdate
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.halts import Halts
from risk.kill_switch import run_switch
from risk.loss import LossLedger
from runners import __main__ as root
from runners import wiring
from runners._cli import run
from runners.status_file import About, Counts, Exposed, Status, StatusFile, read_status, take
from tests.runners import tiny
from tests.runners.test_halting import NOW, armed

S = 1_000_000_000
ABOUT = About("x", "testnet", "c0ffee", "demo-1", 7)


def taken(equity: str | None, *, net: str = "0") -> Status:
    """One look at a gate with a daily loss limit of 3 and a position limit of 2,000, the day begun with 10,000."""
    values = tiny.RISK.model_dump() | {
        "max_daily_loss_quote": 3, "max_order_notional_quote": 1000, "max_position_notional_quote": 2000,
        "breakers": {**dict.fromkeys(BreakersConfig.model_fields), "feed_age_ms": {"soft": 500}},
    }  # fmt: skip
    config = RiskConfig.model_validate(values)
    halts = Halts(run_switch("x"), LossLedger(config.losses()))
    plan = wiring.Plan({tiny.NAME: tiny.perpetual()}, {tiny.NAME: FeeRates(2, 5)}, config, 0, epoch=1, halts=halts)
    gate = wiring.build([], plan).services.gate
    halts.read(NOW, Decimal(10_000))
    gate.board.on_book(BookUpdate(NOW, NOW - S, tiny.NAME, 100.0, 100.2))
    if equity is not None:
        halts.read(NOW + S, Decimal(equity))
    held = [Exposed(tiny.NAME, Decimal(net), abs(Decimal(net)), Decimal(100))]
    known = None if equity is None else Decimal(equity)
    return take(gate, ABOUT, NOW + S, "trading", known, held, Counts(orders=2))


def used(status: Status) -> dict[str, tuple[str, float | None]]:
    return {use.limit: (str(use.used), use.share) for use in status.limits}


def test_limits_say_how_much_of_them_is_used() -> None:
    limits = used(taken("9998.50", net="-5"))
    assert limits["max_daily_loss_quote"] == ("1.50", 0.5)  # 10,000 - 9,998.50 of 3
    assert limits["max_position_notional_quote"] == ("500", 0.25)  # 5 x 100 of 2,000
    assert limits["max_order_notional_quote"] == ("None", None)


@pytest.mark.req("R-1")
def test_a_daily_loss_beyond_its_limit_shows_as_the_reason_of_the_halt() -> None:
    status = taken("9996.99")
    assert (status.halted, status.latched) == ("daily loss 3.01 > 3.00", False)
    assert used(status)["max_daily_loss_quote"][1] == pytest.approx(3.01 / 3)


def test_breakers_that_are_open_are_named_with_their_reason() -> None:
    (mark,) = taken("10000").breakers
    assert (mark.name, mark.instrument_id, mark.state, mark.level) == ("feed_age_ms", tiny.NAME, "open", "soft")


def test_before_the_account_is_known_nothing_is_invented() -> None:
    status = taken(None)
    assert status.equity is None
    assert used(status)["max_daily_loss_quote"] == ("None", None)


def test_the_file_is_written_whole_at_most_once_a_second_and_read_back(tmp_path: Path) -> None:
    file, status = StatusFile(tmp_path), taken("9998")
    assert file.due(0)
    assert file.write(status)
    assert not file.due(status.ts_ns + S - 1)
    assert file.due(status.ts_ns + S)
    assert read_status(tmp_path) == status
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_disk_that_refuses_is_named_and_does_not_stop_the_node(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "gone")
    assert not file.write(taken("9998"))
    assert file.missed == 1
    assert file.problem is not None
    assert "status.json" in file.problem


def test_a_broken_file_is_said_to_be_broken(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    (tmp_path / "status.json").write_text("{", encoding="utf-8")
    with pytest.raises(CorruptData, match=r"status\.json"):
        read_status(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        run(root.app, ["status", *arguments])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.req("R-3")
def test_status_shows_token_latch_history_and_what_a_dead_node_last_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = armed(tmp_path)
    text = shown(capsys, "--state", str(tmp_path))
    assert "entries are open" in text
    assert "no node runs" in text
    assert "made 1970-01-01 00:00:00 by ann: first" in text
    (place.path / "arm.json").unlink()
    (look,) = json.loads(shown(capsys, "--state", str(tmp_path), "--json"))
    assert look["halted"] == "the arm token is gone, and nobody recorded why"
    assert [record["act"] for record in look["latch"]] == ["armed"]
    (place.path / "arm.json").write_text("garbage", encoding="utf-8")
    assert "HALTED" in shown(capsys, "--state", str(tmp_path), "--account", "demo-1")


def test_without_any_account_it_says_so_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(root.app, ["status", "--state", str(tmp_path)])
    assert caught.value.code == 2
    assert "no node ever ran here" in capsys.readouterr().err
