"""The host: chunks, faults, warm-up, end of run, sampled latency, account."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from errors import ConfigError, RunFailed
from runners.engine_venue import VenuePlan, with_margins
from runners.host import Outcome, replay
from runners.latency import LatencyPlan, plan_latency
from tests.runners.tiny import (
    NAME,
    START,
    S,
    beat,
    change,
    fills,
    opening,
    package,
    perpetual,
    run,
    statuses,
    trade,
    venue_config,
)

MS = 1_000_000


def busy(count: int = 300) -> list[Any]:
    """A book that moves, with trades in it."""
    rng = random.Random(1)
    events: list[Any] = []
    for i in range(1, count):
        events.append(
            change(
                i * 0.1, bids=[(100.0, round(rng.uniform(0.5, 2), 3))], asks=[(100.2, round(rng.uniform(0.5, 2), 3))]
            )
        )
        events.append(
            trade(i * 0.1, 100.0 if i % 2 else 100.2, round(rng.uniform(0.05, 0.9), 3), "SELL" if i % 2 else "BUY")
        )
    return opening() + events


STEPS = [
    {"at": 1, "do": "limit", "size": "0.500", "price": "100.0", "post_only": True},
    {"at": 5, "do": "market", "size": "0.700"},
    {"at": 9, "do": "limit", "side": "SELL", "size": "0.600", "price": "100.2", "post_only": True},
    {"at": 20, "do": "cancel"},
]


def tables(outcome: Outcome, folder: Path) -> dict[str, bytes]:
    """Parquet bytes of everything a run leaves."""
    assert outcome.market is not None
    assert outcome.volume is not None
    found = {}
    for name, table in {**outcome.tables, "market": outcome.market, "volume": outcome.volume}.items():
        pq.write_table(table.combine_chunks(), folder / name, compression="zstd")
        found[name] = (folder / name).read_bytes()
    return found


@pytest.mark.req("B-6")
def test_chunk_size_changes_no_byte_of_any_table(tmp_path: Path) -> None:
    whole = run(busy(), STEPS, latency_ms={"insert": 200, "cancel": 150})
    assert len(fills(whole)) >= 3
    for size in (1, 7, 100):
        cut = run(busy(), STEPS, chunk=size, latency_ms={"insert": 200, "cancel": 150})
        assert tables(cut, tmp_path) == tables(whole, tmp_path)
        assert cut.account == whole.account


@pytest.mark.req("B-7")
def test_a_strategy_that_raises_ends_the_run_between_chunks() -> None:
    fed: list[float] = []

    def chunks() -> Iterator[list[Any]]:
        yield opening()
        for secs in range(1, 50):
            fed.append(secs)
            yield [beat(secs)]

    config = venue_config()
    plan = VenuePlan(config, {NAME: with_margins(perpetual(), 3)}, plan_latency(config), False, True)
    with pytest.raises(RunFailed, match=r"Scripted: on_book_deltas raised ValueError\('planted'\).*scripted\.py:\d+"):
        replay(plan, package([{"at": 3, "do": "raise"}], plan), chunks())
    assert fed == [1, 2, 3]


@pytest.mark.req("B-7")
def test_a_run_without_events_fails() -> None:
    with pytest.raises(RunFailed, match="nothing was replayed"):
        run([], [])


@pytest.mark.req("B-8")
def test_no_entry_is_sent_during_warm_up() -> None:
    steps = [{"at": 1, "do": "market"}, {"at": 3, "do": "market"}]
    outcome = run([*opening(), beat(1), beat(2), beat(3)], steps, trading_start_ns=START + 2 * S)
    assert [fill[0] for fill in fills(outcome)] == [3.0]
    assert [row["reason"] for row in outcome.tables["refusals"].to_pylist()] == ["warm_up"]


def test_flatten_closes_the_position_before_the_end() -> None:
    events = [*opening(), *[beat(i) for i in range(1, 9)]]
    outcome = run(events, [{"at": 1, "do": "market", "size": "0.500"}], trading_end_ns=START + 5 * S)
    assert [(f[0], f[1]) for f in fills(outcome)] == [(1.0, "BUY"), (5.0, "SELL")]
    assert outcome.account["positions"] == {}


def test_mark_leaves_the_position_at_mid_and_states_the_fee_to_close_it() -> None:
    account = run([*opening(), beat(1), beat(2)], [{"at": 1, "do": "market"}]).account
    # bought 1 at 100.2, mid 100.1; taker fee 100.2 × 5 bps = 0.0501; to close 100.1 × 5 bps = 0.05005
    assert Decimal(account["unrealised_at_mid"]) == Decimal("-0.1")
    assert Decimal(account["net_pnl"]) == Decimal("-0.1501")
    assert Decimal(account["fees"]) == Decimal("0.0501")
    assert Decimal(account["fee_to_close"]) == Decimal("0.05005")


def test_a_maker_rebate_is_paid_out() -> None:
    steps = [{"at": 1, "do": "limit", "size": "0.500", "price": "100.0", "post_only": True}]
    outcome = run(
        [*opening(), beat(1), trade(2, 100.0, 1.5, "SELL"), beat(3)], steps, fees={"maker_bps": -1.0, "taker_bps": 5.0}
    )
    assert Decimal(outcome.account["fees"]) == Decimal("-0.005")  # 0.5 × 100 × −1 bps


def test_market_and_volume_tables_hold_what_was_replayed() -> None:
    events = [
        *opening(),
        change(1, bids=[(100.1, 0.5)]),
        beat(2),
        change(61, bids=[(100.1, 0)]),
        trade(62, 100.2, 0.7, "BUY"),
    ]
    outcome = run(events, [])
    assert outcome.market is not None
    assert outcome.volume is not None
    rows = [(r["ts_ns"] - START, r["bid"], r["bid_size"], r["ask"]) for r in outcome.market.to_pylist()]
    assert rows == [(0, 100.0, 1.0, 100.2), (S, 100.1, 0.5, 100.2), (61 * S, 100.0, 1.0, 100.2)]
    minutes = [
        (r["minute_ns"] - START, r["buy_volume"], r["sell_volume"], r["trades"]) for r in outcome.volume.to_pylist()
    ]
    assert minutes == [(0, 0.0, 0.1, 1), (60 * S, 0.7, 0.0, 1)]


def test_prices_in_the_market_table_are_the_nearest_floats() -> None:
    events = [
        *opening(),
        change(
            1,
            bids=[(100.0, 0), (99.9, 0), (99.8, 0), (61659.8, 1.486)],
            asks=[(100.2, 0), (100.3, 0), (100.4, 0), (61660.1, 2.0)],
        ),
    ]
    market = run(events, []).market
    assert market is not None
    assert market.to_pylist()[-1] | {"ts_ns": 0, "instrument_id": ""} == {
        "ts_ns": 0, "instrument_id": "", "bid": 61659.8, "bid_size": 1.486, "ask": 61660.1, "ask_size": 2.0,
    }  # fmt: skip


@pytest.mark.req("B-1")
def test_sampled_latency_arrives_at_the_first_event_after_the_drawn_value() -> None:
    events = [*opening(), *[beat(1 + 0.01 * i) for i in range(300)]]
    steps = [{"at": 1 + 0.5 * i, "do": "limit", "size": "0.100", "price": "99.0"} for i in range(4)]
    latency = LatencyPlan((100 * MS, 200 * MS, 300 * MS), (100 * MS,), "test")
    rows = run(events, steps, latency=latency).tables["orders"].to_pylist()
    delays = [round((row["ts_accepted"] - row["ts_ns"]) / MS) for row in rows]
    draws = latency.sampler(7)
    assert draws is not None
    assert delays == [100 + draws.insert_ns() // MS for _ in range(4)]
    assert len(set(delays)) > 1


@pytest.mark.req("B-6")
def test_sampled_latency_repeats_with_the_seed() -> None:
    plan = LatencyPlan(tuple(range(0, 500 * MS, MS)), (0,), "test")
    first, again, other = plan.sampler(7), plan.sampler(7), plan.sampler(8)
    assert first is not None
    assert again is not None
    assert other is not None
    drawn = [first.insert_ns() for _ in range(20)]
    assert drawn == [again.insert_ns() for _ in range(20)]
    assert drawn != [other.insert_ns() for _ in range(20)]


def test_latency_file_is_read_and_named_as_the_source(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    path.write_text(json.dumps({"insert_ms": [100, 250.5], "cancel_ms": [80]}))
    plan = plan_latency(venue_config(latency_ms=None, latency_file=str(path)))
    assert (plan.insert_ns, plan.cancel_ns) == ((100_000_000, 250_500_000), (80_000_000,))
    assert plan.longest_ns == 250_500_000
    assert "2 inserts" in plan.source


@pytest.mark.parametrize(
    "content", ["", "{}", '{"insert_ms": [], "cancel_ms": [1]}', '{"insert_ms": [-1], "cancel_ms": [1]}']
)
def test_latency_file_with_wrong_content_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "measured.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="wanted JSON"):
        plan_latency(venue_config(latency_ms=None, latency_file=str(path)))


def test_missing_latency_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        plan_latency(venue_config(latency_ms=None, latency_file=str(tmp_path / "no.json")))


def test_leverage_limits_what_the_account_can_open() -> None:
    outcome = run(
        [*opening(), beat(1), beat(2)],
        [{"at": 1, "do": "market", "size": "2.000"}],
        starting_balance_quote=60,
        leverage=2,
    )
    assert statuses(outcome) == []  # 200.5 of notional needs 100.25 of margin, and the gate says so before the venue
    assert outcome.tables["refusals"].column("reason").to_pylist() == ["margin_floor"]
