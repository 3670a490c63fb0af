"""The crash matrix itself: every eighth write point killed once, in one of its outcomes, and every planted bug found.

`.ci/run` goes on with every point in six outcomes. The whole product runs by command (`python -m runners.crash_matrix --all`); its
printout is `docs/crash-matrix.md`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from crash.board import run_cells
from crash.host import Result
from crash.judge.facts import Activity, Judgement
from crash.matrix import Cell, slice_of, valid
from crash.mutants import MUTANTS, planted_cells
from crash.printout import Tally, lines
from crash.sites import commit_sites

AT_ONCE = 22
"""Most of a cell is waiting for countdown and fence."""
BUGS_AT_ONCE = 6
"""Fewer: one of them shows only where the next start is quick."""
TURN = int(os.environ.get("CRASH_TURN", "0"))
"""Which points, and which outcome of each; a nightly job gives the number of the day."""
EIGHTH = 8


def ran(cells: Sequence[tuple[Cell, str]], folder: Path, at_once: int = AT_ONCE) -> list[Result]:
    """Run cells."""
    return asyncio.run(asyncio.wait_for(run_cells(cells, folder, lambda _result: None, at_once), 900))


@pytest.mark.req("O-5", "O-6")
def test_a_node_that_is_killed_at_any_write_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    cells = [(cell, "") for cell in slice_of(TURN)[TURN % EIGHTH :: EIGHTH]]
    tally = Tally(len(cells), ran(cells, tmp_path))
    told = "\n".join([f"CRASH_TURN={TURN}", *lines(tally)])
    assert tally.last_line == "LOST 0 DOUBLED 0 WRONG 0 STUCK 0 EXPOSED 0 mutants 0 of 0", told
    assert tally.passes, told


@pytest.mark.req("O-6")
def test_every_planted_bug_is_found(tmp_path: Path) -> None:
    tally = Tally(0, [], ran(planted_cells(), tmp_path, BUGS_AT_ONCE))
    told = "\n".join(lines(tally))
    assert set(tally.caught) == {mutant.name for mutant in MUTANTS}, told
    assert tally.last_line.endswith("mutants 10 of 10")


def test_a_run_that_never_came_to_its_point_is_skipped_and_never_clean(tmp_path: Path) -> None:
    cell = next(one for one in valid() if one.name.startswith("row written, uncommitted / K1"))
    result = Result(cell, folder=tmp_path, problem="life 1 ended with 2 before the row")
    tally = Tally(1, [result])
    assert (result.clean, tally.passes, len(tally.skipped)) == (False, False, 1)
    assert any("skipped: row written" in line for line in lines(tally))


def test_a_run_of_every_point_must_have_reached_every_statement_that_writes() -> None:
    judged = Judgement(activity=Activity(1, 1, 1))
    reached = {f"{table}/{'update' if verb == 'UPDATE' else 'row'}" for verb, table in map(str.split, commit_sites())}
    every = [Result(cell, judgement=judged, labels=reached) for cell in slice_of(0)]
    assert Tally(len(every), every).passes
    one_less = reached - {"orders/update"}
    missed = Tally(len(every), [Result(cell, judgement=judged, labels=one_less) for cell in slice_of(0)])
    assert (missed.missed_sites, missed.passes) == (["UPDATE orders"], False)
    part = [Result(cell, judgement=judged, labels=one_less) for cell in slice_of(0)[1:]]
    assert Tally(len(part), part).passes
