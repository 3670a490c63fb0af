"""The first exception of a run; the engine swallows what a callback raises, so it is kept here."""

from __future__ import annotations

import traceback
from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Collects exceptions; a runner exits non-zero when there is one.

    Attributes
    ----------
    first
        The first exception.
    where
        In which component and handler it was raised.
    trace
        Its traceback, as text.
    count
        How many there were.
    """

    first: BaseException | None = None
    where: str = ""
    trace: str = ""
    count: int = 0

    def record(self, where: str, error: BaseException) -> None:
        """Take one exception."""
        self.count += 1
        if self.first is None:
            self.first, self.where = error, where
            self.trace = "".join(traceback.format_exception(error))
