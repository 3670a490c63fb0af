"""Events of the engine on a tape, and back: market data, order events, position events, timers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nautilus_trader import model
from nautilus_trader.common import TimeEvent
from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    BookAction,
    BookOrder,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
)

DELTAS, TIMER, OTHER = "OrderBookDeltas", "TimeEvent", "?"
_PARSED = ("Price", "Quantity", "Money", "Currency")
_NAMED = (
    "TraderId", "StrategyId", "PositionId", "AccountId", "ClientOrderId", "VenueOrderId", "TradeId",
)  # fmt: skip
_ENUMS = ("OrderSide", "PositionSide", "LiquiditySide", "OrderType", "PositionAdjustmentType")
_POSITIONS = frozenset({"PositionOpened", "PositionChanged", "PositionClosed", "PositionAdjusted"})


class NotOnTape(Exception):
    """A tape holds something that cannot be handed out again."""


def deltas_row(deltas: Any) -> list[Any]:
    """One venue message of depth: instrument, sequence, times, and [action, side, price, size, id, flags] of each level."""
    levels = []
    for delta in deltas.deltas:
        order = delta.order
        side = None if order.side is None else order.side.name  # a clear has none
        levels.append([delta.action.name, side, str(order.price), str(order.size), order.order_id, delta.flags])
    return [str(deltas.instrument_id), deltas.sequence, deltas.ts_event, deltas.ts_init, levels]


def deltas_of(row: list[Any]) -> OrderBookDeltas:
    """The message again."""
    iid, sequence, ts_event, ts_init, levels = row
    instrument_id = InstrumentId.from_str(iid)
    made = [
        OrderBookDelta(
            instrument_id, getattr(BookAction, action),
            BookOrder(None if side is None else getattr(OrderSide, side), Price.from_str(price), Quantity.from_str(size), order_id),
            flags, sequence, ts_event, ts_init,
        )
        for action, side, price, size, order_id, flags in levels
    ]  # fmt: skip
    return OrderBookDeltas(instrument_id, made)


def event_row(event: Any) -> list[Any]:
    """Type and content of any other event; one that has no content of its own is a `?` with its name."""
    kind = type(event).__name__
    if kind == TIMER:
        return [TIMER, {"name": event.name, "ts_event": event.ts_event, "ts_init": event.ts_init}]
    if kind in _POSITIONS:
        names = (name for name in dir(event) if not name.startswith("_") and not callable(getattr(event, name)))
        return [kind, {name: _typed(getattr(event, name)) for name in names}]
    if hasattr(event, "to_dict") and hasattr(type(event), "from_dict"):
        return [kind, event.to_dict()]
    return [OTHER, kind]


def event_of(row: list[Any]) -> Any:
    """The event again; a position event as an object with the same name and attributes.

    Raises
    ------
    NotOnTape
        For a `?`.
    """
    kind, content = row
    if kind == TIMER:
        return TimeEvent(content["name"], UUID4(), content["ts_event"], content["ts_init"])
    if kind in _POSITIONS:
        return type(kind, (SimpleNamespace,), {})(**{name: _untyped(value) for name, value in content.items()})
    found = getattr(model, kind, None)
    if kind == OTHER or found is None:
        raise NotOnTape(f"a {content if kind == OTHER else kind} is an object of its own, which a tape does not hold")
    return found.from_dict(content)


def _typed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    kind = type(value).__name__
    if kind in _ENUMS:
        return [kind, value.name]
    if kind == "Currency":
        return [kind, value.code]
    return [kind, str(value)]


def _untyped(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, text = value
    if kind == "UUID4":
        return UUID4()
    if kind == "InstrumentId":
        return InstrumentId.from_str(text)
    found = getattr(model, kind, None)
    if kind in _ENUMS:
        return getattr(found, text)
    if kind in _PARSED and found is not None:
        return found.from_str(text)
    return found(text) if kind in _NAMED and found is not None else text
