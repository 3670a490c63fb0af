"""A process that dies in the middle of an ingest, and two that ingest at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalog.kinds import Kind
from catalog.maintenance import verify
from catalog.store import Catalog
from catalog.writer import CatalogWriter
from tests.catalog.child import DIED, ingest
from tests.catalog.samples import MIDNIGHT, PERP, PERP_ID, trades

ROOT = Path(__file__).resolve().parents[2]


def child(where: str, path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.catalog.child", where, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)


def outcome(process: subprocess.Popen[bytes]) -> int:
    with process:
        return process.wait(120)


def start(path: Path) -> None:
    with CatalogWriter(path).transaction("one") as transaction:
        transaction.add(PERP, Kind.TRADES, trades([MIDNIGHT - 100, MIDNIGHT - 90]))


def state(path: Path) -> tuple[int, ...]:
    store = Catalog(path)
    counts = (store.count(PERP_ID, kind) for kind in (Kind.TRADES, Kind.QUOTES, Kind.DELTAS))
    return (*counts, len(store.certificates(PERP_ID)))


OLD_STATE = (2, 0, 0, 0)
NEW_STATE = (7, 1, 12, 1)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("body", OLD_STATE),
        ("staged", OLD_STATE),
        ("journaled", NEW_STATE),
        ("moved-0", NEW_STATE),
        ("moved-2", NEW_STATE),
        ("moved-4", NEW_STATE),
        ("published", NEW_STATE),
    ],
)
def test_a_killed_ingest_leaves_the_old_or_the_new_state_and_can_be_repeated(
    tmp_path: Path, where: str, expected: tuple[int, ...]
) -> None:
    start(tmp_path)
    assert outcome(child(where, tmp_path)) == DIED
    assert state(tmp_path) == expected
    ingest(tmp_path)
    assert state(tmp_path) == NEW_STATE
    assert not list((tmp_path / ".staging").iterdir())
    assert not list((tmp_path / ".journal").iterdir())


def test_two_processes_that_ingest_the_same_at_once_leave_it_there_once(tmp_path: Path) -> None:
    start(tmp_path)
    both = [child("never", tmp_path), child("never", tmp_path)]
    assert [outcome(process) for process in both] == [0, 0]
    assert state(tmp_path) == NEW_STATE
    assert [problem.what for problem in verify(tmp_path) if "crossed" in problem.what] == []


def test_a_reader_finishes_what_a_killed_writer_had_decided(tmp_path: Path) -> None:
    start(tmp_path)
    assert outcome(child("moved-1", tmp_path)) == DIED
    assert list((tmp_path / ".journal").glob("*.json"))
    Catalog(tmp_path)
    assert not list((tmp_path / ".journal").glob("*.json"))


def test_a_living_writer_keeps_its_staging_while_another_commits(tmp_path: Path) -> None:
    with CatalogWriter(tmp_path).transaction("one") as slow:
        slow.add(PERP, Kind.TRADES, trades([1, 2]))
        with CatalogWriter(tmp_path).transaction("two") as quick:
            quick.add(PERP, Kind.TRADES, trades([5]))
    assert Catalog(tmp_path).count(PERP_ID, Kind.TRADES) == 3
