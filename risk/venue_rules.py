"""O-13: what the venue would refuse anyway is refused here, before it costs a request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.request import OrderRequest
from risk.verdict import APPROVED, Reason, Refused, Verdict, plain

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class VenueRules:
    """Binance's filters of one symbol.

    Attributes
    ----------
    tick, step
        Price and quantity increments.
    min_quantity, max_quantity
        Base units; None where the venue states none.
    min_notional
        Quote units; reduce-only orders are exempt on USD-M.
    max_orders
        Open orders per symbol (MAX_NUM_ORDERS); 200 on USD-M.
    percent_up, percent_down
        PERCENT_PRICE multipliers against the mark; None switches the check off.
    """

    tick: Decimal
    step: Decimal
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    max_orders: int = 200
    percent_up: Decimal | None = Decimal("1.05")
    percent_down: Decimal | None = Decimal("0.95")


def of_instrument(instrument: Any) -> VenueRules:
    """Read the rules that a Nautilus instrument carries."""

    def amount(value: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value.as_decimal()))

    return VenueRules(
        tick=instrument.price_increment.as_decimal(),
        step=instrument.size_increment.as_decimal(),
        min_quantity=amount(instrument.min_quantity),
        max_quantity=amount(instrument.max_quantity),
        min_notional=amount(instrument.min_notional),
    )


def split(quantity: Decimal, largest: Decimal | None) -> list[Decimal]:
    """Cut a quantity into parts that the venue takes; an exit must not be stuck because it is large.

    Examples
    --------
    >>> split(Decimal(25), Decimal(10))
    [Decimal('10'), Decimal('10'), Decimal('5')]
    """
    parts: list[Decimal] = []
    while quantity > ZERO:
        part = quantity if largest is None or largest <= ZERO else min(quantity, largest)
        parts.append(part)
        quantity -= part
    return parts


def check_venue_rules(request: OrderRequest, rules: VenueRules, reference: Decimal | None, open_orders: int) -> Verdict:
    """Apply the filters.

    Parameters
    ----------
    request
        The order.
    rules
        The symbol's filters.
    reference
        Mark price, or the mid where there is none; used for notional and PERCENT_PRICE.
    open_orders
        Orders of ours that are open on the symbol.
    """
    for verdict in (_increments(request, rules), _quantity(request, rules), _price(request, rules, reference)):
        if isinstance(verdict, Refused):
            return verdict
    if request.is_entry and open_orders >= rules.max_orders:
        return Refused(
            Reason.MAX_OPEN_ORDERS, f"{open_orders} orders open, the venue allows {rules.max_orders}",
            {"open": open_orders, "limit": rules.max_orders},
        )  # fmt: skip
    return APPROVED


def _increments(request: OrderRequest, rules: VenueRules) -> Verdict:
    if request.price is not None and (request.price <= ZERO or request.price % rules.tick != ZERO):
        return Refused(
            Reason.TICK, f"price {request.price} is not a positive multiple of the tick {rules.tick}",
            {"price": str(request.price), "tick": str(rules.tick)},
        )  # fmt: skip
    if request.quantity <= ZERO or request.quantity % rules.step != ZERO:
        return Refused(
            Reason.STEP, f"quantity {request.quantity} is not a positive multiple of the step {rules.step}",
            {"quantity": str(request.quantity), "step": str(rules.step)},
        )  # fmt: skip
    return APPROVED


def _quantity(request: OrderRequest, rules: VenueRules) -> Verdict:
    if rules.min_quantity is not None and request.quantity < rules.min_quantity:
        return Refused(
            Reason.MIN_QUANTITY, f"quantity {request.quantity} < {rules.min_quantity}",
            {"quantity": str(request.quantity), "limit": str(rules.min_quantity)},
        )  # fmt: skip
    if rules.max_quantity is not None and request.quantity > rules.max_quantity:
        return Refused(
            Reason.MAX_QUANTITY, f"quantity {request.quantity} > {rules.max_quantity}",
            {"quantity": str(request.quantity), "limit": str(rules.max_quantity)},
        )  # fmt: skip
    return APPROVED


def _price(request: OrderRequest, rules: VenueRules, reference: Decimal | None) -> Verdict:
    price = request.price if request.price is not None else reference
    if price is None:
        return Refused(Reason.NO_PRICE, f"{request.instrument_id} has no price yet") if request.is_entry else APPROVED
    notional = price * request.quantity
    if request.is_entry and rules.min_notional is not None and notional < rules.min_notional:
        return Refused(
            Reason.MIN_NOTIONAL, f"notional {plain(notional)} < {plain(rules.min_notional)}",
            {"notional": str(notional), "limit": str(rules.min_notional)},
        )  # fmt: skip
    return _percent_price(request, rules, reference)


def _percent_price(request: OrderRequest, rules: VenueRules, reference: Decimal | None) -> Verdict:
    if request.price is None or reference is None:
        return APPROVED
    if request.side > 0 and rules.percent_up is not None:
        limit, bad = reference * rules.percent_up, request.price > reference * rules.percent_up
    elif request.side < 0 and rules.percent_down is not None:
        limit, bad = reference * rules.percent_down, request.price < reference * rules.percent_down
    else:
        return APPROVED
    if not bad:
        return APPROVED
    return Refused(
        Reason.PERCENT_PRICE, f"price {request.price} is beyond {plain(limit)}, the venue's band around {plain(reference)}",
        {"price": str(request.price), "limit": str(limit), "reference": str(reference)},
    )  # fmt: skip
