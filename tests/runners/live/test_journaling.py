"""The journal of a live node on its disk: where it may lie, what a killed node leaves, and what a disk that fails does."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from errors import SafetyRefusal
from execution.journal_check import verify
from execution.journal_read import JournalState, RunRecord, read_journal
from execution.journal_venue import Whose
from execution.safety.wire_ids import BROKER_PREFIX
from runners.config import LiveResolved, Trust, load_live
from runners.journal_place import journal_of
from runners.live.journaling import check_place, journal_path, locks_hold, session_journal
from tests.runners.live.support import running, told, written

ME = Whose("simulated-1", "local", "127.0.0.1")


def resolved(folder: Path, *settings: str) -> LiveResolved:
    return load_live(written(folder, "http://127.0.0.1:1"), settings, Trust(everything=True))


# Where it may lie -------------------------------------------------------------------------------------------------------


@pytest.mark.req("O-2")
def test_it_lies_beside_the_state_or_where_the_file_says_and_is_found_from_there(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "state", tmp_path / "fast" / "j.sqlite"
    folder.mkdir()
    assert journal_path(resolved(tmp_path).config, folder) == folder / "journal.sqlite"
    with session_journal(resolved(tmp_path, f"safety.journal.path={elsewhere}"), folder, "test", ME) as journal:
        assert journal.path == elsewhere
    assert journal_of(folder) == elsewhere
    assert verify(elsewhere).findings == ()


@pytest.mark.req("O-2")
@pytest.mark.parametrize(
    ("share", "words"),
    [
        ("a network share (nfs4)", "would lie on a network share"),
        ("a synchronised folder (Dropbox)", "synchronised folder"),
    ],
)
def test_shares_and_synchronised_folders_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str, words: str
) -> None:
    monkeypatch.setattr("runners.preflight.file_system.remote", lambda _: share)
    with pytest.raises(SafetyRefusal, match="put it on a local disk") as caught:
        check_place(resolved(tmp_path).config, tmp_path / "journal.sqlite")
    assert words in str(caught.value)


@pytest.mark.req("O-2")
def test_a_file_system_whose_locks_do_not_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locks_hold(tmp_path)
    assert not locks_hold(tmp_path, (sys.executable, "-c", "pass"))  # the other process got in
    assert not locks_hold(tmp_path, (sys.executable, "-c", "raise OSError"))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("runners.live.journaling.locks_hold", lambda _: False)
    with pytest.raises(SafetyRefusal, match="locks do not hold on the file system of"):
        check_place(resolved(tmp_path).config, tmp_path / "journal.sqlite")


@pytest.mark.req("O-2")
def test_real_money_takes_a_journal_that_survives_power_loss(tmp_path: Path) -> None:
    given = resolved(tmp_path, "safety.journal.durability=process").config
    check_place(given, tmp_path / "journal.sqlite")  # play money may
    with pytest.raises(SafetyRefusal, match="real money takes power"):
        check_place(given.model_copy(update={"mode": "live"}), tmp_path / "journal.sqlite")


def test_a_session_that_breaks_off_leaves_its_reason(tmp_path: Path) -> None:
    with pytest.raises(SafetyRefusal, match="not today"), session_journal(resolved(tmp_path), tmp_path, "test", ME):
        raise SafetyRefusal("not today")
    (run,) = read_journal(tmp_path / "journal.sqlite").runs
    assert (run.outcome, run.mode, run.account) == ("SafetyRefusal: not today", "testnet", "test")
    assert run.ended_ns is not None


# A node that is killed --------------------------------------------------------------------------------------------------


def accepted(server: Server) -> dict[str, int]:
    """Every order that the venue ever took, by our own id: its number there."""
    desk = server.venue.exchange.desk
    orders = [*desk.orders.values()]
    return {order.client_id.removeprefix(BROKER_PREFIX): order.order_id for order in orders}


@pytest.mark.req("O-1", "O-2")
def test_a_killed_node_leaves_every_order_it_sent_and_the_next_one_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "state" / "test" / "journal.sqlite"
    first: list[JournalState] = []

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_start="adopt", on_stop="flatten")
        async with running(config) as node:
            await node.until(lambda: len(server.venue.exchange.desk.fills) >= 4, "four fills")
            node.process.kill()
            assert await node.ended() == -9
        found = await asyncio.to_thread(read_journal, journal)
        first.append(found)
        assert (await asyncio.to_thread(verify, journal)).findings == ()
        held_against(server, found)
        assert [run.ended_ns for run in sessions(found)] == [None]
        async with running(config, "--stop-after", "2") as node:
            assert await node.ended() == 0, node.story
            assert node.said("losses")[0]["text"].startswith("the day goes on: started with 10000.00")

    told(story)
    then = read_journal(journal)
    assert verify(journal).findings == ()
    assert then.net == {}
    second = sessions(then)[1]
    assert second.outcome == "time: after 2 s, as asked; exit code 0"
    assert len({epoch.epoch for epoch in then.epochs}) == len(then.epochs) >= 4
    before = {row.client_order_id for row in first[0].orders}
    later = [row.client_order_id for row in then.orders if row.run_id == second.run_id]
    assert before.isdisjoint(later)
    assert first[0].account is not None
    assert first[0].account.account_id == "simulated-1"


def sessions(found: JournalState) -> list[RunRecord]:
    """Runs of the node itself; recovery has runs of its own."""
    return [run for run in found.runs if run.mode == "testnet"]


def held_against(server: Server, found: JournalState) -> None:
    """Whatever the venue took stands in the journal with both ids; trades of before the kill are each booked once at most."""
    rows = {row.client_order_id: row for row in found.orders}
    taken = accepted(server)
    assert taken.keys() <= rows.keys()
    for name, number in taken.items():
        assert rows[name].wire_id == BROKER_PREFIX + name
        assert rows[name].venue_order_id in (number, None)  # the last answer may have been under way
        assert rows[name].signed_ms is not None
    venue = {str(fill.trade_id) for fill in server.venue.exchange.desk.fills}
    booked = [row.trade_id for row in found.fills]
    assert len(booked) == len(set(booked))
    assert set(booked) <= venue


# A disk that fails ------------------------------------------------------------------------------------------------------


@pytest.mark.req("O-2")
def test_a_journal_that_cannot_be_written_latches_and_cancels_still_go_out(tmp_path: Path) -> None:
    journal = tmp_path / "state" / "test" / "journal.sqlite"

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten")
        async with running(config) as node:
            await node.until(lambda: len(server.venue.exchange.desk.fills) >= 1, "a fill")
            with closing(sqlite3.connect(journal, timeout=5, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")  # a lock that is not given up
                kept = {name for (name,) in other.execute("SELECT client_order_id FROM orders")}
                await node.until(lambda: bool(node.said("stopping")), "the stop")
                assert "the journal cannot be written" in node.said("stopping")[0]["text"]
                assert await node.ended() == 4, node.story
                other.execute("ROLLBACK")
        desk = server.venue.exchange.desk
        assert desk.open_orders() == []
        assert server.venue.exchange.account.positions["BTCUSDT"].quantity == 0
        entries = {o.client_id.removeprefix(BROKER_PREFIX) for o in desk.orders.values() if not o.reduce_only}
        assert entries <= kept  # after the failure nothing but exits left: an entry without its row was not sent
        async with running(config) as again:
            assert await again.ended() == 4
            assert "the journal cannot be written" in again.errors  # latched until a person resets it

    told(story)


@pytest.mark.req("L-1")
def test_a_journal_of_another_account_or_a_damaged_one_refuses_the_start(tmp_path: Path) -> None:
    def tried(whose: Whose) -> Any:
        with session_journal(resolved(tmp_path), tmp_path, "test", whose):
            return None

    tried(ME)
    with pytest.raises(SafetyRefusal, match="belongs to account id simulated-1, this is other"):
        tried(Whose("other", "local", "127.0.0.1"))
    (tmp_path / "journal.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(SafetyRefusal, match="is damaged"):
        tried(ME)
