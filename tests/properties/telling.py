"""What the venue does with an order, told as the engine tells it: order events, then position events."""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model import OrderSide

from tests.properties import engine_words as words
from tests.properties.engine_words import Fee, Num
from tests.properties.venue import Resting, Trip
from tests.properties.world import IDS, ZERO, World


class Telling(World):
    """The world with trades."""

    def traded(self, order: Resting, quantity: Decimal, price: Decimal) -> words.OrderFilled:
        """A trade happens and is told."""
        late, rejected = order.told == "over", order.told == "rejected"
        order.told = "accepted" if order.told == "sent" else order.told
        what = "late" if late else "after a reject" if rejected else "part" if quantity < order.leaves else "whole"
        self.seen[f"fill {what}"] += 1
        fee, trade_id = self.venue.trade(order, quantity, price)
        self.oracle.filled(self.now, order.order_id, quantity, price, fee)
        if rejected and order.leaves > 0:
            self.oracle.reopened(order.order_id)
            order.told = "accepted"
        event = words.OrderFilled(
            self.now, order.order_id, IDS[order.iid], trade_id=trade_id, last_px=Num(price), last_qty=Num(quantity),
            order_side=OrderSide.BUY if order.side > 0 else OrderSide.SELL, commission=Fee(fee),
        )  # fmt: skip
        self.tell(event, order)
        self._position(order, quantity * order.side, price, fee)
        return event

    def _position(self, order: Resting, signed: Decimal, price: Decimal, fee: Decimal) -> None:
        """What the engine makes of a trade: a flip closes one position and opens another."""
        trip = self.venue.trips.setdefault((order.strategy_id, order.iid), Trip())
        before, after = trip.quantity, trip.quantity + signed
        closing = -before if before * after < 0 else signed
        trip.quantity += closing
        trip.cash -= closing * price + fee
        if before and not trip.quantity:
            self.oracle.flat(order.strategy_id, order.iid)
            self.seen["exits of one strategy, another on its side, beyond its own position"] += (
                order.reduce_only and after != 0
            )
            self._position_event(words.PositionClosed, order, trip)
            trip.cash = ZERO
        if after and (after != trip.quantity or not before):
            trip.cash -= (after - trip.quantity) * price
            trip.quantity, trip.price = after, price
            self._position_event(words.PositionOpened, order, trip)
        elif after:
            self._position_event(words.PositionChanged, order, trip)

    def _position_event(self, kind: type[words.PositionEvent], order: Resting, trip: Trip) -> None:
        self.seen[kind.__name__] += 1
        event = kind(self.now, IDS[order.iid], float(trip.quantity), float(trip.price), Num(trip.cash))
        self.services.relay.position(event, order.strategy_id)
        self.traders[order.strategy_id].closer.follow()
