"""Layer 1 in a running session: refreshes carry proof of life, firings are noticed, and nothing here waits for anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from execution.deadman.countdown import Clock, Countdowns, Timing
from execution.deadman.liveness import ProofOfLife, Signs
from execution.journal_records import symbol_of
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from risk.view import WorkingOrder

PRIVATE = frozenset({"OrderAccepted", "OrderFilled", "OrderCanceled", "OrderExpired", "OrderUpdated"})
"""Events that only the venue can have caused."""


class CountdownTask:
    """Keeps the countdowns of one session.

    Parameters
    ----------
    client
        Sends the refreshes.
    symbols, timing
        Of the configuration.
    signs
        What can be seen of this node's life now.
    wanted
        Whether anything is or may come to be at the venue that the countdown is for (D4).
    fired
        Told in words when the venue's countdown has fired.
    now
        Monotonic clock.

    Attributes
    ----------
    countdowns
        What is believed of them.
    private_ns
        Monotonic time of the last event of the private stream.
    lacks
        Why the last refresh that was due could not be sent; empty where it was.
    """

    def __init__(
        self, client: SafetyClient, symbols: tuple[str, ...], timing: Timing, signs: Callable[[], Signs],
        wanted: Callable[[], bool], fired: Callable[[str], None], now: Clock,
    ) -> None:  # fmt: skip
        self._client, self._signs, self._wanted, self._fired, self._now = client, signs, wanted, fired, now
        self.countdowns = Countdowns(symbols, timing, now)
        self._proofs = {symbol: ProofOfLife() for symbol in symbols}
        self._asking: set[asyncio.Task[None]] = set()
        self._heard_by: dict[str, int] = {}
        self.private_ns: int | None = None
        self.refreshed_ns: int | None = None
        self.lacks = ""

    def hear(self, event: Any, working: WorkingOrder | None) -> None:
        """Take an order event before it is folded; see `execution.relay.Relay.listeners`."""
        kind = type(event).__name__
        if kind not in PRIVATE:
            return
        self.private_ns = self._now()
        if kind == "OrderCanceled" and working is not None and not working.pending_cancel:
            symbol = symbol_of(working.instrument_id)
            if self.countdowns.cancelled(symbol):
                self._fired(
                    f"the venue's countdown of {symbol} has fired: order {working.client_order_id} was cancelled"
                )

    def turn(self) -> bool:
        """Send what is due and may be sent; True when a look at the account is needed first. Call a few times a second."""
        self.countdowns.look()
        due = self.countdowns.due() if self._wanted() else []
        if not due:
            return False
        signs = self._signs()
        needs_look, self.lacks = False, ""
        for symbol in due:
            proof = self._proofs[symbol]
            lacks = proof.lacks(signs)
            if lacks is None:
                self._spawn(symbol, signs)
            else:
                self.lacks = lacks
                needs_look = needs_look or not proof.has_heard(signs)
        return needs_look

    def _spawn(self, symbol: str, signs: Signs) -> None:
        task = asyncio.get_running_loop().create_task(self._refresh(symbol, signs))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _refresh(self, symbol: str, signs: Signs) -> None:
        sent = self.countdowns.send(symbol)
        try:
            await self._client.arm_countdown(symbol, self.countdowns.timing.countdown_ms)
        except VenueError as error:
            self.lacks = str(error)
            self.countdowns.failed(symbol)
            return
        self._heard_by[symbol] = self._now()
        self.countdowns.acknowledged(symbol, sent)
        self._proofs[symbol].refreshed(signs, sent)
        self.refreshed_ns = sent

    def over_ns(self, fence_ns: int) -> int:
        """Monotonic time after which no countdown of ours can fire any more, as far as is known.

        One that was acknowledged had reached the venue by then; one that was not may reach it until the venue refuses it for its
        age.
        """
        length = self.countdowns.timing.countdown_ns
        ends = [heard + length for heard in self._heard_by.values()]
        ends += [tried + fence_ns + length for tried in self.countdowns.unanswered()]
        return max(ends, default=0)
