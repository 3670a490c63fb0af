"""Exits: clipped to the position, never refused; dust is named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.exits import ExitKind, dust_of, plan_exit
from risk.request import Side
from risk.venue_rules import VenueRules
from tests.risk.requests import RULES

D = Decimal


@pytest.mark.req("R-14")
@pytest.mark.parametrize(
    ("side", "quantity", "position", "kind", "sent", "dust"),
    [
        (Side.SELL, "1", "2", ExitKind.SEND, "1", "0"),
        (Side.SELL, "2", "2", ExitKind.SEND, "2", "0"),
        (Side.SELL, "2.001", "2", ExitKind.CLIPPED, "2", "0"),
        (Side.BUY, "5", "-2", ExitKind.CLIPPED, "2", "0"),
        (Side.BUY, "1", "2", ExitKind.NOTHING, "0", "0"),
        (Side.SELL, "1", "0", ExitKind.NOTHING, "0", "0"),
        (Side.SELL, "0", "1", ExitKind.NOTHING, "0", "0"),
        (Side.SELL, "1", "0.0015", ExitKind.CLIPPED, "0.001", "0.0005"),
        (Side.SELL, "1", "0.001", ExitKind.CLIPPED, "0.001", "0"),
        (Side.SELL, "1", "0.0009", ExitKind.DUST, "0", "0.0009"),
        (Side.SELL, "5000", "3000", ExitKind.CLIPPED, "1000", "0"),  # the venue's largest order; the caller repeats
    ],
)
def test_an_exit_is_fitted_to_the_position(
    side: Side, quantity: str, position: str, kind: ExitKind, sent: str, dust: str
) -> None:
    plan = plan_exit(side, D(quantity), D(position), RULES)
    assert (plan.kind, plan.quantity, plan.dust) == (kind, D(sent), D(dust))


@pytest.mark.parametrize(("working", "first"), [("0.999", False), ("1", False), ("1.001", True)])
@pytest.mark.req("O-12")
def test_own_exits_that_would_make_the_sum_too_large_are_cancelled_first(working: str, first: bool) -> None:
    plan = plan_exit(Side.SELL, D(1), D(2), RULES, working_exits=D(working))
    assert (plan.kind, plan.cancel_first) == (ExitKind.SEND, first)


@pytest.mark.parametrize(("price", "kind"), [("99999", ExitKind.DUST), ("100000", ExitKind.SEND)])
def test_where_the_minimum_notional_applies_to_exits_too_less_is_dust(price: str, kind: ExitKind) -> None:
    plan = plan_exit(Side.SELL, D("0.001"), D("0.001"), RULES, price=D(price), min_notional_applies=True)
    assert plan.kind is kind
    assert plan_exit(Side.SELL, D("0.001"), D("0.001"), RULES, price=D(price)).kind is ExitKind.SEND


@pytest.mark.parametrize(
    ("position", "dust"), [("0.0009", "0.0009"), ("-0.0009", "0.0009"), ("1.0005", "0.0005"), ("-2", "0"), ("0", "0")]
)
def test_dust_is_what_no_order_can_close(position: str, dust: str) -> None:
    assert dust_of(D(position), RULES) == D(dust)


amounts = st.decimals("0", "5000", places=4)


@pytest.mark.req("R-14", "O-12")
@given(st.sampled_from(list(Side)), amounts, st.decimals("-5000", "5000", places=4), st.booleans())
def test_an_exit_never_flips_and_never_leaves_more_than_dust_behind_in_the_end(
    side: Side, quantity: Decimal, position: Decimal, capped: bool
) -> None:
    rules = RULES if capped else VenueRules(tick=D("0.1"), step=D("0.001"))
    plan = plan_exit(side, quantity, position, rules)
    after = position + int(side) * plan.quantity
    assert abs(after) <= abs(position)
    assert after * position >= 0
    assert plan.quantity % rules.step == 0
    whole = plan_exit(Side.SELL if position > 0 else Side.BUY, D(10_000), position, rules)
    for _ in range(6):
        position += int(whole.side) * whole.quantity
        whole = plan_exit(whole.side, D(10_000), position, rules)
    assert abs(position) < rules.step
