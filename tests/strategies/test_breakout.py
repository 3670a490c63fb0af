"""What breakout decides, value in, intents out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.breakout import BreakoutFeatures, BreakoutParams, BreakoutState, decide, wanted_side
from strategies.intents import CancelAll, Enter, Exit, Side

SEC = 1_000_000_000
PARAMS = BreakoutParams(volume_ratio=1.5, entry_timeout_secs=15)
FLAT = BreakoutState(
    ts_ns=1000 * SEC, price=101.0, bar_closed=True, upper=100.0, lower=90.0, volume_ratio=2.0, atr=2.0, position=0.0,
    size=0.25,
)  # fmt: skip
LONG = replace(FLAT, price=95.0, position=1.0)
SHORT = replace(FLAT, price=95.0, position=-1.0)


def test_a_close_above_the_channel_on_volume_buys_the_size_that_it_is_given() -> None:
    (intent,) = decide(FLAT, PARAMS)
    assert isinstance(intent, Enter)
    assert intent.side is Side.BUY
    assert intent.size == 0.25
    assert (intent.edge_bps, intent.horizon_secs, intent.why) == (None, 1800, "break on 2.0 x volume")


def test_a_close_below_the_channel_sells_unless_shorts_are_off() -> None:
    (intent,) = decide(replace(FLAT, price=89.0), PARAMS)
    assert isinstance(intent, Enter)
    assert intent.side is Side.SELL
    assert decide(replace(FLAT, price=89.0), BreakoutParams(allow_short=False)) == []


@pytest.mark.parametrize(
    "state",
    [
        replace(FLAT, price=100.0),
        replace(FLAT, bar_closed=False),
        replace(FLAT, volume_ratio=1.4),
        replace(FLAT, atr=0.0),
        replace(FLAT, leaving=True),
        replace(FLAT, resting_ts_ns=FLAT.ts_ns - SEC),
        replace(FLAT, size=0.0),
    ],
    ids=["on the channel", "inside a bar", "thin volume", "no range yet", "exit under way", "entry works", "no size"],
)
def test_no_entry_when(state: BreakoutState) -> None:
    assert decide(state, PARAMS) == []


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (replace(LONG, stopped=True, bar_closed=False), "stop"),
        (replace(SHORT, stopped=True, bar_closed=False), "stop"),
        (replace(LONG, price=89.0), "opposite break"),
        (replace(SHORT, price=101.0), "opposite break"),
        (replace(LONG, stopped=True, resting_ts_ns=1, cancelling=True), "stop"),  # a partial fill is not trapped
    ],
)
def test_a_position_is_left_at(state: BreakoutState, why: str) -> None:
    assert decide(state, PARAMS) == [Exit(why=why)]


@pytest.mark.parametrize("state", [LONG, SHORT, replace(LONG, price=101.0), replace(LONG, stopped=True, leaving=True)])
def test_a_position_is_kept_otherwise_and_never_added_to(state: BreakoutState) -> None:
    assert decide(state, PARAMS) == []


def test_an_entry_that_does_not_fill_is_cancelled_once() -> None:
    old = replace(FLAT, resting_ts_ns=FLAT.ts_ns - 15 * SEC)
    assert decide(old, PARAMS) == [CancelAll(why="entry timeout")]
    assert decide(replace(old, cancelling=True), PARAMS) == []


states = st.builds(
    BreakoutState,
    ts_ns=st.integers(0, 2000 * SEC),
    price=st.floats(1, 200),
    bar_closed=st.booleans(),
    upper=st.floats(100, 150) | st.just(math.inf),
    lower=st.floats(50, 100) | st.just(-math.inf),
    volume_ratio=st.floats(0, 10),
    atr=st.floats(0, 10),
    position=st.sampled_from([-1.0, 0.0, 1.0]),
    stopped=st.booleans(),
    size=st.floats(0, 10),
    resting_ts_ns=st.just(0) | st.integers(1, 2000 * SEC),
    cancelling=st.booleans(),
    leaving=st.booleans(),
)


@given(states)
def test_an_entry_is_always_flat_on_a_closed_bar_outside_the_channel_and_of_the_size_given(
    state: BreakoutState,
) -> None:
    for intent in decide(state, PARAMS):
        if isinstance(intent, Enter):
            assert state.position == 0.0
            assert state.bar_closed
            assert not state.lower <= state.price <= state.upper
            assert (intent.size, intent.side) == (state.size, wanted_side(state, PARAMS))
            assert intent.size > 0.0


@pytest.mark.req("B-4")
@given(states)
def test_a_price_through_the_stop_always_leaves(state: BreakoutState) -> None:
    if state.position != 0.0 and state.stopped and not state.leaving:
        assert decide(state, PARAMS) == [Exit(why="stop")]


def test_a_bar_is_compared_with_the_channel_before_it() -> None:
    features = BreakoutFeatures(BreakoutParams(channel_bars=2, volume_bars=2, atr_bars=2))
    for high, volume in ((10.0, 1.0), (11.0, 1.0), (15.0, 4.0)):
        features.on_bar(high, high - 2.0, high - 1.0, volume)
    assert (features.upper, features.lower) == (11.0, 8.0)
    assert features.volume_ratio == pytest.approx(4.0)
    assert features.atr.value == pytest.approx(3.5)  # mean(2, 2) + (15 - 10 - 2) / 2


def test_a_bar_length_that_the_engine_cannot_build_is_refused() -> None:
    with pytest.raises(ValidationError, match="bar_secs"):
        BreakoutParams(bar_secs=7)
