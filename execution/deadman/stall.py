"""A process that stood still does not know what happened meanwhile: whether it was stopped, suspended or starved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

STALL_NS = 2_000_000_000
"""After a longer stall the account is looked at before the next entry (`recovery.md` 10)."""


@dataclass(slots=True)
class Stalls:
    """Notices them by a beat that ought to come a few times a second.

    Parameters
    ----------
    monotonic_ns, wall_ns
        Clocks. The monotonic one stands still in a suspend, the other does not: the longer gap counts.
    """

    monotonic_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    _beat: tuple[int, int] | None = field(default=None)

    def beat(self) -> tuple[int, int] | None:
        """Take a beat; return the gap on both clocks where it was a stall, else None."""
        gap, self._beat = self._gap(), (self.monotonic_ns(), self.wall_ns())
        return gap if max(gap) > STALL_NS else None

    def since_secs(self) -> float:
        """Time since the last beat, by the clock that says more."""
        return max(self._gap()) / 1e9

    @property
    def stands(self) -> bool:
        """Whether the last beat is so long ago that this is a stall, noticed before the beat itself could notice it."""
        return max(self._gap()) > STALL_NS

    def _gap(self) -> tuple[int, int]:
        if self._beat is None:
            return (0, 0)
        return (self.monotonic_ns() - self._beat[0], self.wall_ns() - self._beat[1])
