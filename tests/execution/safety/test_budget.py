"""R-9: the budget, on a clock that a test moves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.safety.budget import Cost, Heard, Held, Hold, Purpose, RateBudget, RateLimits
from execution.safety.usage import Usage

SEC = 10**9
ORDER = Cost(0, 1)
P = Purpose


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 1000 * SEC

    def __call__(self) -> int:
        return self.ns


def made(**limits: float) -> tuple[RateBudget, Hands]:
    clock = Hands()
    return RateBudget(RateLimits(**limits), clock), clock  # type: ignore[arg-type]


def heard(clock: Hands, status: int = 200, *, after: float | None = None, **headers: str) -> Heard:
    named = {f"x-mbx-{name.replace('_', '-').lower()}": value for name, value in headers.items()}
    return Heard(clock.ns, status, named, retry_after_secs=after)


@pytest.mark.req("R-9")
def test_entries_may_use_four_fifths_and_no_more() -> None:
    budget, _ = made(orders_per_10_secs=10)
    let_go = [budget.ask(ORDER, P.ENTRY) for _ in range(9)]
    assert let_go[:8] == [None] * 8
    assert let_go[8] == Held(Hold.ORDERS, 10 * SEC)


@pytest.mark.req("R-9")
def test_entries_are_held_by_weight_that_others_have_used_too() -> None:
    budget, clock = made(weight_per_minute=100)
    budget.hear(heard(clock, used_weight_1m="80"))
    held = budget.ask(Cost(1, 1), P.ENTRY)
    assert held == Held(Hold.WEIGHT, 60 * SEC)
    assert budget.ask(Cost(15), P.QUERY) is None
    assert budget.ask(Cost(1), P.QUERY) == Held(Hold.WEIGHT, 60 * SEC)


@pytest.mark.req("R-9")
def test_cancels_and_exits_are_never_held_by_our_own_count() -> None:
    budget, clock = made(weight_per_minute=10, orders_per_10_secs=1, orders_per_minute=1)
    budget.hear(heard(clock, used_weight_1m="10", order_count_10s="1", order_count_1m="1"))
    assert budget.ask(Cost(1), P.CANCEL) is None
    assert budget.ask(ORDER, P.EXIT) is None


def test_time_gives_back_what_was_used() -> None:
    budget, clock = made(orders_per_10_secs=10)
    for _ in range(4):
        budget.ask(ORDER, P.ENTRY)
    clock.ns += 3 * SEC
    for _ in range(4):
        budget.ask(ORDER, P.ENTRY)
    assert budget.ask(ORDER, P.ENTRY) == Held(Hold.ORDERS, 7 * SEC)
    clock.ns += 7 * SEC
    assert [budget.ask(ORDER, P.ENTRY) is None for _ in range(5)] == [True] * 4 + [False]


def test_the_venues_count_replaces_ours() -> None:
    budget, clock = made(weight_per_minute=100)
    for _ in range(10):
        budget.ask(Cost(5), P.QUERY)
    assert budget.used()["weight_1m"] == 0.5
    clock.ns += SEC
    budget.hear(heard(clock, used_weight_1m="7"))  # the venue's minute has begun anew
    assert budget.used()["weight_1m"] == 0.07


def test_a_count_does_not_include_what_was_sent_after_its_request() -> None:
    budget, clock = made(weight_per_minute=100)
    first = heard(clock, used_weight_1m="20")
    budget.ask(Cost(1), P.QUERY)
    clock.ns += SEC
    budget.ask(Cost(5), P.QUERY)
    late = heard(clock, used_weight_1m="26")
    budget.hear(first)
    assert budget.used()["weight_1m"] == 0.25
    budget.hear(late)
    budget.hear(first)  # older than what we know
    assert budget.used()["weight_1m"] == 0.26


@pytest.mark.req("R-9", "L-8")
def test_a_full_address_shuts_everything_until_retry_after() -> None:
    budget, clock = made()
    budget.hear(heard(clock, 429, after=7))
    for purpose in P:
        assert budget.ask(Cost(1), purpose) == Held(Hold.RATE_LIMITED, 7 * SEC)
    clock.ns += 7 * SEC
    assert all(budget.ask(Cost(1), purpose) is None for purpose in P)


@pytest.mark.req("R-9", "L-8")
def test_a_full_order_count_shuts_orders_and_lets_cancels_pass() -> None:
    budget, clock = made(orders_per_10_secs=2)
    count = {"x-mbx-order-count-10s": "3", "x-mbx-used-weight-1m": "12"}
    budget.hear(Heard(clock.ns, 429, count, counted_as_order=True, retry_after_secs=4))
    assert budget.ask(ORDER, P.ENTRY) == Held(Hold.ORDERS, 4 * SEC)
    assert budget.ask(ORDER, P.EXIT) == Held(Hold.ORDERS, 4 * SEC)
    assert budget.ask(Cost(1), P.CANCEL) is None
    assert budget.ask(Cost(1), P.QUERY) is None


@pytest.mark.req("L-8")
def test_a_ban_shuts_everything_and_never_gets_shorter() -> None:
    budget, clock = made()
    budget.hear(heard(clock, 418, after=120))
    budget.hear(heard(clock, 418, after=1))
    assert budget.is_banned
    assert budget.ask(Cost(1), P.CANCEL) == Held(Hold.BANNED, 120 * SEC)
    clock.ns += 120 * SEC
    assert not budget.is_banned
    assert budget.ask(Cost(1), P.CANCEL) is None


def test_a_ban_that_does_not_say_how_long_lasts_two_minutes() -> None:
    budget, clock = made()
    budget.hear(heard(clock, 418))
    assert budget.closed_ns(Cost(), P.CANCEL) == 120 * SEC


@pytest.mark.req("R-14")
def test_a_throttled_venue_holds_entries_only() -> None:
    budget, clock = made()
    budget.hear(Heard(clock.ns, 503, {}, throttled=True))
    assert budget.ask(ORDER, P.ENTRY) == Held(Hold.BACK_OFF, 2 * SEC)
    assert budget.ask(ORDER, P.EXIT) is None
    assert budget.ask(Cost(1), P.CANCEL) is None
    clock.ns += 2 * SEC
    assert budget.ask(ORDER, P.ENTRY) is None


def test_asking_whether_it_is_closed_counts_nothing() -> None:
    budget, _ = made()
    assert budget.closed_ns(Cost(5), P.CANCEL) == 0
    assert budget.used()["weight_1m"] == 0


Steps = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 40)), min_size=1, max_size=60)


@pytest.mark.req("R-9")
@settings(database=None)
@given(Steps)
def test_in_no_fixed_window_do_entries_ever_use_more_than_their_share(steps: list[tuple[int, int]]) -> None:
    budget, clock = made(weight_per_minute=100)
    spent: dict[int, int] = {}
    for pause, weight in steps:
        clock.ns += pause * SEC
        if budget.ask(Cost(weight), P.ENTRY) is None:
            minute = clock.ns // (60 * SEC)
            spent[minute] = spent.get(minute, 0) + weight
    assert max(spent.values(), default=0) <= 80


@settings(database=None)
@given(Steps)
def test_after_the_wait_that_was_named_a_held_request_goes(steps: list[tuple[int, int]]) -> None:
    budget, clock = made(weight_per_minute=100)
    for pause, weight in steps:
        clock.ns += pause * SEC
        held = budget.ask(Cost(weight), P.ENTRY)
        if held is not None:
            clock.ns += held.wait_ns
            assert budget.ask(Cost(weight), P.ENTRY) is None


def test_a_request_larger_than_the_room_names_the_whole_window() -> None:
    usage = Usage("x", 60 * SEC)
    assert usage.wait_ns(0, -1) == 60 * SEC
