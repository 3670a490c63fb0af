"""R-8: a process that stood still has heard nothing, and does not take that for a silent market."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runners.live import running
from runners.live.running import Running


class Clock:
    """Monotonic seconds that a test sets."""

    now = 100.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.mark.req("R-8")
def test_the_time_in_which_nobody_listened_is_no_silence_and_silence_counts_on_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(running, "time", clock)
    watch = object.__new__(Running)
    watch._market = SimpleNamespace(silent_secs=lambda: clock.now - 100.0)  # type: ignore[assignment]
    watch._looked = watch._awake = 100.0
    seen = []
    for now in (101.0, 104.0, 119.0, 120.0, 123.0):  # a second, three, fifteen of standstill, a second, three
        clock.now = now
        seen.append(watch._silent_secs())
    assert seen == [1.0, 4.0, 0.0, 1.0, 4.0]
