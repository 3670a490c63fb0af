"""Carries out what recovery has decided: each action is on disk, with its reason, before anything of it happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from execution.journal import Fill, IdUsed, adoption
from execution.journal_live import LiveJournal
from execution.recovery.actions import (
    Accept,
    Action,
    BookIncome,
    BookTrade,
    Cancel,
    Close,
    Latch,
    Rebuild,
    Reopen,
    ResumeDay,
    Settle,
)
from execution.recovery.model import Income, VenueOrder, VenueTrade
from execution.recovery.trades import RECOVERED
from execution.safety.failures import VenueError
from execution.safety.wire_ids import logical_id
from risk.request import OrderRequest, Purpose, Side
from runners.live.account import Account, OpenOrder
from runners.live.clearing import Clearing
from runners.live.closes import instrument_of

ZERO = Decimal(0)
SOURCE = "recovery"
_FIRST = {Rebuild: 0, Reopen: 1, Latch: 2, Cancel: 3}
"""What cannot wait comes first: a row before its cancel, cancels before books."""


def in_order(actions: list[Action]) -> list[Action]:
    """Order of execution: urgent ones first, the rest as planned."""
    return sorted(actions, key=lambda action: _FIRST.get(type(action), 4))


def open_order(order: VenueOrder) -> OpenOrder:
    """An order as the account cancels and tells it."""
    left = order.quantity - order.filled
    return OpenOrder(order.symbol, order.side, left, order.wire_id, order.number, order.is_algo, order.protects)


class Hands:
    """Acts on journal and account of one recovery.

    Parameters
    ----------
    journal
        Of the recovery itself, in the account's file.
    account, clearing
        Cancel and close at the venue.
    trip
        Trips the kill switch.

    Attributes
    ----------
    problems
        What the venue did not take, in words; the next look tells what became of it.
    done
        Every action that was begun, in order.
    day
        UTC day that the loss ledger has been brought to; None: it was not asked.
    latched
        Why the kill switch has tripped.
    """

    def __init__(
        self, journal: LiveJournal, account: Account, clearing: Clearing, trip: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._journal, self._account, self._clearing, self._trip = journal, account, clearing, trip
        self.problems: list[str] = []
        self.done: list[Action] = []
        self.day: int | None = None
        self.latched: str | None = None

    async def do(self, action: Action) -> None:
        """Record an action, then do it.

        Raises
        ------
        JournalFailed
            Nothing more can be done: recovery acts only upon what is written.
        """
        now_ns = time.time_ns()
        self.done.append(action)
        self._journal.action(now_ns, str(action.row), type(action).__name__, action.why, _figures(action))
        match action:
            case Cancel():
                await self._cancel(action)
            case Close():
                await self._close()
            case Accept():
                await self._accept(action, now_ns)
            case Latch():
                self.latched = self.latched or action.why
                self._trip(action.why)
            case ResumeDay():
                self.day = action.day
            case _:
                self._write(action, now_ns)

    def written(self) -> None:
        """Return when everything done so far is on disk."""
        self._journal.flush()

    def _write(self, action: Action, now_ns: int) -> None:
        journal = self._journal
        match action:
            case Rebuild():
                self._rebuild(action, now_ns)
            case BookTrade():
                self._book(action)
            case Reopen():
                journal.reopen(action.client_order_id, action.status, action.why, now_ns)
            case Settle():
                journal.settle(action.client_order_id, action.status, action.why, now_ns)
            case BookIncome():
                row = action.income
                journal.income(row.kind, row.number, row.symbol, row.asset, row.amount, row.time_ms)

    def _rebuild(self, action: Rebuild, now_ns: int) -> None:
        order, name = action.order, logical_id(action.order.wire_id)
        request = OrderRequest(
            RECOVERED, instrument_of(order.symbol), name, Side[order.side], "STOP_MARKET" if order.is_algo else "LIMIT",
            order.quantity, None, False, order.protects, "GTC", now_ns, Purpose(why=action.why, source=SOURCE),
        )  # fmt: skip
        try:
            self._journal.order(request, None)
        except IdUsed:  # its row is there and older than what was read: it was held for over
            self._journal.reopen(name, "UNKNOWN", action.why, now_ns)
        else:
            self._journal.event(now_ns, name, "Rebuilt", "UNKNOWN", action.why)
        number = {"algo_id": order.number} if order.is_algo else {"venue_order_id": order.number}
        self._journal.venue_ids(name, **number)

    def _book(self, action: BookTrade) -> None:
        trade = action.trade
        ts_ns = trade.time_ms * 1_000_000
        self._journal.fill(Fill(
            ts_ns, str(trade.number), action.strategy_id, instrument_of(trade.symbol), action.client_order_id, trade.side,
            trade.price, trade.quantity, "MAKER" if trade.maker else "TAKER", trade.fee, trade.fee_asset,
        ))  # fmt: skip
        self._journal.event(ts_ns, action.client_order_id, "VenueTrade", None, action.why)

    async def _cancel(self, action: Cancel) -> None:
        try:
            await self._account.cancel(open_order(action.order))
        except VenueError as error:  # also -2011, which proves nothing: the next look decides (`docs/recovery.md` 4)
            self._journal.cancel_sent(action.client_order_id)
            self._journal.cancel_answered(action.client_order_id, str(error.code or error.response))
            self.problems.append(str(error))

    async def _close(self) -> None:
        if not await self._clearing.flatten():
            self.problems += self._clearing.problems

    async def _accept(self, action: Accept, now_ns: int) -> None:
        row = await self._account.client.position(action.symbol)
        price = row.mark_price or row.entry_price
        trade_id = f"accepted-{self._journal.run.run_id}-{action.symbol}-{now_ns}"
        self._journal.fill(adoption(now_ns, instrument_of(action.symbol), action.difference, price, trade_id))


def _figures(action: Action) -> Mapping[str, Any]:
    """What an action is about, in plain values."""
    own = (one.name for one in fields(action) if one.name not in ("row", "why"))
    return {name: _plain(getattr(action, name)) for name in own}


def _plain(value: Any) -> Any:
    if isinstance(value, VenueOrder):
        return {"id": logical_id(value.wire_id), "number": value.number, "status": value.status, "algo": value.is_algo}
    if isinstance(value, VenueTrade | Income):
        return {"number": value.number, "symbol": value.symbol}
    return f"{value:f}" if isinstance(value, Decimal) else value
