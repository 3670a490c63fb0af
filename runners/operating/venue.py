"""The venue as a clearing needs it, over the safety client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from execution.safety.failures import VenueError
from execution.safety.rows import OrderRow, PositionRow
from runners.live.account import Account, OpenOrder


@dataclass(frozen=True, slots=True)
class Look:
    """The account at one instant."""

    orders: Sequence[OpenOrder]
    held: Mapping[str, PositionRow]


class Venue(Protocol):
    """What a clearing asks and sends."""

    async def look(self, *, everywhere: bool) -> Look:
        """List open orders and positions."""

    async def cancel(self, order: OpenOrder) -> None:
        """Cancel one order."""

    async def reduce(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal, wire_id: str) -> OrderRow:
        """Close so much of a position at the market, reduce-only."""

    async def largest(self, symbol: str) -> Decimal | None:
        """Largest quantity of one market order; None where the venue does not tell."""


class SafetyVenue:
    """The venue over the safety client.

    Parameters
    ----------
    account
        Whose orders and positions.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._largest: dict[str, Decimal] | None = None

    async def look(self, *, everywhere: bool) -> Look:
        """See `Venue.look`."""
        orders, held = await asyncio.gather(
            self._account.open_orders(everywhere=everywhere), self._account.positions()
        )  # fmt: skip
        self._account.know([*(order.symbol for order in orders), *held])
        return Look(orders, held)

    async def cancel(self, order: OpenOrder) -> None:
        """See `Venue.cancel`."""
        await self._account.cancel(order)

    async def reduce(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal, wire_id: str) -> OrderRow:
        """See `Venue.reduce`."""
        return await self._account.client.reduce(symbol, side, quantity, wire_id)

    async def largest(self, symbol: str) -> Decimal | None:
        """See `Venue.largest`."""
        if self._largest is None:
            try:
                info = await self._account.client.exchange_info()
            except VenueError:
                return None  # a quantity that is too large is refused with its own sentence
            self._largest = {
                row.symbol: row.rule("MARKET_LOT_SIZE", "maxQty") for row in info.symbols if _caps(row.filters)
            }
        return self._largest.get(symbol)


def _caps(filters: Sequence[Mapping[str, object]]) -> bool:
    return any(one.get("filterType") == "MARKET_LOT_SIZE" and "maxQty" in one for one in filters)
