"""Cyclic garbage is collected on the trading thread alone, as long as another thread of ours runs Python code.

The interpreter collects on whichever thread happens to run when a threshold is passed. Nautilus' objects may not be dropped on
another thread than their own: the engine then reports an error and never frees them. So automatic collection is off while a journal
is being written, and the trading loop collects by itself, with the interpreter's own thresholds.
"""

from __future__ import annotations

import gc
import threading
import time

FULL_SECS = 30.0
"""Least time between two collections of everything."""


class Collecting:
    """Whether automatic collection is off, and by how many it is held."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0
        self._was_on = False
        self._full = time.monotonic()

    def hold(self) -> None:
        """Switch automatic collection off."""
        with self._lock:
            self._held += 1
            if self._held == 1:
                self._was_on = gc.isenabled()
                gc.disable()

    def release(self) -> None:
        """Undo one `hold`; the last one restores what was before the first."""
        with self._lock:
            self._held -= 1
            if self._held == 0 and self._was_on:
                gc.enable()

    def collect_due(self, now: float | None = None) -> int | None:
        """Collect the generation that is due, on the calling thread; None where none is."""
        if self._held == 0:
            return None
        now = time.monotonic() if now is None else now
        counts, limits = gc.get_count(), gc.get_threshold()
        if counts[2] > limits[2] and now - self._full >= FULL_SECS:
            due, self._full = 2, now
        elif counts[1] > limits[1]:
            due = 1
        elif counts[0] > limits[0]:
            due = 0
        else:
            return None
        gc.collect(due)
        return due


COLLECTING = Collecting()
"""One per process, as the interpreter's collector is."""
