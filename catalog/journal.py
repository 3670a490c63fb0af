"""How several files become visible together.

Everything new is written under ``.staging/<transaction>/`` first. Publishing writes the list of moves and removals into
``.journal/<transaction>.json`` and then carries it out. The journal is the point of no return: a crash before it leaves
the old state, and after it the next one to open the catalog, reader or writer, finishes the list and has the new state.
Both happen under one file lock.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.files import write_text

LOCK_SECS = 120
Checkpoint = Callable[[str], None]


def no_checkpoint(_name: str) -> None:
    """Do nothing at a checkpoint; tests pass a function that ends the process there."""


def catalog_lock(root: Path) -> FileLock:
    """Return the lock under which a catalog changes."""
    return FileLock(root / ".lock", timeout=LOCK_SECS)


def pending(root: Path) -> list[Path]:
    """Return journals that a crash left unfinished."""
    return sorted((root / ".journal").glob("*.json"))


def publish(
    root: Path, transaction: str, moves: dict[str, str], removals: list[str], checkpoint: Checkpoint = no_checkpoint
) -> None:
    """Carry out moves (staged path → path, relative to `root`) and removals as one step; the lock must be held."""
    journal = root / ".journal" / f"{transaction}.json"
    write_text(journal, json.dumps({"moves": moves, "removals": removals}))
    checkpoint("journaled")
    _finish(root, journal, checkpoint)


def recover(root: Path) -> None:
    """Finish what a crash interrupted; the lock must be held."""
    for journal in pending(root):
        _finish(root, journal, no_checkpoint)
    _sweep(root)


def _finish(root: Path, journal: Path, checkpoint: Checkpoint) -> None:
    entry = json.loads(journal.read_text(encoding="utf-8"))
    for number, (staged, target) in enumerate(entry["moves"].items()):
        if (root / staged).exists():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            (root / staged).replace(root / target)
        checkpoint(f"moved-{number}")
    for number, target in enumerate(entry["removals"]):
        (root / target).unlink(missing_ok=True)
        with suppress(OSError):  # the folder is kept while it holds other files
            (root / target).parent.rmdir()
        checkpoint(f"removed-{number}")
    journal.unlink()
    checkpoint("published")


class Staging:
    """A transaction's private folder, held by a lock so that others can tell a living owner from a dead one.

    Parameters
    ----------
    root, transaction
        The catalog and a name that nobody else uses.
    """

    def __init__(self, root: Path, transaction: str) -> None:
        self.path = root / ".staging" / transaction
        self.path.mkdir(parents=True)
        self._lock = FileLock(self.path.with_suffix(".lock"))
        self._lock.acquire()

    def discard(self) -> None:
        """Delete the folder and let go of the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        self.path.with_suffix(".lock").unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """Delete staging folders whose owner is gone."""
    for folder in (root / ".staging").glob("*/"):
        lock = FileLock(folder.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        folder.with_suffix(".lock").unlink(missing_ok=True)
