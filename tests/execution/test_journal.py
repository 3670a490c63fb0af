"""The memory journal: one row per order, one row per fill, and nothing that is over comes back to life."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from execution.journal import Fill, MemoryJournal
from execution.records import BY_NAME
from risk.verdict import Reason, Refused
from tests.risk.account import order

ID = "bt000000000001"


def fill(trade: str, price: str, quantity: str, ts_ns: int = 5, side: str = "BUY") -> Fill:
    return Fill(
        ts_ns, trade, "s", "BTCUSDT-PERP.BINANCE", ID, side, Decimal(price), Decimal(quantity), "MAKER", Decimal("0.01"),
        "USDT",
    )  # fmt: skip


def started(quantity: str = "3") -> MemoryJournal:
    journal = MemoryJournal()
    journal.order(order(client_order_id=ID, quantity=quantity, ts_ns=1), 100.05)
    return journal


def row(journal: MemoryJournal) -> dict[str, Any]:
    found: dict[str, Any] = journal.tables()["orders"].to_pylist()[0]
    return found


@pytest.mark.req("O-8")
def test_a_fill_is_booked_once_by_trade_id() -> None:
    journal = started()
    assert journal.fill(fill("T1", "100.0", "1")) is True
    assert journal.fill(fill("T1", "100.0", "1")) is False
    assert journal.fill(fill("T2", "100.3", "2")) is True
    assert [r["position_after"] for r in journal.tables()["fills"].to_pylist()] == [1, 3]
    assert (row(journal)["filled_quantity"], row(journal)["avg_price"]) == (3, Decimal("100.2"))
    assert row(journal)["status"] == "FILLED"


@pytest.mark.req("O-3")
@pytest.mark.parametrize("late", ["ACK", "CANCELED", "REJECTED", "EXPIRED"])
def test_what_is_filled_stays_filled(late: str) -> None:
    journal = started("1")
    journal.fill(fill("T1", "100.0", "1"))
    journal.event(9, ID, "late", late)
    assert (row(journal)["status"], row(journal)["ts_closed"]) == ("FILLED", 5)
    assert len(journal.tables()["order_events"]) == 1  # it is still told


@pytest.mark.req("O-3")
def test_an_acceptance_after_a_partial_fill_does_not_undo_it() -> None:
    journal = started()
    journal.fill(fill("T1", "100.0", "1", ts_ns=5))
    journal.event(6, ID, "OrderAccepted", "ACK")
    assert (row(journal)["status"], row(journal)["ts_accepted"]) == ("PARTIALLY_FILLED", 5)


def test_a_late_fill_of_a_cancelled_order_counts() -> None:
    journal = started()
    journal.event(4, ID, "OrderCanceled", "CANCELED")
    journal.fill(fill("T1", "100.0", "1"))
    assert (row(journal)["status"], row(journal)["filled_quantity"]) == ("CANCELED", 1)


def test_a_clipped_order_is_filled_when_its_new_quantity_is() -> None:
    journal = started("3")
    journal.resize(ID, Decimal(1))
    journal.fill(fill("T1", "100.0", "1"))
    assert (row(journal)["status"], row(journal)["quantity"]) == ("FILLED", 1)


def test_a_fill_of_an_unknown_order_is_kept_without_a_decision() -> None:
    journal = MemoryJournal()
    journal.fill(fill("T1", "100.0", "1"))
    kept = journal.tables()["fills"].to_pylist()[0]
    assert (kept["mid_decision"], kept["ts_decision"], kept["ts_arrival"]) == (None, 5, None)


@pytest.mark.req("R-11")
def test_a_refusal_is_a_row_with_reason_and_figures() -> None:
    journal = MemoryJournal()
    journal.refusal(order(quantity="2"), Refused(Reason.EDGE, "too little", {"edge_bps": 1.5, "limit": "2"}))
    kept = journal.tables()["refusals"].to_pylist()[0]
    assert (kept["reason"], kept["detail"], kept["side"], kept["quantity"]) == ("edge", "too little", "BUY", 2)
    assert json.loads(kept["figures"]) == {"edge_bps": 1.5, "limit": "2"}


def test_every_table_has_its_schema_even_when_empty() -> None:
    for name, table in MemoryJournal().tables().items():
        assert table.schema == BY_NAME[name]
        assert len(table) == 0


def test_funding_is_kept_with_its_sign() -> None:
    journal = MemoryJournal()
    journal.funding(7, "BTCUSDT-PERP.BINANCE", "s", Decimal(-2), Decimal("0.0001"), Decimal("0.02"))
    kept = journal.tables()["funding"].to_pylist()[0]
    assert (kept["position"], kept["amount"]) == (-2, Decimal("0.02"))
