"""What only a journal on disk does: it survives, refuses what it does not know, and fails for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from errors import SafetyRefusal
from execution.journal import IdUsed, RiskEvent
from execution.journal_file import JournalFailed, connect, open_journal
from execution.journal_schema import APPLICATION_ID, MIGRATIONS, migrate, version
from execution.journal_sqlite import SqliteJournal
from risk.loss import LossConfig, LossLedger, LossState
from risk.verdict import Reason, Refused
from tests.execution.test_journals import BTC, fill, order, rows, run

D = Decimal


def at(folder: Path, run_id: str = "run-1", connector: Callable[[Path], sqlite3.Connection] = connect) -> SqliteJournal:
    return SqliteJournal(folder / "demo-1.sqlite", run(run_id), connector=connector)


def plain(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "demo-1.sqlite", isolation_level=None)


@pytest.mark.req("O-2")
def test_what_was_written_is_there_for_another_process_when_the_call_returns(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order(), 60_000.0)
    reader = plain(tmp_path)
    assert reader.execute("SELECT client_order_id, status FROM orders").fetchall() == [("h1", "NEW")]
    assert reader.execute("SELECT client_order_id, edge_bps, horizon_secs FROM intents").fetchall() == [
        ("h1", 3.5, 60.0)
    ]
    assert reader.execute("SELECT epoch, ended_ns FROM runs").fetchall() == [(77, None)]
    reader.close()
    journal.close()


@pytest.mark.req("O-2")
@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_durability_is_what_it_says(tmp_path: Path, durability: Any, synchronous: int) -> None:
    db = open_journal(tmp_path / "j.sqlite", durability)
    assert db.execute("PRAGMA synchronous").fetchone()[0] == synchronous
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    db.close()


@pytest.mark.req("O-1")
def test_an_id_that_was_ever_used_cannot_be_written_again(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order("h1"), None)
    journal.close()
    again = at(tmp_path, "run-2")
    with pytest.raises(IdUsed, match="client order id h1 has been used"):
        again.order(order("h1"), None)
    again.order(order("h2"), None)  # nothing was written, and the journal goes on
    assert [row["client_order_id"] for row in rows(again, "orders")] == ["h2"]
    again.close()


class FailsAt(sqlite3.Connection):
    """Raises at one statement, as a full or broken disk does."""

    statement = ""
    count = 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if FailsAt.statement and sql.startswith(FailsAt.statement):
            FailsAt.count += 1
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.fixture
def failing(tmp_path: Path) -> SqliteJournal:
    FailsAt.statement, FailsAt.count = "", 0
    return at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=FailsAt))


@pytest.mark.req("O-2")
@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO intents", "INSERT INTO orders", "COMMIT"])
def test_after_a_failed_commit_the_connection_is_never_used_again(
    failing: SqliteJournal, statement: str, tmp_path: Path
) -> None:
    failing.order(order("h1"), None)
    FailsAt.statement = statement
    with pytest.raises(JournalFailed, match="disk I/O error"):
        failing.order(order("h2"), None)
    FailsAt.statement = ""
    calls: list[Callable[[], object]] = [
        lambda: failing.order(order("h3"), None),
        lambda: failing.refusal(order("h3"), Refused(Reason.TICK, "off")),
        lambda: failing.event(1, "h1", "OrderAccepted", "ACK"),
        lambda: failing.queue("h1", 1.0),
        lambda: failing.resize("h1", D(1)),
        lambda: failing.fill(fill()),
        lambda: failing.funding(1, BTC, "flow-1", D(1), None, D(1)),
        lambda: failing.risk(RiskEvent(1, "breaker", "feed_age_ms", "", "open", "soft", "late", {})),
        lambda: failing.save_risk_state(1, "loss", {}),
        lambda: failing.risk_state("loss"),
        lambda: failing.equity(1, D(1)),
        lambda: failing.end(1, "done"),
        failing.tables,
    ]
    for call in calls:
        with pytest.raises(JournalFailed, match="is not used any more: OperationalError: disk I/O error"):
            call()
    failing.close()
    reader = plain(tmp_path)
    assert reader.execute("SELECT client_order_id FROM orders").fetchall() == [("h1",)]
    assert reader.execute("SELECT client_order_id FROM intents").fetchall() == [("h1",)]
    reader.close()


@pytest.mark.req("O-2")
def test_a_full_disk_fails_the_order_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    def small(path: Path) -> sqlite3.Connection:
        db = connect(path)
        db.execute("PRAGMA max_page_count = 60")
        return db

    journal = at(tmp_path, connector=small)
    written = 0

    def write_on() -> None:
        nonlocal written
        for written in range(10_000):
            journal.order(order(f"h{written}"), None)

    with pytest.raises(JournalFailed, match="full"):
        write_on()
    assert written > 10
    reader = plain(tmp_path)
    assert reader.execute("SELECT count(*) FROM orders").fetchone() == (written,)
    assert reader.execute("SELECT count(*) FROM intents").fetchone() == (written,)
    reader.close()


@pytest.mark.req("O-2")
def test_a_lock_that_is_not_given_up_fails_the_order(tmp_path: Path) -> None:
    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, timeout=0.05, isolation_level=None))
    other = plain(tmp_path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalFailed, match="locked"):
        journal.order(order(), None)
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(JournalFailed, match="not used any more"):
        journal.order(order("h2"), None)


@pytest.mark.req("O-8")
def test_fill_order_and_position_change_together_or_not_at_all(failing: SqliteJournal, tmp_path: Path) -> None:
    failing.order(order(), None)
    FailsAt.statement = "INSERT INTO fills"
    with pytest.raises(JournalFailed):
        failing.fill(fill())
    reader = plain(tmp_path)
    assert reader.execute("SELECT status, filled_quantity FROM orders").fetchall() == [("NEW", "0")]
    assert reader.execute("SELECT count(*) FROM fills").fetchone() == (0,)
    reader.close()


@pytest.mark.req("O-8")
def test_a_session_goes_on_from_the_position_that_the_last_one_left(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), 60_000.0)
    first.fill(fill("t1", "0.4"))
    first.end(900, "stopped by an operator")
    first.close()
    second = at(tmp_path, "run-2")
    second.fill(fill("t1", "0.4"))  # replayed after the reconnect
    second.fill(fill("t2", "0.1", order_id="h1"))
    (late,) = rows(second, "fills")
    assert (late["position_after"], late["mid_decision"]) == (D("0.5"), 60_000.0)
    assert rows(second, "orders") == []
    second.close()
    reader = plain(tmp_path)
    assert reader.execute("SELECT run_id, ended_ns, outcome FROM runs ORDER BY run_id").fetchall() == [
        ("run-1", 900, "stopped by an operator"), ("run-2", None, None),
    ]  # fmt: skip
    assert reader.execute("SELECT filled_quantity FROM orders").fetchall() == [("0.5",)]
    reader.close()


@pytest.mark.req("R-1")
def test_risk_state_survives_a_restart_whole(tmp_path: Path) -> None:
    ledger = LossLedger(LossConfig(max_daily_loss_quote=D(100)))
    ledger.update(86_400_000_000_000 * 20_000, D("10000.123456789"))
    first = at(tmp_path)
    assert first.risk_state("loss") is None
    first.save_risk_state(1, "loss", {"old": 1})
    first.save_risk_state(2, "loss", ledger.state.to_json())
    first.close()
    second = at(tmp_path, "run-2")
    kept = second.risk_state("loss")
    assert kept is not None
    assert LossState.from_json(kept) == ledger.state
    second.close()


@pytest.mark.req("R-11")
def test_risk_events_and_equity_are_kept(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.risk(RiskEvent(5, "breaker", "feed_age_ms", "", "open", "soft", "event is 812 ms old", {"age_ms": 812.0}))
    journal.equity(60, D("9999.99"))
    journal.equity(60, D("9999.98"))
    journal.close()
    reader = plain(tmp_path)
    assert reader.execute("SELECT ts_ns, kind, name, detail, figures FROM risk_events").fetchall() == [
        (5, "breaker", "feed_age_ms", "event is 812 ms old", '{"age_ms": 812.0}')
    ]
    assert reader.execute("SELECT ts_ns, equity FROM equity").fetchall() == [(60, "9999.98")]
    reader.close()


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    at(tmp_path).close()
    with pytest.raises(JournalFailed, match="UNIQUE"):
        at(tmp_path)


def test_a_new_file_is_at_the_newest_version_and_marked_as_ours(tmp_path: Path) -> None:
    at(tmp_path).close()
    reader = plain(tmp_path)
    assert version(reader) == len(MIGRATIONS)
    assert reader.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    reader.close()


def test_an_older_file_is_migrated_and_keeps_its_rows(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order(), None)
    journal.close()
    db = plain(tmp_path)
    migrate(db, (*MIGRATIONS, ("ALTER TABLE orders ADD COLUMN shade TEXT",)))
    assert version(db) == len(MIGRATIONS) + 1
    assert db.execute("SELECT client_order_id, shade FROM orders").fetchall() == [("h1", None)]
    db.close()
    with pytest.raises(SafetyRefusal, match="schema version 3, this program knows 2"):
        at(tmp_path, "run-2")


def test_a_file_of_the_first_version_is_brought_up_with_its_rows_and_epochs(tmp_path: Path) -> None:
    db = plain(tmp_path)
    migrate(db, MIGRATIONS[:1])
    db.execute("INSERT INTO runs VALUES ('old', 5, 'testnet', 'demo-1', 'abc', 99, NULL, NULL)")
    db.execute(
        "INSERT INTO orders (run_id, client_order_id, ts_ns, strategy_id, instrument_id, side, order_type, quantity, post_only,"
        " reduce_only, time_in_force, status, why, source) VALUES ('old', 'h9', 6, 's', 'B', 'BUY', 'MARKET', '1', 0, 0, 'GTC',"
        " 'ACK', '', 'strategy')"
    )
    db.close()
    at(tmp_path, "new").close()
    db = plain(tmp_path)
    assert version(db) == len(MIGRATIONS)
    assert db.execute("SELECT epoch, run_id, purpose FROM epochs").fetchall() == [(99, "old", "strategies")]
    assert db.execute("SELECT client_order_id, status, wire_id, signed_ms, is_algo FROM orders").fetchall() == [
        ("h9", "ACK", None, None, 0)
    ]
    db.close()


def test_a_migration_that_fails_is_undone(tmp_path: Path) -> None:
    at(tmp_path).close()
    db = plain(tmp_path)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, (*MIGRATIONS, ("CREATE TABLE extra (a TEXT)", "THIS IS NOT SQL")))
    assert version(db) == len(MIGRATIONS)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    db.close()


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = plain(tmp_path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    with pytest.raises(SafetyRefusal, match="not a journal of this system"):
        at(tmp_path)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 40])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "demo-1.sqlite").write_bytes(content)
    with pytest.raises(SafetyRefusal, match="is damaged"):
        at(tmp_path)


def test_a_journal_in_a_folder_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="cannot be opened"):
        at(tmp_path / "missing")


def test_a_file_system_without_wal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafetyRefusal, match="without WAL"):
        at(tmp_path, connector=lambda _: sqlite3.connect(":memory:", isolation_level=None))


def test_an_exception_inside_a_transaction_fails_the_journal_too(tmp_path: Path) -> None:
    journal = at(tmp_path)
    with pytest.raises(TypeError):
        journal.save_risk_state(1, "loss", {"not json": object()})
    assert journal.failed is not None
    with pytest.raises(JournalFailed):
        journal.order(order(), None)
