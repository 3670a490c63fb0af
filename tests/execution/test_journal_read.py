"""What recovery reads of a journal: everything, of one moment, of either version, without touching it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from errors import DataError, SafetyRefusal
from execution.journal_read import ChainHead, read_journal, symbol_of
from execution.journal_schema import MIGRATIONS, migrate
from tests.execution.test_journal_live import ETH, at
from tests.execution.test_journals import BTC, fill, order

D = Decimal


def test_everything_that_recovery_asks_for_is_there(tmp_path: Path) -> None:
    draws = iter([33, 34])
    journal = at(tmp_path, draw=lambda: next(draws), venue_ms=lambda: 500)
    closes = journal.new_epoch("closes")
    journal.order(order("t100001100000a"), 60_000.0)
    journal.venue_ids("t100001100000a", venue_order_id=77)
    journal.order(order("t1000012000002"), None)
    journal.fill(fill("1001", "0.4", order_id="t100001100000a"))
    journal.fill(fill("1003", "0.1", instrument_id=ETH, order_id="nobody", side="SELL"))
    journal.event(600, "t1000012000002", "OrderCanceled", "CANCELED")
    journal.cancel_sent("t100001100000a")
    journal.flush()
    found = read_journal(tmp_path / "journal.sqlite")
    journal.close()
    assert closes == 34
    assert found.account is not None
    assert (found.account.account_id, found.account.environment) == ("account-1", "local")
    assert [(run.run_id, run.epoch, run.ended_ns) for run in found.runs] == [("run-1", 33, None)]
    assert {(one.epoch, one.last_sequence) for one in found.epochs} == {(33, 10), (34, 2)}
    assert [row.client_order_id for row in found.open_orders] == ["t100001100000a"]
    row = found.order_by_venue_id(77)
    assert row is not None
    assert (row.client_order_id, row.wire_id, row.signed_ms, row.status) == (
        "t100001100000a", "x-aHRE4BCj-Rt100001100000a", 500, "PARTIALLY_FILLED",
    )  # fmt: skip
    assert (row.symbol, row.quantity, row.filled_quantity, row.is_closed) == ("BTCUSDT", D(1), D("0.4"), False)
    assert found.trade_ids == {"BTCUSDT": {"1001"}, "ETHUSDT": {"1003"}}
    assert found.last_trade_id == {"BTCUSDT": 1001, "ETHUSDT": 1003}
    assert found.net == {"BTCUSDT": D("0.4"), "ETHUSDT": D("-0.1")}
    assert (found.last_signed_ms, found.last_income_ms, found.chain) == (500, None, ChainHead())
    assert [one.client_order_id for one in found.cancels] == ["t100001100000a"]
    assert found.order("t9") is None


def test_what_is_long_over_can_be_left_out_and_is_still_summed(tmp_path: Path) -> None:
    journal = at(tmp_path)
    for number, ts_ns in enumerate((100, 5000)):
        journal.order(order(f"h{number}", ts_ns=ts_ns), None)
        journal.event(ts_ns + 1, f"h{number}", "OrderCanceled", "CANCELED")
        journal.fill(replace(fill(f"{number}", "0.4", order_id=f"h{number}"), ts_ns=ts_ns))
    journal.order(order("h9", ts_ns=90), None)
    journal.flush()
    found = read_journal(tmp_path / "journal.sqlite", since_ns=1000)
    journal.close()
    assert [row.client_order_id for row in found.orders] == ["h1", "h9"]  # what is open stays, however old
    assert [row.trade_id for row in found.fills] == ["1"]
    assert found.trade_ids["BTCUSDT"] == {"0", "1"}
    assert found.net == {"BTCUSDT": D("0.8")}


def test_a_journal_of_the_first_version_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, MIGRATIONS[:1])
    db.execute("INSERT INTO runs VALUES ('old', 5, 'testnet', 'demo-1', 'abc', 99, 8, 'done')")
    db.execute(
        "INSERT INTO orders (run_id, client_order_id, ts_ns, strategy_id, instrument_id, side, order_type, quantity, post_only,"
        " reduce_only, time_in_force, status, why, source) VALUES ('old', 'h9', 6, 's', 'B', 'BUY', 'MARKET', '1', 0, 0, 'GTC',"
        " 'ACK', '', 'strategy')"
    )
    db.close()
    found = read_journal(path)
    assert (found.schema_version, found.account, found.chain) == (1, None, ChainHead())
    assert [(one.epoch, one.purpose) for one in found.epochs] == [(99, "strategies")]
    assert [(row.wire_id, row.signed_ms, row.is_algo) for row in found.orders] == [(None, None, False)]


def test_reading_changes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    at(tmp_path).close()
    path = tmp_path / "journal.sqlite"
    before = path.read_bytes()
    read_journal(path)
    assert path.read_bytes() == before
    with pytest.raises(DataError, match="there is no journal"):
        read_journal(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    at(tmp_path).close()
    db = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    migrate(db, (*MIGRATIONS, ("CREATE TABLE later (a TEXT)",)))
    db.close()
    with pytest.raises(SafetyRefusal, match="schema version 3, this program knows 2"):
        read_journal(tmp_path / "journal.sqlite")


def test_symbols_are_those_of_the_venue() -> None:
    assert [symbol_of(iid) for iid in (BTC, ETH, "BTCUSDT.BINANCE")] == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
