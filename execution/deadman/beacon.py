"""A sign of life between two processes of one machine: a small file, written in place once a second.

In place, since a full disk cannot prevent that, and Windows lets nobody replace a file that another process reads. A reader that
meets a half-written record takes the next one. Nobody compares clocks across processes: a reader counts from when it saw the record
change.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

SIZE = 1024
"""Bytes of a record, padding included."""


class Beacon:
    """Writes records into one file.

    Parameters
    ----------
    path
        Of the file, on a local disk.

    Attributes
    ----------
    problem
        Why the last record could not be written; None while it could.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._file: BinaryIO | None = None
        self._number = 0

    def write(self, facts: Mapping[str, Any]) -> bool:
        """Write one record; False when it could not be, with the reason in `problem`. Never raises."""
        self._number += 1
        try:
            if self._file is None:
                self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            self._file.seek(0)
            self._file.write(encode({**facts, "number": self._number}))
            self._file.flush()
        except (OSError, ValueError) as error:
            self.problem = f"{self.path} cannot be written: {error}"
            self.close()
            return False
        self.problem = None
        return True

    def close(self) -> None:
        """Let go of the file; the last record stays."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.problem = f"{self.path} cannot be closed: {error}"


def encode(facts: Mapping[str, Any]) -> bytes:
    """Write a record: check sum, JSON, padding.

    Raises
    ------
    ValueError
        When it is too long.
    """
    body = json.dumps(facts, separators=(",", ":")).encode()
    record = b"%08x %s" % (zlib.crc32(body), body)
    if len(record) > SIZE - 1:
        raise ValueError(f"a record of {len(record)} bytes does not fit into {SIZE}")
    return record.ljust(SIZE - 1) + b"\n"


def decode(record: bytes) -> dict[str, Any] | None:
    """Read a record back; None where it is torn or is none."""
    mark, _, body = record.strip().partition(b" ")
    try:
        if int(mark, 16) != zlib.crc32(body):
            return None
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@dataclass(slots=True)
class Watched:
    """Reads a beacon now and then and knows how long it has not changed.

    Parameters
    ----------
    path
        Of the file.
    now
        Monotonic clock, ns.

    Attributes
    ----------
    facts
        The newest record; None before the first.
    """

    path: Path
    now: Callable[[], int]
    facts: dict[str, Any] | None = None
    _changed_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._changed_ns = self.now()

    def look(self) -> float:
        """Read it; return the seconds since it was seen to change (since the start of this reader, where it never was)."""
        found = self._read()
        if found is not None and found != self.facts:
            self.facts, self._changed_ns = found, self.now()
        return self.silent_secs

    def forgive(self) -> None:
        """Count anew from now: this reader stood still itself."""
        self._changed_ns = self.now()

    @property
    def silent_secs(self) -> float:
        """Seconds since it was seen to change."""
        return (self.now() - self._changed_ns) / 1e9

    def _read(self) -> dict[str, Any] | None:
        try:
            return decode(self.path.read_bytes())
        except OSError:
            return None  # not there, or being made: as silent as one that does not change
