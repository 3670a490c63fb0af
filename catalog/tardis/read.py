"""One CSV file as integer columns."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pac

from catalog.recording.source import Progress
from catalog.tables import Codes, Ints, high_words, low_words
from catalog.tardis.formats import COLUMNS, FIRST_US, LAST_US, SIDES, FileKind, Number, Whole, fault, kind_of
from errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 22
_US_TO_NS = 1_000
_UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error, csv.Error)


Columnar = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file that are of one symbol.

    Attributes
    ----------
    columns
        Integers by column name: numbers times 10⁸, ``is_snapshot`` and ``is_first`` (side bid or buy) as 0 or 1,
        ``timestamp`` in µs, ``local_timestamp`` in ns.
    others
        Rows of other symbols, by symbol.
    """

    path: Path
    kind: FileKind
    columns: dict[str, Columnar]
    others: dict[str, int]

    def __len__(self) -> int:
        return len(self.columns["timestamp"])


def read_rows(path: Path, exchange: str, symbol: str, on_bytes: Progress) -> Rows:
    """Read a file.

    Parameters
    ----------
    path
        CSV with a header, plain or gzip.
    exchange, symbol
        What the rows must be of, in Tardis' words; rows of other symbols are counted.
    on_bytes
        Told how many bytes of the file have been read.

    Raises
    ------
    DataError
        When the file cannot be read or a row is wrong; the message names file and line.
    """
    parts: list[dict[str, Columnar]] = []
    others: dict[str, int] = {}
    try:
        with path.open("rb") as raw:
            kind = kind_of(path, _header(path))
            for batch in _batches(raw, kind):
                on_bytes(raw.tell())
                _refuse_other_exchange(path, batch, exchange)
                parts.append(_integers(_of_symbol(batch, symbol, others), kind))
    except _BadRow as error:
        raise _explained(path, kind, str(error)) from error
    except _UNREADABLE as error:
        raise _explained(path, kind_of(path, _header(path)), str(error)) from error
    # A day of a busy book is a hundred million rows: what is joined is let go at once.
    columns = {name: np.concatenate([part.pop(name) for part in parts]) for name in _names(kind)}
    return Rows(path, kind, columns, others)


class _BadRow(Exception):
    """A value parsed but is impossible; the file is read again to find its line."""


def _names(kind: FileKind) -> list[str]:
    names = [name for name in COLUMNS[kind] if name not in {"exchange", "symbol", "side"}]
    return [*names, "is_first"] if kind in SIDES else names


def _batches(raw: IO[bytes], kind: FileKind) -> Iterator[pa.RecordBatch]:
    compressed = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    stream = pa.PythonFile(raw, mode="r")
    yield from pac.open_csv(
        pa.CompressedInputStream(stream, "gzip") if compressed else stream,
        read_options=pac.ReadOptions(use_threads=False, block_size=_BLOCK),
        convert_options=pac.ConvertOptions(
            column_types=COLUMNS[kind],
            include_columns=list(COLUMNS[kind]),
            null_values=[],
            true_values=["true"],
            false_values=["false"],
        ),
    )


def _refuse_other_exchange(path: Path, batch: pa.RecordBatch, exchange: str) -> None:
    wrong = sorted(set(batch["exchange"].unique().to_pylist()) - {exchange})
    if wrong:
        raise DataError(f"{path} is of exchange {wrong[0]}; the market that was asked for is {exchange} at Tardis.")


def _of_symbol(batch: pa.RecordBatch, symbol: str, others: dict[str, int]) -> pa.RecordBatch:
    words = batch["symbol"].dictionary.to_pylist()
    counts = np.bincount(batch["symbol"].indices.to_numpy(), minlength=len(words)).tolist()
    for word, count in zip(words, counts, strict=True):
        if word != symbol and count:
            others[word] = others.get(word, 0) + count
    if words == [symbol]:
        return batch
    wanted = np.array([word == symbol for word in words], np.bool_)
    return batch.filter(pa.array(wanted[batch["symbol"].indices.to_numpy()]))


def _integers(batch: pa.RecordBatch, kind: FileKind) -> dict[str, Columnar]:
    out: dict[str, Columnar] = {}
    for name, wanted in COLUMNS[kind].items():
        if wanted == Whole:
            out[name] = batch[name].to_numpy()
        elif wanted == Number:
            out[name] = _scaled(batch[name])
    for name in ("timestamp", "local_timestamp"):
        if len(out[name]) and not (out[name].min() >= FIRST_US and out[name].max() < LAST_US):
            raise _BadRow("a time is not in microseconds")
    out["local_timestamp"] = out["local_timestamp"] * _US_TO_NS
    if kind is FileKind.BOOK:
        out["is_snapshot"] = _zeros_and_ones(batch["is_snapshot"].to_numpy(zero_copy_only=False))
    if kind in SIDES:
        out["is_first"] = _first_side(batch["side"], kind)
    return out


def _scaled(numbers: pa.Array) -> Ints:
    low = low_words(numbers)
    if not np.array_equal(high_words(numbers), low >> 63):
        raise _BadRow("a number is too large")
    return low


def _first_side(column: pa.DictionaryArray, kind: FileKind) -> Codes:
    words = column.dictionary.to_pylist()
    if not set(words) <= set(SIDES[kind]):
        raise _BadRow("a side is unknown")
    first = np.array([word == SIDES[kind][0] for word in words], np.bool_)
    return _zeros_and_ones(first[column.indices.to_numpy()])


def _zeros_and_ones(flags: npt.NDArray[np.bool_]) -> Codes:
    return flags.astype(np.int8)


def _header(path: Path) -> list[str]:
    with _text(path) as lines:
        try:
            return next(csv.reader(lines), [])
        except _UNREADABLE as error:
            raise DataError(f"{path} cannot be read: {error}.") from error


@contextmanager
def _text(path: Path) -> Iterator[Iterator[str]]:
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            plain = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if compressed else raw
            yield iter(io.TextIOWrapper(plain, encoding="utf-8", errors="replace", newline=""))
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}.") from error


def _explained(path: Path, kind: FileKind, trouble: str) -> DataError:
    """Read the file again, slowly, to name the first line that is wrong."""
    good = 1
    try:
        with _text(path) as lines:
            reader = csv.reader(lines)
            header = next(reader, [])
            for cells in filter(None, reader):
                if len(cells) != len(header):
                    return DataError(
                        f"{path} line {reader.line_num} has {len(cells)} columns instead of {len(header)}."
                    )
                reason = fault(kind, dict(zip(header, cells, strict=True)))
                if reason:
                    return DataError(f"{path} line {reader.line_num}: {reason}.")
                good = reader.line_num
    except _UNREADABLE:
        return DataError(f"{path} is cut off or damaged after line {good}: download it again.")
    return DataError(f"{path} cannot be read as CSV: {trouble}.")
