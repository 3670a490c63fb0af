"""A finding of a time in which the machine stood still is no finding: the cell is run again, and that is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crash import board
from crash.host import Result
from crash.judge.facts import Activity, Finding, Judgement, Verdict
from crash.matrix import slice_of
from crash.printout import Tally, lines
from crash.witness import Witness

CELL = slice_of(0)[0]
STUCK = Judgement((Finding(Verdict.STUCK, "no canary was decided"),), Activity(1, 1, 1))
CLEAN = replace(STUCK, findings=())


class Disk:
    """Needs 4.2 s for its third sync, by its own clock."""

    def __init__(self) -> None:
        self.now, self.syncs = 100.0, 0

    def sync(self, _file: Path) -> None:
        self.syncs += 1
        self.now += 4.2 if self.syncs == 3 else 0.01

    def clock(self) -> float:
        return self.now


def test_a_sync_of_seconds_is_a_stall_and_what_came_after_it_is_not(tmp_path: Path) -> None:
    async def watched() -> None:
        disk = Disk()
        witness = Witness(tmp_path, disk.sync, disk.clock)
        with witness.watching():
            while disk.syncs < 5:
                await asyncio.sleep(0.01)
            assert witness.stood_still(100.0) == pytest.approx(4.2)
            assert witness.stood_still(disk.now + 0.001) == 0.0
            disk.now += 3.0  # one that is under way
            assert witness.stood_still(disk.now) == pytest.approx(3.0, abs=0.1)

    asyncio.run(asyncio.wait_for(watched(), 60))


def test_the_real_one_syncs_a_file_and_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    async def watched() -> None:
        witness = Witness(tmp_path)
        with witness.watching():
            while not (tmp_path / "witness").is_file():
                await asyncio.sleep(0.01)
        with pytest.raises(FileNotFoundError):
            await asked(Witness(tmp_path / "not there"))

    asyncio.run(asyncio.wait_for(watched(), 60))


async def asked(witness: Witness) -> None:
    """Ask again and again."""
    with witness.watching():
        while True:
            witness.stood_still(0.0)
            await asyncio.sleep(0.01)


class Runs:
    """Cells whose judgements are given."""

    def __init__(self, *judgements: Judgement) -> None:
        self.left = list(judgements)

    def __call__(self, cell: Any, folder: Path, _forks: Any, mutant: str) -> Any:
        async def run() -> Result:
            return Result(cell, mutant, self.left.pop(0), folder=folder)

        return type("Run", (), {"run": staticmethod(run), "remove": staticmethod(lambda: None)})


def tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, still: float, *judgements: Judgement) -> tuple[Result, int]:
    """Run one cell while the machine stands still for so long; return what counts, and how many runs are left."""
    runs = Runs(*judgements)
    monkeypatch.setattr(board, "CellRun", runs)
    monkeypatch.setattr(Witness, "stood_still", lambda _self, _since: still)
    found = asyncio.run(asyncio.wait_for(board.run_cells([(CELL, "")], tmp_path, lambda _result: None), 60))
    return found[0], len(runs.left)


def test_what_is_found_while_the_machine_stands_still_is_run_again_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result, left = tried(monkeypatch, tmp_path, 4.2, STUCK, CLEAN)
    assert (result.clean, result.again, left) == (True, "the machine stood still for 4.2 s", 0)
    assert f"    run again: {CELL.name}: the machine stood still for 4.2 s" in lines(Tally(1, [result]))


def test_what_is_found_again_or_while_nothing_stood_still_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result, left = tried(monkeypatch, tmp_path, 0.0, STUCK, CLEAN)
    assert (result.clean, result.again, left) == (False, "", 1)
    result, left = tried(monkeypatch, tmp_path, 4.2, STUCK, STUCK, CLEAN)
    assert (result.clean, left) == (False, 1)


def test_a_clean_cell_is_clean_however_slow_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result, left = tried(monkeypatch, tmp_path, 4.2, CLEAN, STUCK)
    assert (result.clean, result.again, left) == (True, "", 1)
