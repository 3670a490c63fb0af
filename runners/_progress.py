"""A progress bar that stays away from scripts: on stderr, gone when done, silent without a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Advance(Protocol):
    """Tells the bar how far the work is."""

    def __call__(self, done: float, /) -> None:
        """Show that `done` of the total is behind us."""


@contextmanager
def progress_bar(title: str, total: float) -> Iterator[Advance]:
    """Show a bar while the block runs.

    Parameters
    ----------
    title
        What is being done.
    total
        Value of `done` that means finished.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=max(total, 1))
        yield lambda done: progress.update(task, completed=done)
