"""Orders of which the private stream ought to have told something by now are asked about, whatever else is configured (L-7)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from execution.journal import CLOSED, MemoryJournal

AWAITED = frozenset({"NEW", "PENDING_CANCEL", "UNKNOWN"})
"""States that an event of the venue must end."""
AT_ONCE = frozenset({"IOC", "FOK"})


class Unheard:
    """Follows the orders of one session by their rows.

    Parameters
    ----------
    after_secs
        An order that has waited for so long is asked about.
    """

    def __init__(self, after_secs: float) -> None:
        self._after_ns = round(after_secs * 1e9)
        self._since: dict[str, tuple[str, int]] = {}
        self._seen = 0

    def look(self, journal: MemoryJournal, now_ns: int) -> list[str]:
        """Look once a second or so; return what is to be asked about.

        Parameters
        ----------
        journal
            Of the session.
        now_ns
            UTC.
        """
        orders, count = journal.orders, journal.order_count
        newest = (row for row in reversed(orders.values()) if row["seq"] >= self._seen)
        for row in islice(newest, count - self._seen):
            self._since[row["client_order_id"]] = ("NEW", row["ts_ns"])
        self._seen = count
        return [name for name in list(self._since) if self._waits(name, orders.get(name), now_ns)]

    def _waits(self, name: str, row: Mapping[str, Any] | None, now_ns: int) -> bool:
        status, since = self._since[name]
        if row is None or row["status"] in CLOSED:
            del self._since[name]
            return False
        if row["status"] != status:
            self._since[name] = (row["status"], now_ns)
            return False
        awaited = status in AWAITED or row["order_type"] == "MARKET" or row["time_in_force"] in AT_ONCE
        return awaited and now_ns - since >= self._after_ns
