"""What a reject of the engine asks for beyond the order's end (`recovery.md` 3): a throttled venue is left alone for a while, and
asked once whether its refusal was one; a timestamp that it refused shuts entries until the clock has been measured anew.

The safety client learns both from its own answers (`execution.safety.asker`); what the engine is answered is told here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from execution.journal_records import symbol_of
from execution.safety.budget import Heard
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.response_class import Consequence, classify_reject
from execution.safety.wire_ids import wire_id
from execution.services import Services
from risk.request import OrderRequest
from risk.verdict import Reason, Refused

AGAIN_SECS = 4.0
"""Between two tries of a question that is not answered."""


class Rejects:
    """Hears the rejects of one session.

    Parameters
    ----------
    client
        Its budget and clock are told; it asks.
    services
        Of the session.
    fence_ms
        An order that is unknown so long after its refusal was refused.
    doubt
        Told of an order that was called rejected and is at the venue; see `runners.live.doubts.Doubts.doubt`.
    """

    def __init__(
        self, client: SafetyClient, services: Services, fence_ms: int, doubt: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._client, self._fence_secs, self._doubt = client, fence_ms / 1000, doubt
        self._tasks: set[asyncio.Task[None]] = set()
        services.relay.listeners.append(self.hear)
        services.gate.locks.append(self.lock)

    def hear(self, event: Any, _working: object) -> None:
        """Take an order event; see `execution.relay.Relay.listeners`."""
        if type(event).__name__ != "OrderRejected" or getattr(event, "due_post_only", False):
            return
        consequence = classify_reject(str(getattr(event, "reason", "") or "")).consequence
        if consequence is Consequence.CLOCK:
            self._client.clock.doubted = True
        if consequence is Consequence.BACK_OFF:
            self._client.budget.hear(Heard(self._client.clock.monotonic_ns(), 0, {}, throttled=True))
            self._prove(str(event.client_order_id), symbol_of(str(event.instrument_id)))

    def lock(self, _request: OrderRequest) -> Refused | None:
        """No entry while the clock is in doubt: the breaker of the offset judges what is then measured (R-8)."""
        if not self._client.clock.doubted:
            return None
        return Refused(Reason.BREAKER, "the venue refused a request for its timestamp: the clock is measured first")

    async def stop(self) -> None:
        """Ask no more: the session ends, and its end looks for everything that is open."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _prove(self, order_id: str, symbol: str) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(order_id, symbol))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, order_id: str, symbol: str) -> None:
        """One question after the fence: an order that is there all the same is followed like any other in doubt."""
        pause = self._fence_secs
        while True:
            await asyncio.sleep(pause)
            try:
                found = await self._client.order(symbol, wire_id=wire_id(order_id))
            except VenueError:
                pause = AGAIN_SECS
                continue
            if found is not None:
                self._doubt(order_id)
            return
