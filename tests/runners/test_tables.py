"""Tables of the market that a run saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from nautilus_trader.model import AggressorSide

from risk.books import Books
from runners.tables import TopRecorder, VolumeRecorder
from tests.engine import IID, MS, book, opening, perpetual, trade


@pytest.mark.parametrize("on_disk", [False, True])
def test_no_row_of_the_market_is_timed_before_the_one_above_it(tmp_path: Path, on_disk: bool) -> None:
    books, recorder = Books(), TopRecorder({str(IID): perpetual()}, tmp_path if on_disk else None)
    books.apply_deltas(opening(1000), "a")
    for ms, size in ((900, 6.0), (950, 7.0)):  # received before the snapshot, handed out after it
        books.apply_deltas(book(ms, [(100.0, size)]), "a")
    recorder.drain(books)
    for ms, size in ((980, 8.0), (1100, 9.0)):
        books.apply_deltas(book(ms, [(100.0, size)]), "a")
        recorder.drain(books)
    assert recorder.last() == {str(IID): (100.0, 100.1)}
    assert any(tmp_path.iterdir()) is on_disk
    rows = [(row["ts_ns"] // MS, row["bid_size"]) for row in recorder.table().to_pylist()]
    assert rows == [(1000, 5.0), (1000, 6.0), (1000, 7.0), (1000, 8.0), (1100, 9.0)]
    assert not any(tmp_path.iterdir())
    assert recorder.table().num_rows == 5  # asked for again, also once the file is gone


def test_what_a_session_left_that_did_not_come_to_its_end_is_not_the_next_ones(tmp_path: Path) -> None:
    for size in (6.0, 7.0):
        books, recorder = Books(), TopRecorder({str(IID): perpetual()}, tmp_path)
        books.apply_deltas(opening(1000), "a")
        books.apply_deltas(book(1100, [(100.0, size)]), "a")
        recorder.drain(books)  # and the first one is killed
    assert [row["bid_size"] for row in recorder.table().to_pylist()] == [5.0, 7.0]


def test_volume_is_counted_by_minute_and_side_however_the_trades_are_dealt_out() -> None:
    buy, sell = AggressorSide.BUY, AggressorSide.SELL
    prints = [
        (59_000, 1.0, buy), (59_999, 0.5, sell), (60_000, 2.0, buy), (181_000, 0.25, sell), (59_500, 4.0, buy),
        (61_000, 0.125, buy),
    ]  # fmt: skip
    trades = [trade(ms, 100.0, size, side) for ms, size, side in prints]
    whole, parts = VolumeRecorder(), VolumeRecorder()
    whole.add(trades)
    for part in (trades[:1], [], trades[1:4], trades[4:]):
        parts.add(part)
    rows = [tuple(row.values()) for row in whole.table().to_pylist()]
    minute = 60_000 * MS
    assert rows == [
        (0, str(IID), 5.0, 0.5, 3), (minute, str(IID), 2.125, 0.0, 2), (3 * minute, str(IID), 0.0, 0.25, 1),
    ]  # fmt: skip
    assert parts.table() == whole.table()
