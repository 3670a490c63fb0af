"""Several strategies, one account: what becomes of an exit that the venue's netted position cannot take as one.

The engine keeps a position per strategy, the venue one per symbol. Where another strategy holds the other side, a strategy's
exit may not reduce the account's position, and the venue rejects ``reduceOnly`` (-2022). Such an order is no exit of the account:
it goes out without the flag and passes the limits as an entry does. What the venue can take as an exit stays one, so that
no limit holds it back. Nothing is changed while one strategy trades a symbol.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderSide

from execution.copies import COPIED, copy_order
from risk.desk import Desk
from risk.view import AccountView

ZERO = Decimal(0)


class Netting:
    """Fits the exits of one strategy to the account.

    Parameters
    ----------
    strategy
        The guarded strategy: its order factory is used.
    view, desk
        The account; the strategy's name and ids.
    """

    def __init__(self, strategy: Any, view: AccountView, desk: Desk) -> None:
        self._strategy = strategy
        self._view = view
        self._desk = desk
        self._unflagged: set[str] = set()

    def fitted(self, order: Any) -> Iterator[tuple[Any, bool]]:
        """Yield what is to be sent for an order, and whether it closes this strategy's position without the flag.

        The first part keeps the order's client order id. An exit that is on its way already is not sent again.
        """
        rest = self._beyond(order) if order.is_reduce_only else ZERO
        if rest <= ZERO:
            yield order, False
            return
        whole, make = order.quantity.as_decimal(), self._strategy.order_factory
        if rest < whole:
            yield copy_order(make, order, whole - rest, reduce_only=True, order_id=order.client_order_id), False
        room = self._room(order)
        if min(rest, room) > ZERO:
            order_id = order.client_order_id if rest >= whole else None
            yield self._unflag(order, min(rest, room), order_id), True

    def _beyond(self, order: Any) -> Decimal:
        """Part of an exit that the account's position on that side does not cover; 0 where no other strategy is in it."""
        iid, mine = str(order.instrument_id), self._desk.strategy_id
        others = (p.quantity for (name, where), p in self._view.positions.items() if where == iid and name != mine)
        if order.order_type not in COPIED or not any(others):
            return ZERO
        sign = _sign(order)
        leaving = sum((o.leaves for o in self._view.open_orders(iid) if o.reduce_only and o.side == sign), ZERO)
        covered = max(ZERO, -sign * self._view.net(iid) - leaving)
        asked: Decimal = order.quantity.as_decimal()
        return asked - covered

    def _room(self, order: Any) -> Decimal:
        """How much of this strategy's own position no order of its own closes yet, base units."""
        iid, sign = str(order.instrument_id), _sign(order)
        own = -sign * Decimal(repr(self._view.position(self._desk.strategy_id, iid).quantity))
        working = self._view.open_orders(iid)
        mine = [o for o in working if o.strategy_id == self._desk.strategy_id and o.side == sign]
        closing = (o.leaves for o in mine if o.reduce_only or o.client_order_id in self._unflagged)
        return own - sum(closing, ZERO)

    def _unflag(self, order: Any, quantity: Decimal, order_id: Any) -> Any:
        made = copy_order(self._strategy.order_factory, order, quantity, reduce_only=False, order_id=order_id)
        self._unflagged = {found for found in self._unflagged if found in self._view.working}
        self._unflagged.add(str(made.client_order_id))
        return made


def _sign(order: Any) -> int:
    return 1 if order.side == OrderSide.BUY else -1
