"""Rates, repetitions, cool-down and price collar, below, at and above each limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from errors import ConfigError
from risk.breach import Limit
from risk.request import Side
from risk.throttles import ThrottleConfig, Throttles, check_collar, refuse_narrow_collar
from tests.risk.requests import request

D = Decimal
SEC = 1_000_000_000
TICK = D("0.1")


def throttles(**limits: object) -> Throttles:
    none = {"max_orders_per_sec": None, "max_identical_orders": None}
    return Throttles(ThrottleConfig.model_validate({**none, **limits}))


def sent(limits: Throttles, ts_ns: int, **order: str) -> Limit | None:
    entry = request(ts_ns, **order)  # type: ignore[arg-type]
    breach = limits.check(entry)
    if breach is None:
        limits.on_sent(entry)
        return None
    return breach.limit


@pytest.mark.req("R-9")
def test_entries_per_second_slide() -> None:
    limits = throttles(max_orders_per_sec=3)
    assert [sent(limits, t) for t in (0, 1, 2)] == [None, None, None]
    assert sent(limits, SEC - 1) is Limit.ORDER_RATE
    assert sent(limits, SEC) is None  # the first is a second old
    assert sent(limits, SEC) is Limit.ORDER_RATE


@pytest.mark.req("R-9")
def test_cancels_per_fill_are_looked_at_from_a_least_number_on() -> None:
    limits = throttles(max_cancels_per_fill=10, min_cancels=20, cancel_window_secs=60)
    limits.on_fill(0, "flow-1")
    limits.on_fill(0, "flow-1")
    for _ in range(20):
        limits.on_cancel(SEC, "flow-1")
    assert limits.check(request(2 * SEC)) is None  # 20 for 2 is 10 each
    limits.on_cancel(SEC, "flow-1")
    breach = limits.check(request(2 * SEC))
    assert breach is not None
    assert breach.figures == {"cancels": 21, "fills": 2, "limit": 10.0}
    assert limits.check(request(2 * SEC, strategy_id="other")) is None
    assert limits.check(request(61 * SEC)) is None  # out of the window


def test_without_any_fill_the_ratio_counts_as_for_one() -> None:
    limits = throttles(max_cancels_per_fill=10, min_cancels=1, cancel_window_secs=60)
    for _ in range(11):
        limits.on_cancel(0, "flow-1")
    breach = limits.check(request(1))
    assert breach is not None
    assert breach.detail == "11 cancels for 0 fills, 10 per fill allowed"


@pytest.mark.req("R-9")
def test_identical_entries_within_the_window_are_refused_and_others_pass() -> None:
    limits = throttles(max_identical_orders=2, identical_window_secs=10)
    assert [sent(limits, t * SEC) for t in (0, 1, 2)] == [None, None, Limit.REPEATED_ORDER]
    assert sent(limits, 2 * SEC, price="60000.1") is None
    assert sent(limits, 2 * SEC, quantity="0.011") is None
    assert sent(limits, 2 * SEC, strategy_id="other") is None
    assert sent(limits, 10 * SEC) is None


def test_many_different_entries_do_not_grow_memory() -> None:
    limits = throttles(max_identical_orders=2, identical_window_secs=1)
    for i in range(5000):
        assert sent(limits, i * SEC, price=str(50_000 + i)) is None
    assert len(limits._shapes) <= 1000


@pytest.mark.req("R-9")
@pytest.mark.parametrize(("at_ms", "passes"), [(29_999, False), (30_000, True), (30_001, True)])
def test_reentry_waits_for_its_cool_down(at_ms: int, passes: bool) -> None:
    limits = throttles(reentry_cooldown_secs=30)
    limits.on_flat(0, "flow-1", request().instrument_id)
    breach = limits.check(request(at_ms * 1_000_000))
    assert (breach is None) is passes
    assert limits.check(request(at_ms * 1_000_000, strategy_id="other")) is None


@pytest.mark.req("R-14", "R-9")
@given(st.lists(st.integers(0, 10), max_size=30), st.sampled_from(["60000", "1", "999999", None]))
def test_an_exit_is_never_throttled_and_uses_no_allowance(waits: list[int], price: str | None) -> None:
    limits = Throttles(
        ThrottleConfig(max_orders_per_sec=1, max_identical_orders=1, max_cancels_per_fill=1, min_cancels=1,
                       reentry_cooldown_secs=100)
    )  # fmt: skip
    limits.on_flat(0, "flow-1", request().instrument_id)
    limits.on_cancel(0, "flow-1")
    limits.on_cancel(0, "flow-1")
    for wait in waits:
        leaving = request(wait, price=price, reduce_only=True, side=Side.SELL)
        assert limits.check(leaving) is None
        assert check_collar(leaving, None, None, None, TICK, limits.config) is None
        limits.on_sent(leaving)
    assert limits._orders.count(10) == 0


COLLAR = ThrottleConfig(collar_mid_bps=D(50), collar_mark_bps=D(100))


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("price", "passes"),
    [("60299.9", True), ("60300", True), ("60300.1", False), ("59700", True), ("59699.9", False)],
)
def test_an_entry_price_is_held_against_the_mid(price: str, passes: bool) -> None:
    breach = check_collar(request(price=price), None, D(60_000), None, TICK, COLLAR)
    assert (breach is None) is passes


@pytest.mark.parametrize(("mark", "passes"), [("59400", True), ("59405.8", True), ("59405.9", True), ("59300", False)])
def test_an_entry_price_is_held_against_the_mark_too(mark: str, passes: bool) -> None:
    breach = check_collar(request(price="59990"), None, D(60_000), D(mark), TICK, COLLAR)
    assert (breach is None) is passes


def test_the_refusal_names_price_reference_and_limit() -> None:
    breach = check_collar(request(price="66000"), None, D(60_000), D(60_000), TICK, COLLAR)
    assert breach is not None
    assert breach.detail == "price 66000 is 1000.0 bps off the mid 60000, 50 allowed"
    assert breach.limit is Limit.PRICE_COLLAR


def test_a_market_entry_is_held_by_the_price_that_it_would_take() -> None:
    assert check_collar(request(price=None), D(60_010), D(60_000), None, TICK, COLLAR) is None
    assert check_collar(request(price=None), D(60_400), D(60_000), None, TICK, COLLAR) is not None


@pytest.mark.parametrize(("touch", "mid"), [(None, D(60_000)), (D(60_000), None)])
def test_an_entry_that_cannot_be_held_against_anything_is_refused(touch: Decimal | None, mid: Decimal | None) -> None:
    assert check_collar(request(price=None), touch, mid, None, TICK, COLLAR) is not None


def test_no_collar_lets_every_price_pass() -> None:
    none = ThrottleConfig(collar_mid_bps=None, collar_mark_bps=None)
    assert check_collar(request(price="1"), None, None, None, TICK, none) is None


@pytest.mark.parametrize(("bps", "passes"), [("10", True), ("9.99", False)])  # a tick of 0.1 at 100 is 10 bps
def test_a_collar_narrower_than_a_tick_is_refused_at_start_and_at_any_price(bps: str, passes: bool) -> None:
    config = ThrottleConfig(collar_mid_bps=D(bps), collar_mark_bps=None)
    breach = check_collar(request(price="100"), None, D(100), None, TICK, config)
    assert (breach is None) is passes
    if passes:
        refuse_narrow_collar(config, D(100), TICK)
    else:
        with pytest.raises(ConfigError, match=r"collar_mid_bps 9.99 is narrower than a tick .* write 10.0000 or more"):
            refuse_narrow_collar(config, D(100), TICK)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_orders_per_sec": 0}, {"max_cancels_per_fill": 0}, {"collar_mid_bps": -1}, {"reentry_cooldown_secs": -1},
        {"max_orders": 3},
    ],
)  # fmt: skip
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ThrottleConfig.model_validate(wrong)
