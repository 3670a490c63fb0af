"""The sign of life between two processes, and what a watchdog makes of silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from execution.deadman.beacon import SIZE, Beacon, Watched, decode, encode
from execution.deadman.guarding import Limits, State, may_flatten, observed
from tests.execution.deadman.test_countdown import Clock


def test_a_record_is_written_in_place_and_read_back(tmp_path: Path) -> None:
    beacon, clock = Beacon(tmp_path / "beat"), Clock()
    watched = Watched(beacon.path, clock)
    clock.wait(3)
    assert watched.look() == 3.0  # nobody has written yet
    assert beacon.write({"loops": 1})
    inode = beacon.path.stat().st_ino
    assert watched.look() == 0.0
    assert watched.facts == {"loops": 1, "number": 1}
    clock.wait(4)
    assert watched.look() == 4.0
    beacon.write({"loops": 1})  # the same facts are a sign of life all the same
    assert (watched.look(), beacon.path.stat().st_ino, beacon.path.stat().st_size) == (0.0, inode, SIZE)
    beacon.close()


def test_a_torn_record_counts_as_none_and_the_one_before_stays(tmp_path: Path) -> None:
    path, clock = tmp_path / "beat", Clock()
    old, new = encode({"loops": 1, "pad": "x" * 200}), encode({"loops": 2, "pad": "y" * 200})
    watched = Watched(path, clock)
    path.write_bytes(old)
    watched.look()
    clock.wait(1)
    for cut in range(1, 200, 7):
        path.write_bytes(new[:cut] + old[cut:])
        assert watched.look() == 1.0
        assert watched.facts is not None
        assert watched.facts["loops"] == 1
    path.write_bytes(new)
    assert watched.look() == 0.0
    assert [decode(junk) for junk in (b"", b"zz {}", b"00000000 []", b"\xff" * SIZE)] == [None] * 4


def test_a_file_that_cannot_be_written_is_told_and_never_raised(tmp_path: Path) -> None:
    beacon = Beacon(tmp_path / "missing" / "beat")
    assert beacon.write({"loops": 1}) is False
    assert "cannot be written" in str(beacon.problem)
    assert Beacon(tmp_path / "long").write({"text": "x" * SIZE}) is False
    (tmp_path / "missing").mkdir()
    assert beacon.write({"loops": 2}) is True
    assert beacon.problem is None
    beacon.close()


@pytest.mark.req("X-4")
@pytest.mark.parametrize(
    ("silent", "phase", "state"),
    [
        (0.0, "running", State.OBSERVE), (4.99, "running", State.OBSERVE), (5.0, "running", State.SUSPECT),
        (9.99, "stopping", State.SUSPECT), (10.0, "running", State.FENCE), (10.0, "starting", State.FENCE),
        (99.0, "ended", State.IDLE), (99.0, "preparing", State.IDLE), (99.0, None, State.IDLE),
    ],
)  # fmt: skip
def test_silence_leads_from_observing_over_suspicion_to_the_fence(
    silent: float, phase: str | None, state: State
) -> None:
    assert observed(silent, phase, Limits()) is state


@pytest.mark.req("X-4")
@pytest.mark.parametrize(
    ("then", "gone", "held", "why"),
    [
        ("flatten", True, True, None), ("cancel", True, True, "then is cancel"),
        ("flatten", False, True, "could not be ended"), ("flatten", True, False, "lock could not be taken"),
    ],
)  # fmt: skip
def test_positions_are_closed_by_policy_and_only_with_the_lock_of_a_node_that_is_gone(
    then: str, gone: bool, held: bool, why: str | None
) -> None:
    found = may_flatten(Limits(then="flatten" if then == "flatten" else "cancel"), node_gone=gone, lock_held=held)
    assert found is None if why is None else why in str(found)
