"""One kind of one instrument as rows in time order, row group by row group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog import book
from catalog.files import NOTE_KEY, NS_PER_DAY, DataFile, day_start
from catalog.kinds import Kind
from catalog.objects import decode
from catalog.partition import settled_book, snapshot_table
from catalog.stretch import Foresight, Prints, Stretch
from catalog.tables import F_LAST, SCHEMAS, Ints, Precision, nanoseconds
from errors import CorruptData


@dataclass(frozen=True, slots=True)
class Window:
    """Receipt times from `start_ns`, to `end_ns` excluded."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows as objects, their receipt times in ns, and, where that was asked, what deltas do to the book, or trades as columns."""

    objects: list[Any]
    ts: Ints
    stretch: Stretch | None = None
    prints: Prints | None = None


def open_file(file: DataFile) -> pq.ParquetFile:
    """Open a data file.

    Raises
    ------
    CorruptData
        When it is no Parquet file or lacks Nautilus' columns.
    """
    try:
        opened = pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise CorruptData(f"{file.path} cannot be read as Parquet ({_short(error)}).") from error
    missing = set(SCHEMAS[file.kind].names) - set(opened.schema_arrow.names)
    if missing:
        raise CorruptData(f"{file.path} lacks the columns {', '.join(sorted(missing))}.")
    return opened


def read_group(file: DataFile, opened: pq.ParquetFile, group: int) -> pa.Table:
    """Read one row group, in Nautilus' column order.

    Raises
    ------
    CorruptData
        When its bytes do not decode.
    """
    try:
        table = opened.read_row_group(group, columns=SCHEMAS[file.kind].names)
    except (pa.ArrowException, OSError) as error:
        raise CorruptData(f"{file.path} is damaged in row group {group} ({_short(error)}).") from error
    return table.select(SCHEMAS[file.kind].names)


def note_of(opened: pq.ParquetFile) -> dict[str, Any]:
    """Return our own facts from a file's metadata; files of other writers have none."""
    raw = (opened.schema_arrow.metadata or {}).get(NOTE_KEY)
    return dict(json.loads(raw)) if raw else {}


def continues(first: DataFile, second: DataFile) -> bool:
    """Return whether a file of deltas opens with the very book that the file before it ends with."""
    if first.kind is not Kind.DELTAS or day_start(second.start_ns) != day_start(first.start_ns) + NS_PER_DAY:
        return False
    before, after = note_of(open_file(first)), note_of(open_file(second))
    return bool(after.get("continues")) and before.get("source") == after.get("source")


class Stream:
    """Cursor over the rows of one kind and identifier inside a window.

    Parameters
    ----------
    files
        Data files of this kind and identifier, in time order.
    precision
        Of the instrument.
    window
        Rows outside are not read, but deltas before it are used to rebuild the book with which it opens.
    foresee
        Also say what deltas do to the book, and give trades as columns.
    """

    def __init__(self, files: list[DataFile], precision: Precision, window: Window, *, foresee: bool = False) -> None:
        self.kind, self.identifier = files[0].kind, files[0].identifier
        self._precision, self._window = precision, window
        self._tables = self._read(files)
        self._table: pa.Table = SCHEMAS[self.kind].empty_table()
        self.ts: Ints = np.empty(0, np.int64)
        self.exhausted = False
        foresees = foresee and self.kind is Kind.DELTAS
        self._foresight = Foresight(self.identifier, precision) if foresees else None
        self._prints = foresee and self.kind is Kind.TRADES
        self.load()

    def load(self) -> None:
        """Read on by one row group."""
        table = next(self._tables, None)
        if table is None:
            self.exhausted = True
            return
        self._table = pa.concat_tables([self._table, table.replace_schema_metadata(None)])
        self.ts = nanoseconds(self._table["ts_init"])

    def take(self, rows: int) -> Taken:
        """Remove the next rows and return them as objects."""
        table, self._table = self._table.slice(0, rows), self._table.slice(rows)
        self.ts = self.ts[rows:]
        if rows == 0:
            return Taken([], np.empty(0, np.int64))
        objects, ts = decode(self.kind, self.identifier, self._precision, table)
        stretch = self._foresight.stretch(objects, table) if self._foresight is not None else None
        return Taken(objects, ts, stretch, Prints.of(self.identifier, self._precision, table) if self._prints else None)

    def take_table(self) -> pa.Table:
        """Remove all rows that are loaded and return them as they are."""
        table, self._table = self._table, SCHEMAS[self.kind].empty_table()
        self.ts = np.empty(0, np.int64)
        return table

    def _read(self, files: list[DataFile]) -> Iterator[pa.Table]:
        previous: DataFile | None = None
        for position, file in enumerate(files):
            if file.start_ns >= self._window.end_ns:
                return
            ahead = files[position + 1] if position + 1 < len(files) else None
            spans = ahead is not None and ahead.start_ns > self._window.start_ns and continues(file, ahead)
            if file.end_ns < self._window.start_ns and not spans:
                continue
            follows = previous is not None and continues(previous, file)
            for table in self._file_tables(file, open_file(file), skip_opening=follows):
                if len(table):
                    yield table
            previous = file

    def _file_tables(self, file: DataFile, opened: pq.ParquetFile, *, skip_opening: bool) -> Iterator[pa.Table]:
        rebuild = self.kind is Kind.DELTAS and file.start_ns < self._window.start_ns
        levels, last = book.Levels.none(), None
        groups = range(opened.metadata.num_row_groups)
        for group in groups:
            if self._prunable(opened, group) and not rebuild:
                continue
            table = read_group(file, opened, group)
            ts = nanoseconds(table["ts_init"])
            start, stop = np.searchsorted(ts, (self._window.start_ns, self._window.end_ns))
            if rebuild:
                levels, last = self._advance(levels, table.slice(0, start)), _last_row(table, int(start), last)
                if start < len(table) or group == groups[-1]:
                    rebuild = False
                    yield self._opening(levels, last)
            if skip_opening:
                start, skip_opening = _after_first_batch(table), False
            yield table.slice(start, stop - start)
            if stop < len(table):
                return

    def _prunable(self, opened: pq.ParquetFile, group: int) -> bool:
        column = opened.schema_arrow.get_field_index("ts_init")
        statistics = opened.metadata.row_group(group).column(column).statistics
        return statistics is not None and statistics.has_min_max and statistics.max_raw < self._window.start_ns

    def _advance(self, levels: book.Levels, table: pa.Table) -> book.Levels:
        if not len(table):
            return levels
        opening = snapshot_table(levels, self._precision, sequence=0, ts_event=0, ts_init=0)
        return settled_book(pa.concat_tables([opening, table.replace_schema_metadata(None)]), self._precision)

    def _opening(self, levels: book.Levels, last: tuple[int, int] | None) -> pa.Table:
        sequence, ts_event = last or (0, self._window.start_ns)
        return snapshot_table(
            levels, self._precision, sequence=sequence, ts_event=ts_event, ts_init=self._window.start_ns
        )


def _last_row(table: pa.Table, rows: int, before: tuple[int, int] | None) -> tuple[int, int] | None:
    if rows == 0:
        return before
    row = table.slice(rows - 1, 1)
    return int(row["sequence"][0].as_py()), int(nanoseconds(row["ts_event"])[0])


def _after_first_batch(table: pa.Table) -> int:
    ends = np.flatnonzero(table["flags"].to_numpy() & F_LAST)
    return int(ends[0]) + 1 if len(ends) else len(table)


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
