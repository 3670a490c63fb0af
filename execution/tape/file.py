"""A tape on disk: gzip members of JSON lines, the first line says of what.

Twice a second or so a whole member goes to the operating system, so a killed node leaves a sound file that lacks its last second.
Nothing is synced: a tape is evidence, not the journal, and must not slow it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from zlib_ng import zlib_ng

from errors import CorruptData, DataError
from execution.tape.events import deltas_row, event_row
from execution.tape.plain import plain
from execution.tape.tape import Row

VERSION = 1
_LEVEL = 4
_GZIP_WINDOW = 31
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encoded(rows: Sequence[Row]) -> bytes:
    """Rows as lines."""
    return b"".join(_encode(row_of(row)) + b"\n" for row in rows)


def row_of(row: Row) -> list[Any]:
    """One row with plain values."""
    match row[0]:
        case "d":
            return ["d", row[1], deltas_row(row[2])]
        case "m":
            return ["m", row[1], event_row(row[2])]
        case "[" | "!":
            return [row[0], row[1], row[2], [_argument(value) for value in row[3]]]
        case "v" if type(row[2]) is int:
            return list(row)
        case _:
            return [row[0], *(plain(value) for value in row[1:])]


def _argument(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return list(value) if isinstance(value, tuple) else event_row(value)


class TapeFile:
    """A tape that is being written.

    Parameters
    ----------
    path
        Must not exist.
    head
        What a reader needs to play it: configuration, instruments, beginning of trading.

    Raises
    ------
    OSError
        When it cannot be made.
    """

    def __init__(self, path: Path, head: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.size = 0
        self._file = path.open("xb", buffering=0)
        self.write(_encode(["head", {"version": VERSION} | head]) + b"\n")

    def write(self, lines: bytes) -> None:
        """Append lines as one gzip member.

        Raises
        ------
        OSError
            When the disk refuses; half a member is cut off.
        """
        packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _GZIP_WINDOW)
        rest = memoryview(packer.compress(lines) + packer.flush())
        whole = len(rest)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self._file.truncate(self.size)
            raise
        self.size += whole

    def close(self) -> None:
        """No more comes."""
        self._file.close()


def read_tape(path: Path) -> Iterator[list[Any]]:
    """Yield the rows of a tape, its head first; one that was cut off is read up to there, and has no ``end``.

    Raises
    ------
    DataError
        When there is no such file.
    CorruptData
        When it is no tape, or damaged in the middle.
    """
    if not path.is_file():
        raise DataError(f"there is no tape {path}.")
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                row = _decode(line)
                if number == 1:
                    _check_head(path, row)
                yield row
    except EOFError:
        return
    except (msgspec.DecodeError, zlib.error, gzip.BadGzipFile) as error:
        raise CorruptData(f"{path} is damaged after line {number}, or is no tape: {error}.") from error


def _check_head(path: Path, row: Any) -> None:
    if not (isinstance(row, list) and len(row) == 2 and row[0] == "head" and isinstance(row[1], dict)):
        raise CorruptData(f"{path} is no decision tape: its first line is not a head.")
    if row[1].get("version") != VERSION:
        raise CorruptData(f"{path} is a tape of version {row[1].get('version')}; this program reads {VERSION}.")
