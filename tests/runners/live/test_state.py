"""State of an alias: one node per account, one account per alias, and the files that stop it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from errors import SafetyRefusal
from runners.live.state import Identity, StateFolder

DEMO = Identity("demo", "demo.example", "account-1", "0123456789ab")
HOLD = """
import sys
from pathlib import Path
from runners.live.state import Identity, StateFolder
with StateFolder(Path(sys.argv[1]), "first").lock(Identity("demo", "demo.example", "account-1", "k"), "https://demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.req("L-1")
def test_two_aliases_of_one_account_cannot_both_hold_it_and_a_dead_holder_does_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lock = StateFolder(tmp_path, "second").lock(DEMO, "https://demo")
        with pytest.raises(SafetyRefusal, match=rf"process {holder.pid}, alias first") as caught, lock:
            raise AssertionError("held twice")
        assert caught.value.exit_code == 4
        with StateFolder(tmp_path, "third").lock(replace(DEMO, account_id="account-2"), "https://demo"):
            pass
        holder.kill()
    with StateFolder(tmp_path, "second").lock(DEMO, "https://demo"):
        pass


@pytest.mark.req("L-1")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"account_id": "account-2"}, "belongs to account id account-1, this is account-2"),
        ({"environment": "production"}, "belongs to environment demo, this is production"),
        ({"host": "other.example"}, "belongs to host demo.example"),
        ({"key_fingerprint": "ba9876543210"}, "belongs to key fingerprint 0123456789ab"),
    ],
)
def test_an_alias_belongs_to_one_account_key_and_environment(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    state = StateFolder(tmp_path, "demo-1")
    state.prepare()
    state.pin(DEMO)
    state.pin(DEMO)
    with pytest.raises(SafetyRefusal, match=sentence):
        state.pin(replace(DEMO, **change))


def test_a_pin_that_cannot_be_read_refuses(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "demo-1")
    state.prepare()
    (state.path / "account.json").write_text("{", encoding="utf-8")
    with pytest.raises(SafetyRefusal, match=r"account\.json cannot be read"):
        state.pin(DEMO)


@pytest.mark.req("R-10")
@pytest.mark.parametrize("name", ["STOP", "STOP.txt", "STOP_FLATTEN", "STOP_FLATTEN.txt"])
@pytest.mark.parametrize("place", [".", "demo-1"])
def test_a_stop_file_is_found_in_the_folder_of_all_and_of_the_alias(tmp_path: Path, name: str, place: str) -> None:
    state = StateFolder(tmp_path, "demo-1")
    state.prepare()
    assert state.stop_file() is None
    state.check_no_stop_file()
    (tmp_path / place / name).touch()
    assert state.stop_file() == tmp_path / place / name
    with pytest.raises(SafetyRefusal, match="remove it"):
        state.check_no_stop_file()


@pytest.mark.req("R-10")
def test_the_file_that_flattens_goes_first(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "demo-1")
    state.prepare()
    for name in ("STOP", "STOP_FLATTEN"):
        (state.path / name).touch()
    assert state.stop_file() == state.path / "STOP_FLATTEN"
