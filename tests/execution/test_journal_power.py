"""Power durability (O-2): a row is synced before its order can leave; a log cut anywhere opens clean with a prefix of the rows.

A SIGKILL shows neither, since the system's own buffers survive it.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from execution.journal_file import connect
from execution.journal_read import read_journal
from tests.execution.test_journal_live import at
from tests.execution.test_journals import fill, order

ROOT = Path(__file__).resolve().parents[2]
STRACE = shutil.which("strace")
SENDS = """\
import os, sys
from pathlib import Path
from tests.execution.test_journal_live import at
from tests.execution.test_journals import order

journal = at(Path(sys.argv[1]), durability=sys.argv[2])
wire = os.open(sys.argv[1] + "/wire", os.O_WRONLY | os.O_CREAT)
for number in range(5):
    journal.order(order(f"h{number}"), None)
    os.write(wire, f"order h{number}".encode())
journal.close()
"""
_CALL = re.compile(r"(?P<name>pwrite64|write|fdatasync|fsync)\(\d+<(?P<file>[^>]*)>(?P<rest>.*)")


def traced(folder: Path, durability: str) -> list[str]:
    """Calls on the log and on the wire in their order: ``log``, ``sync`` and ``order h…``."""
    assert STRACE is not None
    out = folder / "calls"
    command = [
        STRACE,
        "-f",
        "-y",
        "-s",
        "40",
        "-e",
        "trace=pwrite64,write,fdatasync,fsync",
        "-o",
        str(out),
        sys.executable,
    ]
    done = subprocess.run(
        [*command, "-c", SENDS, str(folder), durability],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip(f"processes may not be traced here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    found = []
    waits: set[str] = set()
    for line in out.read_text(encoding="utf-8", errors="replace").splitlines():
        process, call = line.partition(" ")[0], _CALL.search(line)
        if call is None:
            if process in waits and "sync resumed>" in line and line.endswith("= 0"):
                found.append("sync")
                waits.discard(process)
            continue
        if call["file"].endswith("/wire"):
            found += re.findall(r'"(order h\d)"', call["rest"])
        elif call["file"].endswith("journal.sqlite-wal") and "sync" not in call["name"]:
            found.append("log")
        elif call["file"].endswith("journal.sqlite-wal"):
            if line.endswith("= 0"):  # it has returned
                found.append("sync")
            else:
                waits.add(process)
    return found


@pytest.mark.req("O-2")
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_with_power_every_order_is_written_and_synced_before_it_is_sent(tmp_path: Path) -> None:
    calls = traced(tmp_path, "power")
    sends = [place for place, call in enumerate(calls) if call.startswith("order")]
    assert [calls[place] for place in sends] == [f"order h{number}" for number in range(5)]
    before = 0
    for place in sends:
        since = calls[before:place]
        assert "log" in since
        assert since[-1] == "sync", since  # nothing of the log is written after the sync and before the order
        before = place + 1


@pytest.mark.req("O-2")
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_with_process_nothing_is_synced_for_an_order(tmp_path: Path) -> None:
    calls = traced(tmp_path, "process")
    first = calls.index("order h0")
    last = calls.index("order h4")
    assert "log" in calls[first:last]
    assert "sync" not in calls[first:last]


@pytest.mark.req("O-2")
def test_the_commit_has_returned_before_the_order_call_does(tmp_path: Path) -> None:
    said: list[str] = []

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            found = super().execute(sql, *parameters)
            said.append(sql.partition(" (")[0])  # it has returned
            return found

    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=Watched))
    journal.event(1, "h0", "OrderAccepted", "ACK")
    journal.order(order("h1"), None)
    said.append("sent")
    journal.close()
    sent = said.index("sent")
    assert said.index("COMMIT", said.index("INSERT INTO orders")) < sent


# A log that was cut -----------------------------------------------------------------------------------------------------


def written(folder: Path) -> bytes:
    """Make a journal whose rows are all in its log; return the log."""
    kept: list[sqlite3.Connection] = []

    def without_checkpoint(path: Path) -> sqlite3.Connection:
        db = connect(path)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        kept.append(db)
        return db

    journal = at(folder, connector=without_checkpoint)
    for number in range(6):
        journal.order(order(f"h{number}", quantity="1"), None)
        journal.event(200 + number, f"h{number}", "OrderAccepted", "ACK")
        journal.message(200 + number, "OrderAccepted", {"number": number})
        journal.flush()
        journal.fill(fill(f"t{number}", "0.4", order_id=f"h{number}"))
        journal.flush()
    log = (folder / "journal.sqlite-wal").read_bytes()
    shutil.copy(folder / "journal.sqlite", folder / "base.sqlite")
    journal.close()
    return log


@pytest.mark.req("O-2")
def test_a_log_cut_at_any_place_opens_clean_with_a_prefix_of_the_rows(tmp_path: Path) -> None:
    log = written(tmp_path)
    whole = range(32, len(log) + 1, 4096 + 24)  # after the header and after every frame
    cuts = sorted({0, *whole, *(cut + 1000 for cut in whole if cut + 1000 < len(log)), len(log) - 1})
    seen: list[tuple[int, int, int]] = []
    for number, cut in enumerate(cuts):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        shutil.copy(tmp_path / "base.sqlite", folder / "journal.sqlite")
        (folder / "journal.sqlite-wal").write_bytes(log[:cut])
        seen.append(opened(folder))
        shutil.rmtree(folder)
    assert seen == sorted(seen)  # more of the log is never less of the rows
    assert seen[0] == (0, 0, 0)
    assert seen[-1] == (6, 6, 6)
    assert len(set(seen)) > 8


def opened(folder: Path) -> tuple[int, int, int]:
    """Open what a power loss has left, as the next start does, and hold it against itself: rows, fills and messages."""
    at(folder, "after").close()  # quick_check and migration pass
    found = read_journal(folder / "journal.sqlite")
    orders = [row.client_order_id for row in found.orders]
    assert orders == [f"h{number}" for number in range(len(orders))]
    fills = [row.trade_id for row in found.fills]
    assert fills == [f"t{number}" for number in range(len(fills))]
    assert len(orders) - 1 <= len(fills) <= len(orders)  # what was waited for is there, in its order
    assert sum(row.filled_quantity for row in found.orders) == sum(row.quantity for row in found.fills)
    return len(orders), len(fills), found.chain.seq


@pytest.mark.req("O-2")
def test_a_frame_of_the_log_that_is_half_written_or_garbled_counts_as_not_there(tmp_path: Path) -> None:
    log = bytearray(written(tmp_path))
    middle = 32 + (len(log) - 32) // (4096 + 24) // 2 * (4096 + 24)
    log[middle + 200 : middle + 260] = bytes(byte ^ 0x5A for byte in log[middle + 200 : middle + 260])
    folder = tmp_path / "garbled"
    folder.mkdir()
    shutil.copy(tmp_path / "base.sqlite", folder / "journal.sqlite")
    (folder / "journal.sqlite-wal").write_bytes(log)
    orders, _, _ = opened(folder)
    assert 0 < orders < 6
