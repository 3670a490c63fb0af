"""Orders as the venue keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum


class Side(IntEnum):
    """Direction of an order; the sign of the position change."""

    BUY = 1
    SELL = -1

    @property
    def other(self) -> Side:
        """The side an order trades against."""
        return Side(-self)


class Status(StrEnum):
    """Order status on the wire."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    REJECTED = "REJECTED"


OPEN = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


@dataclass(slots=True, eq=False)
class Order:
    """One order of the account.

    Attributes
    ----------
    price
        Limit in price units of the symbol; None for a market order.
    quantity, filled
        In quantity units of the symbol.
    quote
        Σ price × quantity of its fills.
    accepted_ns
        Real time of acceptance.
    by
        Who sent it: ``api``, ``person``, ``algo`` or ``venue``.
    """

    order_id: int
    client_id: str
    symbol: str
    side: Side
    type: str
    tif: str
    price: int | None
    quantity: int
    time_ms: int
    accepted_ns: int
    reduce_only: bool = False
    close_position: bool = False
    good_till_ms: int = 0
    position_side: str = "BOTH"
    origin_type: str = ""
    stop_price: int = 0
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    self_trade: str = "EXPIRE_MAKER"
    by: str = "api"
    status: Status = Status.NEW
    filled: int = 0
    quote: Decimal = field(default=Decimal(0))
    updated_ms: int = 0

    def __post_init__(self) -> None:
        self.updated_ms = self.updated_ms or self.time_ms
        self.origin_type = self.origin_type or self.type

    @property
    def left(self) -> int:
        """Quantity not yet filled, in units."""
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN
