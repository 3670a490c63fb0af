"""Fits an order to what is allowed before it is judged: exits to the position, entries to the size that is left.

An exit larger than the position is clipped (R-14), and one larger than the venue or the engine's own risk engine (the third wall)
lets pass is sent in parts: a position whose price has multiplied must not be too large to be left. While a soft breaker or a
drawdown allows part of the usual size, an entry is made smaller; what cannot be made smaller is left as it is, and the gate
refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from nautilus_trader.model import OrderSide, OrderType, PriceType

from execution.copies import COPIED, copy_order
from execution.netting import Netting
from execution.services import Services
from risk.desk import Desk
from risk.exits import ExitKind, plan_exit
from risk.request import Side
from risk.sizing import Sized, to_venue
from risk.venue_rules import split

ZERO = Decimal(0)
WALL_SHARE = Decimal("0.5")
"""Of the third wall, for one part of an exit: the price may double on its way and the engine still lets it pass."""
_ENGINE_PRICES = (PriceType.BID, PriceType.ASK, PriceType.LAST)


class Part(NamedTuple):
    """What is to be sent.

    Attributes
    ----------
    order
        A Nautilus order.
    closes_own
        See `risk.request.OrderRequest`.
    size_factor
        Share of the wish that it is.
    """

    order: Any
    closes_own: bool = False
    size_factor: float = 1.0


class Fitting:
    """Fits the orders of one strategy.

    Parameters
    ----------
    strategy
        The guarded strategy: its order factory is used.
    services, desk
        Gate and view; the strategy's name and ids.
    """

    def __init__(self, strategy: Any, services: Services, desk: Desk) -> None:
        self._strategy = strategy
        self._gate = services.gate
        self._view = services.view
        self._desk = desk
        self._netting = Netting(strategy, services.view, desk)

    def fitted(self, order: Any) -> Iterator[Part]:
        """Yield what is to be sent; the first part keeps the order's client order id."""
        if not order.is_reduce_only:
            yield self._scaled(order)
            return
        for piece in self._pieces(self._clipped(order)):
            for part, closes_own in self._netting.fitted(piece):
                yield Part(part, closes_own)

    def _pieces(self, order: Any) -> Iterator[Any]:
        """Cut an exit into orders that venue and third wall take; the first keeps the client order id."""
        iid = str(order.instrument_id)
        if iid not in self._gate.rules or order.order_type not in COPIED or order.is_quote_quantity:
            yield order
            return
        parts = split(order.quantity.as_decimal(), self._largest(iid, order))
        if len(parts) < 2:
            yield order
            return
        make = self._strategy.order_factory
        for number, part in enumerate(parts):
            order_id = order.client_order_id if number == 0 else None
            yield copy_order(make, order, part, reduce_only=True, order_id=order_id)

    def _largest(self, iid: str, order: Any) -> Decimal | None:
        """Largest exit, base units; None where nothing bounds it."""
        rules, price = self._gate.rules[iid], self._dearest(iid, order)
        if price <= ZERO:
            return rules.max_quantity
        room = Decimal(repr(self._gate.config.wall_notional_quote)) * WALL_SHARE / price
        walled = max(room // rules.step * rules.step, rules.step, rules.min_quantity or ZERO)
        return walled if rules.max_quantity is None else min(walled, rules.max_quantity)

    def _dearest(self, iid: str, order: Any) -> Decimal:
        """Highest price at which the engine may value the order: its limit, or the engine's last quote or trade, however old."""
        view, instrument_id = self._view, order.instrument_id
        last = (view.cache.price(instrument_id, kind) for kind in _ENGINE_PRICES) if view.cache is not None else ()
        limit = order.price if order.order_type == OrderType.LIMIT else None
        known: list[Decimal] = [price.as_decimal() for price in (*last, limit) if price is not None]
        return max([*known, view.reference(iid) or ZERO])

    def _clipped(self, order: Any) -> Any:
        """Cut an exit down to what this strategy, or nobody, holds; one on a flat position is left for the venue to reject."""
        iid, side = str(order.instrument_id), Side.BUY if order.side == OrderSide.BUY else Side.SELL
        rules = self._gate.rules.get(iid)
        if rules is None or order.order_type not in COPIED or order.is_quote_quantity:
            return order
        anything = replace(rules, max_quantity=None)  # what is too large for one order goes in parts
        plan = plan_exit(side, order.quantity.as_decimal(), self._held(iid, side), anything)
        if plan.kind is not ExitKind.CLIPPED:
            return order
        return self._copy(order, plan.quantity, reduce_only=True)

    def _held(self, iid: str, side: Side) -> Decimal:
        """The account's position without what other strategies hold on its side, signed base units."""
        held: Decimal = self._view.net(iid)
        mine = self._desk.strategy_id
        for (name, where), position in self._view.positions.items():
            if where == iid and name != mine and position.quantity * side < 0:
                held -= Decimal(repr(position.quantity))
        own = Decimal(repr(self._view.position(mine, iid).quantity))
        return (
            own if own * side < held * side else held
        )  # where another holds the other side, one's own position counts

    def _scaled(self, order: Any) -> Part:
        iid = str(order.instrument_id)
        factor = self._gate.size_factor(iid) if iid in self._gate.rules else 1.0
        if not 0.0 < factor < 1.0 or order.order_type not in COPIED or order.is_quote_quantity:
            return Part(order)
        price = self._view.reference(iid)
        wish = order.quantity.as_decimal()
        sized = to_venue(wish * Decimal(repr(factor)), price if price is not None else ZERO, self._gate.rules[iid])
        if not isinstance(sized, Sized):
            return Part(order)
        return Part(self._copy(order, sized.quantity, reduce_only=False), size_factor=float(sized.quantity / wish))

    def _copy(self, order: Any, quantity: Decimal, *, reduce_only: bool) -> Any:
        factory = self._strategy.order_factory
        return copy_order(factory, order, quantity, reduce_only=reduce_only, order_id=order.client_order_id)
