"""Runs many cells at once and gathers what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from multiprocessing.context import BaseContext
from pathlib import Path

from crash.host import CellRun, Result
from crash.matrix import Cell
from crash.processes import context

AT_ONCE = 10
TRIES = 2
"""A cell that did not come to its point is run once more: the market may have been in its way."""


async def run_cells(
    cells: Sequence[tuple[Cell, str]],
    folder: Path,
    told: Callable[[Result], None],
    at_once: int = AT_ONCE,
    *,
    keep: bool = False,
) -> list[Result]:
    """Run cells, each with the name of a planted bug or "".

    Parameters
    ----------
    cells
        What to run.
    folder
        Each gets a folder of its own there.
    told
        Hears of each result.
    at_once
        How many run beside each other: most of a cell is waiting.
    keep
        Whether files of clean cells stay.
    """
    forks, room = context(), asyncio.Semaphore(at_once)

    async def one(number: int, cell: Cell, mutant: str) -> Result:
        async with room:
            result = await _tried(cell, mutant, folder / f"{number:04d}", forks)
            if result.clean and not keep:
                CellRun(cell, result.folder, forks, mutant).remove()
            told(result)
            return result

    return list(await asyncio.gather(*(one(number, *given) for number, given in enumerate(cells))))


async def _tried(cell: Cell, mutant: str, folder: Path, forks: BaseContext) -> Result:
    result = await CellRun(cell, folder, forks, mutant).run()
    for again in range(1, TRIES):
        if not result.problem:
            break
        result = await CellRun(cell, folder.with_name(f"{folder.name}-{again}"), forks, mutant).run()
    return result
