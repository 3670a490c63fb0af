"""Runs many cells at once and gathers what came of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import BaseContext
from pathlib import Path

from crash.host import CellRun, Result
from crash.matrix import Cell
from crash.processes import context
from crash.witness import Witness

AT_ONCE = 10


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
    folder.mkdir(parents=True, exist_ok=True)
    witness = Witness(folder)

    async def one(number: int, cell: Cell, mutant: str) -> Result:
        async with room:
            result = await _tried(cell, mutant, folder / f"{number:04d}", forks, witness)
            if result.clean and not keep:
                CellRun(cell, result.folder, forks, mutant).remove()
            told(result)
            return result

    with witness.watching():
        return list(await asyncio.gather(*(one(number, *given) for number, given in enumerate(cells))))


async def _tried(cell: Cell, mutant: str, folder: Path, forks: BaseContext, witness: Witness) -> Result:
    """Run a cell, once more where it did not come to its point (the market may have been in its way) or the machine stood still."""
    result, why = await _timed(cell, mutant, folder, forks, witness)
    if why:
        result, _ = await _timed(cell, mutant, folder.with_name(f"{folder.name}-1"), forks, witness)
        result.again = why
    return result


async def _timed(cell: Cell, mutant: str, folder: Path, forks: BaseContext, witness: Witness) -> tuple[Result, str]:
    """Run a cell; return also why it has to be run again, or ""."""
    began = time.monotonic()
    result = await CellRun(cell, folder, forks, mutant).run()
    still = 0.0 if result.clean else witness.stood_still(began)
    return result, result.problem or (f"the machine stood still for {still:.1f} s" if still else "")
