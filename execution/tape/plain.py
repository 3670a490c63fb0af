"""Orders, events and intents as plain values: what a tape holds, and what two decisions are compared by."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

ORDER_FIELDS = (
    "client_order_id", "instrument_id", "side", "order_type", "quantity", "price", "trigger_price", "time_in_force",
    "expire_time", "is_post_only", "is_reduce_only", "tags",
)  # fmt: skip
"""What of an order is a decision; ids and times that the engine adds are not."""


def plain(value: Any) -> Any:
    """Make a value of text, numbers, lists and dicts.

    Dataclasses become a list of their name and their fields, orders a list of ``order`` and `ORDER_FIELDS`, enums their name,
    ids, prices and quantities of the engine their text.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, int) else _composed(value)


def _composed(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {field.name: plain(getattr(value, field.name)) for field in fields(value)}]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _engine(value)


def _engine(value: Any) -> Any:
    """An order, a list of orders, or something whose text says it: an id, a price, an enum of the engine."""
    if hasattr(value, "is_reduce_only"):
        return ["order", {name: plain(getattr(value, name, None)) for name in ORDER_FIELDS}]
    if hasattr(value, "orders"):
        return [plain(order) for order in value.orders]
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else str(value)
