"""Open a journal file: durable, checked, of our making and at the newest schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from errors import SafetyRefusal, Unrecoverable
from execution.journal_schema import migrate

type Connect = Callable[[Path], sqlite3.Connection]
type Durability = Literal["power", "process"]
_SYNCHRONOUS = {"power": "FULL", "process": "NORMAL"}


class JournalFailed(Unrecoverable):
    """The journal could not be written; entries stay shut for the life of the process."""


LOCK_SECS = 4.0
"""While a slow disk syncs a row of a session, its recovery waits, and the other way round. Less than a commit may take."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a file with manual transactions; waits `LOCK_SECS` for a lock at most."""
    return sqlite3.connect(path, timeout=LOCK_SECS, isolation_level=None)


def open_journal(path: Path, durability: Durability, connector: Connect = connect) -> sqlite3.Connection:
    """Open, check and migrate.

    Parameters
    ----------
    path
        Of the file; made when it is not there, its folder is not.
    durability
        ``power``: every commit survives power loss; ``process``: it survives a crash of the process only, and is faster.
    connector
        Opens the connection.

    Raises
    ------
    SafetyRefusal
        When the file is damaged, foreign, newer, or on a file system without WAL.
    JournalFailed
        When it cannot be opened or prepared.
    """
    try:
        db = connector(path)
    except sqlite3.Error as error:
        raise JournalFailed(f"journal {path} cannot be opened: {error}") from error
    try:
        _prepare(db, path, durability)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path, durability: Durability) -> None:
    db.row_factory = sqlite3.Row
    try:
        mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise SafetyRefusal(f"journal {path} is on a file system without WAL (mode {mode}): use a local disk")
        db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
        db.execute("PRAGMA foreign_keys = ON")
        check = db.execute("PRAGMA quick_check").fetchone()[0]
        if check != "ok":
            raise SafetyRefusal(f"journal {path} is damaged: {check}")
        migrate(db)
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise SafetyRefusal(f"journal {path} is damaged: {error}") from error
        raise JournalFailed(f"journal {path} cannot be prepared: {error}") from error
