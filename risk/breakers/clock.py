"""R-8: our clock is wrong, or has just jumped. Venue time signs requests and ages events, so entries wait."""

from __future__ import annotations

from risk.breakers.config import ClockStepConfig
from risk.breakers.events import ClockReading
from risk.breakers.machine import NO_EDGES, NS_PER_MS, Breaker, Edges, Level


class ClockOffset(Breaker):
    """Distance of our clock from the venue's, milliseconds, either way."""

    __slots__ = ()

    def update(self, reading: ClockReading) -> Edges:
        """Take a reading; one that did not ask the venue says nothing."""
        if reading.offset_ms is None:
            return NO_EDGES
        level = self.judge(abs(reading.offset_ms))
        if level is Level.NONE:
            return self.normal(reading.ts_ns)
        detail = f"our clock is {reading.offset_ms:+.0f} ms off the venue's"
        return self.abnormal(reading.ts_ns, level, detail, {"offset_ms": reading.offset_ms})


class ClockStep(Breaker):
    """Steps of the wall clock against the monotonic one, and stalls of the process (a suspended machine).

    Time alone does not clear it: only readings that asked the venue again are normal events.
    """

    __slots__ = ("_last", "_reading_ns", "_unmeasured")

    def __init__(self, name: str, config: ClockStepConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._last: ClockReading | None = None
        self._reading_ns = round(config.reading_secs * 1e9)
        self._unmeasured = False

    def update(self, reading: ClockReading) -> Edges:
        """Compare a reading with the one before it."""
        last, self._last = self._last, reading
        if last is None:
            return NO_EDGES
        passed = reading.monotonic_ns - last.monotonic_ns
        step_ms = (reading.ts_ns - last.ts_ns - passed) / NS_PER_MS
        stall_ms = max(0.0, (passed - self._reading_ns) / NS_PER_MS)
        level = self.judge(max(abs(step_ms), stall_ms))
        if level is not Level.NONE:
            self._unmeasured = True
            figures = {"step_ms": step_ms, "stall_ms": stall_ms}
            detail = f"wall clock stepped {step_ms:+.0f} ms, process stalled {stall_ms:.0f} ms"
            return self.abnormal(reading.ts_ns, level, detail, figures)
        if reading.offset_ms is None:
            return NO_EDGES
        self._unmeasured = False
        return self.normal(reading.ts_ns)

    def on_time(self, ts_ns: int) -> Edges:
        """Let time pass, unless the offset must be measured first."""
        return NO_EDGES if self._unmeasured else self.advance(ts_ns)
