"""The journal of a live node: what is on disk when a call returns, what a broken disk does, and what the next session finds."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from errors import SafetyRefusal
from execution.ids import encode
from execution.journal import IdUsed
from execution.journal_file import JournalFailed, connect
from execution.journal_live import LiveJournal
from execution.journal_read import read_journal
from execution.journal_venue import Whose
from execution.journal_writer import JournalWriter
from risk.verdict import Reason, Refused
from tests.execution.test_journals import BTC, fill, order, run

D = Decimal
ME = Whose("account-1", "local", "127.0.0.1")
ETH = "ETHUSDT-PERP.BINANCE"


def at(folder: Path, run_id: str = "run-1", whose: Whose | None = ME, **options: Any) -> LiveJournal:
    given: dict[str, Any] = {"venue_ms": lambda: 1_700_000_000_123, "durability": "process", **options}
    return LiveJournal(folder / "journal.sqlite", run(run_id), whose, **given)


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


# What is on disk, and when ----------------------------------------------------------------------------------------------


@pytest.mark.req("O-2")
def test_an_order_is_on_disk_for_another_process_when_the_call_returns(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order("t1000001000001"), 60_000.0)
    assert asked(
        tmp_path, "SELECT client_order_id, status, wire_id, signed_ms, is_algo, is_protective FROM orders"
    ) == [("t1000001000001", "NEW", "x-aHRE4BCj-Rt1000001000001", 1_700_000_000_123, 0, 0)]
    journal.close()


def test_a_stop_at_the_venue_is_marked_as_what_it_is(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(replace(order("t1"), order_type="STOP_MARKET", reduce_only=True), None)
    journal.order(replace(order("t2"), order_type="STOP_MARKET"), None)
    assert asked(tmp_path, "SELECT is_algo, is_protective FROM orders ORDER BY order_id") == [(1, 1), (1, 0)]
    journal.close()


@pytest.mark.req("O-2")
def test_what_nobody_waits_for_is_committed_in_order_and_in_groups(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order("h1"), None)
    before = journal.commits
    for number in range(200):
        journal.event(number, "h1", "OrderAccepted", "ACK", str(number))
    journal.flush()
    details = [int(row[0]) for row in asked(tmp_path, "SELECT detail FROM events ORDER BY event_id")]
    assert details == list(range(200))
    assert 1 <= journal.commits - before < 20  # groups, not one by one
    journal.close()


@pytest.mark.req("O-2")
def test_an_order_waits_for_no_row_but_its_own(tmp_path: Path) -> None:
    said: list[str] = []

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            said.append(sql.partition(" (")[0])
            return super().execute(sql, *parameters)

    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=Watched))
    said.clear()
    for number in range(20):
        journal.event(number, "h1", "OrderUpdated", None)
    journal.order(order("h1"), None)
    until_sent = said[: said.index("INSERT INTO orders")]
    journal.close()
    assert "INSERT INTO events" not in until_sent
    assert said.count("INSERT INTO events") == 20


@pytest.mark.req("O-2")
def test_a_clean_close_writes_what_is_queued(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order("h1"), None)
    for number in range(50):
        journal.event(number, "h1", "OrderUpdated", None)
    journal.close()
    assert asked(tmp_path, "SELECT count(*) FROM events") == [(50,)]
    assert not (tmp_path / "journal.sqlite-wal").exists()
    with pytest.raises(JournalFailed, match="is closed: the session has ended"):
        journal.order(order("h2"), None)


def test_rows_reach_the_disk_without_anybody_asking(tmp_path: Path) -> None:
    journal = at(tmp_path)
    before = journal.commits
    journal.event(1, "h1", "OrderAccepted", "ACK")
    seen = threading.Event()
    for _ in range(500):
        if journal.commits > before:
            break
        seen.wait(0.01)
    assert asked(tmp_path, "SELECT count(*) FROM events") == [(1,)]
    assert journal.stalled_secs == 0.0
    journal.close()


@pytest.mark.req("O-2")
@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_the_writing_connection_is_as_durable_as_it_was_asked_to_be(
    tmp_path: Path, durability: Any, synchronous: int
) -> None:
    found: list[Any] = []
    writer = JournalWriter(
        tmp_path / "j.sqlite", durability, lambda db: found.append(db.execute("PRAGMA synchronous").fetchone()[0])
    )
    writer.close()
    assert found == [synchronous]


# A disk that fails ------------------------------------------------------------------------------------------------------


class Failing(sqlite3.Connection):
    """Raises at one statement, as a full or broken disk does, and counts what is tried afterwards."""

    statement, failed, later = "", False, 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if Failing.failed:
            Failing.later += 1
        if Failing.statement and sql.startswith(Failing.statement):
            Failing.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[LiveJournal]:
    Failing.statement, Failing.failed, Failing.later = "", False, 0
    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=Failing))
    yield journal
    journal.close()


@pytest.mark.req("O-2")
@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO intents", "INSERT INTO orders", "COMMIT"])
def test_a_commit_that_raises_takes_no_further_order_and_the_connection_is_never_used_again(
    failing: LiveJournal, statement: str, tmp_path: Path
) -> None:
    told: list[str] = []
    failing.on_failure(told.append)
    failing.order(order("h1"), None)
    Failing.statement = statement
    with pytest.raises(JournalFailed, match="could not be written: OperationalError: disk I/O error"):
        failing.order(order("h2"), None)
    Failing.statement = ""
    for number in range(3, 6):
        with pytest.raises(JournalFailed, match="is not used any more"):
            failing.order(order(f"h{number}"), None)
    assert told == ["OperationalError: disk I/O error"]
    assert failing.failed == told[0]
    assert Failing.later == 0
    assert list(failing.orders) == ["h1"]
    assert asked(tmp_path, "SELECT client_order_id FROM orders") == [("h1",)]


@pytest.mark.req("O-2")
def test_after_a_failure_the_rows_in_memory_go_on(failing: LiveJournal) -> None:
    failing.order(order("h1"), None)
    failing.event(200, "h1", "OrderAccepted", "ACK")
    failing.refusal(order("h3"), Refused(Reason.TICK, "off"))
    failing.flush()
    assert (failing.events, failing.refusals) == ([], [])  # on disk alone
    Failing.statement = "COMMIT"
    with pytest.raises(JournalFailed):
        failing.order(order("h2"), None)
    assert failing.fill(fill("t1", "0.4"))
    failing.event(400, "h1", "OrderCanceled", "CANCELED")
    assert failing.net(BTC) == D("0.4")
    assert failing.orders["h1"]["status"] == "CANCELED"
    failing.refusal(order("h4"), Refused(Reason.TICK, "off"))
    tables = failing.tables()  # what the file has, and what came since it failed
    assert tables["order_events"].column("event").to_pylist() == ["OrderAccepted", "OrderCanceled"]
    assert tables["order_events"].column("seq").to_pylist() == [0, 1]
    assert (tables["refusals"].num_rows, failing.refused) == (2, 2)
    closing = replace(order("h3"), reduce_only=True)
    with pytest.raises(JournalFailed):
        failing.order(closing, None)
    assert "h3" in failing.orders  # whoever closes past the engine sends it all the same, and knows it


@pytest.mark.req("O-2")
def test_a_row_that_nobody_waits_for_tells_its_failure_too(failing: LiveJournal) -> None:
    told, heard = [], threading.Event()

    def tell(why: str) -> None:
        told.append(why)
        heard.set()

    failing.on_failure(tell)
    Failing.statement = "COMMIT"
    failing.event(1, "h1", "OrderAccepted", "ACK")
    assert heard.wait(10)
    assert told == ["OperationalError: disk I/O error"]
    again: list[str] = []
    failing.on_failure(again.append)  # who asks later is told at once
    assert again == told


@pytest.mark.req("O-2")
def test_a_disk_that_hangs_fails_the_order_and_is_told_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    class Hanging(sqlite3.Connection):
        hangs = False

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if Hanging.hangs and sql == "COMMIT":
                go_on.wait(30)
            return super().execute(sql, *parameters)

    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=Hanging))
    monkeypatch.setattr("execution.journal_writer.PATIENCE_SECS", 0.2)  # now that it is open
    Hanging.hangs = True
    with pytest.raises(JournalFailed, match=r"no commit within 0\.2 s"):
        journal.order(order("h1"), None)
    assert journal.stalled_secs > 0.1
    go_on.set()
    journal.close()


@pytest.mark.req("O-2")
def test_a_full_disk_fails_the_order_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    def small(path: Path) -> sqlite3.Connection:
        db = connect(path)
        db.execute("PRAGMA max_page_count = 80")
        return db

    journal = at(tmp_path, connector=small)
    written = 0

    def write_on() -> None:
        nonlocal written
        for written in range(10_000):
            journal.order(order(f"h{written}"), None)

    with pytest.raises(JournalFailed, match="full"):
        write_on()
    journal.close()
    assert written > 10
    assert (
        asked(tmp_path, "SELECT count(*) FROM orders")
        == [(written,)]
        == asked(tmp_path, "SELECT count(*) FROM intents")
    )


# The next session -------------------------------------------------------------------------------------------------------


@pytest.mark.req("O-1")
def test_an_id_of_an_earlier_session_is_refused_and_the_journal_goes_on(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), None)
    first.close()
    second = at(tmp_path, "run-2")
    with pytest.raises(IdUsed, match="client order id h1 has been used: it stands in the journal"):
        second.order(order("h1"), None)
    second.order(order("h2"), None)
    assert second.failed is None
    assert list(second.orders) == ["h2"]
    second.close()


@pytest.mark.req("O-1")
def test_no_epoch_is_drawn_twice_in_the_life_of_a_file(tmp_path: Path) -> None:
    draws = iter([5, 5, 5, 6, 6, 5, 7])
    first = at(tmp_path, draw=lambda: next(draws))
    assert (first.run.epoch, first.new_epoch("closes")) == (5, 6)
    first.close()
    second = at(tmp_path, "run-2", draw=lambda: next(draws))
    assert second.run.epoch == 7
    second.order(order(f"h1{encode(7)}{encode(19)}"), None)
    second.close()
    found = read_journal(tmp_path / "journal.sqlite")
    assert {(one.epoch, one.run_id, one.purpose, one.last_sequence) for one in found.epochs} == {
        (5, "run-1", "strategies", 0), (6, "run-1", "closes", 0), (7, "run-2", "strategies", 19),
    }  # fmt: skip


@pytest.mark.req("O-1")
def test_the_epoch_is_on_disk_before_the_first_order_can_be(tmp_path: Path) -> None:
    journal = at(tmp_path, draw=lambda: 12)
    assert asked(tmp_path, "SELECT epoch, purpose FROM epochs") == [(12, "strategies")]
    assert asked(tmp_path, "SELECT run_id, epoch, ended_ns FROM runs") == [("run-1", 12, None)]
    journal.end(900, "time: after 1 s; exit code 0")
    journal.close()
    assert asked(tmp_path, "SELECT ended_ns, outcome FROM runs") == [(900, "time: after 1 s; exit code 0")]


@pytest.mark.req("M-7", "O-6")
@pytest.mark.parametrize(
    ("tampers", "words"),
    [
        (
            "UPDATE venue_messages SET body = '{}' WHERE seq = 1190",
            "venue message 1190 (order) is not what was written",
        ),
        ("DELETE FROM venue_messages WHERE seq = 1195", "venue messages 1195 to 1195 are missing"),
        ("UPDATE venue_messages SET body = '{}' WHERE seq = 7", None),  # `journal verify` walks from the first
    ],
)
def test_a_start_walks_the_last_links_of_the_record_and_refuses_where_they_were_changed(
    tmp_path: Path, tampers: str, words: str | None
) -> None:
    journal = at(tmp_path)
    for number in range(1200):
        journal.message(number, "order", {"number": number})
    journal.close()
    at(tmp_path, "run-2").close()
    db = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    for (name,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'venue_messages'"
    ).fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(tampers)
    db.close()
    if words is None:
        at(tmp_path, "run-3").close()
        return
    with pytest.raises(SafetyRefusal) as caught:
        at(tmp_path, "run-3")
    assert words in str(caught.value)
    assert "python -m runners.journal verify" in str(caught.value)


@pytest.mark.req("L-1")
@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Whose("account-2", "local", "127.0.0.1"), "belongs to account id account-1, this is account-2"),
        (Whose("account-1", "demo", "127.0.0.1"), "belongs to environment local, this is demo"),
        (Whose("account-1", "local", "elsewhere"), "belongs to host 127.0.0.1, this is elsewhere"),
    ],
)
def test_a_journal_is_of_one_account(tmp_path: Path, other: Whose, words: str) -> None:
    at(tmp_path).close()
    with pytest.raises(SafetyRefusal, match=words):
        at(tmp_path, "run-2", other)
    assert asked(tmp_path, "SELECT run_id FROM runs") == [("run-1",)]


@pytest.mark.req("O-8")
def test_a_trade_that_an_earlier_session_has_booked_is_not_booked_again(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), None)
    assert first.fill(fill("t1", "0.4"))
    first.close()
    second = at(tmp_path, "run-2")
    assert second.has_trade(BTC, "t1")
    assert not second.has_trade(ETH, "t1")
    assert not second.fill(fill("t1", "0.4"))  # replayed after the restart
    assert second.fill(fill("t2", "0.1"))
    second.close()
    found = read_journal(tmp_path / "journal.sqlite")
    assert [(one.trade_id, one.position_after) for one in found.fills] == [("t1", D("0.4")), ("t2", D("0.5"))]
    assert found.order("h1") is not None
    assert found.net == {"BTCUSDT": D("0.5")}


def test_an_adopted_position_that_the_journal_knows_is_counted_once(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), None)
    first.fill(fill("t1", "0.4"))
    first.close()
    second = at(tmp_path, "run-2")
    assert second.adopt(50, {BTC: (D("0.4"), D(60_000))}) == []
    assert second.net(BTC) == D("0.4")
    second.close()
    assert asked(tmp_path, "SELECT trade_id, position_after FROM fills") == [("t1", "0.4")]


def test_a_position_that_the_journal_does_not_know_is_booked_as_found_and_told(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), None)
    first.fill(fill("t1", "0.4"))
    first.close()
    second = at(tmp_path, "run-2")
    told = second.adopt(50, {ETH: (D("-2"), D(3000))})
    assert told == [
        f"{BTC}: the account holds 0, the journal had 0.4; -0.4 booked as found",
        f"{ETH}: the account holds -2, the journal had 0; -2 booked as found",
    ]
    assert (second.net(BTC), second.net(ETH)) == (D(0), D(-2))
    second.close()
    found = read_journal(tmp_path / "journal.sqlite")
    assert found.net == {"ETHUSDT": D(-2)}
    assert asked(tmp_path, "SELECT kind, subject FROM actions") == [("adopted", BTC), ("adopted", ETH)]


def test_a_simulated_account_may_number_its_trades_anew_in_every_session(tmp_path: Path) -> None:
    for number in (1, 2):
        journal = at(tmp_path, f"run-{number}", None)
        assert journal.fill(fill("V-1", "0.4"))
        assert not journal.fill(fill("V-1", "0.4"))
        journal.close()
    assert asked(tmp_path, "SELECT trade_id, position_after FROM fills") == [("run-1/V-1", "0.4"), ("run-2/V-1", "0.8")]


@pytest.mark.req("O-3")
def test_an_order_of_an_earlier_session_can_be_settled_and_opened_again(tmp_path: Path) -> None:
    first = at(tmp_path)
    first.order(order("h1"), None)
    first.order(order("h2"), None)
    first.event(300, "h2", "OrderCanceled", "CANCELED")
    first.close()
    second = at(tmp_path, "run-2")
    second.settle("h1", "NOT_EXECUTED", "absent after the fence", 900)
    second.reopen("h2", "UNKNOWN", "the venue shows it open")
    second.close()
    found = read_journal(tmp_path / "journal.sqlite")
    assert [(one.status, one.ts_closed) for one in found.orders] == [("NOT_EXECUTED", 900), ("UNKNOWN", None)]


@pytest.mark.req("R-1")
def test_a_state_survives_with_the_time_at_which_it_was_kept(tmp_path: Path) -> None:
    first = at(tmp_path)
    assert first.risk_state("losses") is None
    first.save_risk_state(5, "losses", {"day": 1})
    assert first.risk_state("losses") == (5, {"day": 1})
    first.close()
    second = at(tmp_path, "run-2")
    assert second.risk_state("losses") == (5, {"day": 1})
    second.close()


def test_ids_cancels_income_readings_and_actions_are_kept(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.order(order("h1"), None)
    journal.venue_ids("h1", venue_order_id=77)
    journal.venue_ids("h1", algo_id=5)
    journal.cancel_sent("h1")
    journal.cancel_answered("h1", "canceled")
    journal.cancel_sent("h1")
    for _ in range(2):
        journal.income("FUNDING_FEE", 9, "BTCUSDT", "USDT", D("-0.5"), 40)
    journal.income("COMMISSION", 9, "BTCUSDT", "USDT", D("-0.1"), 41)
    journal.wallet(30, "USDT", D("100"), "start")
    journal.wallet(50, "USDT", D("99.4"), "end")
    journal.action(60, "accepted", BTC, "a person accepts", {"venue": "1"})
    journal.close()
    found = read_journal(tmp_path / "journal.sqlite")
    (row,) = found.orders
    assert (row.venue_order_id, row.algo_id) == (77, 5)
    assert [(one.answered_ms, one.outcome) for one in found.cancels] == [(1_700_000_000_123, "canceled"), (None, None)]
    assert found.income_keys == {("FUNDING_FEE", 9), ("COMMISSION", 9)}
    assert (found.wallet["USDT"].balance, found.last_income_ms) == (D("99.4"), 41)
    assert asked(tmp_path, "SELECT kind, detail FROM actions") == [("accepted", "a person accepts")]


def test_calls_of_the_reading_side_never_cross_into_the_writing_thread(tmp_path: Path) -> None:
    threads: set[str] = set()

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            threads.add(threading.current_thread().name)
            return super().execute(sql, *parameters)

    journal = at(tmp_path, connector=lambda path: sqlite3.connect(path, isolation_level=None, factory=Watched))
    calls: list[Callable[[], object]] = [
        lambda: journal.order(order("h1"), None), lambda: journal.fill(fill()), journal.flush,
        lambda: journal.risk_state("losses"), journal.tables,
    ]  # fmt: skip
    for call in calls:
        call()
    journal.close()
    assert threads == {"journal"}
