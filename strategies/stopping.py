"""The stop of a strategy's position: `risk.stops`, fed by the position that the engine states and by prices."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from risk.stops import Stops
from risk.view import FLAT, StrategyPosition
from strategies.sizing import exact

_KEY = ("", "")  # one strategy, one instrument
_CLEAR = 1e-9  # of the price
ZERO = Decimal(0)


class PositionStop:
    """Protective and trailing stop of one strategy on one instrument.

    It is placed at a distance from the first fill of a round trip and goes with that round trip: a partial fill or an add-on
    leaves it where it is, a flat or turned position has none of the old one.

    Parameters
    ----------
    distance
        From the entry price to the distance of a new stop, both quote units. 0 or less, while it cannot be known: the stop
        is placed as soon as it can.
    """

    def __init__(self, distance: Callable[[float], float]) -> None:
        self._distance = distance
        self._stops = Stops()
        self._seen: StrategyPosition = FLAT

    @property
    def price(self) -> float | None:
        """Trigger, quote units; None while there is no stop."""
        stop = self._stops.get(_KEY)
        return None if stop is None else float(stop.price)

    @property
    def round_trip(self) -> int | None:
        """Number of the round trip that it belongs to, never used again; None while there is no stop."""
        stop = self._stops.get(_KEY)
        return None if stop is None else stop.round_trip

    def follow(self, position: StrategyPosition) -> None:
        """Take the position after an event of it, or whenever it is looked at."""
        held, stop = position.quantity, self._stops.get(_KEY)
        if position is self._seen and (stop is not None or held == 0.0):
            return
        same_trip = position.entry_ts_ns == self._seen.entry_ts_ns  # nobody may have looked while it was flat
        self._seen = position
        keeps = stop is not None and same_trip and int(stop.side) * held > 0.0
        if not keeps:
            self._stops.on_position(_KEY, ZERO, ZERO, ZERO)
        distance = self._distance(position.entry_price) if held else 0.0
        if keeps or (math.isfinite(distance) and exact(distance) > ZERO):
            self._stops.on_position(_KEY, exact(held), exact(position.entry_price), exact(distance))

    def hit(self, position: StrategyPosition, price: float, trail: float = 0.0) -> bool:
        """Whether a price touches the stop of this very position; if it does not, the stop trails it.

        Parameters
        ----------
        position
            As the engine states it now.
        price
            Of a print, a close or a mid, quote units.
        trail
            Distance at which the stop follows the best price since the entry, quote units; 0 leaves it where it is.
        """
        self.follow(position)
        stop = self._stops.get(_KEY)
        if stop is None:
            return False
        side, noise = int(stop.side), _CLEAR * price
        if trail <= 0.0 and side * (price - float(stop.price)) > noise and side * (float(stop.best) - price) > noise:
            return False  # between the trigger and the best price so far: the usual case, without exact arithmetic
        at, behind = exact(price), exact(trail)
        found = self._stops.on_prices(_KEY, at, at, behind if behind > ZERO else None)
        return found is not None and self._stops.is_current(found)
