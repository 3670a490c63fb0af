"""What a strategy was handed and what it saw: from the rows of a tape, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from risk.request import Side
from risk.view import AccountView, WorkingOrder


def order_of(name: str, fields: list[Any]) -> WorkingOrder:
    """A working order of a strategy, from the row that `execution.tape.tape.order_row` made."""
    key, iid, side, price, leaves, reduce_only, ts_ns, accepted, cancelling, filled, kind, mid = fields
    return WorkingOrder(
        key, name, iid, Side(side), None if price is None else Decimal(price), Decimal(leaves), reduce_only, ts_ns, accepted,
        cancelling, Decimal(filled), kind, mid,
    )  # fmt: skip


def given_text(given: list[Any], events: Mapping[int, Any]) -> str:
    """The arguments of a handler in words."""
    first = given[0] if given and isinstance(given[0], list) else None
    if first is None:
        return " ".join(str(value) for value in given) or "none"
    kind, content = first
    if kind == "#":
        return f"{market_text(events.get(content))} (market message {content} of the tape)"
    keys = ("client_order_id", "trade_id", "name")
    named = [str(content[key]) for key in keys if key in content] if isinstance(content, dict) else []
    return " ".join([kind, *named])


def market_text(event: Any) -> str:
    """What a market event is, in words."""
    if event is None:
        return "nothing that the tape holds"
    if hasattr(event, "deltas"):
        return f"depth of {event.instrument_id} up to update {event.sequence}, {len(event.deltas)} levels"
    if hasattr(event, "aggressor_side"):
        return f"print {event.trade_id} of {event.instrument_id}: {event.size} @ {event.price}"
    return f"{type(event).__name__} {event}"


def state_text(view: AccountView, name: str) -> dict[str, str]:
    """Top of book, position and working orders, as a strategy sees them."""
    seen = {}
    for iid in view.instruments:
        top, held = view.books.top_of(iid), view.position(name, iid)
        if top is not None:
            seen["book"] = f"{iid} {top.bid:g} × {top.bid_size:g} | {top.ask:g} × {top.ask_size:g}"
        if held.quantity:
            seen["holds"] = f"{held.quantity:g} {iid} at {held.entry_price:g}"
    mine = [order for order in view.working.values() if order.strategy_id == name]
    if mine:
        seen["working"] = "; ".join(
            f"{o.client_order_id} {o.side.name} {o.leaves:f} @ {o.price or 'market'}" for o in mine
        )
    return seen
