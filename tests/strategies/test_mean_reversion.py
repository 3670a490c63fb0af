"""What mean reversion decides, value in, intents out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.intents import CancelAll, Enter, Exit, Side
from strategies.mean_reversion import (
    MeanReversionFeatures,
    MeanReversionParams,
    MeanReversionState,
    decide,
    wanted_side,
)

SEC = 1_000_000_000
PARAMS = MeanReversionParams()
FLAT = MeanReversionState(
    ts_ns=1000 * SEC, price=50_000.0, bar_closed=True, score=2.5, adx=20.0, ready=True, edge_bps=3.0, position=0.0,
    entry_ts_ns=0, size=0.01,
)  # fmt: skip
SHORT = replace(FLAT, position=-0.01, entry_ts_ns=FLAT.ts_ns - 10 * SEC)
LONG = replace(SHORT, position=0.01, score=-2.5)


@pytest.mark.parametrize(("score", "side"), [(2.5, Side.SELL), (-2.5, Side.BUY)])
def test_a_far_close_is_faded_with_its_edge_and_horizon(score: float, side: Side) -> None:
    (intent,) = decide(replace(FLAT, score=score), PARAMS)
    assert intent == Enter(side=side, size=0.01, edge_bps=3.0, horizon_secs=300, why=f"z {score:+.1f}", offset_ticks=0)


@pytest.mark.parametrize(
    "state",
    [
        replace(FLAT, score=1.9),
        replace(FLAT, adx=30.0),
        replace(FLAT, ready=False),
        replace(FLAT, bar_closed=False),
        replace(FLAT, leaving=True),
        replace(FLAT, resting_ts_ns=FLAT.ts_ns - SEC),
        replace(FLAT, size=0.0),
    ],
    ids=["near", "trend", "not ready", "inside a bar", "exit under way", "entry rests", "no size"],
)
def test_no_entry_when(state: MeanReversionState) -> None:
    assert decide(state, PARAMS) == []


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (replace(SHORT, stopped=True, bar_closed=False), "stop"),
        (replace(LONG, stopped=True, entry_ts_ns=0), "stop"),  # the stop is named first
        (replace(SHORT, entry_ts_ns=FLAT.ts_ns - 300 * SEC, bar_closed=False), "time stop"),
        (replace(SHORT, score=0.25), "back at the mean"),
        (replace(LONG, score=-0.25), "back at the mean"),
        (replace(LONG, score=1.0), "back at the mean"),
        (replace(LONG, stopped=True, resting_ts_ns=1, cancelling=True), "stop"),  # a partial fill is not trapped
    ],
)
def test_a_position_is_left_at(state: MeanReversionState, why: str) -> None:
    assert decide(state, PARAMS) == [Exit(why=why)]


@pytest.mark.parametrize(
    "state",
    [
        SHORT,
        LONG,
        replace(SHORT, score=0.2, bar_closed=False),
        replace(SHORT, price=50_100.0),
        replace(SHORT, score=9.0),
    ],
)
def test_a_position_is_kept_otherwise_and_never_added_to(state: MeanReversionState) -> None:
    assert decide(state, PARAMS) == []


def test_an_entry_that_does_not_fill_is_cancelled_once() -> None:
    old = replace(FLAT, resting_ts_ns=FLAT.ts_ns - 15 * SEC)
    assert decide(old, PARAMS) == [CancelAll(why="entry timeout")]
    assert decide(replace(old, cancelling=True), PARAMS) == []


states = st.builds(
    MeanReversionState,
    ts_ns=st.integers(0, 2000 * SEC),
    price=st.floats(1, 1e5),
    bar_closed=st.booleans(),
    score=st.floats(-10, 10),
    adx=st.floats(0, 100),
    ready=st.booleans(),
    edge_bps=st.floats(-50, 50),
    position=st.sampled_from([-1.0, 0.0, 1.0]),
    stopped=st.booleans(),
    size=st.floats(0, 10),
    entry_ts_ns=st.integers(0, 2000 * SEC),
    resting_ts_ns=st.just(0) | st.integers(1, 2000 * SEC),
    cancelling=st.booleans(),
    leaving=st.booleans(),
)


@given(states)
def test_an_entry_is_always_flat_against_the_distance_and_outside_a_trend(state: MeanReversionState) -> None:
    for intent in decide(state, PARAMS):
        if isinstance(intent, Enter):
            assert (state.position, state.resting_ts_ns) == (0.0, 0)
            assert (intent.size, intent.side) == (state.size, wanted_side(state, PARAMS))
            assert intent.size > 0.0
            assert intent.side * state.score <= -PARAMS.z_entry
            assert state.adx < PARAMS.max_adx


@given(states)
def test_a_position_past_its_time_always_leaves_and_a_flat_one_never_does(state: MeanReversionState) -> None:
    exits = [intent for intent in decide(state, PARAMS) if isinstance(intent, Exit)]
    overdue = state.ts_ns - state.entry_ts_ns >= PARAMS.max_hold_secs * SEC
    if state.position == 0.0 or state.leaving:
        assert exits == []
    elif overdue:
        assert len(exits) == 1


def test_an_exit_farther_than_the_entry_is_refused() -> None:
    with pytest.raises(ValidationError, match="z_exit"):
        MeanReversionParams(z_entry=1.0, z_exit=1.0)


def test_features_learn_that_a_price_which_swings_back_is_worth_fading() -> None:
    params = MeanReversionParams(bar_secs=10, ema_bars=10, adx_bars=2, max_hold_secs=20, ic_prior=0.0)
    features = MeanReversionFeatures(params)
    for bar in range(600):
        close = 100.0 + (0.0, 1.0, 0.0, -1.0)[bar % 4]  # opposite after two bars, the horizon
        features.on_bar(bar * 10 * SEC, close + 0.1, close - 0.1, close)
    assert features.ic.value > 0.3
    assert features.edge_bps(100.0) >= 0.0
    assert features.adx.ready
