"""One day of one kind on its way to disk: rows are appended, the name is known when the day ends."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog import book
from catalog.files import NS_PER_DAY, ROW_GROUP, data_folder, day_start, file_name, open_parquet, schema_for
from catalog.kinds import Kind
from catalog.tables import (
    F_LAST,
    F_SNAPSHOT,
    Action,
    Aggressor,
    BookSide,
    Codes,
    Precision,
    deltas_table,
    nanoseconds,
    scaled,
)
from errors import CorruptData

TAIL_ROWS = 1 << 20


class Partition:
    """A Parquet file that is being written, by a thread of its own, so that the book can be carried on meanwhile.

    Parameters
    ----------
    root
        Where to write: a transaction's staging folder.
    kind, identifier, precision
        What the rows are.
    day_ns
        Midnight (UTC) at which the partition's day begins.
    note
        Facts to keep in the file's metadata.
    """

    def __init__(
        self, root: Path, kind: Kind, identifier: str, precision: Precision, day_ns: int, note: dict[str, object]
    ) -> None:
        self.kind, self.identifier, self.precision, self.day_ns = kind, identifier, precision, day_ns
        self._folder = data_folder(root, kind, identifier)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._draft = self._folder / f"{day_ns}.draft"
        self._schema = schema_for(kind, identifier, precision, note)
        self._file = open_parquet(self._draft, self._schema)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="partition")
        self._writing: Future[None] | None = None
        self._start_ns = self._end_ns = -1
        self._tail: list[pa.Table] = []
        self._tail_rows = 0
        self.rows = 0

    def append(self, table: pa.Table, first_ns: int, last_ns: int) -> None:
        """Append rows whose receipt times run from `first_ns` to `last_ns`.

        Writing goes on after the call; what goes wrong with it is raised by the next call of `append` or `close`.
        """
        self._wait()
        self._writing = self._executor.submit(self._write, table.cast(self._schema))
        self._start_ns = first_ns if self.rows == 0 else self._start_ns
        self._end_ns = last_ns
        self.rows += len(table)
        if self.kind is Kind.DELTAS:
            self._remember(table)

    def close(self) -> None:
        """Finish the file under its final name, inside the staging folder."""
        try:
            self._wait()
        except BaseException:
            self.abandon()
            raise
        self._executor.shutdown()
        self._file.close()
        self._draft.replace(self._folder / file_name(self._start_ns, self._end_ns))

    def book_at(self, ts_init: int) -> pa.Table:
        """Return the book after the last row as a snapshot batch that is received at `ts_init`; deltas only."""
        deltas = pa.concat_tables(self._tail)
        last = deltas.slice(len(deltas) - 1)
        return snapshot_table(
            settled_book(deltas, self.precision),
            self.precision,
            sequence=last["sequence"][0].as_py(),
            ts_event=int(nanoseconds(last["ts_event"])[0]),
            ts_init=ts_init,
        )

    def _remember(self, deltas: pa.Table) -> None:
        # The book may have to be carried over midnight; keeping all of a long day for that would cost memory.
        self._tail.append(deltas)
        self._tail_rows += len(deltas)
        if self._tail_rows > TAIL_ROWS:
            self._tail = [self.book_at(self._end_ns)]
            self._tail_rows = len(self._tail[0])

    def abandon(self) -> None:
        """Close the file without finishing it; what the disk says about it no longer matters."""
        self._executor.shutdown()
        with suppress(OSError, pa.ArrowException):
            self._file.close()

    def _write(self, table: pa.Table) -> None:
        self._file.write_table(table, row_group_size=ROW_GROUP)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()


def split_days(table: pa.Table, last_ns: int) -> list[tuple[int, pa.Table, int, int]]:
    """Cut a table at every midnight.

    Parameters
    ----------
    table
        Rows in order of ``ts_init``.
    last_ns
        Receipt time of the last row written before, or -1.

    Returns
    -------
    list of (midnight, rows, first receipt time, last receipt time)

    Raises
    ------
    CorruptData
        When receipt times go backwards.
    """
    ts = nanoseconds(table["ts_init"])
    if len(ts) == 0:
        return []
    if ts[0] < last_ns or np.any(ts[1:] < ts[:-1]):
        raise CorruptData("rows offered to the catalog are not in order of their receipt time ts_init.")
    midnights = range(day_start(int(ts[0])), int(ts[-1]) + 1, NS_PER_DAY)
    cuts = [*np.searchsorted(ts, np.fromiter(midnights, np.int64)).tolist(), len(ts)]
    spans = zip(midnights, cuts[:-1], cuts[1:], strict=True)
    return [
        (midnight, table.slice(start, stop - start), int(ts[start]), int(ts[stop - 1]))
        for midnight, start, stop in spans
        if stop > start
    ]


def settled_book(deltas: pa.Table, precision: Precision) -> book.Levels:
    """Return the book after the last row of a table of deltas."""
    clears = np.flatnonzero(action_codes(deltas) == Action.CLEAR)
    tail = deltas.slice(int(clears[-1]) + 1) if len(clears) else deltas
    return book.settle(levels_of(tail, precision))


def levels_of(deltas: pa.Table, precision: Precision) -> book.Levels:
    """Return the levels of a table of deltas as integers."""
    return book.Levels(
        codes(deltas, "side", BookSide),
        scaled(deltas["price"], precision.price),
        scaled(deltas["size"], precision.size),
    )


def action_codes(deltas: pa.Table) -> Codes:
    """Return the actions of a table of deltas as codes of :class:`~catalog.tables.Action`."""
    return codes(deltas, "action", Action)


def codes(table: pa.Table, column: str, names: type[Action] | type[BookSide] | type[Aggressor]) -> Codes:
    """Return a column of words as the codes of an enumeration in :mod:`catalog.tables`."""
    # Files of other writers may number the same words differently, so the words decide.
    out: list[Codes] = [np.empty(0, np.int8)]
    for chunk in table[column].chunks:
        lookup = np.array([names[word].value for word in chunk.dictionary.to_pylist()], np.int8)
        out.append(lookup[chunk.indices.to_numpy()])
    return np.concatenate(out)


def snapshot_table(
    levels: book.Levels, precision: Precision, *, sequence: int, ts_event: int, ts_init: int
) -> pa.Table:
    """Return a book as one batch: CLEAR, then every level, all ``F_SNAPSHOT`` and the last ``F_LAST`` too."""
    rows = len(levels) + 1
    flags = np.full(rows, F_SNAPSHOT, np.uint8)
    flags[-1] |= F_LAST
    zero = np.zeros(1, np.int64)
    return deltas_table(
        precision,
        action=np.concatenate((np.full(1, Action.CLEAR, np.int8), np.full(len(levels), Action.ADD, np.int8))),
        side=np.concatenate((np.full(1, BookSide.NO_ORDER_SIDE, np.int8), levels.side)),
        price=np.concatenate((zero, levels.price)),
        size=np.concatenate((zero, levels.size)),
        flags=flags,
        sequence=np.full(rows, sequence),
        ts_event=np.full(rows, ts_event),
        ts_init=np.full(rows, ts_init),
    )
