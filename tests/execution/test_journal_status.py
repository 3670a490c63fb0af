"""O-1, O-3: what the gate does with a used id, and how the life of an order reaches its row."""

from __future__ import annotations

from typing import Any

import pytest

from execution.journal import IdUsed, MemoryJournal, unanswered
from execution.lifecycle import Evidence, Happening, Status, Step
from execution.lives import Lives
from execution.order_care import OrderCareConfig
from execution.relay import status_of
from execution.services import follow
from strategies.intents import CancelAll, Enter, Side
from tests.engine import MAKER, Stepped, quiet, run
from tests.execution.test_journals import fill, order


@pytest.mark.req("O-1")
def test_an_id_that_the_journal_knows_is_refused_with_a_sentence_and_trading_goes_on() -> None:
    class Knows(MemoryJournal):
        tried = 0

        def order(self, request: Any, mid: float | None) -> None:
            Knows.tried += 1
            if Knows.tried == 1:
                raise IdUsed(f"client order id {request.client_order_id} has been used: it stands in the journal")
            super().order(request, mid)

    class Twice(Stepped):
        def at(self, number: int) -> None:
            if number in (2, 4):
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])

    journal = Knows()

    def prepare(package: Any) -> None:
        package.services.journal = package.services.relay._journal = journal

    ran = run(Twice, quiet(), policy=MAKER, prepare=prepare)
    assert ran.faults.first is None
    (refused,) = journal.refusals
    assert str(refused[1].reason) == "id_reused"
    assert refused[1].detail == f"client order id {refused[0].client_order_id} has been used: it stands in the journal"
    assert list(ran.venue_orders) == list(journal.orders) != [refused[0].client_order_id]


@pytest.mark.req("O-3")
def test_a_cancel_under_way_stands_in_the_row_until_it_is_answered() -> None:
    seen: list[str] = []

    class Watched(MemoryJournal):
        def event(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str = "") -> None:
            super().event(ts_ns, client_order_id, event, status, detail)
            seen.append(f"{event} {self.orders[client_order_id]['status']}")

    class Rest(Stepped):
        def at(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "rest")])
            if number == 6:
                self.act([CancelAll("back")])

    journal = Watched()

    def prepare(package: Any) -> None:
        package.services.journal = package.services.relay._journal = journal

    run(Rest, quiet(), policy=MAKER, prepare=prepare, cancel_ms=50)
    told = [line for line in seen if "Cancel" in line]
    assert told == ["OrderPendingCancel PENDING_CANCEL", "OrderCanceled CANCELED"]


def lives() -> tuple[Lives, MemoryJournal]:
    journal = MemoryJournal()
    made = Lives(OrderCareConfig(), journal.risk)
    made.moved = lambda step: follow(journal, step)
    journal.order(order("h1"), None)
    made.begin(order("h1"))
    return made, journal


@pytest.mark.req("O-3", "O-4")
def test_what_a_timer_and_a_query_show_reaches_the_row() -> None:
    made, journal = lives()
    made.happened("h1", 200, Happening.NO_ANSWER, Evidence.LOCAL)
    assert journal.orders["h1"]["status"] == "UNKNOWN"
    assert unanswered(journal.orders["h1"])
    step = made.happened("h1", 300, Happening.ABSENT, Evidence.QUERY)
    assert step is not None
    assert not step.legal  # before the fence it proves nothing
    assert journal.orders["h1"]["status"] == "UNKNOWN"
    made.happened("h1", 400, Happening.ABSENT, Evidence.QUERY, after_fence=True)
    row = journal.orders["h1"]
    assert (row["status"], row["ts_closed"]) == ("NOT_EXECUTED", 400)
    assert [event[2:] for event in journal.events] == [
        ("LifeUnknown", "no_answer by local"), ("Settled", "absent by query"),
    ]  # fmt: skip
    assert made.happened("h9", 1, Happening.ABSENT, Evidence.QUERY) is None


@pytest.mark.req("O-3")
def test_a_false_terminal_that_a_query_finds_open_opens_the_row_again() -> None:
    made, journal = lives()
    made.happened("h1", 200, Happening.REJECTED, Evidence.STREAM)
    assert journal.orders["h1"]["status"] == "REJECTED"
    made.happened("h1", 300, Happening.ACCEPTED, Evidence.QUERY)
    assert journal.orders["h1"]["status"] == "ACK"
    assert journal.orders["h1"]["ts_closed"] is None


@pytest.mark.req("O-3")
def test_a_fill_of_a_rejected_order_makes_its_row_doubtful() -> None:
    made, journal = lives()
    made.happened("h1", 200, Happening.REJECTED, Evidence.STREAM)
    told = fill("t1", "0.4")
    journal.fill(told)

    class OrderFilled:
        """The engine's event, as far as it is looked at."""

        client_order_id, trade_id, ts_event = "h1", "t1", 300

        class last_qty:  # noqa: N801 - the engine's name
            @staticmethod
            def as_decimal() -> Any:
                return told.quantity

    made.apply(OrderFilled())
    assert journal.orders["h1"]["status"] == "UNKNOWN"
    assert journal.orders["h1"]["filled_quantity"] == told.quantity


@pytest.mark.req("O-3")
@pytest.mark.parametrize(
    ("kind", "to", "status"),
    [
        ("OrderRejected", Status.REJECTED, "REJECTED"),
        ("OrderRejected", Status.UNKNOWN, "UNKNOWN"),  # its code is no definite refusal
        ("OrderCancelRejected", Status.UNKNOWN, "UNKNOWN"),
        ("OrderAccepted", Status.PENDING_CANCEL, "PENDING_CANCEL"),
        ("OrderAccepted", Status.ACK, "ACK"),
        ("OrderSubmitted", None, None),
    ],
)
def test_the_row_says_what_the_life_says_where_that_is_in_doubt(
    kind: str, to: Status | None, status: str | None
) -> None:
    step = None if to is None else Step(1, "h1", Status.NEW, to, "x", Evidence.STREAM)
    assert status_of(kind, step) == status
