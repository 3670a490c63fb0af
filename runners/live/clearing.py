"""Cancel until the venue shows nothing, flatten until the venue shows zero: loops that believe only what they read there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Literal, Protocol

from execution.safety.budget import Cost, Purpose
from execution.safety.emergency import Emergency, Wanted
from execution.safety.failures import Banned, NotSent, Rejected, VenueError, Withheld
from execution.safety.rows import OrderRow, PositionRow
from execution.safety.wire_ids import wire_id
from runners.live.account import Account, OpenOrder

LOOK_SECS = 0.4
FENCE_SECS = 10.0
"""The venue refuses an order that reaches it later than this after it was signed (`recovery.md` 1, fence)."""
QUIET_SECS = 2.0
"""Two looks at least this far apart must show the same nothing (`recovery.md` 1, quiescent)."""
WAKE_SECS = 0.001
"""A sleep may end this much early."""
LONGEST_BAN_SECS = 600.0
"""A venue that lets nobody in for no longer than this is waited for; a longer ban leaves the account unverified (exit code 6)."""
ALERT_SECS = 60.0
"""Between two alerts about a position that cannot be closed."""
LONGEST_PAUSE_SECS = 8.0
"""Between two tries to close what the venue refuses to close."""
NOTHING_TO_REDUCE = -2022
TOO_LARGE = -4005
GONE_ALREADY = -2011


class Closes(Protocol):
    """Told of every closing order before it is sent."""

    def next_close(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal) -> str:
        """Record the order and return its client order id; raising here prevents the send."""

    def sent(self, client_order_id: str, row: OrderRow) -> None:
        """Take the venue's answer."""

    def refused(self, client_order_id: str, why: str) -> None:
        """Take the venue's refusal."""


def _nobody(_text: str) -> None:
    """Nobody listens."""


class Clearing:
    """Clears one account within a deadline.

    Parameters
    ----------
    account
        What is cleared.
    closes
        Names and records closing orders.
    patience_secs
        How long a loop tries, link losses included; time in which the venue lets nobody in does not count.

    Attributes
    ----------
    problems
        What failed on the way, each once, in order.
    alert
        Told each minute while a position cannot be closed.
    """

    def __init__(self, account: Account, closes: Closes, patience_secs: float = 60.0) -> None:
        self._account, self._closes, self._patience_secs = account, closes, patience_secs
        self._emergency = Emergency(account.client.budget, time.monotonic_ns)
        self._largest: dict[str, Decimal] = {}
        self.problems: list[str] = []
        self.alert: Callable[[str], None] = _nobody

    async def cancel_at_once(self) -> None:
        """Send one cancel-all per symbol, all at the same time; one by one where others trade the account too.

        What the venue does not let in is kept, and goes out at the first permitted instant.
        """
        await self._cancel_all(self._account.symbols)

    async def _cancel_all(self, symbols: Iterable[str]) -> None:
        names = sorted(symbols)
        if self._account.shared:
            found = await self._tried(self._account.our_orders())
            await self._cancel(
                [order for order in found or [] if not order.protects]
            )  # these go once their position is closed
            kept_out = names if found is None else []
        else:
            went = await asyncio.gather(*(self._went(name) for name in names))
            kept_out = [name for name, out in zip(names, went, strict=True) if not out]
        if kept_out:
            self._emergency.put_back(Wanted(tuple(kept_out), flatten=False))
        else:
            self._emergency.done()

    async def _went(self, symbol: str) -> bool:
        """Cancel all of a symbol; False when no byte of it got through."""
        try:
            await self._account.cancel_all(symbol)
        except VenueError as error:
            self._keep(error)
            return not isinstance(error, NotSent | Banned)
        return True

    async def _rest(self) -> float:
        """Pause between two looks, and return the seconds for which the venue let nobody in.

        While it does, nothing is sent; the first request of the first permitted instant is the cancel-all (`recovery.md` 9).
        """
        shut_secs = self._account.client.budget.closed_ns(Cost(), Purpose.CANCEL) / 1e9
        if shut_secs > LONGEST_BAN_SECS:
            await asyncio.sleep(LOOK_SECS)
            return 0.0
        if shut_secs:
            self._emergency.want(self._account.symbols, flatten=False)
        await asyncio.sleep(shut_secs + WAKE_SECS if shut_secs else LOOK_SECS)
        wanted = self._emergency.take()
        if wanted is not None:
            await self._cancel_all(wanted.symbols)
        return shut_secs

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
            shut_secs = await self._rest()
            until, empty_since = until + shut_secs, now() if shut_secs else empty_since
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
        refusals, alerted, held = 0, now() - ALERT_SECS, None
        while now() < until or held == {}:  # what was seen flat is looked at once more, whatever the time
            held = await self._tried(self._account.positions())
            if held == {}:
                if now() - flat_since >= QUIET_SECS:
                    return True
            else:
                closed = [await self._tried(self._close(row)) for row in (held or {}).values()]
                refusals = refusals + 1 if None in closed else 0
                flat_since = now()
            if refusals > 1 and now() - alerted >= ALERT_SECS:
                alerted = now()
                self.alert(f"{', '.join(held or {})} cannot be closed, trying on: {'; '.join(self.problems[-1:])}")
            shut_secs = await self._rest()
            until, flat_since = until + shut_secs, now() if shut_secs else flat_since
            if refusals > 1 and not shut_secs:  # halted, or in cancel-only
                pause = min(LOOK_SECS * 2 ** min(refusals - 1, 10), LONGEST_PAUSE_SECS)
                await asyncio.sleep(max(0.0, min(pause, until - now())))
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

    async def _close(self, row: PositionRow) -> bool:
        """Send one order for as much of a position as the venue takes at once; the next look tells what is left."""
        side: Literal["BUY", "SELL"] = "SELL" if row.amount > 0 else "BUY"
        largest = self._largest.get(row.symbol)
        quantity = abs(row.amount) if largest is None else min(abs(row.amount), largest)
        order_id = self._closes.next_close(row.symbol, side, quantity)
        try:
            answer = await self._account.client.reduce(row.symbol, side, quantity, wire_id(order_id))
        except Rejected as error:
            self._closes.refused(order_id, str(error))
            if error.code == TOO_LARGE:
                await self._learn_largest()
            if error.code != NOTHING_TO_REDUCE:
                raise
            await self._uncover(row.symbol)  # no failure: the next look reads the position again
        else:
            self._closes.sent(order_id, answer)
        return True

    async def _uncover(self, symbol: str) -> None:
        """An exit of ours has been filled meanwhile, or rests and covers the position: it makes room."""
        covering = [
            order for order in await self._account.our_orders() if order.symbol == symbol and not order.protects
        ]
        await self._cancel(covering)

    async def _learn_largest(self) -> None:
        """Ask for the largest quantity of one market order, by symbol: the rest goes in slices."""
        info = await self._tried(self._account.client.exchange_info())
        for row in () if info is None else info.symbols:
            with suppress(KeyError):  # it states none
                self._largest[row.symbol] = row.rule("MARKET_LOT_SIZE", "maxQty")

    async def _tried[T](self, work: Awaitable[T]) -> T | None:
        """Do one thing; a failure is kept and the loop goes on, since the next look may get through."""
        try:
            return await work
        except VenueError as error:
            self._keep(error)
            return None

    def _keep(self, error: VenueError) -> None:
        """Note a failure once: a wait that is told in seconds is the same one a look later."""
        text = str(error).rpartition(" for ")[0] if isinstance(error, Withheld) else str(error)
        if error.code != GONE_ALREADY and text not in self.problems:
            self.problems.append(text)
