"""Silence is not health: an order that the venue has, and of which the private stream tells nothing, means that it is dead.

The engine hears of acceptance over that stream alone. Without it rc6 takes our own fill for a stranger's at the next position check
and can then never resolve the order: so the session ends while the account is still easily put in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from execution.journal import CLOSED, unanswered
from execution.journal_records import symbol_of
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.wire_ids import wire_id
from runners.live.control import Control

GRACE_SECS = 0.5
"""The answer to a question may overtake the event that it asks about."""
OVER = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})


class PrivateStream:
    """Asks the venue about orders that nobody answers for; see `execution.services.Services.query`.

    Parameters
    ----------
    client
        Asks.
    row
        The journal's row of an order, by client order id; None for none.
    control
        Told when the stream is dead.
    """

    def __init__(
        self, client: SafetyClient, row: Callable[[str], Mapping[str, Any] | None], control: Control
    ) -> None:  # fmt: skip
        self._client, self._row, self._control = client, row, control
        self._asking: dict[str, asyncio.Task[None]] = {}

    def query(self, client_order_id: str) -> None:
        """Ask about one order; call on the loop, again and again if need be."""
        asking = self._asking.get(client_order_id)
        row = self._row(client_order_id)
        if row is not None and (asking is None or asking.done()):
            self._asking[client_order_id] = asyncio.get_running_loop().create_task(self._ask(client_order_id, row))

    def inferred(self, event: Any) -> None:
        """End the session after a fill that the engine inferred: its position is wrong as soon as the event comes after all."""
        self._control.fault(
            f"the private stream did not tell of a fill: the engine inferred {event.last_qty} of order {event.client_order_id} "
            "from its status; it is booked from the venue's list"
        )

    async def _ask(self, client_order_id: str, row: Mapping[str, Any]) -> None:
        try:
            found = await self._client.order(symbol_of(row["instrument_id"]), wire_id=wire_id(client_order_id))
        except VenueError:
            return  # asked again with the next look
        if found is None or row["status"] in CLOSED:
            return  # not there (yet), or the answer came meanwhile
        before, unheard = row["status"], unanswered(row)
        if unheard or found.status in OVER:
            await asyncio.sleep(GRACE_SECS)
        if row["status"] == before and (unheard or found.status in OVER):
            self._control.fault(
                f"the private stream is silent: order {client_order_id} is {found.status} at the venue, and nothing was "
                f"heard of it but {row['status']}"
            )
