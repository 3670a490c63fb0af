"""One look at the account, past the engine, and whether it is what this process believes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from execution.journal import CLOSED
from execution.safety.rows import AlgoRow, OrderRow, PositionRow
from execution.safety.wire_ids import carries_tag
from runners.live.account import Account

ZERO = Decimal(0)
YOUNG_NS = 2_000_000_000
"""An order that was accepted so recently need not be in a list that was asked for a moment ago."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the venue showed.

    Attributes
    ----------
    asked_ns
        Monotonic time at which it was asked.
    orders, algos
        Open ones of the account's symbols, regular and conditional.
    held
        Positions that are not flat, by symbol.
    """

    asked_ns: int
    orders: tuple[OrderRow, ...]
    algos: tuple[AlgoRow, ...]
    held: Mapping[str, PositionRow]


async def look(account: Account, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> Look:
    """Ask for positions, then for orders: a stop is judged by a position that was there before it was listed.

    Raises
    ------
    VenueError
        When one of the questions is not answered.
    """
    asked, symbols = monotonic_ns(), sorted(account.symbols)
    held = await account.positions()
    regular = await asyncio.gather(*(account.client.open_orders(symbol) for symbol in symbols))
    algos = await asyncio.gather(*(account.client.open_algo_orders(symbol) for symbol in symbols))
    return Look(
        asked, tuple(row for rows in regular for row in rows), tuple(row for rows in algos for row in rows), held
    )


class Working(Protocol):
    """An order as the view counts it; see `risk.view.WorkingOrder`."""

    @property
    def client_order_id(self) -> str: ...
    @property
    def instrument_id(self) -> str: ...
    @property
    def ts_ns(self) -> int: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def pending_cancel(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Believed:
    """What this process believes of the account.

    Attributes
    ----------
    row
        The journal's row of an order, by client order id; None for none.
    working
        Orders that the limits count.
    net
        The engine's position by symbol, base units: before the look, and after it.
    order_tag
        Of our ids.
    now_ns
        UTC.
    """

    row: Callable[[str], Mapping[str, Any] | None]
    working: Mapping[str, Working]
    net: Mapping[str, tuple[Decimal, Decimal]]
    order_tag: str
    now_ns: int


def difference(seen: Look, believed: Believed) -> tuple[str, str] | None:
    """The first thing in which the venue differs from what is believed: words for it, and the order that it is about ("" for none).

    None: nothing does.
    """
    for symbol, net in believed.net.items():
        amount = seen.held[symbol].amount if symbol in seen.held else ZERO
        if amount not in net:
            return f"{symbol} is {amount:f} at the venue and {net[1]:f} here", ""
    for row in seen.orders:
        known = believed.row(row.logical_id)
        if carries_tag(row.wire_id, believed.order_tag) and (known is None or known["status"] in CLOSED):
            state = "unknown" if known is None else known["status"]
            return f"order {row.logical_id} is open at the venue and {state} here", row.logical_id
    listed = {row.logical_id for row in seen.orders}
    for order in believed.working.values():
        young = believed.now_ns - order.ts_ns < YOUNG_NS
        if order.accepted and not order.pending_cancel and not young and order.client_order_id not in listed:
            return f"order {order.client_order_id} is open here and not at the venue", order.client_order_id
    return None
