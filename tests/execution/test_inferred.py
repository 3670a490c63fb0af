"""A fill that the engine infers from an order's status is no trade of the venue: it is booked nowhere, and somebody is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from execution.journal import MemoryJournal
from execution.relay import is_inferred
from execution.services import Services
from execution.settle import settle_orders
from runners.live.private import PrivateStream
from tests.execution.test_further_cases import ACCEPTED, OrderFilled
from tests.risk.account import gate
from tests.risk.account import order as asked_for

GUESS = "5f1e0d3c-7c1b-4b63-9a39-6a1f2f9f0c11"


def filled(trade_id: str, *, reconciliation: bool = True) -> OrderFilled:
    """0.4 by a report of the engine; without a commission where it has inferred the fill."""
    event = OrderFilled(20, trade_id, "0.400", "100.0")
    event.reconciliation = reconciliation  # type: ignore[attr-defined]
    if not trade_id.isdigit():
        event.commission = None  # type: ignore[attr-defined]
    return event


def services() -> Services:
    """With one order that the venue has accepted."""
    made = Services(gate(), MemoryJournal())
    request = asked_for(client_order_id=ACCEPTED.client_order_id)
    made.journal.order(request, 100.05)
    made.view.add(request)
    made.lives.begin(request)
    made.relay.order(ACCEPTED, "s")
    return made


@pytest.mark.parametrize(
    ("trade_id", "reconciliation", "inferred"),
    [(GUESS, True, True), ("5000037730", True, False), ("B-1-001", False, False)],
)
def test_only_a_report_whose_trade_has_no_number_is_inferred(
    trade_id: str, reconciliation: bool, inferred: bool
) -> None:
    assert is_inferred(filled(trade_id, reconciliation=reconciliation)) is inferred


@pytest.mark.req("O-8")
def test_an_inferred_fill_is_not_booked_and_the_trade_of_the_venue_is() -> None:
    made, told = services(), list[Any]()
    made.relay.inferred = told.append
    guess = filled(GUESS)
    made.relay.order(guess, "s")
    assert (told, made.journal.fills) == ([guess], [])  # type: ignore[attr-defined]
    made.relay.order(filled("7"), "s")
    assert [row["trade_id"] for row in made.journal.fills] == ["7"]  # type: ignore[attr-defined]


@pytest.mark.req("O-8")
def test_at_the_end_an_inferred_fill_is_left_to_the_venues_list() -> None:
    made = services()
    order = SimpleNamespace(events=lambda: [filled(GUESS), filled("7")], ts_last=30)
    settle_orders(made.journal, SimpleNamespace(order=lambda _name: order), over=False)  # type: ignore[arg-type]
    assert [row["trade_id"] for row in made.journal.fills] == ["7"]  # type: ignore[attr-defined]


@pytest.mark.req("O-8")
def test_a_session_ends_after_an_inferred_fill_and_says_which() -> None:
    said: list[str] = []
    PrivateStream(None, lambda _name: None, SimpleNamespace(fault=said.append)).inferred(filled(GUESS))  # type: ignore[arg-type]
    assert said == [
        "the private stream did not tell of a fill: the engine inferred 0.400 of order bt000000000001 from its status; it is "
        "booked from the venue's list"
    ]
