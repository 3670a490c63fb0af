"""Recordings with every kind of flaw, written by hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from catalog.certificate import Certificate, Grade
from catalog.kinds import Kind
from catalog.recording.ingest import Ingested, ingest_recording
from catalog.store import Catalog
from errors import DataError
from tests.catalog.lines import ASKS, BIDS, GOOD, START_MS, depth, line, snapshot, ticker, trade, write

PERP_ID = "BTCUSDT-PERP.BINANCE"
EVERY = frozenset(Kind)


def ingest(
    tmp_path: Path, lines: Sequence[str], *, cut: int = 0, alone: bool = False, symbol: str = "BTCUSDT"
) -> Ingested:
    file = write(tmp_path / "recording.gz", lines, cut=cut)
    return ingest_recording(file, market="usdm", symbol=symbol, catalog=tmp_path / "catalog", from_deltas_alone=alone)


def certificate(tmp_path: Path, lines: Sequence[str], **options: Any) -> Certificate:
    (only,) = ingest(tmp_path, lines, **options).certificates
    return only


def events(tmp_path: Path) -> list[Any]:
    chunks = Catalog(tmp_path / "catalog").chunks([PERP_ID], None, kinds=EVERY)
    return [item for chunk in chunks for item in chunk]


def test_a_flawless_recording_is_grade_a_and_every_row_is_there(tmp_path: Path) -> None:
    made = certificate(tmp_path, GOOD)
    assert (made.grade, made.reasons) == (Grade.A, ())
    counted = made.measures
    assert (counted.deltas, counted.delta_batches, counted.trades, counted.quotes) == (8, 3, 2, 3)
    assert (counted.tops_compared, counted.tops_equal) == (3, 3)
    assert counted.excluded == {"depth before its snapshot": 1}
    store = Catalog(tmp_path / "catalog")
    assert [store.count(PERP_ID, kind) for kind in (Kind.DELTAS, Kind.TRADES, Kind.QUOTES)] == [8, 2, 3]


def test_one_venue_message_is_one_batch_with_bids_before_asks(tmp_path: Path) -> None:
    ingest(tmp_path, GOOD)
    batches = [event for event in events(tmp_path) if hasattr(event, "deltas")]
    rows = [
        (str(d.action), str(d.order.side), str(d.order.price), str(d.order.size), d.flags) for d in batches[1].deltas
    ]
    assert rows == [("UPDATE", "BUY", "100.0", "0.700", 0), ("DELETE", "SELL", "100.1", "0.000", 128)]
    assert [batch.flags for batch in batches] == [160, 128, 128]
    assert [batch.sequence for batch in batches] == [10, 20, 30]


def test_times_are_the_venue_s_and_the_corrected_receipt_s(tmp_path: Path) -> None:
    made = certificate(tmp_path, GOOD)
    assert made.sources[0].clock_offset_ns == 0  # the smallest latency is 5 ms
    first = next(event for event in events(tmp_path) if type(event).__name__ == "TradeTick")
    assert (first.ts_event, first.ts_init) == ((START_MS + 17) * 1_000_000, (START_MS + 22) * 1_000_000)


def test_a_recorder_that_is_behind_is_corrected_to_a_smallest_latency_of_one_millisecond(tmp_path: Path) -> None:
    lines = [depth(0, 1, 10, 0, BIDS, ASKS, lag_ms=-1_200), trade(1, 1, "100.0", "1.000", lag_ms=-1_270)]
    made = certificate(tmp_path, [*lines, snapshot(2, 5, BIDS, ASKS)])
    assert made.sources[0].clock_offset_ns == 1_271_000_000
    tick = next(event for event in events(tmp_path) if type(event).__name__ == "TradeTick")
    assert tick.ts_init - tick.ts_event == 1_000_000


def test_quotes_and_trades_before_the_snapshot_are_kept(tmp_path: Path) -> None:
    early = [ticker(1, 5, BIDS[0], ASKS[0]), trade(2, 9, "100.0", "1.000")]
    ingest(tmp_path, [*early, *GOOD[:3]])
    assert [type(event).__name__ for event in events(tmp_path)] == [
        "QuoteTick",
        "TradeTick",
        "OrderBookDeltas",
        "QuoteTick",
    ]


def test_prints_of_the_insurance_fund_are_no_trades(tmp_path: Path) -> None:
    made = certificate(
        tmp_path, [*GOOD, trade(40, 3, "100.1", "5.000", kind="INSURANCE_FUND"), trade(41, 4, "100.1", "1.000")]
    )
    assert made.measures.trades == 3
    assert made.measures.excluded["trade not MARKET"] == 1
    assert made.grade is Grade.A


def test_a_truncated_file_is_a_warning_and_the_data_up_to_it(tmp_path: Path) -> None:
    lines = [*GOOD, *(trade(50 + i, 10 + i, "100.1", f"0.{100 + i % 800}") for i in range(2_000))]
    done = ingest(tmp_path, lines, cut=200)
    (made,) = done.certificates
    assert done.warnings[0].startswith("the file is truncated")
    assert 1_500 < made.measures.trades < 2_002
    assert made.measures.truncated
    assert made.grade is not Grade.A


def test_a_json_line_cut_in_half_is_left_out_and_counted(tmp_path: Path) -> None:
    whole = trade(40, 3, "100.1", "1.000")
    made = certificate(tmp_path, [*GOOD, whole[: len(whole) // 2], trade(41, 4, "100.1", "1.000")])
    assert (made.measures.unreadable, made.measures.trades) == (1, 3)
    assert made.grade is Grade.F  # one line of eleven


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "not a line",
        "xyz {}",
        f"{START_MS}000000",
        f"{START_MS}000000 []",
        line(40, {"e": "trade", "t": 3}, "btcusdt@trade"),
        line(
            40, {"e": "trade", "E": "x", "T": 1, "t": 3, "p": "1", "q": "1", "X": "MARKET", "m": False}, "btcusdt@trade"
        ),
        trade(40, 3, "1e5x", "1.000"),
        trade(40, 3, "", "1.000"),
        trade(40, 3, "NaN", "1.000"),
        trade(40, 3, "100.123456789", "1.000"),
        trade(40, 3, "99999999999999", "1.000"),
    ],
)
def test_a_line_that_is_no_message_never_stops_the_rest(tmp_path: Path, broken: str) -> None:
    made = certificate(tmp_path, [*GOOD, broken, trade(41, 4, "100.1", "1.000")])
    assert (made.measures.unreadable, made.measures.trades) == (int(bool(broken)), 3)


@pytest.mark.parametrize(
    "absurd",
    [
        trade(40, 3, "-100.1", "1.000"),
        trade(40, 3, "0", "1.000"),
        trade(40, 3, "100.1", "0.000"),
        trade(40, 3, "100.1", "-1.000"),
        trade(40, 3, "1001.0", "1.000"),
        trade(40, 3, "10.0", "1.000"),
        ticker(40, 31, ("-1", "1"), ("100.2", "1")),
        ticker(40, 31, ("100.3", "1"), ("100.2", "1")),
        ticker(40, 31, ("100.1", "0"), ("100.2", "1")),
        trade(40, 3, "100.1", "1.000", lag_ms=100_000),
        trade(3_000_000_000, 3, "100.1", "1.000", lag_ms=3_000_000_000),
    ],
)
def test_an_impossible_price_size_or_time_is_left_out_and_counted(tmp_path: Path, absurd: str) -> None:
    made = certificate(
        tmp_path, [*GOOD, absurd, trade(41, 4, "100.1", "1.000"), ticker(42, 32, ("100.1", "0.400"), ASKS[1])]
    )
    assert (made.measures.absurd, made.measures.trades, made.measures.quotes) == (1, 3, 4)


@pytest.mark.parametrize("level", [("-5", "1"), ("0", "1"), ("100.1", "-1"), ("999999.0", "1")])
def test_a_depth_message_with_an_impossible_level_is_a_gap(tmp_path: Path, level: tuple[str, str]) -> None:
    lines = [*GOOD, depth(40, 31, 40, 30, [level]), depth(50, 41, 50, 40, [("99.8", "1.000")])]
    made = certificate(tmp_path, lines)
    assert (made.measures.absurd, made.measures.gaps) == (1, 1)
    assert not made.grade.meets(Grade.B)


def test_a_gap_clears_the_book_and_a_later_snapshot_restores_it(tmp_path: Path) -> None:
    lines = [
        *GOOD,
        depth(40, 51, 60, 50, [("99.8", "1.000")]),
        depth(50, 61, 70, 60, [("99.7", "1.000")]),
        ticker(55, 65, ("100.0", "3.000"), ("100.3", "4.000")),
        snapshot(60, 65, [("100.0", "3.000")], [("100.3", "4.000")]),
        ticker(61, 70, ("100.0", "3.000"), ("100.3", "4.000")),
    ]
    made = certificate(tmp_path, lines)
    assert (made.measures.gaps, made.measures.book_unknown_ns, made.measures.snapshots) == (1, 20_000_000, 2)
    batches = [event for event in events(tmp_path) if hasattr(event, "deltas")]
    cleared, restored, after = batches[-3:]
    assert [str(delta.action) for delta in cleared.deltas] == ["CLEAR"]
    assert cleared.ts_init == (START_MS + 40) * 1_000_000
    assert [str(delta.order.price) for delta in restored.deltas[1:]] == ["100.0", "100.3"]
    assert restored.ts_init == after.ts_init == (START_MS + 60) * 1_000_000
    assert made.measures.tops_equal == made.measures.tops_compared


def test_duplicates_and_swapped_lines_are_put_right_and_counted(tmp_path: Path) -> None:
    lines = [*GOOD[:4], GOOD[3], *GOOD[4:6], GOOD[5], GOOD[8], GOOD[6], GOOD[7], GOOD[4]]
    made = certificate(tmp_path, lines)
    assert (made.measures.duplicates, made.measures.out_of_order) == (2, 1)
    assert (made.measures.deltas, made.measures.trades, made.measures.gaps) == (8, 2, 0)
    assert made.measures.time_backwards == 3
    times = [event.ts_init for event in events(tmp_path)]
    assert times == sorted(times)


def test_without_a_snapshot_the_ingest_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    lines = [text for text in GOOD if "lastUpdateId" not in text]
    with pytest.raises(DataError, match="--from-deltas-alone") as caught:
        ingest(tmp_path, lines)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "catalog").exists()


def test_a_book_from_deltas_alone_is_built_when_asked_and_never_better_than_grade_c(tmp_path: Path) -> None:
    lines = [
        depth(0, 1, 10, 0, BIDS, ASKS),
        ticker(1, 10, BIDS[0], ASKS[0]),
        depth(20, 11, 20, 10, [("99.0", "1.000")]),
    ]
    done = ingest(tmp_path, lines, alone=True)
    (made,) = done.certificates
    assert made.grade is Grade.C
    assert made.measures.book_from_deltas_alone
    assert (made.measures.deltas, made.measures.tops_equal) == (6, 2)
    assert "deltas alone" in done.warnings[0]


def test_the_same_file_again_is_a_no_op(tmp_path: Path) -> None:
    assert ingest(tmp_path, GOOD).new
    before = {file: file.read_bytes() for file in (tmp_path / "catalog").rglob("*") if file.is_file()}
    assert not ingest(tmp_path, GOOD).new
    assert {file: file.read_bytes() for file in (tmp_path / "catalog").rglob("*") if file.is_file()} == before


def test_another_file_about_the_same_time_is_refused(tmp_path: Path) -> None:
    ingest(tmp_path, GOOD)
    with pytest.raises(DataError, match="overlap"):
        ingest(tmp_path, [*GOOD, trade(60, 77, "100.0", "1.000")])


def test_an_unknown_symbol_gets_rules_from_the_data_and_a_lower_grade(tmp_path: Path) -> None:
    lines = [text.replace("BTCUSDT", "ABCUSDT").replace("btcusdt", "abcusdt") for text in GOOD]
    done = ingest(tmp_path, lines, symbol="ABCUSDT")
    instrument = Catalog(tmp_path / "catalog").instrument("ABCUSDT-PERP.BINANCE")
    assert (str(instrument.price_increment), str(instrument.size_increment)) == ("0.1", "0.1")
    assert done.certificates[0].grade is Grade.B
    assert "tick 0.1 and step 0.1 were inferred" in done.warnings[0]


def test_prices_finer_than_the_bundled_tick_make_the_rules_inferred(tmp_path: Path) -> None:
    made = certificate(tmp_path, [*GOOD, trade(60, 77, "100.05", "1.000")])
    assert made.measures.rules_inferred
    assert Catalog(tmp_path / "catalog").instrument(PERP_ID).price_precision == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no message of this market and symbol; it holds: 0 lines that do not fit"),
        (["{}", "garbage"], "it holds: 2 lines that do not fit"),
        ([text.replace("btcusdt", "ethusdt") for text in GOOD[2:3]], "it holds: ethusdt@bookTicker"),
        ([line(1, {"e": "aggTrade"}, "btcusdt@aggTrade")], "it holds: btcusdt@aggTrade"),
    ],
)
def test_a_file_without_anything_of_the_symbol_is_refused_with_what_it_holds(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ingest(tmp_path, lines)
    assert not (tmp_path / "catalog").exists()


def test_fields_may_move_and_new_ones_may_appear(tmp_path: Path) -> None:
    moved = []
    for text in GOOD:
        stamp, body = text.split(" ", 1)
        message = json.loads(body)
        payload = message.get("data", message)
        turned = {"new": {"x": [1, {"b": 2}]}, **dict(reversed(payload.items()))}
        message = {"data": turned, "id": 5, "stream": message["stream"]} if "data" in message else turned
        moved.append(f"{stamp} {json.dumps(message, indent=None, separators=(' , ', ' : '))}")
    assert certificate(tmp_path, moved).measures.model_dump() == _measures(tmp_path / "straight")


def _measures(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    return certificate(folder, GOOD).measures.model_dump()


def test_mark_prices_and_changed_funding_rates_are_kept(tmp_path: Path) -> None:
    def mark(at: float, price: str, rate: str) -> str:
        stamp = START_MS + int(at) - 5
        return line(
            at,
            {"e": "markPriceUpdate", "E": stamp, "s": "BTCUSDT", "p": price, "r": rate, "T": START_MS},
            "btcusdt@markPrice@1s",
        )

    ingest(
        tmp_path,
        [*GOOD, mark(50, "100.06000000", "0.00010000"), mark(60, "100.04", "0.0001"), mark(70, "100.0", "0.0001")],
    )
    found = [event for event in events(tmp_path) if type(event).__name__ in ("MarkPriceUpdate", "FundingRateUpdate")]
    assert [str(getattr(event, "value", None) or event.rate) for event in found] == [
        "0.00010000",
        "100.1",
        "0.0001",
        "100.0",
        "100.0",
    ]


def test_plain_text_is_read_like_gzip(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_bytes(gzip.decompress(write(tmp_path / "a.gz", GOOD).read_bytes()))
    done = ingest_recording(tmp_path / "plain.txt", market="usdm", symbol="BTCUSDT", catalog=tmp_path / "catalog")
    assert done.certificates[0].measures.trades == 2
