"""Rows in memory as long as somebody asks for them, on disk for good: memory stays small, however long a session is."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from errors import HyperTradingError
from execution import journal_tables
from execution.journal import CLOSED, ZERO, MemoryJournal
from execution.journal_file import JournalFailed
from execution.journal_read import reading
from execution.journal_writer import Write
from execution.records import signed

ADOPTED = "adopted-"
"""Trade ids of positions that were there before us: memory and disk tell them differently (`LiveJournal.adopt`)."""

type Row = dict[str, Any]
type TradeKey = tuple[str, str]


class _Mark:
    """What may go as soon as everything that was written before this is on disk."""

    def __init__(self, orders: list[str], fills: set[TradeKey]) -> None:
        self.orders, self.fills, self.written = orders, fills, False

    def write(self, _db: sqlite3.Connection) -> None:
        """Write nothing: the place in the queue is what counts."""
        self.written = True


class ForgettingJournal(MemoryJournal, ABC):
    """Rows of a session that can be let go of, since a file has them.

    Parameters
    ----------
    path, run_id
        Of the file; of the session in it.
    scope
        What the file puts before the session's trade ids; "" where trade ids are the venue's.
    """

    def __init__(self, path: Path, run_id: str, scope: str) -> None:
        super().__init__()
        self.path, self._run_id, self._scope = path, run_id, scope
        self._orders_gone = self._fills_gone = 0
        self._let_go: dict[tuple[str, str], Decimal] = {}
        self._mark: _Mark | None = None
        self._is_whole = True  # every row is in memory, in the order of writing
        self._reader: sqlite3.Connection | None = None

    @property
    @abstractmethod
    def failed(self) -> str | None:
        """Why nothing is written any more; None while all is well."""

    @property
    @abstractmethod
    def stalled_secs(self) -> float:
        """How long the commit that is under way has taken; 0 where none is."""

    @abstractmethod
    def flush(self) -> None:
        """Return when everything that was written so far is on disk, or raise `JournalFailed`."""

    @abstractmethod
    def _post(self, write: Write) -> None:
        """Queue a row."""

    @property
    def order_count(self) -> int:
        """See `MemoryJournal.order_count`."""
        return len(self.orders) + self._orders_gone

    @property
    def fill_count(self) -> int:
        """See `MemoryJournal.fill_count`."""
        return len(self.fills) + self._fills_gone

    @property
    def let_go(self) -> Mapping[tuple[str, str], Decimal]:
        """See `MemoryJournal.let_go`."""
        return self._let_go

    def forget(self, before_ns: int) -> None:
        """Keep on disk alone what was over before an instant: `row` and `has_trade` find it there, `recall` brings it back.

        Nobody waits for the disk: one call marks what may go, and a later one lets go of it when the mark has been written.

        Parameters
        ----------
        before_ns
            So long ago that nobody asks about it any more but by its id.
        """
        if self.failed is not None or self.stalled_secs > 0.0:
            return  # what is in memory may be all that is left to read
        if self._mark is not None and self._mark.written:
            self._let_go_of(self._mark)
            self._mark = None
        if self._mark is None:
            over = [name for name, row in self.orders.items() if _is_over(row, before_ns)]
            gone = {_key(fill) for fill in self.fills if fill["ts_ns"] < before_ns and not _is_adopted(fill)}
            if over or gone:
                self._mark = _Mark(over, gone)
                self._post(self._mark.write)

    def _let_go_of(self, mark: _Mark) -> None:
        for name in mark.orders:
            if self.orders[name]["status"] in CLOSED:
                del self.orders[name]
                self._orders_gone += 1
        kept: list[Row] = []
        for fill in self.fills:
            if _key(fill) not in mark.fills:
                kept.append(fill)
                continue
            whose = fill["instrument_id"], fill["strategy_id"]
            self._let_go[whose] = self._let_go.get(whose, ZERO) + signed(fill)
        self._fills_gone += len(self.fills) - len(kept)
        self.fills[:] = kept
        self._trades -= mark.fills
        self._is_whole = False

    def row(self, client_order_id: str) -> Row | None:
        """See `MemoryJournal.row`; one that had been let go of is in memory again from here on."""
        row = self.orders.get(client_order_id)
        if row is not None or not self._orders_gone:
            return row
        given = (client_order_id, self._run_id)
        found = self._read("SELECT * FROM orders WHERE client_order_id = ? AND run_id = ?", given)
        if found is not None:
            row = self.orders[client_order_id] = journal_tables.order_row(found)
            self._orders_gone -= 1
        return row

    def recall(self) -> str | None:
        """See `MemoryJournal.recall`."""
        if self._is_whole:
            return None
        with suppress(JournalFailed):  # what was let go of is on disk, and memory has what is newer
            self.flush()
        try:
            with reading(self.path) as db:
                orders, fills = (journal_tables.rows(db, self._run_id, name) for name in ("orders", "fills"))
        except (HyperTradingError, sqlite3.Error) as error:
            return f"what was over long ago cannot be read from the journal: {error}"
        for fill in fills:
            fill["trade_id"] = fill["trade_id"].removeprefix(self._scope)
        self._merge(orders, [fill for fill in fills if not _is_adopted(fill)])
        self._orders_gone = self._fills_gone = 0
        self._let_go.clear()
        self._mark, self._is_whole = None, True
        return None

    def is_on_disk(self, instrument_id: str, trade_id: str) -> bool:
        """Whether the file has a trade that is not in memory: of another session, recovery included, or let go of."""
        if (self._scope and not self._fills_gone) or MemoryJournal.has_trade(self, instrument_id, trade_id):
            return False
        given = (instrument_id, self._scope + trade_id)
        return self._read("SELECT 1 FROM fills WHERE instrument_id = ? AND trade_id = ?", given) is not None

    def close_reader(self) -> None:
        """Close what reads the file beside whoever writes it."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read(self, statement: str, given: tuple[str, ...]) -> sqlite3.Row | None:
        """One row of the file; None also where a journal that has failed cannot be read: then memory goes on alone."""
        try:
            if self._reader is None:
                uri = f"{self.path.resolve().as_uri()}?mode=ro"
                self._reader = sqlite3.connect(
                    uri, uri=True, timeout=2.0, isolation_level=None, check_same_thread=False
                )
                self._reader.row_factory = sqlite3.Row
            found: sqlite3.Row | None = self._reader.execute(statement, given).fetchone()
        except sqlite3.Error:
            if self.failed is None:
                raise
            return None
        return found

    def _merge(self, orders: list[Row], fills: list[Row]) -> None:
        """Put what the file holds beside the rows in memory, in the order of writing; what memory has is newer and stays."""
        newer = dict(self.orders)
        self.orders.clear()
        for row in (*orders, *newer.values()):
            name = row["client_order_id"]
            self.orders[name] = newer.get(name, row)
        adopted = [fill for fill in self.fills if _is_adopted(fill)]  # booked before everything else
        whole = {_key(fill): fill for fill in (*adopted, *fills, *self.fills)}
        self.fills[:] = (whole | {_key(fill): fill for fill in self.fills}).values()
        self._trades |= set(whole)
        for rows in (self.orders.values(), self.fills):
            for seq, row in enumerate(rows):
                row["seq"] = seq


def _is_over(row: Row, before_ns: int) -> bool:
    return row["status"] in CLOSED and (row["ts_closed"] or row["ts_ns"]) < before_ns


def _is_adopted(fill: Row) -> bool:
    return str(fill["trade_id"]).startswith(ADOPTED)


def _key(fill: Row) -> TradeKey:
    return fill["instrument_id"], fill["trade_id"]
