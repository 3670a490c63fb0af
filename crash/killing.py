"""A SQLite connection that knows what it writes, and ends its own process where it is told to (K1).

It stands in the place of the one that the journal opens: `execution.journal_live.LiveJournal` takes a ``connector``. Each statement
gets a label, ``table/detail/whose``; the n-th occurrence of a label is where the process dies, before the statement, after it
(written, uncommitted) or after the commit that it is in. What was reached is written to a trace beside the journal, through the
kernel, so that it is there after SIGKILL.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from execution.journal_file import LOCK_SECS

type Stage = Literal["before", "written", "committed"]
type Deed = Literal["kill", "fail", "checkpoint"]

_WRITES = re.compile(
    r"\s*(INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|CREATE TABLE|CREATE INDEX|ALTER TABLE|PRAGMA) (\w+)", re.IGNORECASE
)
_INSERT_COLUMNS = re.compile(r"\(([^)]*)\)\s*VALUES", re.IGNORECASE | re.DOTALL)
_UPDATE_COLUMNS = re.compile(r"(\w+) = \?")


@dataclass(frozen=True, slots=True)
class Trigger:
    """Where a process ends.

    Attributes
    ----------
    label
        Pattern of labels; ``*`` and ``?`` are wildcards.
    stage
        Before the statement, after it, or after its commit.
    nth
        Which occurrence.
    deed
        ``kill``; ``fail``: the commit raises an I/O error and the process lives on; ``checkpoint``: as kill, after everything
        was moved from the log into the file.
    """

    label: str
    stage: Stage = "written"
    nth: int = 1
    deed: Deed = "kill"


@dataclass(slots=True)
class Trace:
    """What was reached, appended to a file line by line.

    Parameters
    ----------
    path
        Of the file.
    """

    path: Path
    _file: int = field(init=False)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, **facts: Any) -> None:
        """Append one line; it outlives the process from here on."""
        os.write(self._file, (json.dumps(facts) + "\n").encode())


def end_process() -> None:
    """End this process as a power switch would: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    time.sleep(60)  # the signal is on its way


class Labels:
    """Names statements; remembers which client order ids belong to which intent.

    Parameters
    ----------
    whose
        Name of an intent by its reason, such as ``target``.
    """

    def __init__(self) -> None:
        self._whose: dict[str, str] = {}

    def of(self, sql: str, values: Sequence[Any]) -> str | None:
        """Label of a statement that writes, or None."""
        found = _WRITES.match(sql)
        if found is None:
            return None
        verb, table = found[1].upper(), found[2].lower()
        if verb == "PRAGMA":
            return "schema/version" if table == "user_version" and "=" in sql else None
        if verb.startswith(("CREATE", "ALTER")):
            return "schema/statement"
        row = _row(verb, sql, values)
        return f"{table}/{_detail(verb, table, row)}/{self._owner(table, row)}"

    def _owner(self, table: str, row: dict[str, Any]) -> str:
        order_id = str(row.get("client_order_id", ""))
        if table == "orders" and "source" in row:
            protective = row.get("source") == "protective"
            self._whose[order_id] = "protective" if protective else str(row.get("why", "")).split()[0] or "-"
        if table == "intents":
            return str(row.get("why", "-")).split()[0]
        return self._whose.get(order_id, "-")


def _row(verb: str, sql: str, values: Sequence[Any]) -> dict[str, Any]:
    if verb.startswith("INSERT"):
        columns = _INSERT_COLUMNS.search(sql)
        names = (
            [name.strip() for name in columns[1].split(",")] if columns else _POSITIONAL.get(sql.split()[2].lower(), [])
        )
    else:
        names = _UPDATE_COLUMNS.findall(sql)
    return dict(zip(names, values, strict=False))


_POSITIONAL = {"risk_state": ["name"], "equity": ["run_id", "ts_ns", "equity"]}
_DETAILS = {
    "events": "event", "actions": "kind", "risk_state": "name", "epochs": "purpose", "income": "kind", "wallet": "source",
    "venue_messages": "kind", "risk_events": "kind",
}  # fmt: skip


def _detail(verb: str, table: str, row: dict[str, Any]) -> str:
    if verb == "UPDATE":
        changed = [name for name in row if name not in ("client_order_id", "run_id")]
        if "status" in row:
            return f"update-{row['status']}"
        return f"update-{changed[0]}" if changed else "update"
    named = row.get(_DETAILS.get(table, ""))
    return "insert" if named is None else str(named)


class Killer:
    """Counts labels and strikes.

    Parameters
    ----------
    trigger
        Where; None only traces.
    trace
        Where it is written down.
    strike
        Ends the process; a test gives another.
    """

    def __init__(self, trigger: Trigger | None, trace: Trace, strike: Callable[[], None] = end_process) -> None:
        self._trigger, self._trace, self._strike = trigger, trace, strike
        self._labels = Labels()
        self._seen = 0
        self._pending: list[str] = []
        self._due = False
        self._where = ""
        self.wal: Path | None = None

    def before(self, sql: str, values: Sequence[Any]) -> str | None:
        """Take a statement that is about to run; return its label."""
        if sql.startswith("COMMIT"):
            if self._due and self._trigger is not None and self._trigger.stage == "written":
                self._do("written")
            return None
        label = self._labels.of(sql, values)
        if label is None:
            return None
        trigger = self._trigger
        if trigger is not None and fnmatchcase(label, trigger.label):
            self._seen += 1
            if self._seen == trigger.nth:
                self._where = label
                if trigger.stage == "before":
                    self._pending.append(label)
                    self._do("before")
                self._due = True
        self._pending.append(label)
        return label

    def touch(self, label: str, act: Callable[[], Any]) -> Any:
        """Do something that is no statement, such as writing a file: it can be struck before it and after it."""
        trigger = self._trigger
        hit = trigger is not None and fnmatchcase(label, trigger.label)
        self._seen += hit
        strikes = hit and trigger is not None and self._seen == trigger.nth
        self._where = label if strikes else self._where
        if strikes and trigger is not None and trigger.stage == "before":
            self._do("before")
        done = act()
        self._trace.write(touched=label)
        if strikes and trigger is not None and trigger.stage != "before":
            self._do("committed")
        return done

    def committed(self, connection: sqlite3.Connection) -> None:
        """Take a commit that has succeeded."""
        size = self.wal.stat().st_size if self.wal is not None and self.wal.exists() else 0
        self._trace.write(commit=self._pending, wal=size)
        self._pending = []
        if self._due and self._trigger is not None and self._trigger.stage == "committed":
            if self._trigger.deed == "checkpoint":
                sqlite3.Connection.execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._do("committed")

    def _do(self, stage: Stage) -> None:
        trigger = self._trigger
        if trigger is None:
            return
        self._due, self._trigger = False, None
        self._trace.write(struck=asdict(trigger), stage=stage, label=self._where, ts_ns=time.time_ns())
        if trigger.deed == "fail":
            raise sqlite3.OperationalError("disk I/O error")
        self._strike()


class KillingConnection(sqlite3.Connection):
    """See the module."""

    killer: Killer

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement, unless the process ends here."""
        values = tuple(parameters.values()) if isinstance(parameters, dict) else tuple(parameters)
        self.killer.before(sql, values)
        cursor = super().execute(sql, parameters)
        if sql.startswith("COMMIT"):
            self.killer.committed(self)
        return cursor


def connector(killer: Killer) -> Callable[[Path], sqlite3.Connection]:
    """Make what a journal opens its file with."""

    def opened(path: Path) -> sqlite3.Connection:
        killer.wal = path.with_name(path.name + "-wal")
        db = sqlite3.connect(path, timeout=LOCK_SECS, isolation_level=None, factory=KillingConnection)
        db.killer = killer
        return db

    return opened


def read_trace(path: Path) -> list[dict[str, Any]]:
    """Read a trace; a torn last line is left out."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
