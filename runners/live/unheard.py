"""Orders of which the private stream ought to have told something by now are asked about, whatever else is configured (L-7)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from execution.journal import CLOSED

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

    def look(self, orders: dict[str, dict[str, Any]], now_ns: int) -> list[str]:
        """Look once a second or so; return what is to be asked about.

        Parameters
        ----------
        orders
            Rows of the session by client order id, in the order in which they were written.
        now_ns
            UTC.
        """
        fresh = max(0, len(orders) - self._seen)
        self._since |= {name: ("NEW", orders[name]["ts_ns"]) for name in islice(reversed(orders), fresh)}
        self._seen = len(orders)
        return [name for name in list(self._since) if self._waits(name, orders[name], now_ns)]

    def _waits(self, name: str, row: Mapping[str, Any], now_ns: int) -> bool:
        status, since = self._since[name]
        if row["status"] in CLOSED:
            del self._since[name]
            return False
        if row["status"] != status:
            self._since[name] = (row["status"], now_ns)
            return False
        awaited = status in AWAITED or row["order_type"] == "MARKET" or row["time_in_force"] in AT_ONCE
        return awaited and now_ns - since >= self._after_ns
