"""The board: what several breakers forbid together, and that it looks at the clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breakers.board import BreakerBoard
from risk.breakers.config import BreakersConfig
from risk.breakers.events import ApiUse, BookUpdate, ClockReading, FillNews, OrderAnswer, OrderNews, Print
from risk.breakers.machine import Edge, State
from risk.breakers.restriction import FREE, Action

MS = 1_000_000
SEC = 1000 * MS
BTC, ETH = "BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"
OFF = dict.fromkeys(BreakersConfig.model_fields)


def board(**entries: object) -> BreakerBoard:
    return BreakerBoard(BreakersConfig.model_validate({**OFF, **entries}), [BTC, ETH])


def book(at_ms: float, *, iid: str = BTC, age_ms: float = 5, bid: float = 99.99, ask: float = 100.01) -> BookUpdate:
    ts_ns = round(at_ms * MS)
    return BookUpdate(ts_ns, ts_ns - round(age_ms * MS), iid, bid, ask)


def names(edges: tuple[Edge, ...]) -> list[tuple[str, str, State]]:
    return [(edge.breaker, edge.instrument_id, edge.to_state) for edge in edges]


def test_with_all_breakers_off_nothing_is_watched() -> None:
    empty = board()
    assert list(empty.breakers()) == []
    assert empty.on_book(book(0, age_ms=1e6, bid=101)) == ()
    assert empty.on_order(OrderNews(0, BTC, "h1", OrderAnswer.REJECTED)) == ()
    assert empty.on_fill(FillNews(0, BTC, "h1", 1, 200.0, 100.0)) == ()
    assert empty.on_api(ApiUse(0, "weight", 9, 9)) == ()
    assert empty.on_clock(ClockReading(0, 0, 9e9)) == ()
    assert empty.restriction(BTC) is FREE


@pytest.mark.req("R-4")
def test_a_late_instrument_restricts_itself_and_no_other() -> None:
    both = board(feed_age_ms={"soft": 500, "hard": 3000, "clear_events": 2, "cooldown_secs": 0})
    assert names(both.on_book(book(0, age_ms=600))) == [("feed_age_ms", BTC, State.OPEN)]
    assert not both.restriction(BTC).entries_allowed
    assert both.restriction(BTC).breakers == (f"feed_age_ms {BTC}",)
    assert both.restriction(BTC).reason == "event is 600 ms old"
    assert both.restriction(ETH) is FREE
    both.on_book(book(100))
    assert not both.restriction(BTC).entries_allowed  # half open: still shut
    both.on_book(book(200))
    assert both.restriction(BTC) is FREE


@pytest.mark.req("R-4", "R-3a")
def test_a_hard_breach_cancels_and_one_that_says_so_flattens() -> None:
    both = board(
        feed_age_ms={"soft": 500, "hard": 3000}, clock_offset_ms={"soft": 250, "hard": 1000, "hard_action": "flatten"}
    )
    both.on_book(book(0, age_ms=4000))
    assert both.restriction(BTC).action is Action.CANCEL
    assert both.restriction().action is Action.NONE
    both.on_clock(ClockReading(0, 0, 1200.0))
    assert both.restriction(BTC).action is Action.FLATTEN
    assert both.restriction(ETH).action is Action.FLATTEN
    assert not both.restriction(BTC).trip


@pytest.mark.req("R-3a")
def test_a_latching_breaker_asks_for_the_kill_switch_until_a_person_resets_it() -> None:
    latching = board(slippage_bps={"soft": 15, "latch": True, "cooldown_secs": 1})
    (edge,) = latching.on_fill(FillNews(0, BTC, "h1", 1, 101.0, 100.0))
    assert edge.latched
    latching.on_time(10_000 * SEC)
    assert latching.restriction(BTC).trip
    assert names(latching.reset(10_001 * SEC, "looked at it")) == [("slippage_bps", BTC, State.CLOSED)]
    assert latching.restriction(BTC) is FREE


@pytest.mark.req("R-5")
def test_a_soft_breach_may_make_entries_smaller_instead_of_none() -> None:
    smaller = board(
        slippage_bps={"soft": 15, "hard": 100, "size_factor": 0.25, "cooldown_secs": 600},
        spread_multiple={"soft": 4, "size_factor": 0.5, "window_secs": 60, "min_samples": 2, "sample_secs": 0},
    )
    smaller.on_fill(FillNews(0, BTC, "h1", 1, 100.2, 100.0))
    assert smaller.restriction(BTC).size_factor == 0.25
    for ms in (0, 100, 200):
        smaller.on_book(book(ms))
    smaller.on_book(book(300, bid=99.9, ask=100.1))
    assert smaller.restriction(BTC).size_factor == 0.25  # the smaller of 0.25 and 0.5
    assert len(smaller.open()) == 2
    smaller.on_fill(FillNews(1, BTC, "h1", 1, 102.0, 100.0))
    assert smaller.restriction(BTC).size_factor == 0.0


def test_rejects_let_an_entry_probe_while_half_open() -> None:
    probing = board(rejects_in_a_row={"soft": 1, "cooldown_secs": 60, "clear_events": 1})
    for _ in range(2):
        probing.on_order(OrderNews(0, BTC, "h1", OrderAnswer.REJECTED))
    assert not probing.restriction(ETH).entries_allowed  # of the account, not of a symbol
    assert names(probing.on_time(60 * SEC)) == [("rejects_in_a_row", "", State.HALF_OPEN)]
    assert probing.restriction(ETH).entries_allowed


@pytest.mark.req("R-8")
def test_market_events_make_the_board_look_at_the_clock() -> None:
    stale = board(book_stale_ms={"soft": 2000})
    stale.on_book(book(0))
    stale.on_book(book(0, iid=ETH))
    edges = [edge for ms in range(100, 4000, 100) for edge in stale.on_book(book(ms))]
    assert names(tuple(edges)) == [("book_stale_ms", ETH, State.OPEN)]
    assert edges[0].ts_ns == 3000 * MS  # looks once a second; 2,000 ms is not beyond the limit


def test_trades_count_for_age_and_silence() -> None:
    trades = board(feed_age_ms={"soft": 500}, feed_silence_ms={"soft": 2000})
    assert names(trades.on_trade(Print(0, -600 * MS, BTC, 100.0))) == [("feed_age_ms", BTC, State.OPEN)]
    assert names(trades.on_time(2001 * MS)) == [
        ("feed_silence_ms", "", State.OPEN),
        ("feed_age_ms", BTC, State.HALF_OPEN),
    ]


@pytest.mark.req("B-8")
def test_the_board_names_what_is_still_learning() -> None:
    learning = board(spread_multiple={"soft": 4, "window_secs": 60, "min_samples": 2, "sample_secs": 0})
    assert learning.learning() == (f"spread_multiple {BTC}", f"spread_multiple {ETH}")
    learning.on_book(book(0))
    learning.on_book(book(100))
    assert learning.learning() == (f"spread_multiple {ETH}",)


def test_an_instrument_that_is_not_traded_is_an_error() -> None:
    with pytest.raises(KeyError):
        board().on_book(book(0, iid="DOGEUSDT"))


updates = st.lists(
    st.tuples(
        st.integers(1, 3000), st.sampled_from([BTC, ETH]), st.sampled_from([1.0, 400.0, 900.0, 5000.0]), st.booleans()
    ),
    max_size=80,
)


@given(updates)
def test_the_same_events_always_give_the_same_edges_and_the_kept_restriction_is_the_true_one(
    events: list[tuple[int, str, float, bool]],
) -> None:
    first, second = BreakerBoard(BreakersConfig(), [BTC, ETH]), BreakerBoard(BreakersConfig(), [BTC, ETH])
    now = 0
    for wait, iid, age, is_crossed in events:
        now += wait
        update = book(now, iid=iid, age_ms=age, bid=101.0 if is_crossed else 99.99)
        assert first.on_book(update) == second.on_book(update)
        for key in (BTC, ETH):
            shut = [b for b in first.breakers() if b.instrument_id in ("", key) and b.state is not State.CLOSED]
            blocking = [b for b in shut if not (b.probes and b.state is State.HALF_OPEN)]
            assert first.restriction(key).entries_allowed is (not blocking)
