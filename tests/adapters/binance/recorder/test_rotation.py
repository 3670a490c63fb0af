"""Midnight: a new file that stands alone, and nothing lost between the two."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from adapters.binance.recorder.shelf import NS_PER_DAY
from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from tests.adapters.binance.recorder.support import busy_scenario, ingest, lines_of, recording, run

BEFORE_MIDNIGHT_NS = 5_000_000_000
"""Enough for venue and recorder to be at work before it, also where they have to wait for a core."""


@pytest.mark.req("D-7")
def test_at_midnight_a_new_file_begins_that_stands_alone(tmp_path: Path) -> None:
    now = time.time_ns()
    midnight = now - now % NS_PER_DAY + NS_PER_DAY
    shift = midnight - BEFORE_MIDNIGHT_NS - now

    def clock() -> int:
        return time.time_ns() + shift

    async def story() -> None:
        venue = Venue(busy_scenario(), Clock(clock))
        async with Server(venue) as served, recording(served.url, tmp_path / "raw", clock=clock) as watched:
            await watched.until(lambda: clock() > midnight and len(watched.told("snapshot")) == 2)
            await watched.more(300)
        first, second = watched.finished
        days = [time.strftime("%Y%m%d", time.gmtime(at // 10**9)) for at in (midnight - 1, midnight)]
        assert [first.name, second.name] == [f"binance_usdm_btcusdt_{day}_001.gz" for day in days]
        stamps = [[int(line.partition(b" ")[0]) for line in lines_of(path)] for path in (first, second)]
        assert stamps[0][-1] < midnight <= stamps[1][0]
        assert watched.told("gap") == []
        alone = ingest(second, tmp_path / "alone")
        assert (alone[0].grade, alone[0].measures.gaps, alone[0].measures.snapshots) == ("A", 0, 1)
        assert alone[0].measures.tops_compared == alone[0].measures.tops_equal > 50
        ingest(first, tmp_path / "both")
        both = ingest(second, tmp_path / "both")
        assert [day.grade for day in both] == ["A", "A"]
        assert sum(day.measures.lines for day in both) == watched.lines

    run(story)
