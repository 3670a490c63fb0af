"""Copy a journal while a node writes it: the copy is of one moment, and complete or absent."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from errors import RunFailed, UsageError
from execution.journal_read import reading
from risk.arm_token import sync_directory


def back_up(source: Path, target: Path) -> int:
    """Copy a journal through SQLite's own backup; writers are not held up.

    Parameters
    ----------
    source, target
        Files. The target must not be there; its folder must.

    Returns
    -------
    int
        Bytes of the copy.

    Raises
    ------
    UsageError
        When the target is there, or its folder is not.
    DataError, SafetyRefusal
        When there is no journal, or it is none of ours.
    RunFailed
        When it could not be copied; then there is no target.
    """
    if target.exists():
        raise UsageError(f"{target} is there: a backup never replaces a file.")
    if not target.parent.is_dir():
        raise UsageError(f"folder {target.parent} is not there.")
    staged = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        try:
            _copy(source, staged)
            os.replace(staged, target)  # noqa: PTH105 - the atomic call by its name
            sync_directory(target.parent)
        except (sqlite3.Error, OSError) as error:
            raise RunFailed(f"{source} could not be copied to {target}: {error}.") from error
    finally:
        for leftover in (staged, *(staged.with_name(staged.name + end) for end in ("-journal", "-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, staged: Path) -> None:
    staged.touch()
    copy = sqlite3.connect(staged, isolation_level=None)
    try:
        with reading(source) as db:
            db.backup(copy)  # all pages at one go: of one moment
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {found}")
    finally:
        copy.close()
    with staged.open("rb+") as file:
        os.fsync(file.fileno())
