"""The kill switch, its token and its log: in memory and on disk alike, and what a disk can do to them."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import SafetyRefusal
from risk.arm_token import ArmToken, FileTokenStore, Identity, MemoryTokenStore, TokenStore, TokenUnreadable
from risk.kill_switch import KillSwitch, run_switch
from risk.latch_log import Act, FileLatchLog, LatchLog, LatchRecord, LatchUnreadable, MemoryLatchLog

DEMO = Identity(account="42", environment="demo", config_hash="abc")
NUMBERS = itertools.count()
type Parts = tuple[TokenStore, LatchLog]


def memory(_: Path) -> Parts:
    return MemoryTokenStore(), MemoryLatchLog()


def files(folder: Path) -> Parts:
    return FileTokenStore(folder / "state" / "armed.json"), FileLatchLog(folder / "state" / "latch.jsonl")


@pytest.fixture(params=[memory, files], ids=["memory", "files"])
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Parts:
    make: Callable[[Path], Parts] = request.param
    return make(tmp_path)


def switch(parts: Parts, identity: Identity = DEMO) -> KillSwitch:
    return KillSwitch(*parts, identity, new_id=lambda: f"token-{next(NUMBERS)}")


def armed(parts: Parts) -> KillSwitch:
    made = switch(parts)
    made.arm(100, "me", "first start")
    return made


@pytest.mark.req("R-3")
def test_without_a_token_nothing_enters(parts: Parts) -> None:
    assert switch(parts).refusal() == "not armed: there is no arm token"


@pytest.mark.req("R-3")
def test_an_armed_account_enters_until_it_trips(parts: Parts) -> None:
    made = armed(parts)
    assert made.refusal() is None
    made.trip(200, "drawdown 5.20 % > 5.00 %", {"drawdown_pct": "5.2"})
    assert made.refusal() == "drawdown 5.20 % > 5.00 %"
    assert parts[0].read() is None


@pytest.mark.req("R-3")
def test_the_first_reason_wins_and_tripping_again_changes_nothing(parts: Parts) -> None:
    made = armed(parts)
    first = made.trip(200, "drawdown")
    assert made.trip(300, "operator") is made.tripped
    assert (first.ts_ns, first.reason, first.problems) == (200, "drawdown", ())
    assert [record.act for record in parts[1].records()] == [Act.ARMED, Act.TRIPPED]


@pytest.mark.req("R-3")
def test_a_trip_closes_in_memory_then_deletes_the_token_then_records() -> None:
    seen: list[tuple[str, bool, bool]] = []

    class Tokens(MemoryTokenStore):
        def delete(self) -> str | None:
            seen.append(("delete", made.tripped is not None, self.read() is None))
            return super().delete()

    class Log(MemoryLatchLog):
        def append(self, record: LatchRecord) -> None:
            seen.append(("record", made.tripped is not None, tokens.read() is None))
            super().append(record)

    tokens = Tokens()
    made = KillSwitch(tokens, Log(), DEMO)
    made.arm(100, "me", "first start")
    seen.clear()
    made.trip(200, "drawdown")
    assert seen == [("delete", True, False), ("record", True, True)]


@pytest.mark.req("R-3")
def test_the_latch_survives_a_restart_and_says_why(parts: Parts) -> None:
    armed(parts).trip(200, "drawdown")
    assert switch(parts).refusal() == "latched: drawdown"


@pytest.mark.req("R-3")
def test_an_armed_account_is_still_armed_after_a_restart(parts: Parts) -> None:
    armed(parts)
    assert switch(parts).refusal() is None


@pytest.mark.req("R-3")
def test_a_person_with_a_reason_resets_and_it_is_recorded(parts: Parts) -> None:
    made = armed(parts)
    made.trip(200, "drawdown")
    token = made.reset(300, "me", "sized down, looked at the incident")
    assert made.refusal() is None
    assert switch(parts).refusal() is None
    last = parts[1].records()[-1]
    assert (last.act, last.operator, last.token_id) == (Act.RESET, "me", token.token_id)
    made.trip(400, "again")
    assert switch(parts).refusal() == "latched: again"


@pytest.mark.parametrize(("operator", "reason"), [("", "why"), ("me", ""), ("  ", "why"), ("me", " \t")])
@pytest.mark.req("R-3")
def test_a_reset_without_a_person_or_a_reason_is_refused(parts: Parts, operator: str, reason: str) -> None:
    made = armed(parts)
    made.trip(200, "drawdown")
    with pytest.raises(SafetyRefusal, match="a person and a reason"):
        made.reset(300, operator, reason)
    assert made.refusal() == "drawdown"


def test_what_has_tripped_cannot_be_armed_only_reset(parts: Parts) -> None:
    armed(parts).trip(200, "drawdown")
    with pytest.raises(SafetyRefusal, match="tripped before"):
        switch(parts).arm(300, "me", "start")


def test_a_trip_that_left_no_record_still_takes_a_reset(parts: Parts) -> None:
    armed(parts)
    parts[0].delete()
    with pytest.raises(SafetyRefusal, match="tripped before"):
        switch(parts).arm(300, "me", "start")
    switch(parts).reset(400, "me", "the disk was full")
    assert switch(parts).refusal() is None


def test_a_change_of_configuration_is_armed_anew(parts: Parts) -> None:
    armed(parts)
    changed = switch(parts, DEMO.model_copy(update={"config_hash": "def"}))
    assert changed.refusal() is not None
    changed.arm(200, "me", "new limits")
    assert changed.refusal() is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"account": "43"}, "given for account 42, this is 43"),
        ({"environment": "production"}, "given for environment demo, this is production"),
        ({"config_hash": "abd"}, "given for config_hash abc, this is abd"),
    ],
)
@pytest.mark.req("R-3", "L-1")
def test_a_token_of_another_account_environment_or_config_permits_nothing(
    parts: Parts, changed: dict[str, str], sentence: str
) -> None:
    armed(parts)
    refusal = switch(parts, DEMO.model_copy(update=changed)).refusal()
    assert refusal is not None
    assert sentence in refusal


def test_the_last_trip_counts_by_order_and_not_by_clock(parts: Parts) -> None:
    made = armed(parts)
    made.trip(1_000, "drawdown")
    made.reset(500, "me", "the clock stepped back")
    assert switch(parts).refusal() is None


def test_a_trip_that_stands_in_the_log_counts_even_where_the_token_came_back(parts: Parts) -> None:
    made = armed(parts)
    token = parts[0].read()
    assert token is not None
    assert made.refusal() is None
    parts[1].append(LatchRecord(act=Act.TRIPPED, ts_ns=150, reason="the watchdog", operator="", token_id=""))
    assert made.refusal() == "latched: the watchdog"  # also in a process that had checked before
    parts[0].write(token)  # a restored backup
    assert switch(parts).refusal() == "latched: the watchdog"


def test_a_token_that_the_log_does_not_know_is_compared_by_time(parts: Parts) -> None:
    parts[1].append(LatchRecord(act=Act.TRIPPED, ts_ns=150, reason="old", operator="", token_id=""))
    for created_ns, refusal in ((151, None), (150, "latched: old")):
        token = ArmToken(token_id=f"x{created_ns}", identity=DEMO, created_ns=created_ns, operator="me", reason="r")
        parts[0].write(token)
        assert switch(parts).refusal() == refusal


def test_a_trip_with_nonsense_still_halts(parts: Parts) -> None:
    made = armed(parts)
    trip = made.trip(-5, "", {"x": float("nan")})
    assert made.refusal() == "no reason given"
    assert any("could not be written" in problem for problem in trip.problems)  # a negative time is no record
    assert parts[0].read() is None


@pytest.mark.req("B-9")
def test_a_backtest_is_armed_in_memory_and_halts_for_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = run_switch("abc"), run_switch("abc")
    one.trip(1, "daily loss")
    assert (one.refusal(), other.refusal()) == ("daily loss", None)
    assert list(tmp_path.iterdir()) == []


# What only a disk can do --------------------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path) -> tuple[FileTokenStore, FileLatchLog]:
    return FileTokenStore(tmp_path / "armed.json"), FileLatchLog(tmp_path / "latch.jsonl")


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b'{"version": 2}', b"[]"])
@pytest.mark.req("R-3")
def test_a_corrupt_token_is_a_halt(on_disk: tuple[FileTokenStore, FileLatchLog], content: bytes) -> None:
    made = armed(on_disk)
    on_disk[0].path.write_bytes(content)
    refusal = made.refusal()
    assert refusal is not None
    assert "cannot be read" in refusal
    with pytest.raises(TokenUnreadable):
        on_disk[0].read()


@pytest.mark.req("R-3")
def test_deleting_the_token_from_outside_halts_at_the_next_entry(on_disk: tuple[FileTokenStore, FileLatchLog]) -> None:
    made = armed(on_disk)
    assert made.refusal() is None
    on_disk[0].path.unlink()
    assert made.refusal() == "not armed: there is no arm token"


def refuse_to_write(_: LatchRecord) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk(FileLatchLog):
    """A log on a full disk."""

    def append(self, record: LatchRecord) -> None:
        refuse_to_write(record)


@pytest.mark.req("R-3")
def test_a_full_disk_cannot_prevent_a_halt(on_disk: tuple[FileTokenStore, FileLatchLog]) -> None:
    armed(on_disk)
    full = (on_disk[0], FullDisk(on_disk[1].path))
    made = switch(full)
    assert made.refusal() is None
    trip = made.trip(200, "drawdown")
    assert made.refusal() == "drawdown"
    assert not on_disk[0].path.exists()
    assert trip.problems == ("the latch record could not be written (OSError: [Errno 28] No space left on device)",)
    assert switch(on_disk).refusal() == "not armed: there is no arm token"


@pytest.mark.req("R-3")
def test_on_a_full_disk_a_reset_is_refused_and_leaves_it_halted(on_disk: tuple[FileTokenStore, FileLatchLog]) -> None:
    armed(on_disk).trip(200, "drawdown")
    made = switch((on_disk[0], FullDisk(on_disk[1].path)))
    with pytest.raises(SafetyRefusal, match="still halted"):
        made.reset(300, "me", "please")
    assert made.refusal() == "latched: drawdown"


def test_a_trip_record_that_a_full_disk_tore_is_a_halt_until_the_reset(
    on_disk: tuple[FileTokenStore, FileLatchLog],
) -> None:
    armed(on_disk)
    with on_disk[1].path.open("ab") as file:
        file.write(b'{"act":"tripped","ts_n')
    refusal = switch(on_disk).refusal()
    assert refusal is not None
    assert "line 2 of latch log" in refusal
    with pytest.raises(LatchUnreadable):
        on_disk[1].records()
    with pytest.raises(SafetyRefusal):
        switch(on_disk).arm(300, "me", "start")
    switch(on_disk).reset(400, "me", "disk was full")
    assert switch(on_disk).refusal() is None
    assert [record.act for record in on_disk[1].records()] == [Act.ARMED, Act.RESET]


def test_a_token_that_cannot_be_deleted_is_emptied(
    on_disk: tuple[FileTokenStore, FileLatchLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = armed(on_disk)

    def held(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", held)
        assert made.trip(200, "drawdown").problems == ()
    assert on_disk[0].path.read_bytes() == b""
    assert switch(on_disk).refusal() is not None


def test_a_token_that_can_be_neither_deleted_nor_emptied_is_a_problem_and_the_log_keeps_it_halted(
    on_disk: tuple[FileTokenStore, FileLatchLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = armed(on_disk)
    token_path = on_disk[0].path
    opened = Path.open

    def held(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "held")

    def locked(self: Path, mode: str = "r") -> object:
        if self == token_path:
            raise PermissionError(errno.EACCES, "locked")
        return opened(self, mode)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", held)
        patched.setattr(Path, "open", locked)
        (problem,) = made.trip(200, "drawdown").problems
    assert "neither deleted (held) nor emptied (locked)" in problem
    assert made.refusal() == "drawdown"
    assert switch(on_disk).refusal() == "latched: drawdown"


def test_writing_a_token_leaves_no_second_file_behind(on_disk: tuple[FileTokenStore, FileLatchLog]) -> None:
    armed(on_disk)
    assert sorted(path.name for path in on_disk[0].path.parent.iterdir()) == ["armed.json", "latch.jsonl"]


def test_a_token_that_cannot_be_written_whole_does_not_replace_anything(tmp_path: Path) -> None:
    (tmp_path / "armed.json").mkdir()
    store = FileTokenStore(tmp_path / "armed.json")
    token = ArmToken(token_id="x", identity=DEMO, created_ns=1, operator="me", reason="r")
    with pytest.raises(SafetyRefusal, match="still halted"):
        store.write(token)
    assert [path.name for path in tmp_path.iterdir()] == ["armed.json"]
    with pytest.raises(TokenUnreadable):
        store.read()


acts = st.lists(st.sampled_from(["trip", "reset", "restart", "delete"]), max_size=20)


@given(acts)
def test_entries_pass_only_where_the_last_word_is_a_persons(history: list[str]) -> None:
    tokens, log = MemoryTokenStore(), MemoryLatchLog()
    numbers = iter(range(1000))
    made = KillSwitch(tokens, log, DEMO, new_id=lambda: f"t{next(numbers)}")
    made.arm(0, "me", "start")
    is_open = True
    for ts_ns, act in enumerate(history, start=1):
        if act == "trip":
            made.trip(ts_ns, "why")
            is_open = False
        elif act == "reset":
            made.reset(ts_ns, "me", "looked at it")
            is_open = True
        elif act == "restart":
            made = KillSwitch(tokens, log, DEMO, new_id=lambda: f"t{next(numbers)}")
        else:
            tokens.delete()
            is_open = False
        assert (made.refusal() is None) is is_open
