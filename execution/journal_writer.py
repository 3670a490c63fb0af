"""The one thread that writes a journal file: rows are queued in order and committed in groups.

Only plain data crosses over to it, and nothing is garbage-collected on it (`execution.collecting`). An urgent write returns when
its commit has, and may go ahead of the queue; the others wait a moment for company. After the first failure the connection is
closed and nothing is written any more: whether a commit that raised is on disk nobody knows.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from errors import HyperTradingError
from execution.collecting import COLLECTING
from execution.journal import IdUsed
from execution.journal_file import Connect, Durability, JournalFailed, connect, open_journal

type Write = Callable[[sqlite3.Connection], Any]

LINGER_SECS = 0.02
"""How long a row that nobody waits for may wait for others, so that they share a commit."""
PATIENCE_SECS = 5.0
"""For a commit, with the wait for the file's lock (`execution.journal_file.LOCK_SECS`): a disk that needs longer is broken."""
GROUP = 512


@dataclass(slots=True)
class _Work:
    write: Write
    urgent: bool = False
    ahead: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None


class JournalWriter:
    """Owns the connection to one file.

    Parameters
    ----------
    path, durability, connector
        See `execution.journal_file.open_journal`.
    first
        Written and committed before the constructor returns.

    Attributes
    ----------
    failed
        Why nothing is written any more; None while all is well.
    committed
        Commits so far; it grows only while the disk takes them.
    opened
        What `first` returned.
    on_failure
        Told once, on the thread that notices: as a rule the writing one.

    Raises
    ------
    SafetyRefusal
        When the file is damaged, foreign, newer, or on a file system without WAL, or `first` refuses.
    JournalFailed
        When it cannot be opened or written.
    """

    def __init__(self, path: Path, durability: Durability, first: Write, *, connector: Connect = connect) -> None:
        self.path = path
        self.failed: str | None = None
        self.committed = 0
        self.on_failure: Callable[[str], None] | None = None
        self._durability, self._connector = durability, connector
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._waits_since: float | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._opening = _Work(first, urgent=True)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        COLLECTING.hold()
        self._thread.start()
        self._opening.done.wait()
        if self._opening.error is not None:
            self.close()
            raise self._opening.error
        self.opened = self._opening.result

    @property
    def stalled_secs(self) -> float:
        """How long the commit that is under way has taken; 0 where none is."""
        since = self._waits_since
        return 0.0 if since is None else time.monotonic() - since

    def post(self, write: Write) -> None:
        """Queue a row; what is queued after a failure is dropped, since the file has ended where it failed."""
        if self.failed is None and not self._closed:
            self._queue.put(_Work(write))

    def commit(self, write: Write, *, ahead: bool = False) -> Any:
        """Write a row and return when it is on disk: after everything that was queued before, or ahead of it.

        Raises
        ------
        IdUsed
            The id was used; nothing was written, and the journal goes on.
        JournalFailed
            It may or may not be on disk; nothing will follow it.
        """
        self._refuse()
        work = _Work(write, urgent=True, ahead=ahead)
        self._queue.put(work)
        if not work.done.wait(PATIENCE_SECS):
            self._fail(f"no commit within {PATIENCE_SECS:g} s")
            self._refuse()
        if work.error is not None:
            raise work.error
        return work.result

    def close(self) -> None:
        """Write what is queued and close the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join(2 * PATIENCE_SECS)
        if self._thread.is_alive():
            self._fail("it could not be closed")
        else:
            COLLECTING.release()

    def _refuse(self) -> None:
        if self.failed is not None:
            raise JournalFailed(f"journal {self.path} is not used any more: {self.failed}")
        if self._closed:
            raise JournalFailed(f"journal {self.path} is closed: the session has ended")

    # On the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        opening = self._opening
        try:
            db = open_journal(self.path, self._durability, self._connector)
        except BaseException as error:  # noqa: BLE001 - the constructor waits for it, and raises it
            opening.error = error
            opening.done.set()
            return
        try:
            if self._group(db, [opening]):
                self._serve(db)
        finally:
            db.close()
            self._refuse_rest()

    def _serve(self, db: sqlite3.Connection) -> None:
        """Commit what is ahead at once, and the rest in its order: when somebody waits, when it has lingered, when it is much."""
        rows: list[_Work] = []
        until = 0.0
        while True:
            work, ends = self._next(max(0.0, until - time.monotonic()) if rows else None)
            if work is not None and work.ahead:
                if not self._group(db, [work]):
                    self._lost(rows, self.failed or "")
                    return
            elif work is not None:
                until = until if rows else time.monotonic() + LINGER_SECS
                rows.append(work)
            waited_for = work is not None and work.urgent and not work.ahead
            due = ends or waited_for or len(rows) >= GROUP or time.monotonic() >= until
            if rows and due:
                if not self._group(db, rows):
                    return
                rows = []
            if ends:
                return

    def _next(self, timeout: float | None) -> tuple[_Work | None, bool]:
        """Next row, or none within the time; True when the file is to be closed."""
        try:
            work = self._queue.get(True, timeout)
        except Empty:
            return None, False
        return work, work is None

    def _group(self, db: sqlite3.Connection, group: list[_Work]) -> bool:
        """Write and commit a group; False after a failure."""
        if self.failed is not None:
            return self._lost(group, self.failed)
        self._waits_since = time.monotonic()
        try:
            db.execute("BEGIN IMMEDIATE")
            for work in group:
                try:
                    work.result = work.write(db)
                except IdUsed as error:
                    work.error = error
            db.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - whatever it was, nothing may follow it
            refusal = error if isinstance(error, HyperTradingError) else None
            return self._lost(group, f"{type(error).__name__}: {error}", refusal)
        self.committed += 1
        self._waits_since = None
        for work in group:
            work.done.set()
        return True

    def _lost(self, group: list[_Work], why: str, refusal: HyperTradingError | None = None) -> bool:
        self._fail(why)
        error = refusal or JournalFailed(f"journal {self.path} could not be written: {why}")
        for work in group:
            work.error = error
            work.done.set()
        return False

    def _fail(self, why: str) -> None:
        with self._lock:
            first, self.failed = self.failed is None, self.failed or why
        if first and self.on_failure is not None:
            self.on_failure(why)

    def _refuse_rest(self) -> None:
        """Let go of whoever came after the end."""
        while True:
            try:
                work = self._queue.get_nowait()
            except Empty:
                return
            if work is not None:
                work.error = JournalFailed(f"journal {self.path} is closed: {self.failed or 'the session has ended'}")
                work.done.set()
