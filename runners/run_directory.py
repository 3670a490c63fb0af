"""The directory of a run: complete under its name, or not there at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from errors import RunFailed, UsageError


class RunDirectory:
    """Collects files beside the final place and moves them there at the end, in one rename.

    Use as a context manager: leaving it without `publish` removes everything.

    Parameters
    ----------
    final
        Where the run will be.

    Raises
    ------
    UsageError
        When `final` exists already.
    RunFailed
        When it cannot be written; nothing is left behind.
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.parent / f".{final.name}.partial-{os.getpid()}"

    def __enter__(self) -> Self:
        check_free(self.final)
        with _reported(self.final):
            self.path.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path.exists():
            shutil.rmtree(self.path)
        if isinstance(error, OSError):
            raise RunFailed(_cannot_write(self.final, error)) from error

    def text(self, name: str, content: str) -> None:
        """Write UTF-8 text with unix line ends."""
        self._place(name).write_text(content, encoding="utf-8", newline="\n")

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write JSON that a person can read."""
        self.text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def table(self, name: str, table: pa.Table) -> None:
        """Write one Parquet file; equal tables give equal bytes."""
        pq.write_table(table.combine_chunks(), self._place(name), compression="zstd")

    def publish(self) -> Path:
        """Move everything to its final place."""
        check_free(self.final)
        self.path.replace(self.final)
        return self.final

    def _place(self, name: str) -> Path:
        place = self.path / name
        place.parent.mkdir(exist_ok=True)
        return place


def check_free(path: Path) -> None:
    """Refuse a place that is taken.

    Raises
    ------
    UsageError
        When something is there.
    """
    if path.exists():
        raise UsageError(f"output directory {path} exists already; name another one or remove it.")


@contextmanager
def _reported(final: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunFailed(_cannot_write(final, error)) from error


def _cannot_write(final: Path, error: OSError) -> str:
    why = os.strerror(error.errno).lower() if error.errno else str(error).splitlines()[0].rstrip(".")
    return f"results cannot be written to {final}: {why}; nothing was left behind."
