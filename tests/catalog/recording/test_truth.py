"""The recordings, checked with independent means: plain JSON, and Nautilus' own catalog and order book."""

from __future__ import annotations

import bisect
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import BookType, InstrumentId, OrderBook, OrderBookDeltas
from nautilus_trader.persistence import ParquetDataCatalog

from catalog.kinds import Kind
from catalog.maintenance import verify
from catalog.recording.ingest import ingest_recording
from catalog.store import Catalog, Period

F_LAST = 128
PERP, SPOT = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"
MARKETS = pytest.mark.parametrize("market", ["usdm", "spot"])


@pytest.fixture
def recording(market: str, request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(f"{market}_recording")
    return path


@pytest.fixture
def catalog(market: str, request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(f"{market}_catalog")
    return path


def instrument_id(market: str) -> str:
    return PERP if market == "usdm" else SPOT


def messages(recording: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    with gzip.open(recording, "rt") as lines:
        for line in lines:
            stamp, body = line.split(" ", 1)
            message = json.loads(body)
            stream = message.get("stream", "@snapshot").split("@")[1]
            yield int(stamp), stream, message.get("data", message)


def batches(catalog: Path, iid: str) -> Iterator[OrderBookDeltas]:
    """Read back with Nautilus and group by the flag, snapshots that only open a day included."""
    pending = []
    for delta in ParquetDataCatalog(str(catalog)).query_order_book_deltas([iid]):
        pending.append(delta)
        if delta.flags & F_LAST:
            yield OrderBookDeltas(InstrumentId.from_str(iid), pending)
            pending = []
    assert not pending


@MARKETS
@pytest.mark.req("D-8")
def test_after_every_depth_batch_the_top_of_book_equals_the_newest_book_ticker(
    market: str, recording: Path, catalog: Path
) -> None:
    tickers = [payload for _, stream, payload in messages(recording) if stream == "bookTicker"]
    ids = [payload["u"] for payload in tickers]
    iid = instrument_id(market)
    book, compared = OrderBook(InstrumentId.from_str(iid), BookType.L2_MBP), 0
    for batch in batches(catalog, iid):
        book.apply_deltas(batch)
        newest = tickers[bisect.bisect_right(ids, batch.sequence) - 1]
        best = (book.best_bid_price(), book.best_bid_size(), book.best_ask_price(), book.best_ask_size())
        assert [exact(value) for value in best] == [Decimal(newest[name]) for name in "bBaA"]
        compared += 1
    days = Catalog(catalog).certificates(iid)
    carried = sum(bool(day.measures.carried) for day in days)
    assert (
        compared - carried == sum(day.measures.tops_compared for day in days) == {"usdm": 6_548, "spot": 3_450}[market]
    )
    assert all(day.measures.tops_equal == day.measures.tops_compared for day in days)


@MARKETS
@pytest.mark.req("D-5")
def test_counts_equal_the_recording_s_after_the_documented_exclusions(
    market: str, recording: Path, catalog: Path
) -> None:
    last_snapshot, levels, trades, quotes, buffered = 0, 0, 0, 0, []
    for _, stream, payload in messages(recording):
        if stream == "trade":
            trades += payload.get("X", "MARKET") == "MARKET"
        elif stream == "bookTicker":
            quotes += 1
        elif stream == "snapshot":
            last_snapshot = payload["lastUpdateId"]
            levels += 1 + len(payload["bids"]) + len(payload["asks"])
        else:
            buffered.append(payload)
    kept = [payload for payload in buffered if payload["u"] > last_snapshot]
    levels += sum(len(payload["b"]) + len(payload["a"]) for payload in kept)
    store, iid = Catalog(catalog), instrument_id(market)
    days = [day.measures for day in store.certificates(iid)]
    assert sum(day.trades for day in days) == store.count(iid, Kind.TRADES) == trades
    assert sum(day.quotes for day in days) == store.count(iid, Kind.QUOTES) == quotes
    assert sum(day.deltas for day in days) == store.count(iid, Kind.DELTAS) - sum(day.carried for day in days) == levels
    excluded = sum(day.excluded.get("depth before its snapshot", 0) for day in days)
    assert excluded == len(buffered) - len(kept)
    assert sum(day.delta_batches for day in days) == len(kept) + 1


@MARKETS
@pytest.mark.req("D-8")
def test_both_recordings_are_grade_a_on_both_days(market: str, catalog: Path) -> None:
    days = Catalog(catalog).certificates(instrument_id(market))
    assert [(day.day, day.grade.value, day.reasons) for day in days] == [
        ("2024-08-08", "A", ()),
        ("2024-08-09", "A", ()),
    ]
    assert verify(catalog) == []


@MARKETS
def test_the_clock_correction_leaves_a_smallest_latency_of_one_millisecond(
    market: str, recording: Path, catalog: Path
) -> None:
    smallest = min(
        stamp - payload["E"] * 1_000_000
        for stamp, _, payload in messages(recording)
        if "e" in payload and "E" in payload
    )
    source = Catalog(catalog).certificates(instrument_id(market))[0].sources[0]
    assert smallest < -1_200_000_000
    assert source.clock_offset_ns == 1_000_000 - smallest
    trades = ParquetDataCatalog(str(catalog)).query_trade_ticks([instrument_id(market)])
    assert min(tick.ts_init - tick.ts_event for tick in trades) >= 1_000_000


@MARKETS
def test_nautilus_reads_quotes_and_trades_as_recorded(market: str, recording: Path, catalog: Path) -> None:
    theirs = ParquetDataCatalog(str(catalog))
    offset = Catalog(catalog).certificates(instrument_id(market))[0].sources[0].clock_offset_ns
    every = [(stamp + offset, stream, payload) for stamp, stream, payload in messages(recording)]
    quotes = [(at, *(Decimal(p[name]) for name in "bBaA")) for at, stream, p in every if stream == "bookTicker"]
    read = theirs.query_quote_ticks([instrument_id(market)])
    assert [(q.ts_init, *map(exact, (q.bid_price, q.bid_size, q.ask_price, q.ask_size))) for q in read] == quotes
    trades = [
        (at, Decimal(p["p"]), Decimal(p["q"]), str(p["t"]), "SELL" if p["m"] else "BUY")
        for at, stream, p in every
        if stream == "trade"
    ]
    ticks = theirs.query_trade_ticks([instrument_id(market)])
    assert [(t.ts_init, exact(t.price), exact(t.size), str(t.trade_id), t.aggressor_side.name) for t in ticks] == trades


def exact(value: object) -> Decimal:
    """Return a Nautilus price or quantity as it prints: ``float`` of it differs in the last bit."""
    return Decimal(str(value))


def test_a_book_from_deltas_alone_is_graded_lower_although_its_top_may_be_right(
    usdm_recording: Path, tmp_path: Path
) -> None:
    lines = gzip.decompress(usdm_recording.read_bytes()).splitlines(keepends=True)[:20_000]
    file = tmp_path / "no-snapshot.txt"
    file.write_bytes(b"".join(line for line in lines if b"lastUpdateId" not in line))
    done = ingest_recording(file, market="usdm", symbol="BTCUSDT", catalog=tmp_path / "catalog", from_deltas_alone=True)
    (day,) = done.certificates
    assert (day.grade.value, day.measures.book_from_deltas_alone, day.measures.snapshots) == ("C", True, 0)
    assert day.measures.tops_equal > 0.99 * day.measures.tops_compared > 1_500


def test_a_period_in_the_middle_opens_with_the_true_book(usdm_catalog: Path) -> None:
    store = Catalog(usdm_catalog)
    whole = store.coverage(PERP)
    middle = (whole.start_ns + whole.end_ns) // 2
    kinds = frozenset({Kind.DELTAS})
    full, part = (OrderBook(InstrumentId.from_str(PERP), BookType.L2_MBP) for _ in range(2))
    for chunk in store.chunks([PERP], Period(whole.start_ns, middle), kinds=kinds):
        for batch in chunk:
            full.apply_deltas(batch)
    opening = next(iter(store.chunks([PERP], Period(middle, whole.end_ns), kinds=kinds)))[0]
    assert opening.ts_init == middle
    part.apply_deltas(opening)
    for side in ("bids", "asks"):
        levels = [[(str(level.price), level.size()) for level in getattr(book, side)()] for book in (full, part)]
        assert levels[0] == levels[1]
        assert len(levels[0]) > 1_000
