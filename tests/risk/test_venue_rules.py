"""O-13: each filter of the venue at its limit, just inside and just outside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.request import Side
from risk.venue_rules import VenueRules, check_venue_rules, of_instrument, split
from risk.verdict import APPROVED, Reason, Refused
from tests.engine import perpetual
from tests.risk.account import market, order

RULES = VenueRules(
    Decimal("0.1"), Decimal("0.001"), Decimal("0.002"), Decimal(1000), Decimal(5), 3, Decimal("1.05"), Decimal("0.95")
)
MID = Decimal("100.05")


def reason(
    rules: VenueRules = RULES, reference: Decimal | None = MID, open_orders: int = 0, **changes: Any
) -> Reason | None:
    verdict = check_venue_rules(order(**changes), rules, reference, open_orders)
    return verdict.reason if isinstance(verdict, Refused) else None


@pytest.mark.req("O-13")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "100.0"}, None),
        ({"price": "100.05"}, Reason.TICK),
        ({"price": "100.01"}, Reason.TICK),
        ({"price": "0.0"}, Reason.TICK),
        ({"price": "-100.0"}, Reason.TICK),
        ({"quantity": "0.051"}, None),
        ({"quantity": "0.0515"}, Reason.STEP),
        ({"quantity": "0"}, Reason.STEP),
        ({"quantity": "-1"}, Reason.STEP),
        ({"quantity": "0.001"}, Reason.MIN_QUANTITY),
        ({"quantity": "1000", "price": "100.0"}, None),
        ({"quantity": "1000.001", "price": "100.0"}, Reason.MAX_QUANTITY),
        ({"quantity": "0.050", "price": "100.0"}, None),  # 5.00 is enough
        ({"quantity": "0.049", "price": "100.0"}, Reason.MIN_NOTIONAL),  # 4.90
        ({"price": "105.0"}, None),  # a buy may be up to 100.05 × 1.05 = 105.0525
        ({"price": "105.1"}, Reason.PERCENT_PRICE),
        ({"price": "50.0"}, None),  # far below is only far behind
        ({"side": Side.SELL, "price": "95.1"}, None),  # a sell down to 100.05 × 0.95 = 95.0475
        ({"side": Side.SELL, "price": "95.0"}, Reason.PERCENT_PRICE),
    ],
)
def test_each_filter_at_its_limit(changes: dict[str, Any], expected: Reason | None) -> None:
    assert reason(**changes) == expected


@pytest.mark.req("O-13")
def test_the_minimum_quantity_itself_passes() -> None:
    assert reason(quantity="0.002", rules=VenueRules(Decimal("0.1"), Decimal("0.001"), Decimal("0.002"))) is None


@pytest.mark.req("O-13")
@pytest.mark.parametrize(("already", "expected"), [(2, None), (3, Reason.MAX_OPEN_ORDERS), (4, Reason.MAX_OPEN_ORDERS)])
def test_the_venue_takes_so_many_orders_and_no_more(already: int, expected: Reason | None) -> None:
    assert reason(open_orders=already) == expected


def test_a_market_entry_is_measured_at_the_reference() -> None:
    assert check_venue_rules(market(quantity="0.050"), RULES, MID, 0) == APPROVED  # 5.0025
    refused = check_venue_rules(market(quantity="0.049"), RULES, MID, 0)
    assert isinstance(refused, Refused)
    assert refused.detail == "notional 4.90245 < 5"
    assert refused.figures == {"notional": "4.90245", "limit": "5"}


def test_a_market_entry_without_any_price_is_refused() -> None:
    verdict = check_venue_rules(market(), RULES, None, 0)
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.NO_PRICE


@pytest.mark.req("R-14")
@pytest.mark.parametrize(
    "changes",
    [{"quantity": "0.010"}, {"price": "200.0"}, {"order_type": "MARKET", "price": None}],
    ids=["below min notional", "beyond percent price", "market without a price"],
)
def test_an_exit_is_exempt_from_notional_price_band_and_count(changes: dict[str, Any]) -> None:
    assert check_venue_rules(order(reduce_only=True, **changes), RULES, None, 99) == APPROVED


def test_rules_are_read_from_the_instrument() -> None:
    rules = of_instrument(perpetual())
    assert (rules.tick, rules.step, rules.min_notional) == (Decimal("0.1"), Decimal("0.001"), Decimal(5))
    assert rules.max_quantity is None


def test_a_switched_off_band_lets_every_price_pass() -> None:
    rules = VenueRules(Decimal("0.1"), Decimal("0.001"), percent_up=None, percent_down=None)
    assert reason(rules, price="1000.0") is None
    assert reason(rules, side=Side.SELL, price="1.0") is None


@pytest.mark.req("R-14")
@settings(database=None)
@given(st.integers(0, 10**6), st.one_of(st.none(), st.integers(1000, 10**6)))
def test_split_parts_sum_to_the_whole_and_none_is_too_large(steps: int, largest_steps: int | None) -> None:
    quantity = Decimal(steps) / 1000
    largest = None if largest_steps is None else Decimal(largest_steps) / 1000
    parts = split(quantity, largest)
    assert sum(parts, Decimal(0)) == quantity
    assert all(part > 0 and (largest is None or part <= largest) for part in parts)
