"""Disk and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.preflight import place
from runners.preflight.report import Result
from tests.runners.preflight.support import changing, look
from tests.runners.preflight.test_reaching import scene

GIB = 1 << 30


@pytest.mark.req("L-6")
@pytest.mark.parametrize(
    ("free", "result", "figures"),
    [
        (GIB - 1, Result.REFUSED, "1.0 GiB free, at least 1 is needed"),
        (GIB, Result.WARN, "1.0 GiB free"),
        (10 * GIB - 1, Result.WARN, "10.0 GiB free"),
        (10 * GIB, Result.OK, "10.0 GiB free"),
    ],
)
def test_a_disk_that_fills_up_is_told_in_time(tmp_path: Path, free: int, result: Result, figures: str) -> None:
    found = list(place.disk(scene(tmp_path, "http://127.0.0.1:9"), free))
    assert [(check.result, check.figures) for check in found] == [(result, figures)]


@pytest.mark.req("L-6")
def test_a_state_folder_that_cannot_be_made_refuses_first_and_shows_the_key_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be", encoding="utf-8")
    seen = look(tmp_path)
    assert seen.refusals[0].name == "state folder"
    assert seen.report.gravest is seen.refusals[0]
    assert seen.report.exit_code == 4
    assert changing(seen.venue) == []
    assert "/fapi/v3/balance" not in " ".join(seen.requests)


@pytest.mark.req("L-6")
def test_probes_leave_nothing_behind(tmp_path: Path) -> None:
    look(tmp_path, f"data.record={tmp_path.as_posix()}/recordings")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    locks = [name for name in left if name.startswith("state/locks/")]
    assert [name for name in left if name not in locks] == ["live.yaml", "state/test/account.json"]
