"""The trading loop collects by itself."""

from __future__ import annotations

import asyncio
import gc

from runners.live.garbage import collect_here


def test_the_loop_collects_until_it_is_over_and_leaves_what_was_there_alone() -> None:
    frozen: list[int] = []

    def over() -> bool:
        frozen.append(gc.get_freeze_count())
        return len(frozen) == 3

    asyncio.run(asyncio.wait_for(collect_here(over), 10))
    assert len(frozen) == 3
    assert min(frozen) > 1000
    assert gc.get_freeze_count() == 0
