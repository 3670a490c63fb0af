"""The end of a session, always in the same order: shut the gate, cancel, flatten by policy, stop the engine, verify at the venue.

What the engine can do is done first, since it keeps its own books right; what the venue shows decides (O-10).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from nautilus_trader.live import LiveNodeHandle

from execution.journal import unanswered
from execution.journal_records import symbol_of
from runners.live.clearing import FENCE_SECS, LOOK_SECS
from runners.live.control import Cause, Stop
from runners.wiring import Package

ENGINE_FLAT_SECS = 5.0
ENGINE_STOP_SECS = 30.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the account was left.

    Attributes
    ----------
    no_orders, flat
        What the venue showed; `flat` is None where positions were to be kept.
    problems
        What failed on the way.
    bare
        Positions that were kept and have no protective stop at the venue, in words.
    """

    no_orders: bool
    flat: bool | None
    problems: tuple[str, ...]
    bare: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether everything that was to be done was seen done."""
        return self.no_orders and self.flat is not False and not self.bare


class Clears(Protocol):
    """Acts on the account past the engine; see `runners.live.clearing.Clearing`."""

    problems: list[str]

    async def cancel_at_once(self) -> None:
        """Cancel everything of every symbol."""

    async def flatten(self) -> bool:
        """Close every position; True when it was seen flat."""

    async def cancel_until_none(
        self, *, keep_protection: bool = False, settled: Callable[[], Awaitable[bool]] | None = None
    ) -> bool:
        """Cancel and look again; True when no order of ours was seen."""

    async def holds(self) -> bool:
        """Whether a position is there now."""

    async def knows(self, symbol: str, client_order_id: str) -> bool:
        """Whether the venue knows an order of ours."""


class Stopping:
    """Ends one session.

    Parameters
    ----------
    package
        Its gate is shut; its strategies cancel and leave.
    handle, running
        Of the node; its task.
    clearing
        Acts at the venue, past the engine.
    now_ns
        UTC clock.
    """

    def __init__(
        self, package: Package, handle: LiveNodeHandle, running: asyncio.Task[Any], clearing: Clears,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._package, self._handle, self._running, self._clearing = package, handle, running, clearing
        self._now_ns = now_ns
        self._problems: list[str] = []
        self._arrived: set[str] = set()
        self._fences: dict[str, float] = {}

    async def run(self, stop: Stop, *, flatten: bool) -> Ended:
        """Do it. Nothing here waits for a disk, a log or a strategy, and no failure skips the rest."""
        self._shut()
        self._engine(self._cancel, "cancelling")
        await self._clearing.cancel_at_once()
        if flatten and stop.cause is not Cause.FAULT:
            await self._flatten_by_engine()
        await self._stop_engine()
        if flatten:
            await self._clearing.cancel_at_once()  # an exit of ours that covers the position would refuse the next one
        flat, no_orders = await self._clear(flatten=flatten)
        return Ended(no_orders, flat, (*self._problems, *self._clearing.problems))

    async def _clear(self, *, flatten: bool) -> tuple[bool | None, bool]:
        """Flatten where that is wanted, then cancel until nothing is left; again when a place that landed late has filled."""
        until = asyncio.get_running_loop().time() + 2 * FENCE_SECS
        while True:
            flat = await self._clearing.flatten() if flatten else None
            # A stop at the venue goes once its position is closed, and not before: a flatten that failed leaves it standing.
            no_orders = await self._clearing.cancel_until_none(keep_protection=True, settled=self._settled)
            if not (flatten and flat and no_orders and await self._clearing.holds()):
                return flat, no_orders
            if asyncio.get_running_loop().time() >= until:
                return False, no_orders  # nothing that was sent can still arrive: from here on the audit owns it

    def _shut(self) -> None:
        """Entries are refused from here on; exits and cancels still pass. This is no halt: nothing is latched."""
        now = self._now_ns()
        self._package.services.gate.trading_end_ns = now
        for strategy in self._package.strategies:
            strategy.desk.trading_end_ns = now  # type: ignore[attr-defined]

    def _cancel(self, strategy: Any) -> None:
        view = self._package.services.view
        mine = {o.instrument_id for o in view.working.values() if o.strategy_id == strategy.desk.strategy_id}
        for name in sorted(mine):
            strategy.cancel_all_orders(view.instrument_id(name))

    def _engine(self, act: Callable[[Any], None], what: str) -> None:
        """Ask every strategy; an engine that fails here is not needed for the rest."""
        if not self._handle.is_running or self._handle.is_stopping:
            return
        for strategy in self._package.strategies:
            try:
                act(strategy)
            except Exception as error:  # noqa: BLE001 - the venue is asked next, whatever the engine says
                self._problems.append(f"{what} through the engine raised {error!r}")

    async def _flatten_by_engine(self) -> None:
        self._engine(lambda strategy: strategy.guard_flatten(None), "flattening")
        view = self._package.services.view
        for _ in range(round(ENGINE_FLAT_SECS / LOOK_SECS)):
            if not any(position.quantity for position in view.positions.values()):
                return
            await asyncio.sleep(LOOK_SECS)

    async def _stop_engine(self) -> None:
        if not self._running.done():
            self._handle.stop()
        done, _ = await asyncio.wait({self._running}, timeout=ENGINE_STOP_SECS)
        if not done:
            self._problems.append(f"the engine did not stop within {ENGINE_STOP_SECS:g} s")
        elif not self._running.cancelled() and (error := self._running.exception()) is not None:
            self._problems.append(f"the engine ended with {error}")

    async def _settled(self) -> bool:
        """False while an order without any answer may still reach the venue: one that the venue knows has arrived."""
        orders = list(self._package.journal.orders.items())  # a stop may be placed while the venue is asked
        for order_id, row in orders:
            if unanswered(row) and order_id not in self._arrived and self._may_arrive(order_id, row["ts_ns"]):
                if not await self._clearing.knows(symbol_of(row["instrument_id"]), order_id):
                    return False
                self._arrived.add(order_id)
        return True

    def _may_arrive(self, order_id: str, sent_ns: int) -> bool:
        """Whether the fence of an order is not over; counted on the monotonic clock from the first look on (R-8)."""
        now = asyncio.get_running_loop().time()
        age = min(max((self._now_ns() - sent_ns) / 1e9, 0.0), FENCE_SECS)
        return now < self._fences.setdefault(order_id, now + FENCE_SECS - age)
