"""A recording file as blocks of lines, also when its end is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from errors import DataError

if TYPE_CHECKING:
    from zlib_ng.zlib_ng import _Decompress as _Member

_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 18
_STEP_BYTES = 1 << 15
_GZIP_WINDOW = 31
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, without their line ends; `truncated` on the last block of a damaged file says what is wrong."""

    lines: list[bytes]
    truncated: str = ""


def read_blocks(path: Path, on_bytes: Progress) -> Iterator[Block]:
    """Yield the lines of a file in order, decompressing one block ahead in a thread.

    Parameters
    ----------
    path
        Gzip (also of several members) or plain text.
    on_bytes
        Told after every block how many bytes of the file have been read.

    Raises
    ------
    DataError
        When the file is missing or cannot be opened.
    """
    blocks = _blocks(path, on_bytes)
    with ThreadPoolExecutor(1, thread_name_prefix="gunzip") as executor:
        ahead = executor.submit(next, blocks, None)
        while (block := ahead.result()) is not None:
            ahead = executor.submit(next, blocks, None)
            yield block


def _blocks(path: Path, on_bytes: Progress) -> Iterator[Block]:
    rest, truncated = b"", ""
    for text, trouble in _texts(path, on_bytes):
        truncated = trouble
        lines = (rest + text).split(b"\n")
        rest = lines.pop()
        yield Block(lines)
    if rest or truncated:
        yield Block([rest] if rest else [], truncated)


def _texts(path: Path, on_bytes: Progress) -> Iterator[tuple[bytes, str]]:
    try:
        with path.open("rb") as handle:
            compressed = handle.read(2) == _GZIP_MAGIC
            handle.seek(0)
            pieces = iter(lambda: handle.read(_READ_BYTES), b"")
            for text, truncated in _inflate(pieces) if compressed else ((piece, "") for piece in pieces):
                on_bytes(handle.tell())
                yield text, truncated
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _inflate(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, str]]:
    member = zlib_ng.decompressobj(_GZIP_WINDOW)
    for piece in pieces:
        before = copy(member)
        try:
            texts, member = _decompress(member, piece)
        except zlib_ng.error as error:  # type: ignore[misc] # its stub forgets the base class
            yield b"".join(_before_damage(before, piece)), f"damaged compressed data ({error})"
            return
        yield texts[0] if len(texts) == 1 else b"".join(texts), ""
    rest = member.flush()
    yield rest, "" if member.eof else "the last compressed member has no end"


def _decompress(member: _Member, data: bytes) -> tuple[list[bytes], _Member]:
    """Decompress a whole piece with one call a member."""
    texts = []
    while data:
        if member.eof:
            member = zlib_ng.decompressobj(_GZIP_WINDOW)
        texts.append(member.decompress(data))
        data = member.unused_data
    return texts, member


def _before_damage(member: _Member, data: bytes) -> Iterator[bytes]:
    """Decompress what can be, in small steps: an error throws away the output of its own step only."""
    with suppress(zlib_ng.error):  # type: ignore[arg-type] # its stub forgets the base class
        while data:
            if member.eof:
                member = zlib_ng.decompressobj(_GZIP_WINDOW)
            yield member.decompress(data, _STEP_BYTES)
            data = member.unused_data if member.eof else member.unconsumed_tail
