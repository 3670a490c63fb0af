"""The venue's sequence: snapshots, gaps, duplicates, late messages."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.recording.depth import Messages, Plan, Snapshots, Step, plan

SEC = 1_000_000_000
Message = tuple[int, int, int]


def run(messages: list[Message], snapshots: list[tuple[int, int]], *, exact: bool = True, alone: bool = False) -> Plan:
    """Messages are (received, before, last)."""
    received, before, last = (np.array([message[i] for message in messages], np.int64) for i in range(3))
    taken = Snapshots(*(np.array([snapshot[i] for snapshot in snapshots], np.int64) for i in range(2)))
    return plan(Messages(received, last, before, exact), taken, from_deltas_alone=alone)


def steps(made: Plan) -> list[tuple[Step, list[int], int]]:
    return [
        (
            piece.step,
            made.order[piece.start : piece.stop].tolist() if piece.step is Step.RUN else [],
            piece.not_before,
        )
        for piece in made.pieces
    ]


def test_messages_that_the_snapshot_covers_fall_away_and_later_ones_are_buffered() -> None:
    made = run([(1, 0, 10), (2, 10, 20), (3, 20, 30), (5, 30, 40)], [(4, 20)])
    assert steps(made) == [(Step.SNAPSHOT, [], 4), (Step.RUN, [2, 3], 4)]
    assert [message for part in made.uncovered for message in part] == [0, 1]
    assert made.gaps == []


def test_a_snapshot_inside_a_message_connects_to_it() -> None:
    made = run([(1, 0, 10), (2, 10, 20), (3, 20, 30)], [(4, 15)])
    assert steps(made) == [(Step.SNAPSHOT, [], 4), (Step.RUN, [1, 2], 4)]


def test_a_snapshot_older_than_the_first_message_does_not_connect() -> None:
    made = run([(1, 10, 20), (2, 20, 30)], [(0, 5), (3, 22)])
    assert steps(made) == [(Step.SNAPSHOT, [], 3), (Step.RUN, [1], 3)]
    assert made.snapshots_used == [1]


def test_a_snapshot_newer_than_every_message_is_the_book() -> None:
    made = run([(1, 0, 10), (2, 10, 20)], [(4, 25)])
    assert steps(made) == [(Step.SNAPSHOT, [], 4)]
    assert [message for part in made.uncovered for message in part] == [0, 1]


def test_a_gap_clears_the_book_until_the_next_snapshot() -> None:
    made = run([(1, 0, 10), (2, 10, 20), (5, 99, 110), (6, 110, 120), (8, 120, 130)], [(1, 5), (7, 115)])
    assert steps(made) == [
        (Step.SNAPSHOT, [], 1),
        (Step.RUN, [0, 1], 1),
        (Step.CLEAR, [], 5),
        (Step.SNAPSHOT, [], 7),
        (Step.RUN, [3, 4], 7),
    ]
    assert made.gaps == [5]
    assert made.unknown == [(5, 7)]


def test_a_gap_without_a_later_snapshot_leaves_the_book_unknown() -> None:
    made = run([(1, 0, 10), (5, 99, 110)], [(1, 5)])
    assert steps(made)[-1] == (Step.CLEAR, [], 5)
    assert made.unknown == [(5, -1)]
    assert [message for part in made.uncovered for message in part] == [1]


def test_after_a_gap_deltas_alone_go_on_only_when_asked() -> None:
    made = run([(1, 0, 10), (5, 99, 110)], [(1, 5)], alone=True)
    assert steps(made)[-2:] == [(Step.CLEAR, [], 5), (Step.RUN, [1], 5)]
    assert made.from_deltas_alone


def test_without_any_snapshot_there_is_no_book_unless_asked_for() -> None:
    assert run([(1, 0, 10), (2, 10, 20)], []).pieces == []
    assert steps(run([(1, 0, 10), (2, 10, 20)], [], alone=True)) == [(Step.CLEAR, [], 1), (Step.RUN, [0, 1], 1)]


def test_a_repeated_message_is_dropped_and_makes_no_gap() -> None:
    made = run([(1, 0, 10), (2, 10, 20), (3, 10, 20), (4, 20, 30)], [(1, 5)])
    assert made.duplicates.tolist() == [2]
    assert made.gaps == []
    assert steps(made)[-1] == (Step.RUN, [0, 1, 3], 1)


def test_a_message_overtaken_by_less_than_a_second_is_put_back_in_order() -> None:
    made = run([(1, 0, 10), (2, 20, 30), (3, 10, 20), (4, 30, 40)], [(1, 5)])
    assert made.order.tolist() == [0, 2, 1, 3]
    assert made.reordered.tolist() == [2]
    assert made.gaps == []


def test_a_message_that_is_later_than_that_is_dropped_and_its_place_is_a_gap() -> None:
    made = run([(1, 0, 10), (2, 20, 30), (2 * SEC, 10, 20), (2 * SEC + 1, 30, 40)], [(1, 5)])
    assert made.late.tolist() == [2]
    assert made.gaps == [2]


@pytest.mark.parametrize(("before", "gaps"), [(20, 0), (19, 0), (21, 1)])
def test_spot_messages_may_overlap_but_not_skip(before: int, gaps: int) -> None:
    made = run([(1, 0, 10), (2, 10, 20), (3, before, 30)], [(1, 5)], exact=False)
    assert len(made.gaps) == gaps


@pytest.mark.parametrize(("before", "gaps"), [(20, 0), (19, 1), (21, 1)])
def test_usdm_messages_must_name_their_predecessor(before: int, gaps: int) -> None:
    made = run([(1, 0, 10), (2, 10, 20), (3, before, 30)], [(1, 5)])
    assert len(made.gaps) == gaps
