"""What must hold of every plan, whatever journal and venue look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.recovery import actions as kinds
from execution.recovery.actions import (
    Action,
    Alert,
    BookTrade,
    Cancel,
    Close,
    Keep,
    Latch,
    Ready,
    Rebuild,
    Refuse,
    SplitBrain,
    Wait,
)
from execution.recovery.memory import carry
from execution.recovery.model import (
    ENDED,
    ZERO,
    Asked,
    JournalOrder,
    JournalState,
    Policy,
    VenueOrder,
    VenueState,
    VenueTrade,
)
from execution.recovery.plan import plan
from execution.safety.wire_ids import BROKER_PREFIX
from tests.execution.recovery.scene import BTC, EPOCH, NOW, POLICY, SIGNED, STARTED, carried_out, journal

D = Decimal
QUIET = (Keep, Alert, Ready, Refuse, SplitBrain)
OPEN = ("NEW", "ACK", "PARTIALLY_FILLED", "PENDING_CANCEL", "UNKNOWN")
NAMES = {
    "known": f"h1{EPOCH}00000", "tail": f"h1{EPOCH}0000z", "other": "h1zzzzzz00000", "person": "web_", "forced": "autoclose-",
    "operator": "operator-h1zzzzzz00000",
}  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn) -> tuple[JournalState, VenueState]:
    """A journal and a venue: orders known to one, the other or both, trades booked or not, positions that fit or not."""
    rows: list[JournalOrder] = []
    orders: list[VenueOrder] = []
    trades: list[VenueTrade] = []
    booked: set[tuple[str, int]] = set()
    net = held = ZERO
    for number in range(1, draw(st.integers(1, 5)) + 1):
        kind = draw(st.sampled_from(sorted(NAMES)))
        name, sell = f"{NAMES[kind]}{number}", draw(st.booleans())
        ours, side = kind in ("known", "tail", "other"), "SELL" if sell else "BUY"
        wire = BROKER_PREFIX + name if ours else name
        made = [
            VenueTrade(BTC, 10 * number + i, number, side, D(60000), D("0.5"), D("0.1"), "USDT", maker=True, time_ms=SIGNED + i)
            for i in range(draw(st.integers(0, 2)))
        ]  # fmt: skip
        filled = sum((one.quantity for one in made), ZERO)
        if kind != "known" or draw(st.booleans()):
            ends = (
                ["CANCELED", "EXPIRED"] if kind == "forced" else ["NEW", "CANCELED", "EXPIRED"]
            )  # the venue's own go at once
            told = "FILLED" if filled == 1 else draw(st.sampled_from(ends))
            orders.append(VenueOrder(BTC, number, wire, side, D(1), filled, told, SIGNED, SIGNED + 5))
            trades += made
            held += sum((one.signed for one in made), ZERO)
        else:
            made = []
        if kind == "known":
            has = [one for one in made if draw(st.booleans())]
            booked |= {one.key for one in has}
            part = sum((one.quantity for one in has), ZERO)
            net += sum((one.signed for one in has), ZERO)
            status = draw(st.sampled_from([*OPEN, *sorted(ENDED - {"FILLED"})])) if part < 1 else "FILLED"
            signed = draw(st.sampled_from([NOW - 3_000, SIGNED, NOW - 4 * 86_400_000]))
            rows.append(
                JournalOrder(name, wire, BTC, side, D(1), status, signed, part, None, draw(st.booleans()), "s1")
            )
    positions = {BTC: held + draw(st.sampled_from([ZERO, ZERO, ZERO, D("0.25")]))}
    known = replace(journal(*rows), trades=frozenset(booked), nets={BTC: net}, began_ms=0, last_signed_ms=NOW - 3_000)
    shown = {one.wire_id for one in orders}
    asked: dict[str, Asked] = {one.client_order_id: "found" if one.wire_id in shown else "absent" for one in rows}
    seen = VenueState(NOW, STARTED, tuple(orders), asked, tuple(trades), {BTC: 0}, positions=positions,
                      sizes={BTC: D("0.001")}, wallet=D(1000), equity=D(1000))  # fmt: skip
    return known, carry(None, seen, known, POLICY)


def changing(actions: Iterable[Action]) -> list[Action]:
    """Actions that change journal or venue."""
    return [one for one in actions if not isinstance(one, (*QUIET, Wait))]


def recovered(known: JournalState, seen: VenueState, policy: Policy) -> tuple[list[list[Action]], JournalState]:
    """Plans until one changes nothing and waits for nothing."""
    plans: list[list[Action]] = []
    for _ in range(20):
        actions = plan(known, seen, policy)
        plans.append(actions)
        known, seen = carried_out(known, seen, actions, policy)
        if all(isinstance(one, QUIET) for one in actions):
            return plans, known
    raise AssertionError(f"it does not come to an end: {plans[-1]}")


policies = st.builds(
    lambda positions, foreign: replace(POLICY, positions=positions, foreign=foreign),
    st.sampled_from(["adopt", "close", "refuse"]), st.sampled_from(["refuse", "count"]),
)  # fmt: skip


@pytest.mark.req("O-6")
@settings(max_examples=300, deadline=None)
@given(pairs(), policies)
def test_a_plan_that_was_carried_out_is_not_asked_for_again(
    both: tuple[JournalState, VenueState], policy: Policy
) -> None:
    plans, _ = recovered(*both, policy)
    done: set[Any] = set()
    for actions in plans:
        for one in changing(actions):
            said = (type(one), one.row, one.why)
            assert said not in done, one
            done.add(said)


@pytest.mark.req("O-6")
@settings(max_examples=300, deadline=None)
@given(pairs(), policies)
def test_at_the_end_only_what_stands_is_left_and_every_row_is_over_or_refused(
    both: tuple[JournalState, VenueState], policy: Policy
) -> None:
    plans, known = recovered(*both, policy)
    last = plans[-1]
    if isinstance(last[-1], Ready):
        assert all(row.is_over for row in known.orders), last
        assert not any(isinstance(one, Refuse | SplitBrain) for one in last)
    else:
        assert any(isinstance(one, Refuse | SplitBrain) for one in last), last


@pytest.mark.req("O-8")
@settings(max_examples=300, deadline=None)
@given(pairs(), policies)
def test_no_trade_is_booked_by_two_actions(both: tuple[JournalState, VenueState], policy: Policy) -> None:
    plans, _ = recovered(*both, policy)
    books = [one.trade.key for actions in plans for one in actions if isinstance(one, BookTrade)]
    assert len(books) == len(set(books))
    assert not set(books) & both[0].trades


@pytest.mark.req("O-4", "O-9")
@settings(max_examples=300, deadline=None)
@given(pairs(), policies)
def test_nothing_is_ever_sent_but_a_close_and_nobody_elses_order_is_touched(
    both: tuple[JournalState, VenueState], policy: Policy
) -> None:
    """Actions that reach the venue are Cancel (of ours) and Close (reduce-only); there is none that sends an order again."""
    sends = {
        name for name, kind in vars(kinds).items()
        if isinstance(kind, type) and issubclass(kind, Action) and name.lower().startswith(("send", "submit", "place", "retry"))
    }  # fmt: skip
    assert sends == set()
    plans, _ = recovered(*both, policy)
    for actions in plans:
        for one in actions:
            if isinstance(one, Cancel | Rebuild):
                assert one.order.wire_id.startswith((BROKER_PREFIX + "h1", "operator-"))
            if isinstance(one, Close):
                assert policy.positions == "close"
                assert not any(isinstance(other, Refuse | Latch | Wait) for other in actions)


@settings(max_examples=200, deadline=None)
@given(pairs(), policies)
def test_the_same_look_gives_the_same_plan(both: tuple[JournalState, VenueState], policy: Policy) -> None:
    assert plan(*both, policy) == plan(*both, policy)
    mirrored = replace(both[1], orders=both[1].orders[::-1], trades=both[1].trades[::-1])
    assert sorted(map(repr, plan(both[0], mirrored, policy))) == sorted(map(repr, plan(*both, policy)))
