"""What order flow decides, value in, intents out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.intents import CancelAll, Enter, Exit, Side
from strategies.order_flow import OrderFlowFeatures, OrderFlowParams, OrderFlowState, decide

SEC = 1_000_000_000
PARAMS = OrderFlowParams()
FLAT = OrderFlowState(
    ts_ns=1_000 * SEC, mid=50_000.0, imbalance=0.5, score=1.5, flow=0.0, toxicity=0.0, edge_bps=4.0, size=0.01
)
LONG = replace(FLAT, position=0.01, entry_ts_ns=FLAT.ts_ns - 10 * SEC)
SHORT = replace(LONG, position=-0.01)


def test_agreeing_imbalance_and_score_enter_with_edge_horizon_and_size() -> None:
    (intent,) = decide(FLAT, PARAMS)
    assert intent == Enter(
        side=Side.BUY, size=0.01, edge_bps=4.0, horizon_secs=60.0, why="imbalance +0.50", offset_ticks=1
    )


def test_a_short_entry_carries_the_edge_of_the_short() -> None:
    (intent,) = decide(replace(FLAT, imbalance=-0.5, score=-1.5, edge_bps=-4.0), PARAMS)
    assert isinstance(intent, Enter)
    assert (intent.side, intent.edge_bps) == (Side.SELL, 4.0)


def test_a_learned_coefficient_below_zero_is_handed_on_as_a_negative_edge() -> None:
    (intent,) = decide(replace(FLAT, edge_bps=-1.0), PARAMS)
    assert isinstance(intent, Enter)
    assert intent.edge_bps == -1.0


@pytest.mark.parametrize(
    "state",
    [
        replace(FLAT, imbalance=0.34),
        replace(FLAT, score=-0.1),
        replace(FLAT, toxicity=0.8, flow=-0.2),  # sellers hit the bid that we would join
        replace(FLAT, attempt_ns=FLAT.ts_ns - SEC),
        replace(FLAT, leaving=True),
        replace(FLAT, resting_side=1, resting_ts_ns=FLAT.ts_ns - SEC),
        replace(FLAT, resting_side=-1, resting_ts_ns=0, cancelling=True),
        replace(FLAT, size=0.0),
    ],
    ids=[
        "weak",
        "score disagrees",
        "toxic",
        "asked just now",
        "exit under way",
        "entry rests",
        "being cancelled",
        "no size",
    ],
)
def test_no_entry_when(state: OrderFlowState) -> None:
    assert decide(state, PARAMS) == []


def test_toxic_flow_in_our_direction_does_not_block() -> None:
    assert len(decide(replace(FLAT, toxicity=0.8, flow=0.2), PARAMS)) == 1


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (replace(FLAT, resting_side=1, resting_ts_ns=FLAT.ts_ns - 5 * SEC), "entry timeout"),
        (replace(FLAT, resting_side=-1, resting_ts_ns=FLAT.ts_ns), "signal gone"),
        (replace(LONG, resting_side=1, resting_ts_ns=FLAT.ts_ns - 5 * SEC), "entry timeout"),
    ],
    ids=["old", "against", "rest of a partial fill"],
)
def test_a_stale_entry_is_cancelled(state: OrderFlowState, why: str) -> None:
    assert decide(state, PARAMS) == [CancelAll(why=why)]


@pytest.mark.req("O-12")
@pytest.mark.parametrize(
    ("state", "why"),
    [
        (replace(LONG, stopped=True), "stop"),
        (replace(SHORT, imbalance=-0.5, stopped=True), "stop"),
        (replace(LONG, entry_ts_ns=FLAT.ts_ns - 60 * SEC), "time stop"),
        (replace(LONG, imbalance=-0.35), "sign flip"),
        (SHORT, "sign flip"),
        (replace(LONG, stopped=True, imbalance=-0.9, entry_ts_ns=0), "stop"),  # the stop is named first
    ],
)
def test_an_exit_is_urgent_and_says_why(state: OrderFlowState, why: str) -> None:
    assert decide(state, PARAMS) == [Exit(why=why, urgent=True)]


@pytest.mark.parametrize(
    "state",
    [
        LONG,
        replace(LONG, imbalance=-0.34),
        replace(LONG, imbalance=-0.9, entry_ts_ns=FLAT.ts_ns - 4 * SEC),
        replace(LONG, stopped=True, leaving=True),
    ],
    ids=["stop not touched", "weak flip", "held too short for a flip", "exit under way"],
)
def test_a_position_is_kept_when(state: OrderFlowState) -> None:
    assert decide(state, PARAMS) == []


states = st.builds(
    OrderFlowState,
    ts_ns=st.integers(0, 10_000 * SEC),
    mid=st.floats(0.01, 1e6),
    imbalance=st.floats(-1, 1),
    score=st.floats(-3, 3),
    flow=st.floats(-1, 1),
    toxicity=st.floats(0, 1),
    edge_bps=st.floats(-100, 100),
    position=st.sampled_from([0.0, 0.01, -0.01]),
    stopped=st.booleans(),
    size=st.floats(0, 10),
    entry_ts_ns=st.integers(0, 10_000 * SEC),
    resting_side=st.sampled_from([-1, 0, 1]),
    resting_ts_ns=st.integers(0, 10_000 * SEC),
    leaving=st.booleans(),
    attempt_ns=st.integers(0, 10_000 * SEC),
)


@pytest.mark.req("O-6", "O-12")
@given(states)
def test_never_an_entry_beside_a_position_a_resting_entry_or_an_exit(state: OrderFlowState) -> None:
    entries = [intent for intent in decide(state, PARAMS) if isinstance(intent, Enter)]
    if state.position != 0.0 or state.resting_side != 0 or state.leaving:
        assert entries == []
    assert all(entry.size == state.size > 0.0 for entry in entries)
    assert all(entry.side * state.imbalance >= PARAMS.imbalance_entry for entry in entries)


@given(states)
def test_never_an_exit_while_flat_and_always_one_past_the_time_stop(state: OrderFlowState) -> None:
    exits = [intent for intent in decide(state, PARAMS) if isinstance(intent, Exit)]
    overdue = state.ts_ns - state.entry_ts_ns >= PARAMS.max_hold_secs * SEC
    if state.position == 0.0 or state.leaving:
        assert exits == []
    elif overdue:
        assert len(exits) == 1


@given(states)
def test_a_mirrored_market_gives_the_mirrored_decision(state: OrderFlowState) -> None:
    mirrored = replace(
        state,
        imbalance=-state.imbalance,
        score=-state.score,
        flow=-state.flow,
        edge_bps=-state.edge_bps,
        resting_side=-state.resting_side,
    )
    if state.position == 0.0:
        ours, theirs = decide(state, PARAMS), decide(mirrored, PARAMS)
        assert [type(intent) for intent in ours] == [type(intent) for intent in theirs]
        for one, other in zip(ours, theirs, strict=True):
            if isinstance(one, Enter) and isinstance(other, Enter):
                assert (one.side, one.edge_bps) == (-other.side, other.edge_bps)


def test_a_shortest_hold_beyond_the_time_stop_is_refused() -> None:
    with pytest.raises(ValidationError, match="min_hold_secs"):
        OrderFlowParams(min_hold_secs=60, max_hold_secs=60)


def test_features_turn_a_heavy_bid_into_a_positive_edge() -> None:
    features = OrderFlowFeatures(OrderFlowParams(book_levels=2))
    for step in range(100):
        now = step * SEC // 10
        features.ofi.update(now, 100.0, 5.0 + step, 100.1, 5.0)
        features.on_trade(now, 1, 100.1, 1.0)
        features.on_levels(now, 100.05 + 0.01 * (step % 20), [6.0, 6.0], [2.0, 2.0])
    assert features.imbalance.value == pytest.approx(0.5)
    assert features.flow.ratio == pytest.approx(1.0)
    assert features.score > 0.0
    sigma_bps = features.sigma.value / 100.0 * 1e4
    assert features.edge_bps(100.0) == pytest.approx(features.ic.value * features.score * sigma_bps * 60.0**0.5)
    assert features.edge_bps(100.0) > 0.0
