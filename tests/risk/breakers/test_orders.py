"""Slippage, rejects and the API budget."""

from __future__ import annotations

import pytest

from risk.breakers.config import BreakerConfig
from risk.breakers.events import ApiUse, FillNews, OrderAnswer, OrderNews
from risk.breakers.machine import Level, State
from risk.breakers.orders import ApiBudget, RejectsInARow, Slippage

SEC = 1_000_000_000


def fill(side: int, price: float, mid: float | None, at: int = 0) -> FillNews:
    return FillNews(at * SEC, "BTCUSDT", "h1", side, price, mid)


def slippage() -> Slippage:
    return Slippage("slippage_bps", BreakerConfig(soft=15, hard=50, cooldown_secs=600, clear_events=0), "BTCUSDT")


@pytest.mark.req("R-5")
@pytest.mark.parametrize(
    ("side", "price", "level"),
    [
        (1, 60_090.0, Level.NONE),  # exactly 15 bps
        (1, 60_090.1, Level.SOFT),
        (-1, 59_910.0, Level.NONE),
        (-1, 59_909.9, Level.SOFT),
        (1, 59_000.0, Level.NONE),  # much better than the mid
        (-1, 59_699.0, Level.HARD),
    ],
)
def test_slippage_is_signed_by_the_side(side: int, price: float, level: Level) -> None:
    breaker = slippage()
    breaker.update(fill(side, price, 60_000.0))
    assert breaker.level is level


@pytest.mark.req("R-5")
def test_slippage_holds_for_ten_minutes_from_the_last_bad_fill() -> None:
    breaker = slippage()
    breaker.update(fill(1, 60_200.0, 60_000.0, at=0))
    breaker.update(fill(1, 60_200.0, 60_000.0, at=60))
    assert breaker.on_time(659 * SEC) == ()
    assert [e.to_state for e in breaker.on_time(660 * SEC)] == [State.HALF_OPEN, State.CLOSED]


def test_a_fill_without_a_decision_mid_says_nothing() -> None:
    assert slippage().update(fill(1, 70_000.0, None)) == ()


def news(answer: OrderAnswer, at: int = 0) -> OrderNews:
    return OrderNews(at * SEC, "BTCUSDT", "h1", answer, "-2019 margin is insufficient")


def rejects() -> RejectsInARow:
    return RejectsInARow("rejects_in_a_row", BreakerConfig(soft=3, hard=5, cooldown_secs=60, clear_events=1))


@pytest.mark.req("R-8")
def test_rejects_in_a_row_open_beyond_the_limit_and_an_acceptance_starts_anew() -> None:
    breaker = rejects()
    for _ in range(3):
        assert breaker.update(news(OrderAnswer.REJECTED)) == ()
    breaker.update(news(OrderAnswer.ACCEPTED))
    for _ in range(3):
        assert breaker.update(news(OrderAnswer.REJECTED)) == ()
    (edge,) = breaker.update(news(OrderAnswer.REJECTED))
    assert (edge.level, edge.reason) == (Level.SOFT, "4 rejects in a row: -2019 margin is insufficient")
    breaker.update(news(OrderAnswer.REJECTED))
    (hard,) = breaker.update(news(OrderAnswer.REJECTED))
    assert hard.level is Level.HARD


def test_post_only_refusals_neither_count_nor_clear() -> None:
    breaker = rejects()
    for _ in range(50):
        assert breaker.update(news(OrderAnswer.POST_ONLY_REFUSED)) == ()
    for _ in range(3):
        breaker.update(news(OrderAnswer.REJECTED))
    breaker.update(news(OrderAnswer.POST_ONLY_REFUSED))
    assert breaker.update(news(OrderAnswer.REJECTED)) != ()


def test_while_half_open_one_more_reject_opens_again() -> None:
    breaker = rejects()
    for _ in range(4):
        breaker.update(news(OrderAnswer.REJECTED))
    assert [e.to_state for e in breaker.on_time(60 * SEC)] == [State.HALF_OPEN]
    assert breaker.probes
    assert [e.to_state for e in breaker.update(news(OrderAnswer.REJECTED, 61))] == [State.OPEN]
    breaker.on_time(121 * SEC)
    assert [e.to_state for e in breaker.update(news(OrderAnswer.FILLED, 122))] == [State.CLOSED]


def budget() -> ApiBudget:
    return ApiBudget("api_budget_pct", BreakerConfig(soft=80, hard=95, cooldown_secs=60, clear_events=0))


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("used", "level"), [(1919, Level.NONE), (1920, Level.NONE), (1921, Level.SOFT), (2281, Level.HARD)]
)
def test_a_fifth_of_the_budget_is_kept_for_cancels_and_exits(used: int, level: Level) -> None:
    breaker = budget()
    breaker.update(ApiUse(0, "weight_1m", used, 2400))
    assert breaker.level is level


def test_the_worst_budget_counts_and_a_reading_lasts_a_minute() -> None:
    breaker = budget()
    (edge,) = breaker.update(ApiUse(0, "orders_10s", 270, 300))
    assert edge.reason == "90 % of budget orders_10s is used"
    assert breaker.update(ApiUse(59 * SEC, "weight_1m", 10, 2400)) == ()  # orders_10s still counts: abnormal at 59 s
    assert breaker.on_time(118 * SEC) == ()
    assert [e.to_state for e in breaker.on_time(119 * SEC)] == [State.HALF_OPEN, State.CLOSED]


def test_a_budget_without_a_limit_is_used_up() -> None:
    breaker = budget()
    breaker.update(ApiUse(0, "weight_1m", 0, 0))
    assert breaker.level is Level.HARD
