"""R-8: the venue's time, told by the monotonic clock."""

from __future__ import annotations

import pytest

from execution.safety.venue_clock import VenueClock

MS = 1_000_000


class Time:
    """A clock that a test sets."""

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __call__(self) -> int:
        return self.ns


@pytest.mark.req("R-8")
def test_a_step_of_the_wall_clock_does_not_move_the_venues_time() -> None:
    monotonic, wall = Time(5_000 * MS), Time(1_000_000 * MS)
    clock = VenueClock(monotonic, wall)
    assert clock.ms() == 1_000_000  # the wall clock's, until measured
    asked = monotonic.ns
    monotonic.ns += 40 * MS
    wall.ns += 40 * MS
    reading = clock.adopt([clock.read(1_000_320, asked)])
    # asked at 1,000,000, answered at 1,000,040: the venue said 320 when our wall clock said 20
    assert (reading.offset_ms, reading.bound_ms) == (300.0, 20.0)
    assert clock.ms() == 1_000_340
    wall.ns += 3_600_000 * MS
    monotonic.ns += 60_000 * MS
    assert clock.ms() == 1_060_340


@pytest.mark.req("R-8")
def test_the_shortest_of_several_round_trips_is_trusted() -> None:
    monotonic, wall = Time(0), Time(0)
    clock = VenueClock(monotonic, wall)
    readings = []
    for length_ms, said in ((50, 1000), (4, 2000), (90, 3000)):
        asked = monotonic.ns
        monotonic.ns += length_ms * MS
        readings.append(clock.read(said, asked))
    assert clock.adopt(readings).venue_ms == 2000
    with pytest.raises(ValueError, match="empty"):
        clock.adopt([])
