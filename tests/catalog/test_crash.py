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
from tests.catalog.samples import MIDNIGHT, PERP, PERP_ID, trades

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = 2, 7
DIED = 137
CHILD = """
import os, sys
from pathlib import Path
from catalog.certificate import Certificate, Measures, Source
from catalog.kinds import Kind
from catalog.writer import CatalogWriter
from tests.catalog.samples import MIDNIGHT, PERP, PERP_ID, book_over_midnight, quotes, trades

where, path = sys.argv[1], Path(sys.argv[2])
def die(name):
    if name == where:
        os._exit(137)
source = Source(id="two", kind="import", name="two")
with CatalogWriter(path, die).transaction("two") as tx:
    tx.add(PERP, Kind.DELTAS, book_over_midnight())
    tx.add(PERP, Kind.TRADES, trades([MIDNIGHT + i for i in range(5)]))
    tx.add(PERP, Kind.QUOTES, quotes([MIDNIGHT + 3]))
    if where == "body":
        os._exit(137)
    measures = Measures(start_ns=MIDNIGHT - 20, end_ns=MIDNIGHT + 7, trades=5, lines=5)
    tx.certificate(Certificate.issue(PERP_ID, "2024-08-09", measures, (source,)))
"""


def child(where: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, where, str(path)], cwd=ROOT, text=True, stderr=subprocess.PIPE
    )


def start(path: Path) -> None:
    with CatalogWriter(path).transaction("one") as transaction:
        transaction.add(PERP, Kind.TRADES, trades([MIDNIGHT - 100, MIDNIGHT - 90]))


def state(path: Path) -> tuple[int, int, int, int]:
    store = Catalog(path)
    counts = (store.count(PERP_ID, kind) for kind in (Kind.TRADES, Kind.QUOTES, Kind.DELTAS))
    return (*counts, len(store.certificates(PERP_ID)))  # type: ignore[return-value]


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
    tmp_path: Path, where: str, expected: tuple[int, int, int, int]
) -> None:
    start(tmp_path)
    process = child(where, tmp_path)
    assert process.wait(60) == DIED, process.communicate()[1]
    assert state(tmp_path) == expected
    again = child("never", tmp_path)
    assert again.wait(60) == 0, again.communicate()[1]
    assert state(tmp_path) == NEW_STATE
    assert not list((tmp_path / ".staging").iterdir())
    assert not list((tmp_path / ".journal").iterdir())


def test_two_processes_that_ingest_the_same_at_once_leave_it_there_once(tmp_path: Path) -> None:
    start(tmp_path)
    both = [child("never", tmp_path), child("never", tmp_path)]
    for process in both:
        assert process.wait(60) == 0, process.communicate()[1]
    assert state(tmp_path) == NEW_STATE
    assert [problem.what for problem in verify(tmp_path) if "crossed" in problem.what] == []


def test_a_reader_finishes_what_a_killed_writer_had_decided(tmp_path: Path) -> None:
    start(tmp_path)
    child("moved-1", tmp_path).wait(60)
    assert list((tmp_path / ".journal").glob("*.json"))
    Catalog(tmp_path)
    assert not list((tmp_path / ".journal").glob("*.json"))


def test_a_living_writer_keeps_its_staging_while_another_commits(tmp_path: Path) -> None:
    with CatalogWriter(tmp_path).transaction("one") as slow:
        slow.add(PERP, Kind.TRADES, trades([1, 2]))
        with CatalogWriter(tmp_path).transaction("two") as quick:
            quick.add(PERP, Kind.TRADES, trades([5]))
    assert Catalog(tmp_path).count(PERP_ID, Kind.TRADES) == 3
