"""Which orders and positions a person means, and what is known of the account before the venue is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from execution.journal_records import symbol_of
from execution.safety.wire_ids import BROKER_PREFIX, carries_tag, is_operators
from runners.live.account import OpenOrder
from runners.live.clearing import FENCE_SECS
from runners.status_file import FILE as STATUS

SIGNS_OF_LIFE = (STATUS, "journal.sqlite", "journal.sqlite-wal", "logs")
"""Files (and the files of folders) in an account's state that its node writes while it lives."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is meant.

    Attributes
    ----------
    order_tag
        How our client order ids begin.
    everyone
        Orders and positions of others too (``--all``).
    only
        These symbols and no others; empty: every symbol.
    known
        Configured and journaled symbols.
    shared
        Others trade the account too (``foreign_orders: count``): positions on other symbols are theirs.
    """

    order_tag: str
    everyone: bool = False
    only: frozenset[str] = frozenset()
    known: frozenset[str] = field(default_factory=frozenset)
    shared: bool = False

    def is_ours(self, order: OpenOrder) -> bool:
        """Whether an order carries our tag, or is one that `flatten` or a watchdog sent."""
        return carries_tag(order.wire_id, self.order_tag) or is_operators(order.wire_id)

    def means_symbol(self, symbol: str) -> bool:
        """Whether a symbol is among those that were named."""
        return not self.only or symbol in self.only

    def means_order(self, order: OpenOrder) -> bool:
        """Whether an order is to be cancelled."""
        return self.means_symbol(order.symbol) and (self.everyone or self.is_ours(order))

    def means_position(self, symbol: str) -> bool:
        """Whether a position is to be closed: it has no owner, so on an account of ours every one."""
        return self.means_symbol(symbol) and (
            self.everyone or symbol in self.only or not self.shared or symbol in self.known
        )

    def whose(self, order: OpenOrder) -> str:
        """Say it in a word or two."""
        if self.is_ours(order):
            return "ours"
        return "another bot's" if order.wire_id.startswith(BROKER_PREFIX) else "not ours"


def journaled_symbols(journal: Path) -> tuple[frozenset[str], str | None]:
    """Symbols of every order in a journal, and why it could not be read, if so: the venue tells as well."""
    if not journal.exists():
        return frozenset(), None
    try:
        with closing(sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            rows = db.execute(
                "SELECT DISTINCT instrument_id FROM orders UNION SELECT DISTINCT instrument_id FROM fills"
            )
            return frozenset(symbol_of(str(row[0])) for row in rows), None
    except sqlite3.Error as error:
        return (
            frozenset(),
            f"the journal {journal} cannot be read ({error}): its symbols are not known, the venue's are",
        )


def settled_secs(folder: Path, now_ns: int, *, held: bool) -> float:
    """Time until nothing that the node has sent can still arrive at the venue.

    Parameters
    ----------
    folder
        State of the alias.
    now_ns
        UTC.
    held
        A process holds the account: it may have sent something this instant.
    """
    if held:
        return FENCE_SECS
    newest = max((_written_ns(folder / name) for name in SIGNS_OF_LIFE), default=0)
    return min(max(0.0, newest / 1e9 + FENCE_SECS - now_ns / 1e9), FENCE_SECS)


def _written_ns(path: Path) -> int:
    try:
        paths: Collection[Path] = list(path.iterdir()) if path.is_dir() else [path]
        return max((one.stat().st_mtime_ns for one in paths), default=0)
    except OSError:
        return 0  # not there
