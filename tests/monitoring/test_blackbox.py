"""The ring of the last minutes: bounded by time and count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitoring.blackbox import BlackBox, BlackBoxConfig

SEC = 1_000_000_000
BTC, ETH = "BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"


def box(**limits: float) -> BlackBox:
    return BlackBox(BlackBoxConfig.model_validate({"window_secs": 60, **limits}))


@pytest.mark.req("X-8")
def test_events_are_kept_for_the_window_and_no_longer() -> None:
    ring = box()
    for second in range(200):
        ring.market(second * SEC, BTC, second)
    kept = ring.incident(199 * SEC, "drawdown").market
    assert [entry.event for entry in kept] == list(range(139, 200))


@pytest.mark.req("X-8")
def test_a_flood_of_market_data_pushes_out_no_order_event_and_says_what_it_cost() -> None:
    ring = box(max_market_events=10)
    ring.order(0, "h1", "OrderAccepted")
    ring.risk(0, "feed_age_ms", "late")
    for number in range(1000):
        ring.market(SEC + number, BTC, number)
    incident = ring.incident(2 * SEC, "drawdown")
    assert [entry.event for entry in incident.market] == list(range(990, 1000))
    assert [entry.event for entry in incident.order] == ["OrderAccepted"]
    assert [entry.event for entry in incident.risk] == ["late"]
    assert incident.dropped["order"] == 0
    assert incident.dropped["market"] >= 10


def test_old_losses_are_not_reported_for_a_later_window() -> None:
    ring = box(max_market_events=2)
    for number in range(5):
        ring.market(number, BTC, number)
    ring.market(100 * SEC, BTC, "later")
    assert ring.incident(100 * SEC, "why").dropped["market"] == 0


@pytest.mark.req("X-8")
def test_market_data_starts_where_replay_can_start_for_each_instrument() -> None:
    ring = box()
    for second, (iid, anchor) in enumerate([(BTC, False), (ETH, False), (BTC, True), (ETH, False), (BTC, False)]):
        ring.market(second * SEC, iid, second, anchor=anchor)
    kept = ring.incident(5 * SEC, "why").market
    assert [(entry.source, entry.event) for entry in kept] == [(ETH, 1), (BTC, 2), (ETH, 3), (BTC, 4)]


def test_an_incident_does_not_change_when_the_box_goes_on() -> None:
    ring = box()
    ring.order(0, "h1", "sent")
    incident = ring.incident(0, "why")
    ring.order(1, "h1", "filled")
    assert [entry.event for entry in incident.order] == ["sent"]


@pytest.mark.parametrize("wrong", [{"window_secs": 0}, {"max_market_events": 0}, {"minutes": 5}])
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        BlackBoxConfig.model_validate(wrong)


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 20))
def test_the_ring_is_always_the_newest_events_within_both_bounds(waits: list[int], capacity: int) -> None:
    ring, instants = box(max_order_events=capacity), [0]
    for wait in waits:
        instants.append(instants[-1] + wait)
    for instant in instants:
        ring.order(instant * SEC, "h1", instant)
    now = instants[-1]
    kept = ring.incident(now * SEC, "why")
    expected = [instant for instant in instants if instant >= now - 60]
    assert [entry.event for entry in kept.order] == expected[-capacity:]
