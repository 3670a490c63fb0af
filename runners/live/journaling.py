"""The journal of an account on its disk: where it is, whether it may lie there, and its life within a session."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from errors import SafetyRefusal
from execution.journal_file import JournalFailed
from execution.journal_live import LiveJournal, wall_ms
from execution.journal_venue import Whose
from execution.journal_writes import Run
from execution.services import Services
from execution.watch import Publish
from runners.config import LiveConfig, LiveResolved
from runners.journal_place import FILE, remember_place
from runners.live.control import Cause, Control, Stop
from runners.preflight import file_system

LOCKED, PROBE_SECS = 3, 20.0
_PROBE = (
    "import sqlite3, sys\n"
    "db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
    "try:\n"
    "    db.execute('BEGIN IMMEDIATE')\n"
    "except sqlite3.OperationalError:\n"
    f"    sys.exit({LOCKED})\n"
)
"""Another process tries to write while this one holds the lock: on a file system with working locks it cannot."""


def journal_path(config: LiveConfig, folder: Path) -> Path:
    """Where the journal of an account is: beside its state, or where `safety.journal.path` says."""
    given = config.safety.journal.path
    return Path(given) if given is not None else folder / FILE


def check_place(config: LiveConfig, path: Path) -> None:
    """Refuse a place where a journal is not safe.

    Raises
    ------
    SafetyRefusal
        For a network share, a folder that a cloud service copies, one without working locks, and for real money on a journal that
        does not survive power loss.
    """
    given = config.safety.journal
    if config.mode == "live" and given.durability != "power":
        raise SafetyRefusal(
            f"safety.journal.durability is {given.durability}: real money takes power, which survives power loss."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SafetyRefusal(
            f"folder {path.parent} of the journal cannot be made: {(error.strerror or str(error)).lower()}."
        ) from error
    share = file_system.remote(path.parent)
    if share is not None:
        raise SafetyRefusal(
            f"journal {path} would lie on {share}: put it on a local disk (safety.journal.path or safety.state_dir), since its "
            "locks and its shared memory do not hold elsewhere."
        )
    if not locks_hold(path.parent):
        raise SafetyRefusal(
            f"locks do not hold on the file system of {path.parent}: put the journal on a local disk "
            "(safety.journal.path or safety.state_dir)."
        )


def locks_hold(folder: Path, command: tuple[str, ...] = (sys.executable, "-I", "-c", _PROBE)) -> bool:
    """Whether a lock of this process keeps another one out; a folder that cannot be written is found out later."""
    probe = folder / f".locks-{token_hex(4)}.sqlite"
    db = sqlite3.connect(probe, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
        found = subprocess.run((*command, str(probe)), check=False, timeout=PROBE_SECS, capture_output=True)  # noqa: S603 - own program
    except (sqlite3.OperationalError, subprocess.SubprocessError):
        return False
    else:
        return found.returncode == LOCKED
    finally:
        db.close()
        with suppress(OSError):  # what could not be made need not be removed
            probe.unlink(missing_ok=True)


def new_run(resolved: LiveResolved, alias: str, now_ns: int) -> Run:
    """Name a session; its epoch is drawn by the journal, which knows those that were used."""
    stamp = datetime.fromtimestamp(now_ns / 1e9, UTC)
    run_id = f"{stamp:%Y%m%dT%H%M%SZ}-{token_hex(3)}"
    return Run(run_id, now_ns, resolved.config.mode, alias, resolved.hash, epoch=0)


def hear_failure(journal: LiveJournal, services: Services, publish: Publish, control: Control) -> None:
    """Let a journal that cannot be written shut entries for good, take back what rests and end the session (O-2)."""
    loop = asyncio.get_running_loop()

    def failed(why: str) -> None:
        reason = f"the journal cannot be written: {why}"
        services.gate.halt(reason, time.time_ns())
        services.act(publish)
        control.ask(Stop(Cause.LATCHED, reason))

    def told(why: str) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(failed, why)

    journal.on_failure(told)


@contextmanager
def session_journal(
    resolved: LiveResolved, folder: Path, alias: str, whose: Whose | None = None, venue_ms: Callable[[], int] = wall_ms
) -> Iterator[LiveJournal]:
    """Open the journal of an account for one session, and close it with whatever ended that.

    Parameters
    ----------
    resolved, alias
        Of the session.
    folder
        State of the alias.
    whose
        The account, None for a simulated one.
    venue_ms
        The venue's time.

    Raises
    ------
    SafetyRefusal
        When it may not lie there, is damaged, or is another account's.
    JournalFailed
        When it cannot be written.
    """
    path = journal_path(resolved.config, folder)
    check_place(resolved.config, path)
    remember_place(folder, path)
    durability = resolved.config.safety.journal.durability
    journal = LiveJournal(
        path, new_run(resolved, alias, time.time_ns()), whose, durability=durability, venue_ms=venue_ms
    )
    try:
        yield journal
    except BaseException as error:
        with suppress(JournalFailed):  # what ended the session is told, not that it could not be written down
            journal.end(time.time_ns(), f"{type(error).__name__}: {error}")
        raise
    finally:
        journal.close()
