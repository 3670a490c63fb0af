"""The account as the runner sees it at the venue, past the engine: whose orders are open, what is held, what can be cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from execution.safety.client import SafetyClient
from execution.safety.rows import AlgoRow, OrderRow, PositionRow
from execution.safety.wire_ids import carries_tag, logical_id


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """One open order, regular or conditional.

    Attributes
    ----------
    symbol, side, quantity
        Of the order; the quantity is what is left, base units.
    wire_id
        Client order id as the venue spells it.
    number
        The venue's own id.
    is_algo
        It waits in the service of conditional orders.
    protects
        A conditional order that closes the whole position.
    """

    symbol: str
    side: str
    quantity: Decimal
    wire_id: str
    number: int
    is_algo: bool = False
    protects: bool = False

    def __str__(self) -> str:
        """As it is logged."""
        kind = "conditional order" if self.is_algo else "order"
        return f"{kind} {logical_id(self.wire_id)} {self.symbol} {self.side} {self.quantity:f}"


@dataclass(slots=True)
class Account:
    """Everything that the runner asks of the account, and the cancels it can send.

    Attributes
    ----------
    client
        Sends the requests.
    order_tag
        How our client order ids begin.
    symbols
        Symbols of the configuration, and every other on which something of ours was found.
    shared
        Others may have orders here: cancel one by one, never all of a symbol.
    """

    client: SafetyClient
    order_tag: str
    symbols: set[str] = field(default_factory=set)
    shared: bool = False

    def is_ours(self, order: OpenOrder) -> bool:
        """Whether prefix and tag of an id are ours."""
        return carries_tag(order.wire_id, self.order_tag)

    async def open_orders(self, *, everywhere: bool) -> list[OpenOrder]:
        """List open orders, regular and conditional.

        Parameters
        ----------
        everywhere
            True asks for all symbols (weight 80), False for the known ones (weight 2 each).
        """
        found: list[OpenOrder] = []
        for symbol in (None,) if everywhere else sorted(self.symbols):
            found += [_regular(row) for row in await self.client.open_orders(symbol)]
            found += [_conditional(row) for row in await self.client.open_algo_orders(symbol)]
        return found

    async def our_orders(self, *, everywhere: bool = False) -> list[OpenOrder]:
        """List open orders of ours."""
        return [order for order in await self.open_orders(everywhere=everywhere) if self.is_ours(order)]

    async def positions(self) -> dict[str, PositionRow]:
        """Positions that are not flat, by symbol."""
        return {row.symbol: row for row in await self.client.positions() if row.amount}

    async def cancel(self, order: OpenOrder) -> None:
        """Cancel one order."""
        if order.is_algo:
            await self.client.cancel_algo(algo_id=order.number)
        else:
            await self.client.cancel_order(order.symbol, order_id=order.number)

    async def cancel_all(self, symbol: str) -> None:
        """Cancel every regular order of a symbol: one request, whatever is open."""
        await self.client.cancel_all(symbol)

    def know(self, symbols: Iterable[str]) -> None:
        """Look at these symbols too from now on."""
        self.symbols.update(symbols)


def _regular(row: OrderRow) -> OpenOrder:
    return OpenOrder(row.symbol, row.side, row.quantity - row.filled, row.wire_id, row.order_id)


def _conditional(row: AlgoRow) -> OpenOrder:
    return OpenOrder(row.symbol, row.side, row.quantity, row.wire_id, row.algo_id, True, row.close_position)
