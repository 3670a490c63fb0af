"""A process is ended by what it is, not by its number; the lock is taken before anything is closed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from risk.arm_token import ArmToken, FileTokenStore, Identity
from risk.latch_log import Act, FileLatchLog
from runners.accounts import AccountPlace
from runners.process_handle import ProcessHandle, ProcessMark, created_of, own_mark
from runners.watchdog import fence as module
from runners.watchdog.fence import Fence, process_of

SLEEPER = "import time, sys; print('up', flush=True); time.sleep(600)"
HOLDER = (
    "import sys, time; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); print('up', flush=True); "
    "time.sleep(600)"
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    """A process that does nothing for ten minutes."""
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.req("X-4")
def test_a_process_is_ended_by_its_number_and_creation(sleeper: subprocess.Popen[str]) -> None:
    created = created_of(sleeper.pid)
    assert created
    handle = ProcessHandle(ProcessMark(sleeper.pid, created))
    assert handle.alive
    assert handle.kill() is None
    sleeper.wait(20)
    assert (handle.alive, handle.kill()) == (False, None)
    handle.close()


@pytest.mark.req("X-4")
def test_a_number_that_was_given_anew_is_never_hit(sleeper: subprocess.Popen[str]) -> None:
    recycled = ProcessHandle(ProcessMark(sleeper.pid, "another creation"))
    assert (recycled.alive, recycled.kill(), sleeper.poll()) == (False, None, None)
    unknown = process_of({"pid": sleeper.pid, "created": ""})  # the system did not tell: nobody is hit on a guess
    assert unknown is not None
    assert (unknown.alive, unknown.kill(), sleeper.poll()) == (False, None, None)
    assert process_of({"pid": "7", "created": "1"}) is None


def test_this_process_knows_itself() -> None:
    assert ProcessHandle(own_mark()).alive


def account(state: Path) -> AccountPlace:
    """State of an alias that is armed, with the lock of its account."""
    place = AccountPlace("test", state / "test")
    place.path.mkdir(parents=True)
    (state / "locks").mkdir()
    pin = {"version": 1, "environment": "local", "host": "127.0.0.1", "account_id": "a", "key_fingerprint": "0" * 12}
    (place.path / "account.json").write_text(json.dumps(pin), encoding="utf-8")
    identity = Identity(account="a", environment="local", config_hash="c")
    token = ArmToken(token_id="1", identity=identity, created_ns=1, operator="test", reason="test")
    place.tokens.write(token)
    (state / "locks" / "local-1.json").write_text(json.dumps({"pid": 1, "alias": "test"}), encoding="utf-8")
    (state / "locks" / "local-1.lock").touch()
    return place


@pytest.mark.req("X-4", "R-3")
def test_the_fence_deletes_the_token_ends_the_process_and_takes_its_lock(tmp_path: Path) -> None:
    place = account(tmp_path)
    lock = tmp_path / "locks" / "local-1.lock"
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        fence = Fence(tmp_path, place)
        assert fence.trip(5, "watchdog: silent", {"silent_secs": 10.0}).problems == ()
        assert not FileTokenStore(place.path / "arm.json").path.exists()
        last = FileLatchLog(place.path / "latch.jsonl").records()[-1]
        assert (last.act, last.operator, last.reason) == (Act.TRIPPED, "watchdog", "watchdog: silent")
        done = fence.end(ProcessHandle(ProcessMark(process.pid, created_of(process.pid) or "")))
        process.wait(20)
    assert (done.node_gone, done.lock_held, done.problems) == (True, True, ())
    with pytest.raises(TimeoutError):
        FileLock(lock).acquire(timeout=0)
    fence.release()
    with FileLock(lock).acquire(timeout=0):
        pass


class Undying:
    """A process that nothing ends."""

    mark, alive = ProcessMark(1, "x"), True

    def kill(self) -> str | None:
        return "process 1 cannot be ended: operation not permitted"

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.req("X-4")
def test_a_node_that_cannot_be_ended_keeps_its_lock_and_both_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GONE_SECS", 0.1)
    monkeypatch.setattr(module, "LOCK_SECS", 0.1)
    place = account(tmp_path)
    with FileLock(tmp_path / "locks" / "local-1.lock").acquire():
        done = Fence(tmp_path, place).end(Undying())
    assert (done.node_gone, done.lock_held) == (False, False)
    assert done.problems[0] == "process 1 cannot be ended: operation not permitted"
    assert "local-1.lock cannot be taken" in done.problems[1]


def test_a_process_that_ended_is_gone_even_while_its_parent_has_not_noticed(sleeper: subprocess.Popen[str]) -> None:
    handle = ProcessHandle(ProcessMark(sleeper.pid, created_of(sleeper.pid) or ""))
    sleeper.kill()
    until = time.monotonic() + 20
    while handle.alive and time.monotonic() < until:
        time.sleep(0.01)
    assert not handle.alive
    handle.close()
