"""Orders and events that look like the engine's to those who read them, made of plain values: fast, and no engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import InstrumentId, LiquiditySide, OrderSide, OrderType, Price, Quantity, TimeInForce


class Num(Decimal):
    """A decimal that answers as the engine's prices, quantities and money do."""

    def as_decimal(self) -> Decimal:
        """The number."""
        return Decimal(self)


NOTHING = Num(0)


@dataclass(slots=True)
class Order:
    """An order before it is sent."""

    instrument_id: InstrumentId
    side: OrderSide
    quantity: Quantity
    client_order_id: Any
    order_type: OrderType = OrderType.MARKET
    price: Price | None = None
    is_post_only: bool = False
    is_reduce_only: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_time: Any = None
    tags: Any = None
    exec_algorithm_id: Any = None
    is_emulated: bool = False
    emulation_trigger: Any = None
    is_quote_quantity: bool = False


class Factory:
    """The engine's order factory, as far as guard and tests use it."""

    def market(
        self, instrument_id: InstrumentId, side: OrderSide, quantity: Quantity, time_in_force: Any = None, *,
        reduce_only: bool = False, tags: Any = None, client_order_id: Any = None,
    ) -> Order:  # fmt: skip
        """A market order."""
        return Order(instrument_id, side, quantity, client_order_id, is_reduce_only=reduce_only,
                     time_in_force=time_in_force or TimeInForce.GTC, tags=tags)  # fmt: skip

    def limit(
        self, instrument_id: InstrumentId, side: OrderSide, quantity: Quantity, price: Price, *,
        time_in_force: Any = None, expire_time: Any = None, post_only: bool = False, reduce_only: bool = False,
        tags: Any = None, client_order_id: Any = None,
    ) -> Order:  # fmt: skip
        """A limit order."""
        return Order(instrument_id, side, quantity, client_order_id, OrderType.LIMIT, price, post_only, reduce_only,
                     time_in_force or TimeInForce.GTC, expire_time, tags)  # fmt: skip


@dataclass(slots=True)
class OrderEvent:
    """What every order event says; the class name is its kind."""

    ts_event: int
    client_order_id: str
    instrument_id: InstrumentId
    reason: str = ""
    event_id: Any = field(default_factory=UUID4)


class OrderAccepted(OrderEvent):
    """The venue has it."""


class OrderPendingCancel(OrderEvent):
    """A cancel has left."""


class OrderCancelRejected(OrderEvent):
    """The cancel was refused, which proves nothing."""


class OrderCanceled(OrderEvent):
    """It is over."""


class OrderExpired(OrderEvent):
    """It is over."""


@dataclass(slots=True)
class OrderRejected(OrderEvent):
    """The venue refused it."""

    due_post_only: bool = False


@dataclass(slots=True)
class OrderUpdated(OrderEvent):
    """The venue changed its quantity."""

    quantity: Num = NOTHING


@dataclass(slots=True)
class OrderFilled(OrderEvent):
    """A trade."""

    trade_id: str = ""
    order_side: OrderSide = OrderSide.BUY
    last_px: Num = NOTHING
    last_qty: Num = NOTHING
    commission: Any = None
    liquidity_side: LiquiditySide = LiquiditySide.MAKER


@dataclass(slots=True)
class PositionEvent:
    """What a position event says; the class name is its kind."""

    ts_event: int
    instrument_id: InstrumentId
    signed_qty: float
    avg_px_open: float
    realized_pnl: Num | None = None


class PositionOpened(PositionEvent):
    """From flat."""


class PositionChanged(PositionEvent):
    """Larger or smaller."""


class PositionClosed(PositionEvent):
    """Flat."""


class Fee(Num):
    """A commission in USDT."""

    currency = "USDT"
