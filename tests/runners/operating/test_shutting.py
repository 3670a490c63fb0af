"""Entries first: of every alias that may trade the account, and by a stop file where the switch cannot be tripped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from errors import RunFailed
from runners import halting
from runners.live.state import Identity
from runners.operating import scope
from runners.operating.commanding import Wish
from runners.operating.scope import settled_secs
from runners.operating.shutting import shut_entries
from tests.runners.operating.support import TAG, Scene, told


@pytest.mark.req("R-10")
def test_an_alias_that_holds_the_same_account_under_another_name_is_halted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "FENCE_SECS", 3.0)

    async def story(scene: Scene) -> None:
        for alias in ("test", "other"):
            (tmp_path / "state" / alias).mkdir(parents=True)
        locks = tmp_path / "state" / "locks"
        locks.mkdir()
        name = Identity("local", "127.0.0.1", "simulated-1", "").lock_name(scene.server.url)
        (locks / f"{name}.json").write_text(json.dumps({"pid": 4711, "alias": "other"}), encoding="utf-8")
        scene.rest(f"{TAG}1")
        with FileLock(locks / f"{name}.lock"):
            outcome = await scene.do(Wish(flatten=False, halt=True))
        assert (outcome.exit_code, outcome.holder) == (0, "process 4711, alias other")
        assert outcome.halted == ("test", "other")
        assert "process 4711, alias other still runs and can enter nothing" in outcome.lines[-2]
        assert float(outcome.verdict.split()[3]) > 2.0  # what it sent right before may travel for the fence

    told(tmp_path, story)


def test_where_the_switch_cannot_be_tripped_a_stop_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test").mkdir()

    def broken(*_: object) -> halting.Done:
        raise RunFailed("test is NOT halted: the disk is gone.")

    monkeypatch.setattr(halting, "halt", broken)
    done = shut_entries(tmp_path, ["test", "never-ran-here"], "flatten by hand", "ann", 1)
    assert (tmp_path / "test" / "STOP").exists()
    assert (done.aliases, done.problems) == (["test"], ["test is NOT halted: the disk is gone."])


def test_a_dead_nodes_last_words_are_waited_for_and_no_longer(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    journal.write_bytes(b"")
    written = journal.stat().st_mtime_ns
    assert settled_secs(tmp_path, written + 4 * 10**9, held=False) == pytest.approx(6.0)
    assert settled_secs(tmp_path, written + 11 * 10**9, held=False) == 0.0
    assert settled_secs(tmp_path, written + 11 * 10**9, held=True) == 10.0
    assert settled_secs(tmp_path / "nobody", written, held=False) == 0.0
