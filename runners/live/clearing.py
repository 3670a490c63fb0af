"""Cancel until the venue shows nothing, flatten until the venue shows zero: loops that believe only what they read there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Literal, Protocol

from execution.safety.failures import Rejected, VenueError
from execution.safety.rows import OrderRow, PositionRow
from execution.safety.wire_ids import wire_id
from runners.live.account import Account, OpenOrder

LOOK_SECS = 0.4
FENCE_SECS = 10.0
"""The venue refuses an order that reaches it later than this after it was signed (`recovery.md` 1, fence)."""
QUIET_SECS = 2.0
"""Two looks at least this far apart must show the same nothing (`recovery.md` 1, quiescent)."""
NOTHING_TO_REDUCE = -2022
GONE_ALREADY = -2011


class Closes(Protocol):
    """Told of every closing order before it is sent."""

    def next_close(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal) -> str:
        """Record the order and return its client order id; raising here prevents the send."""

    def sent(self, client_order_id: str, row: OrderRow) -> None:
        """Take the venue's answer."""

    def refused(self, client_order_id: str, why: str) -> None:
        """Take the venue's refusal."""


class Clearing:
    """Clears one account within a deadline.

    Parameters
    ----------
    account
        What is cleared.
    closes
        Names and records closing orders.
    patience_secs
        How long a loop tries, link losses included.

    Attributes
    ----------
    problems
        What failed on the way, each once, in order.
    """

    def __init__(self, account: Account, closes: Closes, patience_secs: float = 60.0) -> None:
        self._account, self._closes, self._patience_secs = account, closes, patience_secs
        self.problems: list[str] = []

    async def cancel_at_once(self) -> None:
        """Send one cancel-all per symbol, all at the same time; one by one where others trade the account too."""
        if self._account.shared:
            await self._cancel(await self._tried(self._account.our_orders()) or [])
            return
        await asyncio.gather(*(self._tried(self._account.cancel_all(name)) for name in sorted(self._account.symbols)))

    async def cancel_until_none(
        self, *, keep_protection: bool = False, settled: Callable[[], Awaitable[bool]] | None = None
    ) -> bool:
        """Cancel and list again until two looks show no order of ours, the last of them on every symbol.

        Parameters
        ----------
        keep_protection
            Stops that close an open position stay.
        settled
            False while an order that was sent may still arrive.

        Returns
        -------
        bool
            True when the venue was seen without one; False after the deadline.
        """
        now = asyncio.get_running_loop().time
        until, empty_since = now() + max(self._patience_secs, FENCE_SECS + 2 * QUIET_SECS), now()
        while now() < until:
            quiet = now() - empty_since >= QUIET_SECS
            left = await self._tried(self._left(keep_protection=keep_protection, everywhere=quiet))
            if left == [] and (settled is None or await self._tried(settled())):
                if quiet:
                    return True
            else:
                await self._cancel(left or [])
                empty_since = now()
            await asyncio.sleep(LOOK_SECS)
        return False

    async def flatten(self) -> bool:
        """Send reduce-only market orders and read again until two looks show no position.

        Returns
        -------
        bool
            True when the venue was seen flat; False after the deadline.
        """
        now = asyncio.get_running_loop().time
        until, flat_since = now() + self._patience_secs, now()
        while now() < until:
            held = await self._tried(self._account.positions())
            if held == {}:
                if now() - flat_since >= QUIET_SECS:
                    return True
            else:
                for row in (held or {}).values():
                    await self._tried(self._close(row))
                flat_since = now()
            await asyncio.sleep(LOOK_SECS)
        return False

    async def holds(self) -> bool:
        """Whether the venue shows a position now; True where it cannot be asked."""
        return await self._tried(self._account.positions()) != {}

    async def knows(self, symbol: str, client_order_id: str) -> bool:
        """Whether the venue knows an order of ours, whatever became of it."""
        return await self._account.client.order(symbol, wire_id=wire_id(client_order_id)) is not None

    async def _left(self, *, keep_protection: bool, everywhere: bool) -> list[OpenOrder]:
        found = await self._account.our_orders(everywhere=everywhere)
        self._account.know(order.symbol for order in found)
        if not (keep_protection and any(order.protects for order in found)):
            return found
        held = await self._account.positions()
        return [order for order in found if not (order.protects and order.symbol in held)]

    async def _cancel(self, orders: list[OpenOrder]) -> None:
        for order in orders:
            await self._tried(self._account.cancel(order))

    async def _close(self, row: PositionRow) -> None:
        side: Literal["BUY", "SELL"] = "SELL" if row.amount > 0 else "BUY"
        order_id = self._closes.next_close(row.symbol, side, abs(row.amount))
        try:
            answer = await self._account.client.reduce(row.symbol, side, abs(row.amount), wire_id(order_id))
        except Rejected as error:
            self._closes.refused(order_id, str(error))
            if error.code != NOTHING_TO_REDUCE:  # an exit has been filled meanwhile: the next look tells
                raise
        else:
            self._closes.sent(order_id, answer)

    async def _tried[T](self, work: Awaitable[T]) -> T | None:
        """Do one thing; a failure is kept and the loop goes on, since the next look may get through."""
        try:
            return await work
        except VenueError as error:
            if error.code != GONE_ALREADY and str(error) not in self.problems:
                self.problems.append(str(error))
            return None
