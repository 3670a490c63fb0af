"""The black box of a node, fed by a small market on the real engine and bus; no live node is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.maintenance import verify
from catalog.store import Catalog, Kind
from execution.journal import RiskEvent
from execution.topics import RISK
from monitoring.blackbox import BlackBoxConfig
from monitoring.incidents.actor import BlackBoxActor, BlackBoxActorConfig
from monitoring.incidents.caught import FlightSetup
from monitoring.incidents.flight import FlightRecorder
from monitoring.incidents.record import Incident, read
from runners.engine_venue import VenuePlan, with_margins
from runners.host import replay
from runners.latency import plan_latency
from tests.runners import tiny

CONFIG = BlackBoxConfig(window_secs=30, lead_secs=0, after_secs=2)
KINDS = frozenset({Kind.DELTAS, Kind.TRADES})


class Told(BlackBoxActor):
    """Publishes risk events at given seconds, as gate and breakers would."""

    events: Mapping[int, list[RiskEvent]] = {}

    def _second(self, event: Any) -> None:
        for found in self.events.get(round((event.ts_event - tiny.START) / tiny.S), []):
            self.publish_message(RISK, found)
        super()._second(event)


def halt(secs: float, name: str = "kill_switch", detail: str = "an ungated order") -> RiskEvent:
    return RiskEvent(tiny.at(secs), "halt", name, "", "open", "hard", detail, {"found": 1})


def hard(secs: float, name: str = "feed_silence_ms", detail: str = "no market event") -> RiskEvent:
    return RiskEvent(tiny.at(secs), "breaker", name, "", "open", "hard", detail, {"silent_ms": 15_000.0})


def soft(secs: float) -> RiskEvent:
    return RiskEvent(tiny.at(secs), "breaker", "book_stale_ms", tiny.NAME, "open", "soft", "no book update", {})


def flown(state: Path, *events: RiskEvent, secs: int = 120, config: BlackBoxConfig = CONFIG) -> FlightRecorder:
    """Run a market of one message a second, a round trip at 50 s and 55 s, and the given risk events."""
    plan_config = tiny.venue_config()
    plan = VenuePlan(
        plan_config, {tiny.NAME: with_margins(tiny.perpetual(), 3)}, plan_latency(plan_config), False, True
    )
    steps = [
        {"at": 50, "do": "market", "side": "BUY", "size": "0.500"},
        {"at": 55, "do": "market", "side": "SELL", "size": "0.500", "reduce_only": True},
    ]
    package = tiny.package(steps, plan)
    journal = package.journal
    setup = FlightSetup(
        config, "test", "demo-1", "c0ffee", {"risk": {}}, tiny.START, plan.instruments, journal.orders.get
    )  # fmt: skip
    recorder = FlightRecorder(setup, package.services.gate, state)
    actor = Told(BlackBoxActorConfig(recorder, (tiny.NAME,), package.services.faults))
    actor.events = {}
    for event in events:
        actor.events.setdefault(round((event.ts_ns - tiny.START) / tiny.S), []).append(event)
    market = [*tiny.opening(), *(tiny.beat(second) for second in range(1, secs))]
    market += [tiny.trade(second + 0.5, 100.0, 0.1, "SELL") for second in range(1, secs, 10)]
    ordered = sorted(market, key=lambda event: event.ts_init)
    replay(plan, replace(package, actors=(*package.actors, actor)), [ordered])
    assert package.services.faults.first is None
    recorder.close(tiny.at(secs))
    assert recorder.problems == []
    return recorder


def only(state: Path) -> Incident:
    (folder,) = (state / "incidents").iterdir()
    return read(folder)


@pytest.mark.req("X-8")
def test_a_trip_of_a_node_leaves_an_incident_with_market_orders_fills_and_edges(tmp_path: Path) -> None:
    flown(tmp_path, soft(58), halt(60))
    incident = only(tmp_path)
    assert (incident.origin, incident.account, incident.cause, incident.reason) == (
        "live", "demo-1", "kill_switch", "an ungated order",
    )  # fmt: skip
    assert incident.ts_ns == tiny.at(60)
    assert [row["name"] for row in incident.risk_events] == ["book_stale_ms", "kill_switch"]
    assert [(row["side"], row["quantity"], row["position_after"]) for row in incident.fills] == [
        ("BUY", "0.5", "0.5"), ("SELL", "0.3", "0.2"), ("SELL", "0.2", "0"),
    ]  # fmt: skip
    assert [row["status"] for row in incident.orders] == ["FILLED", "FILLED"]
    assert incident.market[tiny.NAME].bid == 100.0
    assert incident.opening.positions == {}


@pytest.mark.req("X-8")
def test_its_market_is_a_sound_catalog_that_opens_with_a_full_book_and_says_it_is_an_excerpt(tmp_path: Path) -> None:
    flown(tmp_path, halt(60))
    (folder,) = (tmp_path / "incidents").iterdir()
    assert folder.name == "1-kill_switch"
    assert verify(folder / "catalog") == []
    catalog = Catalog(folder / "catalog")
    events = [event for chunk in catalog.chunks([tiny.NAME], None, kinds=KINDS) for event in chunk]
    first = events[0]
    sizes = {(d.order.side.name, float(d.order.price)): float(d.order.size) for d in first.deltas[1:]}
    assert sizes[("SELL", 100.2)] == 1.0
    assert sizes[("BUY", 99.8)] == 3.0
    (certificate,) = catalog.certificates(tiny.NAME)
    assert [source.kind for source in certificate.sources] == ["excerpt"]
    assert tiny.at(0) <= first.ts_init <= tiny.at(30)
    assert events[-1].ts_init <= tiny.at(62)


@pytest.mark.req("X-8")
def test_what_trips_at_one_instant_is_one_incident_named_after_the_halt(tmp_path: Path) -> None:
    flown(tmp_path, hard(60), halt(60, detail="feed_silence_ms: no market event"))
    incident = only(tmp_path)
    assert incident.cause == "kill_switch"
    assert incident.also == ("feed_silence_ms: no market event",)


@pytest.mark.req("X-8")
def test_the_same_cause_within_a_minute_makes_no_second_incident_and_numbers_go_on(tmp_path: Path) -> None:
    flown(tmp_path, hard(20), hard(50), hard(85))
    flown(tmp_path, halt(60))
    names = sorted(path.name for path in (tmp_path / "incidents").iterdir())
    assert names == ["1-feed_silence_ms", "2-feed_silence_ms", "3-kill_switch"]


def test_a_trip_right_before_the_end_is_written_with_what_there_is(tmp_path: Path) -> None:
    flown(tmp_path, halt(119))
    assert only(tmp_path).ts_ns == tiny.at(119)


def test_a_soft_edge_makes_no_incident(tmp_path: Path) -> None:
    assert flown(tmp_path, soft(60)).written == []
    assert not (tmp_path / "incidents").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "incidents").write_text("in the way", encoding="utf-8")
    with pytest.raises(AssertionError, match="could not be written"):
        flown(tmp_path, halt(60))


def test_an_incident_holds_no_infinity_and_no_float_money(tmp_path: Path) -> None:
    flown(tmp_path, halt(60))
    (folder,) = (tmp_path / "incidents").iterdir()
    written = json.loads((folder / "incident.json").read_text(encoding="utf-8"))
    assert isinstance(written["trip"]["equity"], str)
