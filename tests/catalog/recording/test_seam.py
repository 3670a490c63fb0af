"""One recording behind another, and what is compared after a lost connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.recording.ingest import Ingested, ingest_recording
from catalog.recording.seam import LONGEST_LIFT_NS, earliest_after
from errors import DataError
from tests.catalog.lines import ASKS, BIDS, START_MS, depth, snapshot, ticker, write

PERP_ID = "BTCUSDT-PERP.BINANCE"
NS_PER_MS = 1_000_000


def part(at_ms: float, first: int, *, lag_ms: int) -> list[str]:
    """A snapshot, a change and two quotes within 20 ms; `lag_ms` is receipt minus the venue's time."""
    return [
        snapshot(at_ms, first, BIDS, ASKS),
        ticker(at_ms + 1, first, BIDS[0], ASKS[0], lag_ms=lag_ms),
        depth(at_ms + 10, first + 1, first + 5, first, [("100.0", "0.700")], lag_ms=lag_ms),
        ticker(at_ms + 20, first + 5, ("100.0", "0.700"), ASKS[0], lag_ms=lag_ms),
    ]


def ingest(tmp_path: Path, name: str, lines: list[str]) -> Ingested:
    file = write(tmp_path / name, lines)
    return ingest_recording(file, market="usdm", symbol="BTCUSDT", catalog=tmp_path / "catalog")


@pytest.mark.req("D-7")
def test_a_file_that_was_received_later_follows_though_its_clock_is_corrected_by_less(tmp_path: Path) -> None:
    # Received from 0 to 20 ms, corrected by 501 ms: ends at 521 ms. The next, from 100 ms, needs no correction.
    ingest(tmp_path, "first.gz", part(0, 10, lag_ms=-500))
    (day,) = ingest(tmp_path, "second.gz", part(100, 50, lag_ms=5)).certificates
    assert (day.grade, day.measures.gaps, day.measures.quotes, day.measures.tops_equal) == ("A", 0, 4, 4)
    assert day.measures.end_ns == (START_MS + 521) * NS_PER_MS + 1


def test_files_that_were_received_at_the_same_time_are_refused(tmp_path: Path) -> None:
    ingest(tmp_path, "first.gz", part(0, 10, lag_ms=5))
    with pytest.raises(DataError, match="overlap"):
        ingest(tmp_path, "second.gz", part(15, 50, lag_ms=5))


@pytest.mark.parametrize(("overlap_ns", "lifted"), [(-1, False), (0, True), (LONGEST_LIFT_NS, False)])
def test_a_beginning_is_lifted_by_less_than_five_seconds(tmp_path: Path, overlap_ns: int, lifted: bool) -> None:
    ingest(tmp_path, "first.gz", part(0, 10, lag_ms=-9_000))  # corrected by 9.001 s
    end = (START_MS + 9_021) * NS_PER_MS
    floor = earliest_after(tmp_path / "catalog", PERP_ID, (START_MS + 100) * NS_PER_MS, end - overlap_ns)
    assert floor == (end + 1 if lifted else None)


def test_a_catalog_that_is_not_there_lifts_nothing(tmp_path: Path) -> None:
    assert earliest_after(tmp_path / "none", PERP_ID, 5, 5) is None


@pytest.mark.req("D-8")
def test_after_a_gap_the_book_is_compared_with_quotes_received_since(tmp_path: Path) -> None:
    # The connection was lost from 20 to 500 ms: the quote of update 15 is the newest known at snapshot 60, and is old.
    moved = (("101.0", "1.000"),)
    lines = [
        *part(0, 10, lag_ms=5),
        depth(500, 56, 60, 55, moved, [("100.1", "0"), ("100.2", "0"), ("101.1", "1.000")]),
        snapshot(510, 60, moved, [("101.1", "1.000")]),
        depth(520, 61, 65, 60, [("101.0", "2.000")]),
        ticker(521, 65, ("101.0", "2.000"), ("101.1", "1.000")),
    ]
    (day,) = ingest(tmp_path, "one.gz", lines).certificates
    assert (day.measures.gaps, day.measures.tops_compared, day.measures.tops_equal) == (1, 3, 3)
