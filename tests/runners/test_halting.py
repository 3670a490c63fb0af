"""Halting by hand and the reset, on files alone: node running, hung or dead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from errors import RunFailed, SafetyRefusal, UsageError
from risk.arm_token import FileTokenStore, Identity
from risk.kill_switch import KillSwitch
from risk.latch_log import Act, FileLatchLog
from runners import __main__ as root
from runners._cli import run
from runners.accounts import AccountPlace, find_account, node_of
from runners.halting import halt, reset, standing
from runners.live.arming import account_halts
from runners.live.state import AccountLock
from runners.status_file import Status, StatusFile
from tests.runners.tiny import RISK

NOW = 1_800_000_000_000_000_000
FOR = Identity(account="A1", environment="demo", config_hash="c0ffee")


def armed(state: Path, alias: str = "demo-1") -> AccountPlace:
    """An account as its first start leaves it."""
    folder = state / alias
    folder.mkdir(parents=True)
    pin = {"environment": "demo", "host": "venue", "account_id": "A1", "key_fingerprint": "f"}
    (folder / "account.json").write_text(json.dumps(pin), encoding="utf-8")
    KillSwitch(FileTokenStore(folder / "arm.json"), FileLatchLog(folder / "latch.jsonl"), FOR).arm(1, "ann", "first")
    status = Status(ts_ns=NOW, name="x", mode="testnet", account=alias, config_hash="c0ffee", phase="trading")
    assert StatusFile(folder).write(status)
    return AccountPlace(alias, folder)


def switch(place: AccountPlace) -> KillSwitch:
    """The switch as a node of that account opens it."""
    return KillSwitch(place.tokens, place.log, FOR)


class Venue:
    """What is open there."""

    def __init__(self, *orders: str) -> None:
        self.orders = orders

    def unprotective(self, account: AccountPlace) -> Sequence[str]:
        return self.orders


@pytest.mark.req("R-3")
def test_halt_deletes_the_token_records_who_and_why_and_a_running_switch_sees_it_at_once(tmp_path: Path) -> None:
    place = armed(tmp_path)
    node = switch(place)
    assert node.refusal() is None
    done = halt(tmp_path, place, "spread looks wrong", "bob", NOW)
    assert (done.halted, done.problems) == (True, ())
    assert not (place.path / "arm.json").exists()
    assert node.refusal() == "latched: spread looks wrong"
    last = place.log.records()[-1]
    assert (last.act, last.operator, last.reason) == (Act.TRIPPED, "bob", "spread looks wrong")


@pytest.mark.req("R-3")
def test_a_second_halt_changes_nothing_and_the_first_reason_stands(tmp_path: Path) -> None:
    place = armed(tmp_path)
    halt(tmp_path, place, "first", "bob", NOW)
    done = halt(tmp_path, place, "second", "eve", NOW + 1)
    assert done.lines[0] == "already halted: first (bob); the first reason stands"
    assert [record.act for record in place.log.records()] == [Act.ARMED, Act.TRIPPED]


@pytest.mark.req("R-3")
def test_a_halted_account_does_not_start_until_a_person_resets_it(tmp_path: Path) -> None:
    place = armed(tmp_path)
    halt(tmp_path, place, "stop", "bob", NOW)
    with pytest.raises(SafetyRefusal, match="stop"):
        account_halts(place.path, FOR, RISK, NOW)
    done = reset(tmp_path, place, "looked, all is well", "bob", NOW + 1)
    assert not done.halted
    assert account_halts(place.path, FOR, RISK, NOW + 2).refusal(NOW + 2) is None
    last = place.log.records()[-1]
    assert (last.act, last.operator, last.reason) == (Act.RESET, "bob", "looked, all is well")


@pytest.mark.req("R-3")
def test_a_token_that_cannot_be_read_is_a_halt_and_the_reset_replaces_it(tmp_path: Path) -> None:
    place = armed(tmp_path)
    (place.path / "arm.json").write_text("{torn", encoding="utf-8")
    found = standing(place)
    assert found.tripped
    assert found.halted is not None
    assert "cannot be read" in found.halted
    reset(tmp_path, place, "disk was full", "bob", NOW)
    assert standing(place).halted is None


@pytest.mark.req("R-3")
def test_a_torn_latch_log_is_a_halt_until_the_reset(tmp_path: Path) -> None:
    place = armed(tmp_path)
    with (place.path / "latch.jsonl").open("ab") as file:
        file.write(b'{"act": "tri')
    assert standing(place).tripped
    reset(tmp_path, place, "disk was full", "bob", NOW)
    assert standing(place).halted is None


@pytest.mark.req("R-3")
def test_a_reset_is_refused_while_a_node_holds_the_account_though_a_halt_is_not(tmp_path: Path) -> None:
    place = armed(tmp_path)
    with AccountLock(tmp_path / "locks" / "demo-0123.lock", "demo-1"):
        done = halt(tmp_path, place, "stop", "bob", NOW)
        assert done.halted
        assert any("a node runs" in line for line in done.lines)
        with pytest.raises(SafetyRefusal, match="a node holds the account of demo-1"):
            reset(tmp_path, place, "looked", "bob", NOW)
        assert standing(place).halted == "stop (bob)"
    reset(tmp_path, place, "looked", "bob", NOW)
    assert node_of(tmp_path, place) is None


def test_the_lock_of_another_account_is_no_hindrance(tmp_path: Path) -> None:
    place = armed(tmp_path)
    halt(tmp_path, place, "stop", "bob", NOW)
    with AccountLock(tmp_path / "locks" / "demo-9999.lock", "other"):
        assert node_of(tmp_path, place) is None
        assert not reset(tmp_path, place, "looked", "bob", NOW).halted


def test_a_held_lock_of_the_same_environment_that_names_nobody_counts(tmp_path: Path) -> None:
    place = armed(tmp_path)
    halt(tmp_path, place, "stop", "bob", NOW)
    (tmp_path / "locks").mkdir()
    with FileLock(tmp_path / "locks" / "demo-77.lock"), pytest.raises(SafetyRefusal, match="process unknown"):
        reset(tmp_path, place, "looked", "bob", NOW)


@pytest.mark.req("R-3")
def test_a_reset_is_refused_while_orders_that_protect_nothing_are_open(tmp_path: Path) -> None:
    place = armed(tmp_path)
    halt(tmp_path, place, "stop", "bob", NOW)
    with pytest.raises(SafetyRefusal, match="2 orders are open, the first is order h1a"):
        reset(tmp_path, place, "looked", "bob", NOW, Venue("order h1a", "order h1b"))
    assert standing(place).tripped
    done = reset(tmp_path, place, "looked", "bob", NOW, Venue())
    assert "the venue shows no open order but protective stops" in done.lines


def test_nothing_is_reset_where_nothing_is_halted_and_nothing_done_without_a_reason(tmp_path: Path) -> None:
    place = armed(tmp_path)
    with pytest.raises(UsageError, match="not halted"):
        reset(tmp_path, place, "why not", "bob", NOW)
    for act in (halt, reset):
        with pytest.raises(UsageError, match="say why"):
            act(tmp_path, place, "  ", "bob", NOW)


def test_a_halt_whose_record_cannot_be_written_still_halts_and_says_what_failed(tmp_path: Path) -> None:
    place = armed(tmp_path)
    (place.path / "latch.jsonl").unlink()
    (place.path / "latch.jsonl").mkdir()
    done = halt(tmp_path, place, "stop", "bob", NOW)
    assert done.halted
    assert len(done.problems) == 1
    assert "latch record could not be written" in done.problems[0]


def test_a_halt_that_can_do_neither_says_loudly_that_it_did_not_halt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = armed(tmp_path)
    monkeypatch.setattr(FileTokenStore, "delete", lambda self: "no permission")
    monkeypatch.setattr(FileLatchLog, "append", lambda self, record: (_ for _ in ()).throw(OSError(28, "no space")))
    with pytest.raises(RunFailed, match="NOT halted"):
        halt(tmp_path, place, "stop", "bob", NOW)


def test_the_only_account_needs_no_name_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    armed(tmp_path)
    assert find_account(tmp_path, None).alias == "demo-1"
    with pytest.raises(UsageError, match="there is no account demo"):
        find_account(tmp_path, "demo")
    armed(tmp_path, "demo-2")
    with pytest.raises(UsageError, match="several accounts"):
        find_account(tmp_path, None)
    with pytest.raises(UsageError, match="no node ever ran here"):
        find_account(tmp_path / "nowhere", None)


@pytest.mark.req("R-3")
def test_the_command_exits_0_for_a_halt_2_without_a_reason_and_4_while_a_node_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = armed(tmp_path)
    options = ["halt", "--state", str(tmp_path)]

    def code(*more: str) -> object:
        with pytest.raises(SystemExit) as caught:
            run(root.app, [*options, *more])
        return caught.value.code

    assert code() == 2
    assert code("--reason", "stop", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["account"], told["halted"]) == ("demo-1", True)
    with AccountLock(tmp_path / "locks" / "demo-1.lock", "demo-1"):
        assert code("--reset", "--reason", "looked") == 4
    assert code("--reset", "--reason", "looked") == 0
    assert place.log.records()[-1].operator != ""
