"""The life of an order: the table, what proves what, and what must hold for every sequence of events."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.lifecycle import OPEN, TERMINAL, Evidence, Happening, OrderLife, Status, Step

D = Decimal
L, S, Q = Evidence.LOCAL, Evidence.STREAM, Evidence.QUERY
H = Happening


def order(quantity: str = "1") -> OrderLife:
    return OrderLife("h1", D(quantity), sent_ns=10)


def in_state(status: Status) -> OrderLife:
    made = order()
    if status is Status.PARTIALLY_FILLED:
        made.fill(11, "before", D("0.25"))
    elif status is Status.FILLED:
        made.fill(11, "before", D(1))
    else:
        made.status = status
    assert made.status is status
    return made


@pytest.mark.req("O-3")
def test_the_usual_life() -> None:
    life = order()
    assert life.apply(20, H.ACCEPTED, S).to_status is Status.ACK
    assert life.fill(30, "t1", D("0.4")).to_status is Status.PARTIALLY_FILLED
    assert life.leaves == D("0.6")
    assert life.fill(40, "t2", D("0.6")).to_status is Status.FILLED
    assert life.leaves == 0
    assert (life.acked_ns, life.first_fill_ns, life.last_fill_ns, life.changed_ns) == (20, 30, 40, 40)


@pytest.mark.req("O-3")
@pytest.mark.parametrize(("end", "status"), [(H.CANCELED, Status.CANCELED), (H.EXPIRED, Status.EXPIRED)])
def test_a_cancel_is_pending_until_the_venue_says_so(end: Happening, status: Status) -> None:
    life = order()
    life.apply(20, H.ACCEPTED, S)
    assert life.apply(30, H.CANCEL_SENT, L).to_status is Status.PENDING_CANCEL
    assert life.leaves == D(1)
    assert life.apply(40, end, S).to_status is status
    assert life.leaves == 0


@pytest.mark.req("O-3")
def test_a_fill_while_a_cancel_is_pending_books() -> None:
    life = in_state(Status.PENDING_CANCEL)
    step = life.fill(30, "t1", D("0.4"))
    assert (step.legal, step.alert, step.to_status, life.filled) == (True, False, Status.PENDING_CANCEL, D("0.4"))
    assert life.fill(31, "t2", D("0.6")).to_status is Status.FILLED


@pytest.mark.req("O-3", "O-4")
@pytest.mark.parametrize("what", [H.CANCELED, H.REJECTED, H.EXPIRED])
@pytest.mark.parametrize("status", sorted(OPEN))
def test_nothing_is_terminal_on_local_evidence(what: Happening, status: Status) -> None:
    life = in_state(status)
    assert life.apply(30, what, L).to_status is Status.UNKNOWN
    assert life.leaves == life.quantity - life.filled


@pytest.mark.req("O-4")
def test_a_reject_whose_code_is_not_on_the_allow_list_is_unknown() -> None:
    life = order()
    assert life.apply(20, H.REJECTED, S, definite=False).to_status is Status.UNKNOWN
    assert life.leaves == D(1)
    assert order().apply(20, H.REJECTED, S).to_status is Status.REJECTED


@pytest.mark.req("O-4")
def test_not_found_proves_nothing_before_the_fence() -> None:
    life = order()
    life.apply(20, H.NO_ANSWER, L)
    early = life.apply(30, H.ABSENT, Q)
    assert (early.legal, early.detail, life.status) == (
        False,
        "not found before the fence proves nothing",
        Status.UNKNOWN,
    )
    assert life.apply(40, H.ABSENT, Q, after_fence=True).to_status is Status.NOT_EXECUTED


@pytest.mark.parametrize("evidence", [L, S])
def test_only_a_query_can_find_an_order_absent(evidence: Evidence) -> None:
    assert not order().apply(30, H.ABSENT, evidence, after_fence=True).legal


@pytest.mark.parametrize("status", [Status.ACK, Status.PARTIALLY_FILLED])
def test_an_acknowledged_order_cannot_be_absent(status: Status) -> None:
    assert not in_state(status).apply(30, H.ABSENT, Q, after_fence=True).legal


@pytest.mark.parametrize("status", [Status.CANCELED, Status.REJECTED, Status.EXPIRED, Status.NOT_EXECUTED])
@pytest.mark.req("O-3")
def test_a_false_terminal_is_reopened_by_a_query_and_alerts(status: Status) -> None:
    by_stream = in_state(status)
    assert not by_stream.apply(30, H.ACCEPTED, S).legal  # an event that comes late reopens nothing
    life = in_state(status)
    step = life.apply(30, H.ACCEPTED, Q)
    assert (step.legal, step.alert, step.to_status, life.leaves) == (True, True, Status.ACK, D(1))


def test_a_reopened_order_that_had_fills_is_partly_filled() -> None:
    life = in_state(Status.PARTIALLY_FILLED)
    life.apply(30, H.CANCELED, S)
    assert life.apply(40, H.ACCEPTED, Q).to_status is Status.PARTIALLY_FILLED


def test_filled_but_open_at_the_venue_is_a_mismatch() -> None:
    step = in_state(Status.FILLED).apply(30, H.ACCEPTED, Q)
    assert (step.legal, step.alert, step.to_status) == (False, True, Status.FILLED)


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (Status.CANCELED, Status.CANCELED), (Status.EXPIRED, Status.EXPIRED), (Status.REJECTED, Status.UNKNOWN),
        (Status.NOT_EXECUTED, Status.UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.req("O-3")
def test_a_late_fill_books_and_alerts(status: Status, after: Status) -> None:
    life = in_state(status)
    step = life.fill(30, "t1", D("0.4"))
    assert (step.legal, step.alert, step.to_status, life.filled) == (True, True, after, D("0.4"))


def test_a_fill_beyond_the_quantity_books_and_alerts() -> None:
    life = order()
    step = life.fill(30, "t1", D("1.5"))
    assert (step.alert, step.detail, step.to_status) == (True, "more than ordered", Status.FILLED)
    assert life.leaves == 0


@pytest.mark.req("O-8")
def test_a_trade_is_booked_once_by_its_id() -> None:
    life = order()
    life.fill(30, "t1", D("0.4"))
    again = life.fill(31, "t1", D("0.4"))
    assert (again.legal, again.detail, life.filled) == (True, "already booked", D("0.4"))


@pytest.mark.parametrize(("quantity", "evidence"), [("0", S), ("-1", S), ("0.5", L)])
def test_a_fill_that_is_none_or_that_we_made_up_is_refused(quantity: str, evidence: Evidence) -> None:
    life = order()
    assert not life.fill(30, "t1", D(quantity), evidence).legal
    assert (life.filled, life.status) == (D(0), Status.NEW)


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (Status.FILLED, H.CANCEL_REFUSED), (Status.CANCELED, H.CANCEL_REFUSED), (Status.FILLED, H.ACCEPTED),
        (Status.CANCELED, H.CANCELED), (Status.EXPIRED, H.EXPIRED), (Status.REJECTED, H.REJECTED), (Status.ACK, H.ACCEPTED),
    ],
)  # fmt: skip
def test_repeats_and_crossings_change_nothing_and_alarm_nobody(status: Status, what: Happening) -> None:
    step = in_state(status).apply(30, what, S)
    assert (step.legal, step.alert, step.to_status) == (True, False, status)


def test_a_refused_cancel_proves_nothing() -> None:
    assert in_state(Status.PENDING_CANCEL).apply(30, H.CANCEL_REFUSED, S).to_status is Status.UNKNOWN


@pytest.mark.req("O-3")
@pytest.mark.parametrize(
    ("status", "what", "evidence"),
    [
        (Status.FILLED, H.CANCELED, S), (Status.FILLED, H.REJECTED, Q), (Status.CANCELED, H.CANCEL_SENT, L),
        (Status.PARTIALLY_FILLED, H.REJECTED, S), (Status.ACK, H.REJECTED, S), (Status.NEW, H.ACCEPTED, L),
    ],
)  # fmt: skip
def test_an_illegal_transition_is_refused_and_returned_as_a_record(
    status: Status, what: Happening, evidence: Evidence
) -> None:
    life = in_state(status)
    step = life.apply(30, what, evidence)
    assert step == Step(
        30, "h1", status, status, str(what), evidence, legal=False, alert=True,
        detail=f"{what} by {evidence} is not possible in {status}",
    )  # fmt: skip
    assert life.status is status


def test_a_reject_or_absence_of_what_has_filled_is_refused() -> None:
    life = order()
    life.fill(20, "t1", D("0.4"))
    life.apply(30, H.NO_ANSWER, L)
    assert life.status is Status.UNKNOWN
    assert not life.apply(40, H.REJECTED, S).legal
    assert not life.apply(40, H.ABSENT, Q, after_fence=True).legal


events = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(list(H)), st.sampled_from(list(Evidence)), st.booleans(), st.booleans()),
        st.tuples(st.integers(0, 5), st.integers(1, 4)),
    ),
    max_size=30,
)


@pytest.mark.req("O-3")
@given(events)
def test_whatever_comes_the_books_stay_right(
    trace: list[tuple[Happening, Evidence, bool, bool] | tuple[int, int]],
) -> None:
    life = order("10")
    trades: dict[int, Decimal] = {}
    for ts_ns, event in enumerate(trace, start=11):
        before, filled = life.status, life.filled
        if len(event) == 2:
            trade, amount = event
            step = life.fill(ts_ns, str(trade), D(amount))
            trades.setdefault(trade, D(amount))
        else:
            what, evidence, definite, after_fence = event
            step = life.apply(ts_ns, what, evidence, definite=definite, after_fence=after_fence)
            assert life.filled == filled
            if evidence is L:
                assert life.status in OPEN or life.status is before
        assert (step.from_status, step.to_status) == (before, life.status)
        if not step.legal:
            assert (life.status, life.filled) == (before, filled)
        if before in TERMINAL and life.status in OPEN:
            assert step.alert
        assert life.filled == sum(trades.values())
        assert life.leaves == (max(D(0), 10 - life.filled) if life.status in OPEN else 0)
        if life.status in (Status.REJECTED, Status.NOT_EXECUTED):
            assert life.filled == 0
        if life.status is Status.FILLED:
            assert life.filled >= 10
