"""Protective and trailing stops of positions, long and short alike.

A stop belongs to one round trip, flat to flat. It never widens: not by an add-on at a worse price, not by a larger ATR, not by a
partial fill. When the position is flat or has turned, its stop is gone, and a hit of an old one closes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from risk.request import Side

ZERO = Decimal(0)
type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop of an open position.

    Attributes
    ----------
    round_trip
        Number of the round trip that it protects; never used again.
    side
        Of the position.
    price
        Trigger, quote units.
    quantity
        Of the position, base units, positive.
    best
        Best price since the position was opened: highest for a long, lowest for a short.
    """

    round_trip: int
    side: Side
    price: Decimal
    quantity: Decimal
    best: Decimal

    def is_hit(self, low: Decimal, high: Decimal) -> bool:
        """Whether a bar, or a tick as a bar of one price, touches the trigger."""
        return low <= self.price if self.side is Side.BUY else high >= self.price

    def fill_price(self, opened: Decimal) -> Decimal:
        """Price at which a stop inside the bar executes: the trigger, or the open where the bar gapped beyond it."""
        return min(self.price, opened) if self.side is Side.BUY else max(self.price, opened)


@dataclass(frozen=True, slots=True)
class StopHit:
    """A stop that was touched: close this round trip, and no other.

    Attributes
    ----------
    key
        Strategy and instrument.
    round_trip
        Check it with `Stops.is_current` right before sending.
    side
        Of the exit order.
    quantity, price
        Base units to close; the trigger.
    """

    key: Key
    round_trip: int
    side: Side
    quantity: Decimal
    price: Decimal


def tightened(stop: Stop, price: Decimal) -> Stop:
    """Move the trigger towards the market, never away from it."""
    better = price > stop.price if stop.side is Side.BUY else price < stop.price
    return replace(stop, price=price) if better else stop


def seen(stop: Stop, low: Decimal, high: Decimal) -> Stop:
    """Note the best price, and leave the trigger where it is."""
    best = max(stop.best, high) if stop.side is Side.BUY else min(stop.best, low)
    return stop if best == stop.best else replace(stop, best=best)


def trailed(stop: Stop, low: Decimal, high: Decimal, distance: Decimal) -> Stop:
    """Follow the best price at `distance` (a multiple of the ATR); a larger distance widens nothing."""
    stop = seen(stop, low, high)
    return tightened(stop, stop.best - int(stop.side) * distance)


class Stops:
    """The stop of every open position, by strategy and instrument."""

    def __init__(self) -> None:
        self._stops: dict[Key, Stop] = {}
        self._round_trips = 0

    def get(self, key: Key) -> Stop | None:
        """Stop of a position; None where it is flat."""
        return self._stops.get(key)

    def on_position(self, key: Key, position: Decimal, price: Decimal, distance: Decimal) -> Stop | None:
        """Follow a position after a fill.

        Parameters
        ----------
        key
            Strategy and instrument.
        position
            Signed base units after the fill.
        price
            Of the fill, quote units; the first one of a round trip places the stop.
        distance
            Between that price and the stop, quote units, positive.

        Returns
        -------
        Stop or None
            The stop that now stands; None when flat.

        Raises
        ------
        ValueError
            When a new stop would have no distance.
        """
        if position == ZERO:
            self._stops.pop(key, None)
            return None
        side = Side.BUY if position > ZERO else Side.SELL
        stop = self._stops.get(key)
        if stop is None or stop.side is not side:
            stop = self._placed(side, price, distance)
        self._stops[key] = stop = replace(stop, quantity=abs(position))
        return stop

    def on_prices(self, key: Key, low: Decimal, high: Decimal, trail: Decimal | None = None) -> StopHit | None:
        """Take a bar, or a tick as a bar of one price: first the hit, then the trail.

        The trigger that stood before the bar is judged, since nobody knows whether its high came before its low.

        Parameters
        ----------
        key
            Strategy and instrument.
        low, high
            Quote units.
        trail
            Distance of a trailing stop now, quote units; None leaves the trigger where it is.
        """
        stop = self._stops.get(key)
        if stop is None:
            return None
        if stop.is_hit(low, high):
            return StopHit(key, stop.round_trip, stop.side.opposite, stop.quantity, stop.price)
        self._stops[key] = seen(stop, low, high) if trail is None else trailed(stop, low, high, trail)
        return None

    def is_current(self, hit: StopHit) -> bool:
        """Whether the round trip that the hit belongs to is still open."""
        stop = self._stops.get(hit.key)
        return stop is not None and stop.round_trip == hit.round_trip

    def _placed(self, side: Side, price: Decimal, distance: Decimal) -> Stop:
        if distance <= ZERO:
            raise ValueError(f"a stop needs a distance above 0, got {distance}")
        self._round_trips += 1
        return Stop(self._round_trips, side, price - int(side) * distance, ZERO, price)
