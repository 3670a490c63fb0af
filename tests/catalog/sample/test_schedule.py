from __future__ import annotations

from itertools import pairwise

import pytest

from catalog.sample.schedule import MINUTE_US, Regime, longest, plan


@pytest.mark.parametrize("minutes", [1, 7, 60, 61, 600])
def test_stretches_tile_the_whole_time(minutes: int) -> None:
    stretches = plan(minutes)
    assert (stretches[0].start_us, stretches[-1].end_us) == (0, minutes * MINUTE_US)
    assert all(before.end_us == after.start_us for before, after in pairwise(stretches))


def test_an_hour_is_fast_from_minute_18_and_quiet_from_minute_42() -> None:
    fast, quiet = longest(60, Regime.FAST), longest(60, Regime.QUIET)
    assert (fast.start_us, fast.end_us) == (18 * MINUTE_US, int(21.6 * MINUTE_US))
    assert (quiet.start_us, quiet.end_us) == (42 * MINUTE_US, int(44.4 * MINUTE_US))


def test_the_plan_repeats_every_hour() -> None:
    assert sum(stretch.regime is Regime.FAST for stretch in plan(600)) == 10
