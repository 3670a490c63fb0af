"""Keys, the file they stand in, and what an alias belongs to: a key of something else is shown to nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.simulated_binance.server import Server
from runners.live.state import Identity, StateFolder
from runners.preflight.report import Result
from tests.runners.preflight.support import Looked, changing, look

ROOT = Path(__file__).parents[3]
OTHER_KEYS = {"LOCAL_API_KEY": "other-key-4711", "LOCAL_API_SECRET": "other-secret-4711"}
FINGERPRINT = sha256(b"hyper-trading key local-key").hexdigest()[:12]
WRONG_SECRET = {"LOCAL_API_KEY": "local-key", "LOCAL_API_SECRET": "other-secret-4711"}
HELD = """
import sys
from pathlib import Path
from runners.live.state import Identity, StateFolder
with StateFolder(Path(sys.argv[1]), "first").lock(Identity("local", "127.0.0.1", "simulated-1", "k"), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def pin(folder: Path) -> Path:
    return folder / "state" / "test" / "account.json"


def signed(seen: Looked) -> list[str]:
    """Requests that carried a signature or needed the key."""
    return [
        row["path"]
        for row in seen.venue.ledger.of("request")
        if "timestamp" in row["params"] or row["path"].endswith("/listenKey")
    ]


def only(seen: Looked, line: str, code: int, fact: str) -> None:
    assert [check.name for check in seen.refusals] == [line], seen.refusals
    assert fact in seen.line(line).figures, seen.line(line)
    assert seen.report.exit_code == code
    assert changing(seen.venue) == []
    assert "4711" not in repr(seen.report)


@pytest.mark.req("L-1", "L-6")
def test_at_first_sight_environment_host_account_and_fingerprint_are_stored_and_a_second_look_agrees(
    tmp_path: Path,
) -> None:
    first = look(tmp_path)
    assert "first seen, stored in" in first.line("identity").figures
    assert json.loads(pin(tmp_path).read_text(encoding="utf-8")) == {
        "version": 1, "environment": "local", "host": "127.0.0.1", "account_id": "simulated-1",
        "key_fingerprint": FINGERPRINT,
    }  # fmt: skip
    again = look(tmp_path)
    assert again.report.may_start
    assert "as in" in again.line("identity").figures


@pytest.mark.req("L-1", "L-6")
@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("environment", "demo", "alias test belongs to environment demo, this is local"),
        ("host", "demo-fapi.binance.com", "belongs to host demo-fapi.binance.com, this is 127.0.0.1"),
        ("key_fingerprint", "0123456789ab", f"belongs to key fingerprint 0123456789ab, this is {FINGERPRINT}"),
    ],
)
def test_a_key_or_environment_of_something_else_is_refused_before_any_signed_request(
    tmp_path: Path, name: str, value: str, fact: str
) -> None:
    look(tmp_path)
    known = json.loads(pin(tmp_path).read_text(encoding="utf-8"))
    pin(tmp_path).write_text(json.dumps(known | {name: value}), encoding="utf-8")
    seen = look(tmp_path)
    only(seen, "identity", 4, fact)
    assert signed(seen) == []
    assert seen.line("fees").figures == "the key is shown to nobody while the identity differs"
    assert json.loads(pin(tmp_path).read_text(encoding="utf-8"))[name] == value


@pytest.mark.req("L-1", "L-6")
def test_another_account_is_refused_after_the_one_question_that_names_it(tmp_path: Path) -> None:
    look(tmp_path)
    seen = look(tmp_path, account={"alias": "simulated-2"})
    only(seen, "identity", 4, "belongs to account id simulated-1, this is simulated-2")
    assert signed(seen) == ["/fapi/v3/balance"]


@pytest.mark.req("L-1")
@pytest.mark.parametrize("text", ["{", '{"version": 2}', ""])
def test_a_pin_that_cannot_be_read_refuses_before_any_signed_request(tmp_path: Path, text: str) -> None:
    look(tmp_path)
    pin(tmp_path).write_text(text, encoding="utf-8")
    seen = look(tmp_path)
    only(seen, "identity", 4, "cannot be read (ValidationError)")
    assert signed(seen) == []


@pytest.mark.req("L-1")
def test_the_pin_of_the_live_node_is_the_same_file(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state", "test")
    state.prepare()
    state.pin(Identity("local", "127.0.0.1", "simulated-1", "ba9876543210"))
    seen = look(tmp_path)
    only(seen, "identity", 4, "alias test belongs to key fingerprint ba9876543210, this is ")
    assert signed(seen) == []
    assert "account.json" in seen.line("identity").todo


@pytest.mark.req("L-1", "L-6")
def test_a_key_that_must_change_is_not_pinned(tmp_path: Path) -> None:
    seen = look(tmp_path, account={"keys": [{"can_withdraw": True}]})
    assert "not stored" in seen.line("identity").figures
    assert not pin(tmp_path).exists()


@pytest.mark.req("L-6", "M-4")
def test_a_wrong_key_is_refused_named_and_not_printed(tmp_path: Path) -> None:
    seen = look(tmp_path, environ=OTHER_KEYS)
    only(seen, "key", 4, "127.0.0.1 refuses the key: GET /fapi/v3/balance: REJECTED HTTP 401 -2015")
    assert "use a key of environment local (LOCAL_API_KEY of environment)" in seen.line("key").todo
    assert signed(seen) == ["/fapi/v3/balance"]
    assert not pin(tmp_path).exists()


@pytest.mark.req("L-6", "M-4")
def test_a_secret_of_another_key_is_told_as_such(tmp_path: Path) -> None:
    seen = look(tmp_path, environ=WRONG_SECRET)
    only(seen, "key", 4, "-1022")
    assert seen.line("key").todo.startswith("the secret does not belong to the key (LOCAL_API_KEY of environment)")


@pytest.mark.req("L-6", "M-4")
def test_missing_keys_are_a_matter_of_configuration_and_the_public_lines_are_still_seen(tmp_path: Path) -> None:
    seen = look(tmp_path, "account.key_env=MY_KEY", "account.secret_env=MY_SECRET")
    only(seen, "keys", 2, "MY_KEY is not set")
    assert ".env.example" in seen.line("keys").todo
    assert seen.line("public streams").result is Result.OK
    assert signed(seen) == []


@pytest.mark.req("M-4")
def test_an_exchange_that_is_another_one_is_refused(tmp_path: Path) -> None:
    seen = look(tmp_path, environ={"EXCHANGE": "kraken"})
    only(seen, "keys", 2, "EXCHANGE is kraken (EXCHANGE of environment), but account.venue is binance")


@pytest.mark.req("M-4", "L-6")
@pytest.mark.skipif(os.name != "posix", reason="Windows has no mode bits")
@pytest.mark.parametrize(
    ("mode", "fix"), [(0o640, "run chmod 600 {}"), (0o604, "run chmod 600 {}, and replace its keys")]
)
def test_a_file_of_keys_that_others_may_read_is_refused_and_not_read(tmp_path: Path, mode: int, fix: str) -> None:
    path = tmp_path / ".env"
    path.write_text("LOCAL_API_KEY=k\nLOCAL_API_SECRET=s\n", encoding="utf-8")
    path.chmod(mode)
    seen = look(tmp_path, dot_env=path)
    only(seen, ".env", 4, f"can be read by others on this machine (mode {mode:o})")
    assert seen.line(".env").todo == fix.format(path)
    assert seen.line("keys").result is Result.NOT_CHECKABLE
    assert signed(seen) == []


@pytest.mark.req("L-1", "L-6")
def test_an_account_that_another_node_holds_is_refused_by_whatever_alias(tmp_path: Path) -> None:
    holders: list[subprocess.Popen[str]] = []

    def hold(server: Server, folder: Path) -> None:
        command = [sys.executable, "-c", HELD, str(folder / "state"), server.url]
        holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

    try:
        seen = look(tmp_path, before=hold)
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
    only(seen, "account lock", 4, f"traded by another node (process {holders[0].pid}, alias first)")
    assert seen.line("account lock").todo == "stop that one first"
