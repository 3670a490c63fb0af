"""What a session lets go of is on disk, is found there by its id, and comes back whole; see also `test_journals`."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.audit.books import books_of_session
from execution.audit.figures import Anchor
from execution.journal_file import JournalFailed
from execution.journal_forgetting import ForgettingJournal
from execution.journal_live import LiveJournal
from execution.journal_writer import Write
from runners.live import forgetting
from runners.live.unheard import Unheard
from tests.execution.test_journal_live import ME, at
from tests.execution.test_journals import BTC, fill, order

D = Decimal
LATER = 10**9


def forgets(journal: LiveJournal, before_ns: int = LATER) -> None:
    """Mark what may go, and let go of it once the mark is on disk."""
    journal.forget(before_ns)
    journal.flush()
    journal.forget(before_ns)


def traded(journal: LiveJournal, name: str) -> None:
    """One order that fills at 300."""
    journal.order(order(name, quantity="0.4"), 60_000.0)
    journal.event(200, name, "OrderAccepted", "ACK")
    assert journal.fill(fill(f"1{name[1:]}", order_id=name))


@pytest.fixture
def three(tmp_path: Path) -> Any:
    """Two orders that are over, one that works; the first two were let go of."""
    journal = at(tmp_path)
    traded(journal, "h1")
    traded(journal, "h2")
    journal.order(order("h3"), 60_000.0)
    forgets(journal)
    yield journal
    journal.close()


@pytest.mark.req("O-2", "O-4")
def test_what_is_over_leaves_memory_and_is_found_by_its_id(three: LiveJournal) -> None:
    assert (list(three.orders), three.fills, three.order_count, three.fill_count) == (["h3"], [], 3, 2)
    assert (three.net(BTC), three.let_go) == (D("0.8"), {(BTC, "flow-1"): D("0.8")})
    assert (three.has_trade(BTC, "11"), three.has_trade(BTC, "99")) == (True, False)
    assert not three.fill(fill("11", order_id="h1"))  # told once more, long after
    row = three.row("h1")
    assert row is not None
    assert (row["status"], row["filled_quantity"], row["mid_decision"]) == ("FILLED", D("0.4"), 60_000.0)
    assert (list(three.orders), three.order_count) == (["h3", "h1"], 3)
    assert three.row("h9") is None


@pytest.mark.req("O-2")
def test_it_comes_back_whole_in_the_order_of_writing_with_what_happened_since(three: LiveJournal) -> None:
    three.settle("h2", "CANCELED", "the venue says so", 400)
    assert three.fill(fill("13", order_id="h3"))
    assert three.recall() is None
    assert [(row["seq"], name, row["status"]) for name, row in three.orders.items()] == [
        (0, "h1", "FILLED"), (1, "h2", "CANCELED"), (2, "h3", "PARTIALLY_FILLED"),
    ]  # fmt: skip
    assert [(row["seq"], row["trade_id"], row["position_after"]) for row in three.fills] == [
        (0, "11", D("0.4")), (1, "12", D("0.8")), (2, "13", D("1.2")),
    ]  # fmt: skip
    assert (three.order_count, three.fill_count, three.let_go) == (3, 3, {})


def test_a_single_order_that_was_asked_for_is_back_at_its_place_in_the_end(tmp_path: Path) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    journal.order(order("h2"), 60_000.0)
    forgets(journal)
    journal.reopen("h1", "UNKNOWN", "the venue shows it")
    assert (list(journal.orders), journal.order_count) == (["h2", "h1"], 2)
    found = journal.tables()["orders"].to_pylist()
    assert [(row["seq"], row["client_order_id"], row["status"]) for row in found] == [
        (0, "h1", "UNKNOWN"), (1, "h2", "NEW"),
    ]  # fmt: skip
    journal.close()


def test_an_order_that_ended_too_recently_stays(tmp_path: Path) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    forgets(journal, 300)  # it ended at 300, not before
    assert (list(journal.orders), len(journal.fills)) == (["h1"], 1)
    forgets(journal, 301)
    assert (list(journal.orders), journal.fills) == ([], [])
    journal.close()


@pytest.mark.req("O-2")
def test_when_the_disk_fails_memory_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    monkeypatch.setattr(LiveJournal, "failed", "the disk is full")
    forgets(journal)
    assert (list(journal.orders), len(journal.fills)) == (["h1"], 1)
    monkeypatch.undo()
    forgets(journal)
    (tmp_path / "journal.sqlite").rename(tmp_path / "elsewhere.sqlite")
    assert "cannot be read from the journal" in str(journal.recall())
    journal.close()


@pytest.mark.req("O-2")
def test_what_was_let_go_of_comes_back_though_nothing_can_be_written_any_more(tmp_path: Path) -> None:
    def broken(_db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    journal = at(tmp_path)
    traded(journal, "h1")
    traded(journal, "h2")
    journal.order(order("h3"), 60_000.0)
    forgets(journal)
    with pytest.raises(JournalFailed):
        journal._writer.commit(broken)
    assert journal.fill(fill("13", order_id="h3"))  # memory goes on
    found = journal.tables()
    assert found["orders"]["client_order_id"].to_pylist() == ["h1", "h2", "h3"]
    assert found["fills"]["trade_id"].to_pylist() == ["11", "12", "13"]
    journal.close()


@pytest.mark.req("O-2")
def test_a_failed_journal_that_cannot_be_read_either_stops_no_fill(tmp_path: Path) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    forgets(journal)
    with pytest.raises(JournalFailed):
        journal._writer.commit(lambda db: db.execute("no statement"))
    journal.close_reader()
    (tmp_path / "journal.sqlite").rename(tmp_path / "elsewhere.sqlite")
    assert journal.fill(fill("99", order_id="h9"))
    assert (journal.net(BTC), journal.row("h1")) == (D("0.8"), None)
    journal.close()


def test_nothing_goes_before_its_mark_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    monkeypatch.setattr(journal, "_post", lambda _write: None)  # the disk takes its time
    for _ in range(3):
        journal.forget(LATER)
    assert (list(journal.orders), len(journal.fills)) == (["h1"], 1)
    monkeypatch.undo()
    journal.close()


def test_a_marked_order_that_was_opened_again_stays(tmp_path: Path) -> None:
    journal = at(tmp_path)
    traded(journal, "h1")
    journal.forget(LATER)
    journal.reopen("h1", "UNKNOWN", "the venue shows it")
    forgets(journal)
    assert (list(journal.orders), journal.order_count, journal.fill_count) == (["h1"], 1, 1)
    journal.close()


def test_a_position_that_was_there_before_us_stays_where_it_was_booked(tmp_path: Path) -> None:
    journal = at(tmp_path)
    journal.adopt(50, {BTC: (D("-0.3"), D(60_000))})
    traded(journal, "h1")
    forgets(journal)
    assert [row["trade_id"] for row in journal.fills] == ["adopted-BTCUSDT"]
    journal.recall()
    assert [(row["trade_id"], row["position_after"]) for row in journal.fills] == [
        ("adopted-BTCUSDT", D("-0.3")), ("11", D("0.1")),
    ]  # fmt: skip
    journal.close()


def test_an_order_of_another_session_is_not_ours(tmp_path: Path) -> None:
    first = at(tmp_path, "run-0")
    traded(first, "h7")
    first.close()
    journal = at(tmp_path, "run-1", ME)
    traded(journal, "h1")
    forgets(journal)
    assert (journal.row("h7"), journal.has_trade(BTC, "17"), journal.order_count) == (None, True, 1)
    journal.recall()
    assert list(journal.orders) == ["h1"]
    journal.close()


@pytest.mark.req("L-7")
def test_an_audit_finds_rows_and_trades_that_were_let_go_of(three: LiveJournal) -> None:
    books = books_of_session(three, [BTC], Anchor(D(100), 0), {}, since_ms=0)
    assert books.orders["h2"].status == "FILLED"
    assert (books.orders.get("h9"), books.open, dict(books.trades)) == (None, ("h3",), {})
    assert ("BTCUSDT", "12") in books.booked


@pytest.mark.req("L-7")
def test_no_order_escapes_the_question_because_others_were_let_go_of(three: LiveJournal) -> None:
    unheard = Unheard(5.0)
    assert unheard.look(three, 10**9) == []  # at 1 s: h3 is from 100 ns
    three.row("h1")  # somebody asked: it stands behind h3 in memory
    three.order(order("h4", ts_ns=10**9), 60_000.0)
    three.row("h2")  # and h2 behind h4
    assert unheard.look(three, 5 * 10**9 + 100) == ["h3"]
    assert unheard.look(three, 6 * 10**9) == ["h3", "h4"]
    three.event(7 * 10**9, "h3", "OrderCanceled", "CANCELED")
    forgets(three, 8 * 10**9)
    assert unheard.look(three, 9 * 10**9) == ["h4"]


def test_a_session_lets_go_of_what_ended_two_hours_ago_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    waited: list[float] = []

    async def sleep(secs: float) -> None:
        waited.append(secs)

    class Listening(ForgettingJournal):
        failed, stalled_secs = None, 0.0

        def flush(self) -> None:
            """Nothing waits."""

        def _post(self, write: Write) -> None:
            """Nothing is written."""

        def forget(self, before_ns: int) -> None:
            asked.append(before_ns)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    journal: Any = Listening(Path("none"), "run-1", "")
    hours = 2 * 3_600 * 10**9
    asyncio.run(forgetting.forget_what_is_over(journal, lambda: len(asked) == 2, lambda: hours + len(asked)))
    assert (asked, waited) == ([0, 1], [60.0, 60.0])
