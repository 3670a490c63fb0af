"""The data under the heat map, and decimation."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.report.attribution import pnl_by_day, pnl_by_hour
from monitoring.report.book_grid import Frame, LevelChange, book_grid, busiest_window, frame
from monitoring.report.figures.order_plots import queue_groups
from monitoring.report.figures.style import changes, keep
from tests.monitoring.build_run import SECOND, START


def test_book_is_photographed_at_the_end_of_each_column() -> None:
    span = Frame(0, 30, 99.0, 102.0, 1.0, 1)
    book = book_grid(
        [
            LevelChange(0, True, 99.0, 4.0),
            LevelChange(5, False, 101.0, 2.0),
            LevelChange(10, False, 101.0, 3.0),
            LevelChange(11, False, 101.0, 0.0),
            LevelChange(12, False, 102.0, 7.0),
            LevelChange(13, False, 500.0, 1.0),
        ],
        span,
        columns=3,
    )
    assert book.ts.tolist() == [10, 20, 30]
    assert book.prices.tolist() == [99.0, 100.0, 101.0, 102.0]
    assert book.size.T.tolist() == [[4, 0, 3, 0], [4, 0, 0, 7], [4, 0, 0, 7]]


def test_clearing_empties_both_sides() -> None:
    cleared = [
        LevelChange(0, True, 99.0, 4.0),
        LevelChange(15, True, 0.0, 0.0, True),
        LevelChange(15, True, 100.0, 1.0),
    ]
    book = book_grid(cleared, Frame(0, 20, 99.0, 100.0, 1.0, 1), columns=2)
    assert book.size.T.tolist() == [[4, 0], [0, 1]]


def test_rows_of_several_ticks_add_up_what_they_display() -> None:
    span = Frame(0, 10, 100.0, 100.3, 0.1, 2)
    book = book_grid([LevelChange(1, True, 100.0 + 0.1 * i, 1.0 + i) for i in range(4)], span, columns=1)
    assert book.prices == pytest.approx([100.05, 100.25])
    assert book.size[:, 0].tolist() == [3.0, 7.0]


def test_frame_holds_every_price_in_at_most_160_rows() -> None:
    span = frame(0, 1, np.array([60_000.0, 60_100.0]), 0.1)
    assert span.rows <= 160
    assert span.prices[0] <= 60_000.0 <= 60_100.0 <= span.prices[-1]


def test_busiest_window_holds_most_fills() -> None:
    fills = START + SECOND * np.array([5, 100, 101, 102, 300])
    start, end = busiest_window(fills, START, START + 600 * SECOND, 60 * SECOND)
    assert end - start == 60 * SECOND
    assert start <= fills[1] <= fills[3] < end


def test_busiest_window_of_a_short_run_is_the_run() -> None:
    assert busiest_window(np.array([5]), 0, 30, 60) == (0, 30)


def test_busiest_window_without_fills_is_at_the_start() -> None:
    assert busiest_window(np.array([], dtype=np.int64), 100, 1000, 60) == (100, 160)


def test_thinning_keeps_every_extreme_and_both_ends() -> None:
    rng = np.random.default_rng(1)
    ts, values = np.sort(rng.integers(0, 10**15, 200_000)), np.cumsum(rng.normal(0, 1, 200_000))
    rows = keep(ts, values, buckets=500)
    assert len(rows) <= 2000
    assert {0, 199_999, int(values.argmax()), int(values.argmin())} <= set(rows.tolist())
    bucket = np.minimum((ts - ts[0]) * 500 // int(ts[-1] - ts[0]), 499)
    for number in (0, 250, 499):
        inside = values[bucket == number]
        drawn = values[rows][bucket[rows] == number]
        assert (drawn.min(), drawn.max(), drawn[0], drawn[-1]) == (inside.min(), inside.max(), inside[0], inside[-1])


def test_few_rows_are_all_drawn() -> None:
    assert keep(np.arange(10), np.zeros(10)).tolist() == list(range(10))


def test_step_series_keeps_its_changes_and_ends() -> None:
    assert changes(np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0])).tolist() == [0, 2, 4, 5]


def test_profit_is_booked_to_the_utc_hour_and_day_in_which_it_was_made() -> None:
    hour = 3600 * SECOND
    ts = START + hour * np.array([0, 1, 23, 25])
    equity = np.array([100.0, 103.0, 101.0, 106.0])
    by_hour = pnl_by_hour(ts, equity, 100.0)
    assert {h: v for h, v in enumerate(by_hour.tolist()) if v} == {0: 8.0, 22: -2.0}
    assert pnl_by_day(ts, equity, 100.0) == {"2024-08-08": 1.0, "2024-08-09": 5.0}


def test_orders_without_a_queue_are_a_group_of_their_own() -> None:
    group, names = queue_groups(np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]))
    assert names[0] == "none"
    assert group.tolist()[:2] == [0, 0]
    assert group[2:].min() == 1
    assert int(group.max()) == len(names) - 1


def test_equal_queues_are_one_group() -> None:
    group, names = queue_groups(np.full(4, 2.5))
    assert (group.tolist(), names) == ([0, 0, 0, 0], ["2.5"])
