"""Depth messages into columns without a Python object per level.

msgspec finds the two lists of levels, wherever they stand in the message, and hands them over as text. When that text has
exactly the compact shape ``[["price","size"],…]``, which is checked character by character, its numbers are cut out
together and read as one Arrow column. Any other text, even one more space, is left to the JSON reader of
:mod:`catalog.recording.decode`.
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.recording.schemas import LEVELS, PLACES
from catalog.tables import Ints, low_words

_DIGITS = b"0123456789.-"
_SPLIT = bytes.maketrans(b",", b"\n")
_FRAME = b'[]"'
_BREAK = ord("\n")
_EXACT_BELOW = 2.0**47
_WORD = pa.decimal128(18, PLACES)


class Unusual(ValueError):
    """The text is not in the compact shape; it may be valid all the same."""


def read_depth(payloads: list[bytes | msgspec.Raw], schema: pa.Schema) -> pa.Table:
    """Decode depth messages.

    Parameters
    ----------
    payloads
        JSON of the messages.
    schema
        Whole numbers and :data:`~catalog.recording.schemas.LEVELS` only.

    Returns
    -------
    pyarrow.Table
        A list column becomes two, ``<name>_price`` and ``<name>_size``, of integers times 10⁸.

    Raises
    ------
    Unusual
        When any message is not as expected; nothing is guessed.
    """
    decode = _decoder(tuple((field.name, field.type == LEVELS) for field in schema)).decode
    try:
        messages = [decode(payload) for payload in payloads]
    except (msgspec.DecodeError, ValueError) as error:
        raise Unusual(str(error)) from error
    columns: dict[str, pa.Array] = {}
    for field in schema:
        values = list(map(attrgetter(field.name), messages))
        if field.type == LEVELS:
            columns[f"{field.name}_price"], columns[f"{field.name}_size"] = _levels(values)
        else:
            columns[field.name] = pa.array(values, field.type)
    return pa.table(columns)


@cache
def _decoder(fields: tuple[tuple[str, bool], ...]) -> msgspec.json.Decoder[object]:
    types = [(name, msgspec.Raw if is_levels else int) for name, is_levels in fields]
    return msgspec.json.Decoder(msgspec.defstruct("Depth", types, gc=False))


def _levels(texts: list[msgspec.Raw]) -> tuple[pa.Array, pa.Array]:
    filled = [text for text in texts if len(text) > len("[]")]
    counts = np.zeros(len(texts), np.int64)
    counts[[len(text) > len("[]") for text in texts]] = _counts(filled)
    numbers = _numbers(b"\n".join(filled), 2 * int(counts.sum()))
    offsets = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32())
    prices, sizes = (pa.array(np.ascontiguousarray(numbers[start::2])) for start in (0, 1))
    return pa.ListArray.from_arrays(offsets, prices), pa.ListArray.from_arrays(offsets, sizes)


def _counts(texts: list[msgspec.Raw]) -> Ints:
    """Return how many levels each text has, by the frame that is left without the digits."""
    frames = b"\n".join(texts).translate(None, _DIGITS).split(b"\n") if texts else []
    for frame in set(frames):
        if frame != _frame(len(frame) // 8):
            raise Unusual("the levels are not pairs of strings")
    return np.array([len(frame) // 8 for frame in frames], np.int64)


@cache
def _frame(levels: int) -> bytes:
    return b"[" + b",".join([b'["",""]'] * levels) + b"]"


def _numbers(text: bytes, expected: int) -> Ints:
    if not expected:
        return np.empty(0, np.int64)
    lines = text.translate(_SPLIT, _FRAME)
    breaks = np.flatnonzero(np.frombuffer(lines, np.uint8) == _BREAK)
    offsets = np.concatenate(([0], breaks - np.arange(len(breaks)), [len(lines) - len(breaks)])).astype(np.int32)
    words = pa.StringArray.from_buffers(
        len(breaks) + 1, pa.py_buffer(offsets), pa.py_buffer(lines.translate(None, b"\n"))
    )
    if len(words) != expected:
        raise Unusual("the levels are not pairs")
    return _integers(words)


def _integers(words: pa.StringArray) -> Ints:
    # The double nearest to a decimal, times 10⁸, is off by two roundings of 2⁻⁵³: below 2⁴⁷ the nearest integer is the
    # exact one, and whatever is further from an integer than that has more decimals.
    try:
        scaled: npt.NDArray[np.float64] = words.cast(pa.float64()).to_numpy() * 10.0**PLACES
        size, nearest = np.abs(scaled), np.rint(scaled)
        if size.max() < _EXACT_BELOW and np.all(np.abs(scaled - nearest) <= size * 2.0**-51):
            return nearest.astype(np.int64)
        return low_words(words.cast(_WORD))
    except pa.ArrowInvalid as error:
        raise Unusual(str(error)) from error
