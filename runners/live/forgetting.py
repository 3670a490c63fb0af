"""What has long been over leaves memory: a session may last for months, and its journal has everything on disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from execution.journal_live import LiveJournal

KEPT_NS = 2 * 3_600 * 10**9
"""An order that ended, or a trade, so long ago is asked for by nobody but by its id: audits are an hour apart at most."""
EVERY_SECS = 60.0


async def forget_what_is_over(
    journal: LiveJournal, over: Callable[[], bool], now_ns: Callable[[], int] = time.time_ns
) -> None:
    """Let go once a minute until the session is over, whose end calls everything back."""
    while not over():
        journal.forget(now_ns() - KEPT_NS)
        await asyncio.sleep(EVERY_SECS)
