"""What the gate sees of an order: plain values, the same for every way to create or close."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal


class Side(enum.IntEnum):
    """Direction of an order or fill; the value is the sign s of `report.md`."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side(-self.value)


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why an order exists and what is expected of it.

    Attributes
    ----------
    why
        Recorded with the order.
    edge_bps
        Expected edge over the mid, basis points; None when the strategy gave none.
    horizon_secs
        Until the expected exit; decides the funding that is due.
    source
        ``strategy``, ``close`` (a close helper) or ``stop`` (the end of a run).
    """

    why: str = ""
    edge_bps: float | None = None
    horizon_secs: float = 0.0
    source: str = "strategy"


NO_PURPOSE = Purpose()


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order before the gate.

    Attributes
    ----------
    strategy_id, instrument_id, client_order_id
        As strings, as they are journaled.
    side
        Direction.
    order_type
        ``MARKET``, ``LIMIT`` or another Nautilus order type name.
    quantity
        Base units, positive.
    price
        Limit price; None for orders without one.
    post_only, reduce_only
        As they go on the wire.
    time_in_force
        Nautilus name.
    ts_ns
        Engine clock, UTC.
    purpose
        Why, and the expected edge.
    closes_own
        An entry for the account, since another strategy holds the other side, that closes the strategy's own position: neither
        policy nor edge is asked, the limits are.
    size_factor
        Share of the wish that is asked for, where open breakers or a drawdown allow less than all of it.
    """

    strategy_id: str
    instrument_id: str
    client_order_id: str
    side: Side
    order_type: str
    quantity: Decimal
    price: Decimal | None
    post_only: bool
    reduce_only: bool
    time_in_force: str
    ts_ns: int
    purpose: Purpose = NO_PURPOSE
    closes_own: bool = False
    size_factor: float = 1.0

    @property
    def is_entry(self) -> bool:
        """True unless the order carries `reduceOnly`: a "reducing" order without the flag is an entry."""
        return not self.reduce_only
