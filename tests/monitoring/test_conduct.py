"""Flips and cool-down, counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.report import load, summarise
from monitoring.report.conduct import Conduct, conduct
from monitoring.report.round_trips import round_trips
from monitoring.report.run import Run
from tests.monitoring.build_run import Scene, fill, order, quote


def built(folder: Path, scene: Scene) -> Run:
    return load(scene.write(folder / "run"))


@pytest.mark.req("L-1")
def test_a_change_of_direction_counts_whether_it_rested_flat_or_went_through_zero(tmp_path: Path) -> None:
    scene = Scene(
        [quote(0, 99, 101), quote(1800, 99, 101)],
        fills=[
            fill(10, "BUY", "1", "100"), fill(20, "SELL", "1", "100"),  # long, flat
            fill(30, "BUY", "1", "100"),                                # long again: no flip
            fill(40, "SELL", "2", "100"),                               # through zero: flip
            fill(50, "BUY", "1", "100"), fill(60, "BUY", "1", "100"),   # flat, then long: flip
        ],
        orders=[
            order(9), order(19, "SELL", reduce_only=True), order(24), order(29), order(39, "SELL"), order(49), order(60),
            order(70, "BUY", status="DENIED"),
        ],
    )  # fmt: skip
    run = built(tmp_path, scene)
    trips = round_trips(run.headline.fills, run.headline.funding, run.mids)
    found = conduct(trips, run.headline.orders, 1800.0, 5.0)
    # from flat at 20: entries at 24 (4 s) and 29 (9 s); from flat at 50: the one of 60, filled at once (10 s)
    assert found == Conduct(
        flips=2, flips_per_hour=4.0, cooldown_secs=5.0, reentries=3, reentries_early=1, shortest_secs=4.0
    )


def test_a_run_without_a_trade_has_no_flip_and_no_wait(tmp_path: Path) -> None:
    summary = summarise(built(tmp_path, Scene([quote(0, 99, 101), quote(60, 99, 101)])))
    found = summary.bounds[summary.headline].conduct
    assert (found.flips, found.flips_per_hour, found.reentries, found.shortest_secs) == (0, 0.0, 0, None)
