"""O-4: orders of which nobody knows whether they live: asked for by id until the venue has spoken, and counted fully until then.

The engine reports a reject for answers that prove nothing (-1000 with status 400), and then knows the order no more: no cancel of
its reaches it, no event about it is believed. So such an order is followed here, cancelled at the venue, and booked from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from execution.journal import CLOSED
from execution.journal_records import symbol_of
from execution.lifecycle import Evidence, Happening, OrderLife
from execution.lives import Lives
from execution.recovery.model import Policy
from execution.recovery.orders import ENDS
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.response_class import ResponseClass, classify_reject
from execution.safety.rows import OrderRow
from execution.safety.wire_ids import wire_id
from execution.services import Services
from runners.live.closes import fill_of, instrument_of

PAUSES_SECS = (0.5, 1.0, 2.0, 4.0)
"""Between two questions about one order; the last one again and again."""
REMEMBERED_MS = 15_000
"""For so long after an order was decided the engine may still be catching up with its position."""
TRADE_MARGIN_MS = 1000
_HAPPENED = {"CANCELED": Happening.CANCELED, "EXPIRED": Happening.EXPIRED, "REJECTED": Happening.REJECTED}


def is_definite(event: Any) -> bool:
    """Whether a reject of the engine proves that the order will never live."""
    if getattr(event, "due_post_only", False):
        return True
    return classify_reject(str(getattr(event, "reason", "") or "")).response is ResponseClass.REJECTED


@dataclass(slots=True)
class Doubt:
    """One order that is followed.

    Attributes
    ----------
    symbol, began_ms
        Of what; venue time at which it was first doubted, so that it was signed before.
    false_reject
        The engine takes it for rejected: what becomes of it is told here alone.
    absent_ms
        Venue time since which both answers and lists show nothing of it.
    decided_ms
        Venue time of the decision.
    told
        A person knows.
    """

    symbol: str
    began_ms: int
    false_reject: bool = False
    absent_ms: int | None = None
    decided_ms: int | None = None
    told: bool = False


class Doubts:
    """Follows the doubtful orders of one session.

    Parameters
    ----------
    client, services, journal
        Asks and cancels; lives and view; the rows by client order id, and trades.
    policy
        For the fence.
    say
        Tells a person.
    also
        Asks about an order that the engine still knows; see `runners.live.private.PrivateStream`.
    fault
        Ends the session: the engine refuses fills of an order that it takes for rejected, and its positions are wrong from then on.
    """

    def __init__(
        self, client: SafetyClient, services: Services, journal: Any, policy: Policy, say: Callable[[str, str], None],
        also: Callable[[str], None], fault: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._client, self._services, self._journal, self._policy = client, services, journal, policy
        self._say, self._also, self._fault = say, also, fault
        self._doubts: dict[str, Doubt] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        services.lives.definite = is_definite
        services.relay.listeners.append(self._hear)

    @property
    def _lives(self) -> Lives:
        return self._services.lives

    def query(self, client_order_id: str) -> None:
        """Follow an order that is unanswered or unknown; call on the loop, again and again if need be."""
        if self._journal.row(client_order_id) is None:
            return
        doubt = self._doubts.get(client_order_id)
        if doubt is None or not doubt.false_reject:
            self._also(client_order_id)
        self._follow(client_order_id, false_reject=False)

    def doubt(self, client_order_id: str) -> None:
        """Follow an order that was called rejected, by a code of the list even, and is at the venue all the same."""
        self._follow(client_order_id, false_reject=True)

    def waits(self, symbol: str) -> bool:
        """Whether a difference on a symbol may come from an order in doubt, which is being asked for."""
        now = self._client.clock.ms()
        return any(
            doubt.symbol == symbol and (doubt.decided_ms is None or now - doubt.decided_ms < REMEMBERED_MS)
            for doubt in self._doubts.values()
            if doubt.false_reject
        )

    @property
    def followed(self) -> tuple[str, ...]:
        """Orders that are being asked for."""
        return tuple(self._tasks)

    async def stop(self) -> None:
        """Ask no more: the session ends, and its end asks for everything that is not over."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, event: Any, _working: object) -> None:
        if type(event).__name__ == "OrderRejected" and not is_definite(event):
            self._follow(str(event.client_order_id), false_reject=True)

    def _follow(self, order_id: str, *, false_reject: bool) -> None:
        row = self._journal.row(order_id)
        if row is None:
            return
        doubt = self._doubts.setdefault(order_id, Doubt(symbol_of(row["instrument_id"]), self._client.clock.ms()))
        doubt.false_reject = doubt.false_reject or false_reject
        if order_id not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._ask_until_decided(order_id, doubt))
            self._tasks[order_id] = task
            task.add_done_callback(lambda ended: self._ended(order_id, ended))

    def _ended(self, order_id: str, task: asyncio.Task[None]) -> None:
        """Forget an order that is decided: if it is doubted again, it is a new doubt."""
        self._tasks.pop(order_id, None)
        if not self._doubts[order_id].false_reject:
            del self._doubts[order_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault(f"following order {order_id} raised {error!r}")

    async def _ask_until_decided(self, order_id: str, doubt: Doubt) -> None:
        for pause in _pauses():
            await asyncio.sleep(pause)
            try:
                decided = await self._decide(order_id, doubt)
            except VenueError:
                continue  # asked again
            if decided:
                doubt.decided_ms = self._client.clock.ms()
                return

    async def _decide(self, order_id: str, doubt: Doubt) -> bool:
        """Ask once; True when nothing is left to be decided."""
        row, life = self._journal.row(order_id), self._lives.get(order_id)
        if life is None or (row["status"] in CLOSED and not doubt.false_reject):
            return True
        found = await self._client.order(doubt.symbol, wire_id=wire_id(order_id))
        if found is None:
            return await self._absent(order_id, doubt, life)
        doubt.absent_ms = None
        if doubt.false_reject:
            return await self._found(order_id, doubt, found)
        return await self._cancel_again(order_id, found)

    # A reject that proved nothing -------------------------------------------------------------------------------------

    async def _found(self, order_id: str, doubt: Doubt, found: OrderRow) -> bool:
        """It lives, or lived: cancel it, book it, and end it as the venue has it."""
        now_ns = self._client.clock.ms() * 1_000_000
        if not doubt.told:
            doubt.told = True
            self._say(
                "alert",
                f"order {order_id} was called rejected by an answer that proves nothing, and is {found.status} at the venue with "
                f"{found.filled:f} executed: it is cancelled there and booked from there",
            )
        self._lives.happened(order_id, now_ns, Happening.ACCEPTED, Evidence.QUERY)
        if found.is_open:
            await self._client.cancel_order(doubt.symbol, order_id=found.order_id)
        booked = await self._book(order_id, doubt, found)
        if found.is_open or not booked:
            return False
        end = ENDS.get(found.status, "CANCELED")
        if end in _HAPPENED:
            self._lives.happened(order_id, now_ns, _HAPPENED[end], Evidence.QUERY)
        self._services.view.close(order_id)
        if self._journal.row(order_id)["status"] != end:
            self._journal.settle(order_id, end, f"the venue says {found.status}")
        if found.filled:
            self._fault(
                f"order {order_id} was called rejected, and {found.filled:f} of it was executed: it is booked, but the engine "
                "cannot take it, and its positions are wrong"
            )
        return True

    async def _book(self, order_id: str, doubt: Doubt, found: OrderRow) -> bool:
        """Book its trades; True when they are all that was executed."""
        row = self._journal.row(order_id)
        if row["filled_quantity"] < found.filled:
            for trade in await self._client.user_trades(doubt.symbol, order_id=found.order_id):
                fill = fill_of(trade, order_id, row["strategy_id"])
                if self._journal.fill(fill):
                    self._lives.filled(order_id, fill.ts_ns, fill.trade_id, fill.quantity)
                    self._services.view.fill(order_id, fill.quantity)
                    self._services.view.refresh()
                    self._services.gate.look_again()
        row = self._journal.row(order_id)
        return bool(row["filled_quantity"] >= found.filled)

    # What the engine still knows --------------------------------------------------------------------------------------

    async def _cancel_again(self, order_id: str, found: OrderRow) -> bool:
        """Send a cancel that was lost again, by the venue's number: the engine refuses a second one. The stream tells the rest."""
        order = self._services.view.working.get(order_id)
        if not found.is_open or order is None:
            return True
        if order.pending_cancel:
            await self._client.cancel_order(found.symbol, order_id=found.order_id)
        return not order.pending_cancel

    async def _absent(self, order_id: str, doubt: Doubt, life: OrderLife) -> bool:
        """Not found decides after the fence alone, seen twice, in no list and without a trade."""
        now = self._client.clock.ms()
        if now < doubt.began_ms + self._policy.fence_ms or await self._shows(order_id, doubt):
            doubt.absent_ms = None
            return False
        if doubt.absent_ms is None:
            doubt.absent_ms = now
        if now - doubt.absent_ms < self._policy.apart_ms:
            return False
        step = self._lives.happened(order_id, now * 1_000_000, Happening.ABSENT, Evidence.QUERY, after_fence=True)
        if step is None or not step.legal:
            return True  # it was acknowledged: the audit and the next recovery have a word for that
        self._services.view.close(order_id)
        self._say("found", f"order {order_id} never reached the venue: not executed ({life.quantity:f} {doubt.symbol})")
        return True

    async def _shows(self, order_id: str, doubt: Doubt) -> bool:
        """Whether open orders or trades show something that may be it."""
        open_orders = await self._client.open_orders(doubt.symbol)
        if any(order.logical_id == order_id for order in open_orders):
            return True
        if any(order.logical_id == order_id for order in await self._client.open_algo_orders(doubt.symbol)):
            return True
        since = doubt.began_ms - self._policy.fence_ms - TRADE_MARGIN_MS
        trades = await self._client.user_trades(doubt.symbol, start_ms=since)
        iid = instrument_of(doubt.symbol)
        return any(not self._journal.has_trade(iid, str(trade.trade_id)) for trade in trades if trade.trade_id)


def _pauses() -> Iterator[float]:
    yield from PAUSES_SECS
    while True:
        yield PAUSES_SECS[-1]
