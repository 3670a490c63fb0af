"""The product: what exists, what does not and why, and that nothing is left out quietly."""

from __future__ import annotations

from collections import Counter

import pytest

from crash.matrix import KILLS, cells, impossible, reasons, slice_of, spread, valid
from crash.mutants import MUTANTS, planted_cells
from crash.outcomes import OUTCOMES
from crash.points import POINTS
from crash.sites import commit_sites, hit_sites, request_kinds


@pytest.mark.req("O-6")
def test_every_combination_exists_or_has_a_reason_why_not() -> None:
    combinations = list(cells())
    assert len(combinations) == len(POINTS) * len(KILLS) * len(OUTCOMES) == len({cell.name for cell in combinations})
    assert len(valid()) + sum(reasons().values()) == len(combinations)


def test_every_write_point_is_killed_and_every_outcome_and_kill_kind_occurs() -> None:
    exist = valid()
    assert {cell.point.name for cell in exist} == {point.name for point in POINTS}
    assert {cell.outcome.name for cell in exist} == {outcome.name for outcome in OUTCOMES}
    assert set(KILLS) == {cell.kill for cell in exist}


def test_points_with_a_request_on_its_way_are_killed_in_six_outcomes_or_more() -> None:
    kinds = Counter(cell.point.name for cell in valid() if cell.kill == "K1 SIGKILL")
    assert [name for name, count in kinds.items() if count < 6 and not _is_narrow(name)] == []


def _is_narrow(name: str) -> bool:
    """Points at which nothing is in flight, or which only the venue's own end of an order reaches."""
    start = next(point for point in POINTS if point.name == name).reach in ("start", "before", "trip")
    return start or name.startswith("end ")


def test_a_slice_has_every_point_once_and_turns_through_the_outcomes() -> None:
    first, second = slice_of(0), slice_of(1)
    assert [cell.point for cell in first] == [cell.point for cell in second] == list(POINTS)
    assert sum(one.outcome != other.outcome for one, other in zip(first, second, strict=True)) > len(POINTS) / 2
    assert all(impossible(cell) is None for cell in (*first, *second))


def test_nothing_is_liquidated_once_the_venue_has_the_exit_and_something_is_before() -> None:
    forced = {cell.point.name for cell in valid() if cell.outcome.expects == "refuse"}
    assert not forced & {"exit arrived", "exit executed, no answer"}
    assert "exit row, committed" in forced


@pytest.mark.req("O-6")
def test_six_outcomes_of_every_point_are_six_where_there_are_so_many_and_begin_with_the_first() -> None:
    many = slice_of(0, outcomes=6)
    assert len({cell.name for cell in many}) == len(many)
    assert {cell.name for cell in slice_of(0)} <= {cell.name for cell in many}
    for point in POINTS:
        exist = sum(cell.point == point and cell.kill == "K1 SIGKILL" for cell in valid())
        assert sum(cell.point == point for cell in many) == min(6, exist)


def test_a_sample_is_spread_over_the_kill_kinds() -> None:
    assert len({cell.name for cell in spread(40)}) == 40
    assert {cell.kill for cell in spread(40)} == set(KILLS)


@pytest.mark.req("O-6")
def test_there_are_ten_planted_bugs_each_with_a_cell_that_exists() -> None:
    assert len(MUTANTS) == 10
    assert {mutant for _, mutant in planted_cells()} == {mutant.name for mutant in MUTANTS}


def test_labels_name_the_statement_that_they_stand_for() -> None:
    labels = ["orders/insert/target", "cancels/update-answered_ms/target", "events/OrderAccepted/target", "token/write"]
    assert hit_sites(labels) == {"INSERT orders", "UPDATE cancels", "INSERT events"}
    assert hit_sites(labels) <= commit_sites()


def test_requests_that_change_something_are_counted_by_the_code_that_sends_them() -> None:
    assert {"POST /fapi/v1/order", "DELETE /fapi/v1/order", "POST /fapi/v1/countdownCancelAll"} <= request_kinds()
    assert all(kind.split()[0] in ("POST", "DELETE") for kind in request_kinds())
