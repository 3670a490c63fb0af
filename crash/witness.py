"""Says when the machine stood still: the disk took seconds to sync, or nobody got the processor.

A node that stands still shuts its entries and a countdown runs out, as they should; but the cell did not ask for that, and its
judge waits for seconds, not for the machine.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

STILL_SECS = 2.0
"""So long a beat may be late before the cells of that time are in doubt: half of what a node allows itself."""
BEAT_SECS = 0.25
_KEPT = 1000


class Witness:
    """Syncs one byte to the disk of the cells at every beat, and remembers the beats that came late.

    Parameters
    ----------
    folder
        Where the journals of the cells are.
    sync, clock
        What writes and syncs, and seconds that only grow.
    """

    def __init__(
        self, folder: Path, sync: Callable[[Path], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._sync, self._clock = folder / "witness", sync or _sync, clock
        self._stalls: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._beat = clock()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch while the block runs; call inside a running loop, whose own lateness counts as well."""
        self._task = asyncio.get_running_loop().create_task(self._watch())
        try:
            yield
        finally:
            self._task.cancel()

    def stood_still(self, since: float) -> float:
        """Return the longest stall that ended after `since` (of the clock), the one under way included; 0 for none, seconds.

        Raises
        ------
        OSError
            When the byte could not be written.
        """
        if self._task is not None and self._task.done():
            self._task.result()
        late = [secs for ended, secs in self._stalls if ended >= since]
        return max((secs for secs in (*late, self._clock() - self._beat) if secs >= STILL_SECS), default=0.0)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "witness") as thread:
            while True:
                await loop.run_in_executor(thread, self._sync, self._file)
                await asyncio.sleep(BEAT_SECS)
                now, before = self._clock(), self._beat
                self._beat = now
                if now - before >= STILL_SECS:
                    self._stalls.append((now, now - before))


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, b".")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
