"""Time limits of orders, just before, at and after each."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from execution.lifecycle import Evidence, Happening, OrderLife
from execution.order_care import Care, Decision, OrderCareConfig, care_for

D = Decimal
MS = 1_000_000
SEC = 1000 * MS


def config(**settings: object) -> OrderCareConfig:
    return OrderCareConfig.model_validate({"ack_timeout_ms": 3000, "resting_order_max_age_secs": 120, **settings})


def acked(**fields: bool) -> OrderLife:
    life = OrderLife("h1", D(1), sent_ns=0, **fields)  # type: ignore[arg-type]
    life.apply(200 * MS, Happening.ACCEPTED, Evidence.STREAM)
    return life


def cares(life: OrderLife, ts_ns: int, **settings: object) -> list[Care]:
    return [decision.care for decision in care_for([life], ts_ns, config(**settings))]


@pytest.mark.req("O-4", "O-7")
@pytest.mark.parametrize(
    ("at_ms", "care"),
    [(2_999, []), (3_000, [Care.QUERY]), (9_999, [Care.QUERY]), (10_000, [Care.CANCEL]), (60_000, [Care.CANCEL])],
)
def test_an_order_without_an_answer_is_queried_then_cancelled(at_ms: int, care: list[Care]) -> None:
    assert cares(OrderLife("h1", D(1), sent_ns=0), at_ms * MS) == care


def test_an_unknown_order_is_queried_at_once_and_never_cancelled_blindly() -> None:
    life = OrderLife("h1", D(1), sent_ns=0)
    life.apply(SEC, Happening.NO_ANSWER, Evidence.LOCAL)
    assert cares(life, SEC) == [Care.QUERY]
    assert cares(life, 1000 * SEC) == [Care.QUERY]


def test_a_cancel_without_an_answer_is_queried() -> None:
    life = acked()
    life.apply(5 * SEC, Happening.CANCEL_SENT, Evidence.LOCAL)
    assert cares(life, 8 * SEC - 1) == []
    assert care_for([life], 8 * SEC, config()) == [Decision("h1", Care.QUERY, "PENDING_CANCEL for 3.0 s")]


@pytest.mark.req("O-7")
@pytest.mark.parametrize(("at_secs", "care"), [(119.999, []), (120, [Care.CANCEL])])
def test_a_resting_order_is_cancelled_when_it_is_old(at_secs: float, care: list[Care]) -> None:
    assert cares(acked(), round(at_secs * SEC)) == care


@pytest.mark.req("O-10")
def test_a_protective_stop_never_goes_stale() -> None:
    assert cares(acked(is_protective=True), 10_000 * SEC) == []


@pytest.mark.req("O-5")
@pytest.mark.parametrize(
    ("policy", "is_exit", "at_secs", "care"),
    [
        ("keep", False, 50, []),
        ("cancel_rest", False, 10.999, []),
        ("cancel_rest", False, 11, [Care.CANCEL]),
        ("cancel_rest", True, 11, [Care.CANCEL]),
        ("take_rest", True, 10.999, []),
        ("take_rest", True, 11, [Care.CANCEL_AND_TAKE]),
        ("take_rest", False, 11, []),
        ("take_rest", False, 120, [Care.CANCEL]),  # but it does grow old
    ],
)
def test_the_rest_of_a_partial_fill(policy: str, is_exit: bool, at_secs: float, care: list[Care]) -> None:
    life = acked(is_exit=is_exit)
    life.fill(1 * SEC, "t1", D("0.5"))
    life.fill(2 * SEC, "t2", D("0.1"))  # the time runs from the first fill
    assert cares(life, round(at_secs * SEC), partial_fill={"policy": policy, "after_secs": 10}) == care


def test_an_order_that_is_over_needs_nothing() -> None:
    life = acked()
    life.fill(SEC, "t1", D(1))
    assert cares(life, 1000 * SEC) == []


def test_decisions_come_in_the_order_of_the_orders() -> None:
    lives = [OrderLife(f"h{i}", D(1), sent_ns=0) for i in range(5)]
    assert [decision.client_order_id for decision in care_for(lives, 4 * SEC, config())] == [f"h{i}" for i in range(5)]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"unacked_cancel_secs": 2}, "an order is queried before it is cancelled"),
        ({"ack_timeout_ms": -1}, "greater than or equal"),
        ({"partial_fill": {"policy": "hope"}}, "Input should be"),
        ({"ack_timeout": 3}, "Extra inputs"),
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        config(**wrong)
