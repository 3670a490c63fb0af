"""D9: every open position has one stop at the venue that closes it whole. What is to be placed and what is to go, as a pure plan.

A stop stays where it was placed as long as its position keeps its side: a trigger never moves away from the market, and an order
that closes the position needs no size. When the side turns, the new stop is placed before the old one goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

type Side = Literal["BUY", "SELL"]


@dataclass(frozen=True, slots=True)
class Held:
    """An open position as the venue shows it.

    Attributes
    ----------
    symbol
        Which.
    amount
        Signed base units, not 0.
    entry_price
        Quote units.
    """

    symbol: str
    amount: Decimal
    entry_price: Decimal

    @property
    def closing_side(self) -> Side:
        """Side of an order that closes it."""
        return "SELL" if self.amount > 0 else "BUY"


@dataclass(frozen=True, slots=True)
class Standing:
    """A conditional order that waits at the venue.

    Attributes
    ----------
    symbol, side, number
        Of the order; the number is the venue's own.
    protects
        A market stop that closes the whole position.
    ours
        Its client order id carries our tag.
    """

    symbol: str
    side: str
    number: int
    protects: bool = True
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Place a stop.

    Attributes
    ----------
    symbol, side, trigger
        Of the stop; quote units, on the tick.
    quantity
        Of the position now, for the record: the order itself has none.
    """

    symbol: str
    side: Side
    trigger: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Remove:
    """Cancel a stop.

    Attributes
    ----------
    symbol, number
        Of the stop.
    why
        In words.
    """

    symbol: str
    number: int
    why: str


def trigger_price(held: Held, distance_pct: float, tick: Decimal) -> Decimal:
    """Price at which a position is closed, on the tick that is nearer to the entry.

    Examples
    --------
    >>> trigger_price(Held("BTCUSDT", Decimal("0.1"), Decimal("60000.05")), 5, Decimal("0.1"))
    Decimal('57000.1')
    """
    sign = 1 if held.amount > 0 else -1
    price = held.entry_price * (1 - sign * Decimal(repr(float(distance_pct))) / 100)
    rounding = ROUND_CEILING if sign > 0 else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding) * tick


def plan(
    held: Mapping[str, Held], stops: Iterable[Standing], distance_pct: float, ticks: Mapping[str, Decimal],
) -> Sequence[Place | Remove]:  # fmt: skip
    """Say what is to be done, in this order.

    A stop of somebody else that closes the position protects it as well: the venue takes no second one. One that is not ours is
    never cancelled.

    Parameters
    ----------
    held
        Open positions by symbol.
    stops
        Conditional orders that wait.
    distance_pct
        From the entry price to the trigger.
    ticks
        Of each symbol; a position on another symbol gets no stop of ours.
    """
    waiting = [stop for stop in stops if stop.protects]
    places = [
        Place(one.symbol, one.closing_side, trigger_price(one, distance_pct, ticks[one.symbol]), abs(one.amount))
        for one in held.values()
        if one.symbol in ticks and not is_protected(one, waiting)
    ]
    return [*places, *_superfluous(held, [stop for stop in waiting if stop.ours])]


def is_protected(held: Held, stops: Iterable[Standing]) -> bool:
    """Whether a stop that waits would close this position."""
    return any(stop.protects and stop.symbol == held.symbol and stop.side == held.closing_side for stop in stops)


def _superfluous(held: Mapping[str, Held], ours: Iterable[Standing]) -> Iterable[Remove]:
    kept: set[str] = set()
    for stop in sorted(ours, key=lambda one: one.number):
        one = held.get(stop.symbol)
        if one is None:
            yield Remove(stop.symbol, stop.number, "the position is closed")
        elif stop.side != one.closing_side:
            yield Remove(stop.symbol, stop.number, "the position has turned")
        elif stop.symbol in kept:
            yield Remove(stop.symbol, stop.number, "another stop closes the position")
        else:
            kept.add(stop.symbol)
