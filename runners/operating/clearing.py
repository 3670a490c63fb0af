"""Cancel, and close where that is wanted, until two looks at the venue show nothing that is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from execution.ids import ClientOrderIds, random_epoch
from execution.safety.failures import Rejected, VenueError
from execution.safety.rows import PositionRow
from execution.safety.wire_ids import OPERATOR_PREFIX, logical_id
from runners.live.account import OpenOrder
from runners.live.clearing import GONE_ALREADY, LOOK_SECS, NOTHING_TO_REDUCE, QUIET_SECS
from runners.operating.found import Closed, Row, key_of, position_row
from runners.operating.patience import Patience
from runners.operating.scope import Scope
from runners.operating.venue import Look, Venue

AT_ONCE = 20
"""Cancels that are under way at the same time."""
WAIT_SECS = 1.0
"""Between two looks while nothing is left and what was sent may still arrive."""
MOST_ROUNDS = 3
"""Rounds in which new orders of ours were found, after which somebody is placing them."""


@dataclass(slots=True)
class Clearing:
    """Clears one account of what is meant.

    Parameters
    ----------
    venue, scope, patience
        Asked and told; what is meant; how long.
    flatten
        Close positions as well.

    Attributes
    ----------
    rows
        Everything that was found, by its kind and name.
    looks
        Seconds on the monotonic clock of the two looks that showed nothing; empty while there were none.
    quoted_again
        Somebody places orders as fast as they are cancelled.
    """

    venue: Venue
    scope: Scope
    patience: Patience
    flatten: bool
    order_tag: str = "h1"
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    looks: tuple[float, ...] = ()
    _ids: ClientOrderIds = field(init=False)
    _closed: dict[str, Closed] = field(default_factory=dict)
    _covered: set[str] = field(default_factory=set)
    quoted_again: bool = False
    _orders: int = -1
    _rounds: int = 0

    def __post_init__(self) -> None:
        self._ids = ClientOrderIds(self.order_tag, random_epoch())

    async def find(self) -> list[Row]:
        """Look once, everywhere, and change nothing; returns what is meant.

        Raises
        ------
        VenueError
            When the venue does not answer in time.
        """
        look = await self.patience.insist(lambda: self.venue.look(everywhere=True))
        self._note(look)
        return [self.rows[key] for key in self._left(look)]

    async def run(self, settled_secs: float) -> bool:
        """Do it.

        Parameters
        ----------
        settled_secs
            What was sent before may arrive for so long.

        Returns
        -------
        bool
            True when two looks at every symbol, at least two seconds apart and the last one after that time, showed nothing.
        """
        settled = self.patience.secs() + settled_secs
        wide, clean_at = True, -1.0
        while not self.patience.over or clean_at >= 0:
            everywhere = wide
            try:
                left = await self.patience.insist(lambda: self._pass(everywhere=everywhere))  # noqa: B023 - awaited here
            except VenueError as error:
                self.patience.problems.append(str(error))
                return False
            now = self.patience.secs()
            if self._is_quoted_again(left):
                return False
            if left:
                wide, clean_at = False, -1.0
                await self.patience.pause(LOOK_SECS)
                continue
            if everywhere and clean_at >= 0 and now >= max(clean_at + QUIET_SECS, settled):
                self.looks = (clean_at, now)
                return True
            if everywhere and clean_at < 0:
                clean_at = now
                self._tell_waiting(settled - now)
            wide, pause = self._next(now, clean_at, settled)
            await self.patience.pause(pause)
        return False

    def _is_quoted_again(self, left: int) -> bool:
        """Whether somebody places orders as fast as they are cancelled: it is no use to go on."""
        orders = sum(row.what == "order" and row.whose == "ours" for row in self.rows.values())
        self._rounds += left > 0 and orders > self._orders >= 0
        self._orders = orders
        if self._rounds <= MOST_ROUNDS:
            return False
        self.patience.problems.append("a node that works places new orders as fast as they are cancelled")
        self.quoted_again = True
        return True

    def _tell_waiting(self, secs: float) -> None:
        if secs > QUIET_SECS:
            self.patience.say(
                f"nothing is left; looking for {secs:.0f} s more, in which something sent before may still arrive"
            )

    @staticmethod
    def _next(now: float, clean_at: float, settled: float) -> tuple[bool, float]:
        """Whether the next look is at every symbol, and when it comes."""
        if clean_at < 0:
            return True, 0.0
        wait = max(clean_at + QUIET_SECS, settled) - now
        return wait <= WAIT_SECS, min(max(wait, 0.0), WAIT_SECS) + 0.001

    async def _pass(self, *, everywhere: bool) -> int:
        """Look, then cancel and close what is left; return how much that was.

        Raises
        ------
        VenueError
            The first of what failed, after everything else was tried.
        """
        look = await self.venue.look(everywhere=everywhere)
        self._note(look)
        left = self._left(look)
        failed = await self._cancel([one for one in look.orders if key_of(one) in left])
        if self.flatten:
            for symbol, row in look.held.items():
                if ("position", symbol) in left:
                    failed += await self._tried(self._close(row, look))
        if failed:
            raise failed[0]
        return len(left)

    def _left(self, look: Look) -> set[tuple[str, str]]:
        """Keys of what is meant and there."""
        left = {key_of(one) for one in look.orders if self.scope.means_order(one) and not self._protects(one, look)}
        if self.flatten:
            left |= {("position", symbol) for symbol in look.held if self.scope.means_position(symbol)}
        return left

    def _protects(self, order: OpenOrder, look: Look) -> bool:
        """Whether a stop stays: it protects a position that is there, and nobody asked for everything."""
        return order.protects and order.symbol in look.held and (self.flatten or not self.scope.everyone)

    def _note(self, look: Look) -> None:
        left, there = self._left(look), {key_of(one): one for one in look.orders}
        for key, order in there.items():
            if self.scope.means_symbol(order.symbol):
                self.rows.setdefault(key, self._row(order))
        for symbol, held in look.held.items():
            if self.scope.means_symbol(symbol):
                row = self.rows.setdefault(("position", symbol), position_row(held))
                row.side, row.quantity = position_row(held).side, max(row.quantity, abs(held.amount))
        for key, row in self.rows.items():
            row.left = key in left
            is_there = key in there or (key[0] == "position" and key[1] in look.held)
            row.done = self._done(key, row, look) if is_there else self._gone(key, row)

    def _done(self, key: tuple[str, str], row: Row, look: Look) -> str:
        if key[0] == "position":
            now = abs(look.held[row.symbol].amount)
            if row.left:
                return f"STILL {row.side} {now.normalize():f}" if self._closed.get(row.symbol) else "held"
            return "kept" if not self.flatten else "kept, not our symbol (--all)"
        if row.left:
            return "open"
        return "kept: protects" if row.what == "stop" and row.whose == "ours" else "left (--all)"

    def _gone(self, key: tuple[str, str], row: Row) -> str:
        if key[0] == "position":
            return str(self._closed.get(row.symbol) or "gone")
        return row.done if row.done in ("cancelled", "gone before the cancel") else "gone"

    def _row(self, order: OpenOrder) -> Row:
        what = "stop" if order.protects else "conditional" if order.is_algo else "order"
        name = logical_id(order.wire_id)
        return Row(what, order.symbol, order.side, order.quantity, name, self.scope.whose(order))

    async def _cancel(self, orders: Sequence[OpenOrder]) -> list[VenueError]:
        failed: list[VenueError] = []
        for start in range(0, len(orders), AT_ONCE):
            for found in await asyncio.gather(
                *(self._tried(self._cancelled(one)) for one in orders[start : start + AT_ONCE])
            ):
                failed += found
        return failed

    async def _cancelled(self, order: OpenOrder) -> None:
        row = self.rows[key_of(order)]
        try:
            await self.venue.cancel(order)
        except VenueError as error:
            if error.code != GONE_ALREADY:
                raise
            row.done = "gone before the cancel"  # which proves nothing: the next look decides
        else:
            row.done = "cancelled"

    async def _close(self, row: PositionRow, look: Look) -> None:
        side: Literal["BUY", "SELL"] = "SELL" if row.amount > 0 else "BUY"
        largest = await self.venue.largest(row.symbol)
        quantity = abs(row.amount) if largest is None else min(abs(row.amount), largest)
        closed = self._closed.setdefault(row.symbol, Closed())
        try:
            answer = await self.venue.reduce(row.symbol, side, quantity, OPERATOR_PREFIX + self._ids.next())
        except Rejected as error:
            if error.code != NOTHING_TO_REDUCE:  # an exit has been filled meanwhile: the next look tells
                raise
            self._tell_covered(row.symbol, look)
        else:
            closed.side, closed.orders = side, closed.orders + 1
            closed.filled += answer.filled
            closed.paid += answer.filled * answer.average_price

    def _tell_covered(self, symbol: str, look: Look) -> None:
        strangers = [one for one in look.orders if one.symbol == symbol and not self.scope.means_order(one)]
        if strangers and symbol not in self._covered:
            self._covered.add(symbol)
            self.patience.problems.append(
                f"{strangers[0]} is not ours and covers the position: --all cancels it as well"
            )

    @staticmethod
    async def _tried(work: Awaitable[None]) -> list[VenueError]:
        """Do one thing; a failure is kept, so that it stops nothing else."""
        try:
            await work
        except VenueError as error:
            return [error]
        return []
