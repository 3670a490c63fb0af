"""`journal verify` and `journal backup`: what is altered is found and named, and a copy is whole or not there."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from errors import DataError, RunFailed, SafetyRefusal, UsageError
from execution.journal_backup import back_up
from execution.journal_chain import link_hash
from execution.journal_check import MOST, verify
from execution.journal_read import read_journal
from tests.execution.test_journal_live import at
from tests.execution.test_journals import fill, order

D = Decimal


def filled(folder: Path) -> Path:
    """A session with two orders, three fills, some venue messages, and an end."""
    journal = at(folder)
    for name in ("h1", "h2"):
        journal.order(order(name), 60_000.0)
        journal.event(200, name, "OrderAccepted", "ACK")
    journal.fill(fill("t1", "0.4"))
    journal.fill(fill("t2", "0.6"))
    journal.fill(replace(fill("t3", "1", order_id="h2"), side="SELL"))
    for number in range(5):
        journal.message(300 + number, "OrderAccepted", {"number": number, "price": D("60000.10")})
    journal.end(900, "done")
    journal.close()
    return folder / "journal.sqlite"


def changed(path: Path, *statements: str) -> None:
    """Somebody with an editor for databases."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


OPEN_UP = ("DROP TRIGGER venue_messages_stay", "DROP TRIGGER venue_messages_remain")
SHUT = (
    """CREATE TRIGGER venue_messages_stay BEFORE UPDATE ON venue_messages
        BEGIN SELECT RAISE(ABORT, 'venue messages are append-only'); END""",
    """CREATE TRIGGER venue_messages_remain BEFORE DELETE ON venue_messages
        BEGIN SELECT RAISE(ABORT, 'venue messages are append-only'); END""",
)


@pytest.mark.req("M-7")
def test_a_good_journal_has_no_findings_and_tells_its_head(tmp_path: Path) -> None:
    found = verify(filled(tmp_path))
    assert found.findings == ()
    assert (found.rows["orders"], found.rows["fills"], found.rows["venue_messages"]) == (2, 3, 5)
    assert found.head.seq == 5
    previous = ""
    for seq in range(1, 6):
        body = '{"number":' + str(seq - 1) + ',"price":"60000.10"}'
        previous = link_hash(previous, seq, 299 + seq, "OrderAccepted", body)
    assert found.head.hash == previous


@pytest.mark.req("M-7")
@pytest.mark.parametrize(
    "statement", ["UPDATE venue_messages SET body = '{}' WHERE seq = 2", "DELETE FROM venue_messages"]
)
def test_venue_messages_can_neither_be_changed_nor_removed(tmp_path: Path, statement: str) -> None:
    path = filled(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        changed(path, statement)
    assert verify(path).findings == ()


@pytest.mark.req("M-7")
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE venue_messages SET body = '{}' WHERE seq = 2",
            "venue message 2 (OrderAccepted) is not what was written",
        ),
        (
            "UPDATE venue_messages SET ts_ns = 1 WHERE seq = 3",
            "venue message 3 (OrderAccepted) is not what was written",
        ),
        ("DELETE FROM venue_messages WHERE seq = 3", "venue messages 3 to 3 are missing"),
        (
            "DELETE FROM venue_messages WHERE seq > 3",
            "session run-1 ended after venue message 5, the record ends with 3",
        ),
        ("UPDATE venue_messages SET seq = 9 WHERE seq = 5", "venue messages 5 to 8 are missing"),
    ],
)
def test_whoever_gets_past_the_triggers_is_found_by_the_chain(tmp_path: Path, statement: str, words: str) -> None:
    path = filled(tmp_path)
    changed(path, *OPEN_UP, statement, *SHUT)
    assert words in "\n".join(verify(path).findings)


@pytest.mark.req("M-7")
def test_a_chain_that_was_written_anew_still_differs_from_the_head_that_the_session_kept(tmp_path: Path) -> None:
    path = filled(tmp_path)
    previous = ""
    anew = []
    for seq in range(1, 6):
        previous = link_hash(previous, seq, 299 + seq, "OrderAccepted", "{}")
        anew.append(f"UPDATE venue_messages SET body = '{{}}', hash = '{previous}' WHERE seq = {seq}")
    changed(path, *OPEN_UP, *anew, *SHUT)
    assert verify(path).findings == ("venue message 5 is another one than when session run-1 ended",)


@pytest.mark.req("O-8")
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE fills SET quantity = '0.3' WHERE trade_id = 't1'", "order h1: its fills make 0.9, its row says 1.0"),
        ("UPDATE orders SET filled_quantity = '2' WHERE client_order_id = 'h1'", "order h1: 2 filled of 1"),
        ("UPDATE orders SET status = 'REJECTED' WHERE client_order_id = 'h1'", "order h1: REJECTED, and 1.0 filled"),
        ("UPDATE orders SET quantity = '3' WHERE client_order_id = 'h1'", "order h1: FILLED with 1.0 of 3"),
        ("UPDATE fills SET position_after = '9' WHERE trade_id = 't2'",
         "trade t2 of BTCUSDT-PERP.BINANCE: position 9 after it, the fills so far make 1.0"),
        ("DELETE FROM fills WHERE trade_id = 't2'", "order h1: its fills make 0.4, its row says 1.0"),
        ("DELETE FROM intents WHERE client_order_id = 'h2'", "order h2: order and intent are not both there"),
        ("DELETE FROM runs", "belongs to a session that is not there"),
        ("DROP INDEX orders_by_status", "index orders_by_status is missing"),
        ("DROP TRIGGER venue_messages_stay", "trigger venue_messages_stay is missing"),
        ("CREATE TABLE notes (a TEXT)", "table notes is not ours"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_named(tmp_path: Path, statement: str, words: str) -> None:
    path = filled(tmp_path)
    changed(path, statement)
    assert words in "\n".join(verify(path).findings)


def said(path: Path) -> str:
    """Findings, or that it cannot be read at all."""
    try:
        return "\n".join(verify(path).findings)
    except SafetyRefusal as error:
        return str(error)


def test_pages_that_are_damaged_are_found(tmp_path: Path) -> None:
    path = filled(tmp_path)
    changed(path, "VACUUM")
    content = bytearray(path.read_bytes())
    for place in range(4096 * 3, len(content), 4096):
        content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    assert "is damaged" in said(path)


def test_no_more_findings_of_a_kind_are_listed_than_a_person_reads(tmp_path: Path) -> None:
    journal = at(tmp_path)
    for number in range(MOST + 50):
        journal.order(order(f"h{number}"), None)
    journal.close()
    changed(tmp_path / "journal.sqlite", "UPDATE orders SET filled_quantity = '0.5'")
    findings = verify(tmp_path / "journal.sqlite").findings
    assert len(findings) == MOST + 1
    assert findings[-1] == f"… and more: only {MOST} of a kind are listed"


def test_a_file_that_is_not_there_or_none_of_ours_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no journal"):
        verify(tmp_path / "none.sqlite")
    changed(tmp_path / "other.sqlite", "CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(SafetyRefusal, match="not a journal of this system"):
        verify(tmp_path / "other.sqlite")
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be looked at " * 40)
    with pytest.raises(SafetyRefusal, match="is damaged"):
        verify(tmp_path / "text.sqlite")


# While a node writes ----------------------------------------------------------------------------------------------------


def while_writing(folder: Path, look: Callable[[], None]) -> int:
    """Write as fast as it goes while something looks; return how many orders there are in the end."""
    journal = at(folder)
    stop, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not stop.is_set() and written < 5000:
            name = f"h{written}"
            journal.order(order(name), None)
            journal.fill(fill(f"t{written}", "1", order_id=name))
            journal.message(written, "OrderFilled", {"name": name})
            written += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            look()
    finally:
        stop.set()
        thread.join()
    assert journal.failed is None
    journal.close()
    return written


@pytest.mark.req("M-7")
def test_it_is_verified_and_copied_while_a_node_writes(tmp_path: Path) -> None:
    path, number = tmp_path / "journal.sqlite", 0
    counts = []

    def look() -> None:
        nonlocal number
        number += 1
        assert verify(path).findings == ()
        back_up(path, tmp_path / f"copy-{number}.sqlite")
        copy = verify(tmp_path / f"copy-{number}.sqlite")
        assert copy.findings == ()
        counts.append(copy.rows["orders"])

    written = while_writing(tmp_path, look)
    assert counts == sorted(counts)
    assert counts[-1] <= written
    assert len(read_journal(path).orders) == written
    assert [one.name for one in tmp_path.glob("*partial*")] == []


@pytest.mark.req("O-1")
def test_a_copy_can_be_written_to_as_the_journal_that_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path)
    (tmp_path / "restored").mkdir()
    back_up(path, tmp_path / "restored" / "journal.sqlite")
    restored = at(tmp_path / "restored", "run-2")
    restored.order(order("h9"), None)
    restored.close()
    assert verify(tmp_path / "restored" / "journal.sqlite").findings == ()


def test_a_copy_never_replaces_a_file_and_is_absent_where_it_cannot_be_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(UsageError, match="a backup never replaces a file"):
        back_up(path, tmp_path / "there")
    with pytest.raises(UsageError, match="is not there"):
        back_up(path, tmp_path / "nowhere" / "copy.sqlite")
    with pytest.raises(DataError, match="there is no journal"):
        back_up(tmp_path / "none.sqlite", tmp_path / "copy.sqlite")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("execution.journal_backup.os.fsync", full)
    with pytest.raises(RunFailed, match="No space left on device"):
        back_up(path, tmp_path / "copy.sqlite")
    left = {one.name for one in tmp_path.iterdir()} - {"journal.sqlite-wal", "journal.sqlite-shm"}
    assert left == {"journal.sqlite", "there"}
