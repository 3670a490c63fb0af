"""The venue's time on our monotonic clock, so that a step of the wall clock cannot spoil a signature (R-8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

NS = Callable[[], int]


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One look at the venue's clock.

    Attributes
    ----------
    monotonic_ns
        Middle of the request on our monotonic clock.
    venue_ms
        What the venue said.
    round_trip_ns
        Length of the request; the reading is good to half of it.
    offset_ms
        Venue time minus wall time, in ms: positive when our wall clock is behind.
    """

    monotonic_ns: int
    venue_ms: int
    round_trip_ns: int
    offset_ms: float

    @property
    def bound_ms(self) -> float:
        """How far off the reading can be."""
        return self.round_trip_ns / 2e6


class VenueClock:
    """Tells the venue's time from the best reading of the last measurement; the wall clock's until there is one.

    Parameters
    ----------
    monotonic_ns, wall_ns
        Clocks.

    Attributes
    ----------
    reading
        None until measured.
    doubted
        Set when the venue found a timestamp wrong; the next signed request measures first.
    failure
        Why the last measurement of a doubted clock failed, empty when it did not.
    """

    def __init__(self, monotonic_ns: NS = time.monotonic_ns, wall_ns: NS = time.time_ns) -> None:
        self.monotonic_ns, self._wall_ns = monotonic_ns, wall_ns
        self.reading: ClockReading | None = None
        self.doubted = False
        self.failure = ""

    def ms(self) -> int:
        """Venue time in ms."""
        if self.reading is None:
            return self._wall_ns() // 1_000_000
        return self.reading.venue_ms + (self.monotonic_ns() - self.reading.monotonic_ns) // 1_000_000

    def read(self, venue_ms: int, asked_ns: int) -> ClockReading:
        """Read an answer that has just come to a question asked at monotonic `asked_ns`."""
        now = self.monotonic_ns()
        middle_ms = (self._wall_ns() - (now - asked_ns) // 2) / 1e6
        return ClockReading(asked_ns + (now - asked_ns) // 2, venue_ms, now - asked_ns, venue_ms - middle_ms)

    def adopt(self, readings: list[ClockReading]) -> ClockReading:
        """Trust the shortest of some readings from now on.

        Raises
        ------
        ValueError
            When there is none.
        """
        self.reading = min(readings, key=lambda one: one.round_trip_ns)
        self.doubted, self.failure = False, ""
        return self.reading
