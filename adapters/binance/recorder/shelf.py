"""Where one symbol's files are: one a day and start, never overwritten, readable at any time up to the last flush.

``binance_usdm_btcusdt_20261121_001.gz`` is finished. With ``.open`` behind it, it is being written, or its writer was
killed; the next start finishes it. Every flush adds one whole gzip member, so a killed writer leaves a sound file.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from zlib_ng import zlib_ng

from errors import RunFailed, SafetyRefusal

NS_PER_DAY = 86_400_000_000_000
OPEN = ".open"
_LEVEL = 6
_GZIP_WINDOW = 31
_NUMBER = re.compile(r"_(\d{3,})\.gz(?:\.open)?$")


class Sink(Protocol):
    """A file opened for bytes, without a buffer of its own."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some; return how much."""

    def truncate(self, size: int, /) -> int:
        """Cut the file."""

    def fileno(self) -> int:
        """Descriptor, for the final sync."""

    def close(self) -> None:
        """Close the file."""


Opener = Callable[[Path], Sink]


def open_new(path: Path) -> Sink:
    """Create a file that must not exist yet."""
    return path.open("xb", buffering=0)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one UTC day (days since 1970)."""

    day: int
    lines: bytes


class Shelf:
    """Files of one market and symbol in one folder; used by one thread at a time.

    Parameters
    ----------
    folder
        Made when it is missing.
    name
        Beginning of every file name, ``binance_usdm_btcusdt``.
    opener
        How a file is created; tests give one whose disk is full.

    Attributes
    ----------
    finished
        Files completed since this shelf was opened, those of a killed writer included.
    path
        File being written.
    size
        Its bytes.
    """

    def __init__(self, folder: Path, name: str, opener: Opener = open_new) -> None:
        self._folder, self._name, self._opener = folder, name, opener
        self._lock = FileLock(folder / f".{name}.lock")
        self._file: Sink | None = None
        self._day = -1
        self._broken: RunFailed | None = None
        self.finished: list[Path] = []
        self.path: Path | None = None
        self.size = 0

    def claim(self) -> None:
        """Make the folder ours and finish what a killed writer left.

        Raises
        ------
        SafetyRefusal
            When another process records the same symbol into the folder.
        RunFailed
            When the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            for left in sorted(self._folder.glob(f"{self._name}_*.gz{OPEN}")):
                self._finish(left)
        except Timeout as error:
            raise SafetyRefusal(f"{self._name} is being recorded into {self._folder} by another process.") from error
        except OSError as error:
            raise RunFailed(f"{self._folder} cannot be written: {error.strerror or error}.") from error

    def release(self) -> None:
        """Let others have the folder."""
        self._lock.release()

    def store(self, chunks: Sequence[Chunk]) -> None:
        """Append lines, one gzip member a chunk, and turn to a new file where the day changes.

        Raises
        ------
        RunFailed
            When the disk refuses; what was stored before is complete and readable.
        """
        for chunk in chunks:
            if self._broken is not None:
                raise self._broken  # what follows a hole is not appended
            try:
                self._turn_to(chunk.day)
                self._append(chunk.lines)
            except OSError as error:
                self._broken = self._given_up(error)
                raise self._broken from error

    def close(self) -> None:
        """Finish the current file.

        Raises
        ------
        RunFailed
            When the disk refuses.
        """
        try:
            self._close()
        except OSError as error:
            raise RunFailed(f"{self._folder} cannot be written: {error.strerror or error}.") from error

    def _close(self) -> None:
        if self._file is None or self.path is None:
            return
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._finish(self.path)
        self.path = None

    def _turn_to(self, day: int) -> None:
        if day == self._day and self._file is not None:
            return
        self._close()
        stem = f"{self._name}_{_date(day)}"
        numbers = [int(found[1]) for path in self._folder.glob(f"{stem}_*") if (found := _NUMBER.search(path.name))]
        path = self._folder / f"{stem}_{max(numbers, default=0) + 1:03d}.gz{OPEN}"
        self._file, self._day, self.path, self.size = self._opener(path), day, path, 0

    def _append(self, lines: bytes) -> None:
        packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _GZIP_WINDOW)
        rest = memoryview(packer.compress(lines) + packer.flush())
        whole = len(rest)
        while rest and self._file is not None:
            rest = rest[self._file.write(rest) or 0 :]
        self.size += whole

    def _given_up(self, error: OSError) -> RunFailed:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        if self._file is None or self.path is None:
            return RunFailed(f"no file could be made in {self._folder}: {why}.")
        name = self.path.name.removesuffix(OPEN)
        try:
            self._file.truncate(self.size)  # half a member would be read as damage
            self._close()
        except OSError as second:
            return RunFailed(f"recording {name} stopped: {why}; its end may be damaged ({second.strerror}).")
        return RunFailed(f"recording {name} stopped: {why}; the file is complete up to there, {self.size:,} bytes.")

    def _finish(self, path: Path) -> None:
        done = path.with_name(path.name.removesuffix(OPEN))
        path.rename(done)
        self.finished.append(done)


def _date(day: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y%m%d}"
