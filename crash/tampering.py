"""What the kill kinds beside SIGKILL do to the journal file while no process has it open (K2, K4)."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Literal

from crash.killing import read_trace

WAL_HEADER, FRAME_HEADER = 32, 24
ROLLED_BACK = ("journal_rollback", "rollback", "lost its tail", "replaced")
SECOND_NODE = "another node trades this account"
FAILED = ("journal cannot be written",)


def wal_of(journal: Path) -> Path:
    """The log beside a journal."""
    return journal.with_name(journal.name + "-wal")


def tamper(kill: str, journal: Path, trace: Path) -> None:
    """Do to the journal what a kill kind stands for.

    Parameters
    ----------
    kill
        Of the cell.
    journal, trace
        Of the life that has ended.
    """
    if kill == "K2 power loss":
        cut(journal, *_last_two(trace))
    elif kill == "K2 lost tail":
        cut_to(journal, _size_before_the_base(trace))
    elif kill == "K4 missing":
        remove(journal)
    elif kill == "K4 older":
        restore_older(journal, _size_before_the_base(trace))


def cut(journal: Path, before: int, after: int) -> None:
    """Power loss while the last commit is on its way to the disk: its frames are there but for the last, which is torn."""
    cut_to(journal, max(before, after - 100))


def cut_to(journal: Path, size: int) -> None:
    """Cut the log to a size; the shared index beside it is memory, and gone."""
    wal = wal_of(journal)
    if wal.is_file() and size < wal.stat().st_size:
        with wal.open("r+b") as file:
            file.truncate(max(0, size))
    journal.with_name(journal.name + "-shm").unlink(missing_ok=True)


def remove(journal: Path) -> None:
    """The journal is gone, with everything that belongs to it."""
    for suffix in ("", "-wal", "-shm"):
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)


def restore_older(journal: Path, size: int) -> None:
    """A copy from before the first order that is held, made as a backup is made: whole, in one file."""
    cut_to(journal, size)
    copy = journal.with_name("older.sqlite")
    _copy_through_sqlite(journal, copy)
    remove(journal)
    shutil.move(copy, journal)


def yesterday(journal: Path) -> None:
    """A UTC day has ended since: the loss ledger and the instant at which it was kept are of the day before."""
    db = sqlite3.connect(journal, isolation_level=None)
    try:
        db.execute(
            "UPDATE risk_state SET value = json_set(value, '$.day', json_extract(value, '$.day') - 1), ts_ns = ts_ns - ?"
            " WHERE name = 'losses'", (86_400_000_000_000,),
        )  # fmt: skip
    finally:
        db.close()


def _copy_through_sqlite(source: Path, copy: Path) -> None:
    db, other = sqlite3.connect(source), sqlite3.connect(copy)
    try:
        db.backup(other)
    finally:
        db.close()
        other.close()


def _sizes(trace: Path) -> list[tuple[list[str], int]]:
    return [(line["commit"], line["wal"]) for line in read_trace(trace) if "commit" in line]


def _last_two(trace: Path) -> tuple[int, int]:
    """Size of the log before and after the last commit."""
    sizes = _sizes(trace)
    before = sizes[-2][1] if len(sizes) > 1 else 0
    return before, sizes[-1][1] if sizes else 0


def _size_before_the_base(trace: Path) -> int:
    """Size of the log when the row of the first order that is held was not in it: the venue knows of what is lost."""
    size = WAL_HEADER
    for labels, after in _sizes(trace):
        if any(label.startswith("orders/insert/base") for label in labels):
            return size
        size = after
    return size


def expected(
    kill: str, expects: Literal["ready", "refuse"], names: tuple[str, ...], *, late: bool = False
) -> tuple[Literal["ready", "refuse"], tuple[str, ...]]:
    """How the next start must end after a kill kind: tables 6 to 8 say which of them refuse."""
    if kill in ("K2 lost tail", "K4 missing", "K4 older"):
        # An order that arrives after our start with an epoch that is lost is another node's, says table 7.
        return "refuse", (*ROLLED_BACK, *names, *((SECOND_NODE,) if late else ()))
    if kill == "K4 I/O error":
        return "refuse", (*FAILED, *ROLLED_BACK, *names)  # an exit waits for no disk: its row is missing afterwards
    return expects, names
