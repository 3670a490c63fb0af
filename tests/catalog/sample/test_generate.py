from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from catalog.certificate import Grade
from catalog.kinds import Kind
from catalog.partition import action_codes
from catalog.sample import INSTRUMENT_ID, SampleSpec, ensure_sample, generate
from catalog.sample.generate import CHUNK_US, spans
from catalog.sample.schedule import MINUTE_US, Regime, longest
from catalog.sample.statistics import SECOND_NS, MarketData, market_orders
from catalog.store import Catalog, Period
from catalog.tables import Action, nanoseconds
from tests.catalog.sample.conftest import HOUR

ROOT = Path(__file__).resolve().parents[3]
SHORT = SampleSpec(seed=5, minutes=2, funding_at_minute=1)
SCRIPT = """
import sys
from pathlib import Path
from catalog.sample import SampleSpec, ensure_sample
print(ensure_sample(SampleSpec(seed=5, minutes=2, funding_at_minute=1), Path(sys.argv[1])).name)
"""


def _start(root: Path, hash_seed: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", SCRIPT, str(root)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _digests(catalog: Path) -> dict[str, str]:
    files = sorted(
        path for folder in ("data", "certificates") for path in (catalog / folder).rglob("*.*") if path.is_file()
    )
    return {path.relative_to(catalog).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.req("D-9", "B-6")
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    processes = [_start(tmp_path / seed, seed) for seed in ("1", "2")]
    names = [process.communicate(timeout=120)[0].strip() for process in processes]
    first, second = (_digests(tmp_path / seed / name) for seed, name in zip(("1", "2"), names, strict=True))
    assert first == second
    assert len(first) == 7  # five kinds, the instrument and the certificate


def test_two_processes_at_once_share_one_sample(tmp_path: Path) -> None:
    processes = [_start(tmp_path, seed) for seed in ("1", "2")]
    names = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert names == {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert Catalog(tmp_path / names.pop()).certificates(INSTRUMENT_ID)[0].grade is Grade.A


def test_another_seed_gives_another_market(tmp_path: Path) -> None:
    one, other = (ensure_sample(SampleSpec(seed=seed, minutes=1), tmp_path) for seed in (1, 2))
    assert set(_digests(one).values()).isdisjoint(
        digest for name, digest in _digests(other).items() if "/crypto_perpetual/" not in name
    )


def test_a_sample_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    catalog = ensure_sample(SHORT, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in catalog.rglob("*.parquet")}
    assert ensure_sample(SHORT, tmp_path) == catalog
    assert {path: path.stat().st_mtime_ns for path in catalog.rglob("*.parquet")} == before


@pytest.mark.req("D-8", "D-9", "B-0")
def test_the_certificate_is_grade_a_marked_synthetic_and_counts_what_is_there(hour_catalog: Path) -> None:
    (certificate,) = Catalog(hour_catalog).certificates(INSTRUMENT_ID)
    measures = certificate.measures
    assert (certificate.grade, certificate.reasons, certificate.synthetic) == (Grade.A, (), True)
    assert measures.tops_equal == measures.tops_compared == measures.delta_batches - 1
    assert measures.crossed == 0
    for kind, count in ((Kind.DELTAS, measures.deltas), (Kind.TRADES, measures.trades), (Kind.QUOTES, measures.quotes)):
        assert Catalog(hour_catalog).count(INSTRUMENT_ID, kind) == count


def test_an_hour_has_the_promised_message_rates(hour_catalog: Path, hour: MarketData) -> None:
    assert 10 <= len(hour.depth.ts_ns) / 3_600 <= 20
    assert Catalog(hour_catalog).count(INSTRUMENT_ID, Kind.MARK) == 3_600
    assert len(hour.quotes.ts_ns) / 3_600 > 15


def _minute_volatilities(hour: MarketData) -> NDArray[np.float64]:
    mids = hour.quotes.mid_at(HOUR.start_ns + np.arange(HOUR.minutes * 60 + 1) * SECOND_NS)
    return np.asarray(np.sqrt(np.mean(np.diff(mids).reshape(-1, 60) ** 2, axis=1)))


@pytest.mark.req("D-9")
def test_the_fast_market_moves_at_least_three_times_as_much_as_the_median_minute(hour: MarketData) -> None:
    minutes = _minute_volatilities(hour)
    fast = longest(60, Regime.FAST)
    first, last = -(-fast.start_us // MINUTE_US), fast.end_us // MINUTE_US
    assert (first, last) == (18, 21)
    assert np.sqrt(np.mean(minutes[first:last] ** 2)) >= 3 * np.median(minutes)


@pytest.mark.req("D-9")
def test_the_quiet_stretch_has_seconds_without_any_event(hour: MarketData) -> None:
    quiet = longest(60, Regime.QUIET)
    start, end = (
        HOUR.start_ns + us * 1_000 for us in (quiet.start_us + MINUTE_US // 60, quiet.end_us - MINUTE_US // 60)
    )
    part = hour.between(start, end)
    moments = np.sort(np.concatenate([part.quotes.ts_ns, part.trades.ts_ns, part.depth.ts_ns]))
    assert np.diff(moments).max() > 3 * SECOND_NS
    assert len(market_orders(part.trades).ts_ns) < 20  # in 142 s; a calm market has 15 a second


@pytest.mark.req("D-9", "B-3")
def test_the_funding_time_is_announced_before_and_the_next_one_after(hour_catalog: Path) -> None:
    rates = [
        event
        for chunk in Catalog(hour_catalog).chunks([INSTRUMENT_ID], None, kinds=frozenset({Kind.FUNDING}))
        for event in chunk
    ]
    half_past = HOUR.start_ns + 30 * 60 * SECOND_NS
    due = [rate.next_funding_ns for rate in rates]
    assert due == [half_past] * 30 + [half_past + 8 * 3_600 * SECOND_NS] * 30
    assert len({str(rate.rate) for rate in rates}) == 2


def test_without_a_funding_minute_there_is_no_funding(tmp_path: Path) -> None:
    catalog = ensure_sample(SampleSpec(minutes=1), tmp_path)
    assert Catalog(catalog).count(INSTRUMENT_ID, Kind.FUNDING) == 0


def test_every_event_is_received_inside_the_period_and_after_it_happened(hour_catalog: Path) -> None:
    for file in (hour_catalog / "data").rglob(f"*/{INSTRUMENT_ID}/2*.parquet"):
        table = pq.read_table(file, columns=["ts_event", "ts_init"])
        event, receipt = nanoseconds(table["ts_event"]), nanoseconds(table["ts_init"])
        assert receipt[0] >= HOUR.start_ns
        assert receipt[-1] < HOUR.end_ns
        assert np.all(np.diff(event) >= 0)
        assert np.all((receipt - event >= 1_000_000) & (receipt - event <= 200_000_000))


def test_the_first_event_of_the_book_is_a_snapshot_and_messages_arrive_in_order(tmp_path: Path) -> None:
    catalog = Catalog(ensure_sample(SHORT, tmp_path))
    kinds = frozenset({Kind.DELTAS, Kind.TRADES, Kind.QUOTES, Kind.MARK, Kind.FUNDING})
    events = [event for chunk in catalog.chunks([INSTRUMENT_ID], None, kinds=kinds) for event in chunk]
    batches = [event for event in events if hasattr(event, "deltas")]
    assert batches[0].is_snapshot
    assert len(batches[0].deltas) > 100
    assert all(before.ts_init <= after.ts_init for before, after in pairwise(events))


@pytest.mark.req("D-9")
def test_each_utc_day_is_a_partition_that_starts_with_a_snapshot(tmp_path: Path) -> None:
    spec = SampleSpec(minutes=4, start=datetime(2024, 8, 7, 23, 58, tzinfo=UTC))
    generate(spec, tmp_path)
    files = sorted((tmp_path / "data" / Kind.DELTAS.folder / INSTRUMENT_ID).glob("*.parquet"))
    assert [file.name[:10] for file in files] == ["2024-08-07", "2024-08-08"]
    assert all(action_codes(pq.read_table(file).slice(0, 1))[0] == Action.CLEAR for file in files)
    certificates = Catalog(tmp_path).certificates(INSTRUMENT_ID, Period(spec.start_ns, spec.end_ns))
    assert [(c.day, c.grade) for c in certificates] == [("2024-08-07", Grade.A), ("2024-08-08", Grade.A)]


def test_spans_are_at_most_ten_minutes_and_never_reach_over_midnight() -> None:
    spec = SampleSpec(minutes=25, start=datetime(2024, 8, 7, 23, 56, 30, tzinfo=UTC))
    minutes = [(start / MINUTE_US, end / MINUTE_US) for start, end in spans(spec)]
    assert minutes == [(0, 3.5), (3.5, 10), (10, 20), (20, 25)]
    assert CHUNK_US == 10 * MINUTE_US


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    generate(SampleSpec(minutes=11), tmp_path, seen.append)
    assert seen == [pytest.approx(10 / 11), 1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"minutes": 0},
        {"minutes": 10_081},
        {"minutes": 5, "funding_at_minute": 5},
        {"start": "2024-08-08T00:00:00"},
        {"start": "2024-08-08T00:00:00+02:00"},
        {"start": "2024-08-08T00:00:00.5Z"},
        {"length": 5},
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleSpec.model_validate(wrong)


def test_a_spec_reads_back_from_its_json_and_keeps_its_digest() -> None:
    again = SampleSpec.model_validate(json.loads(HOUR.model_dump_json()))
    assert again.digest() == HOUR.digest() != SHORT.digest()


@pytest.mark.req("D-9")
def test_the_first_minute_of_seed_seven_is_what_this_generator_version_promises(tmp_path: Path) -> None:
    """When this fails on purpose, raise GENERATOR_VERSION: caches of the old version hold other data."""
    catalog = ensure_sample(SampleSpec(seed=7, minutes=1), tmp_path)
    rows = hashlib.sha256()
    for kind in (Kind.DELTAS, Kind.MARK, Kind.QUOTES, Kind.TRADES):
        (file,) = (catalog / "data" / kind.folder / INSTRUMENT_ID).glob("*.parquet")
        rows.update(json.dumps(pq.read_table(file).to_pydict(), default=str).encode())
    assert rows.hexdigest() == "a1382ac4d343b7817ec198a7643a2e92caee794dc675791413a63c4af91640f9"
