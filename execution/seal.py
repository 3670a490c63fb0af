"""Make the engine's own `Strategy` fail closed: whoever is not guarded cannot trade."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nautilus_trader.trading import Strategy

SEALED = (
    "submit_order", "submit_order_list", "modify_order", "modify_orders", "close_position", "close_all_positions",
    "market_exit",
)  # fmt: skip


class UngatedOrder(RuntimeError):
    """A strategy tried to trade without a gate."""


def seal() -> None:
    """Patch `Strategy` once per process; holds no state."""
    for name in SEALED:
        original = getattr(Strategy, name)
        if not hasattr(original, "__sealed__"):
            setattr(Strategy, name, _sealed(name, original))


def _sealed(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def sealed(self: Any, *args: Any, **kwargs: Any) -> Any:
        passing: set[str] = getattr(self, "guard_passing", set())
        ids = _order_ids(args[0] if args else kwargs.get("order", kwargs.get("order_list")))
        if not ids or not ids <= passing:
            raise UngatedOrder(f"{type(self).__name__}.{name} without a gate")
        passing -= ids  # one approval is one send
        return original(self, *args, **kwargs)

    sealed.__sealed__ = True  # type: ignore[attr-defined]
    return sealed


def _order_ids(subject: Any) -> set[str]:
    """Ids of the order or orders that are about to be sent; empty for anything that is not an order."""
    if hasattr(subject, "order_type"):
        return {str(subject.client_order_id)}
    orders = subject if isinstance(subject, list) else getattr(subject, "orders", [])
    return {str(order.client_order_id) for order in orders if hasattr(order, "order_type")}
