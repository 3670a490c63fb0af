"""Collect cyclic garbage on the loop's thread while a journal is being written; see `execution.collecting`."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

from execution.collecting import COLLECTING

EVERY_SECS = 0.1


async def collect_here(over: Callable[[], bool]) -> None:
    """Collect until the session is over.

    What is there at the beginning (modules, engine, strategies) lives as long as the session and is never looked at again, so that
    a collection of everything takes milliseconds.
    """
    gc.collect()
    gc.freeze()
    try:
        while not over():
            COLLECTING.collect_due()
            await asyncio.sleep(EVERY_SECS)
    finally:
        gc.unfreeze()
