"""Nautilus orders as requests to the gate."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import OrderSide

from risk.request import OrderRequest, Purpose, Side


def of_order(
    order: Any, strategy_id: str, ts_ns: int, purpose: Purpose, *, closes_own: bool = False, size_factor: float = 1.0
) -> OrderRequest:
    """Read an order object; order classes share no base class, and market orders have no price."""
    price = getattr(order, "price", None)
    return OrderRequest(
        strategy_id=strategy_id, instrument_id=str(order.instrument_id), client_order_id=str(order.client_order_id),
        side=Side.BUY if order.side == OrderSide.BUY else Side.SELL, order_type=order.order_type.name,
        quantity=order.quantity.as_decimal(), price=price.as_decimal() if price is not None else None,
        post_only=bool(getattr(order, "is_post_only", False)), reduce_only=bool(order.is_reduce_only),
        time_in_force=order.time_in_force.name, ts_ns=ts_ns, purpose=purpose, closes_own=closes_own,
        size_factor=size_factor,
    )  # fmt: skip


def of_initialized(event: Any, strategy_id: str) -> OrderRequest:
    """Read an `OrderInitialized` event; used where no order object may be asked for."""
    return OrderRequest(
        strategy_id=strategy_id, instrument_id=str(event.instrument_id), client_order_id=str(event.client_order_id),
        side=Side.BUY if event.order_side == OrderSide.BUY else Side.SELL, order_type=event.order_type.name,
        quantity=event.quantity.as_decimal(), price=event.price.as_decimal() if event.price is not None else None,
        post_only=bool(event.post_only), reduce_only=bool(event.reduce_only), time_in_force=event.time_in_force.name,
        ts_ns=event.ts_init, purpose=Purpose(why="ungated"),
    )  # fmt: skip
