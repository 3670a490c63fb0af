"""Copies of an order with another quantity: an order object cannot be changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderType, Quantity

COPIED = (OrderType.MARKET, OrderType.LIMIT)
"""Order types that can be copied."""


def copy_order(factory: Any, order: Any, quantity: Decimal, *, reduce_only: bool, order_id: Any) -> Any:
    """Make an order like another one.

    Parameters
    ----------
    factory
        The strategy's order factory.
    order
        A market or limit order.
    quantity
        Base units, a multiple of the step.
    reduce_only
        Whether the copy carries the flag.
    order_id
        Client order id of the copy; None for a fresh one.
    """
    size = Quantity.from_str(f"{quantity:.{order.quantity.precision}f}")
    common = {"reduce_only": reduce_only, "tags": order.tags, "client_order_id": order_id}
    if order.order_type == OrderType.MARKET:
        return factory.market(order.instrument_id, order.side, size, order.time_in_force, **common)
    return factory.limit(
        order.instrument_id, order.side, size, order.price, time_in_force=order.time_in_force,
        expire_time=order.expire_time, post_only=order.is_post_only, **common,
    )  # fmt: skip
