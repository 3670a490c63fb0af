"""What a strategy can want. Values only: no engine, no clock, no I/O.

Sizes are base units and prices are quote units per base unit, both as floats: they come out of features. The base class
rounds sizes down to the venue's step and prices outward to its tick before an order exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from risk.request import Side

__all__ = ["CancelAll", "Enter", "Exit", "Intent", "Level", "Quote", "Side", "Target"]


@dataclass(frozen=True, slots=True)
class Level:
    """One desired resting quote.

    Attributes
    ----------
    price
        Quote units per base unit.
    size
        Base units, positive.
    """

    price: float
    size: float


@dataclass(frozen=True, slots=True)
class Quote:
    """The complete set of quotes that should rest now; what rests and is not in it is cancelled.

    Attributes
    ----------
    bids, asks
        Desired levels, best first; an empty tuple means "no quote on this side".
    edge_bps
        Expected edge of a fill over the mid, in basis points of the price; None leaves it to the policy.
    why
        Recorded with every order that follows.
    requote_ticks
        A resting quote this many ticks or more from a desired price is replaced; nearer ones keep their place in the queue.
    """

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    edge_bps: float | None
    why: str
    requote_ticks: int = 1


@dataclass(frozen=True, slots=True)
class Enter:
    """Open or add to a position.

    Attributes
    ----------
    side
        Direction.
    size
        Base units, positive.
    edge_bps
        Expected edge over the mid within the horizon, in basis points; None leaves it to the policy.
    horizon_secs
        When the position is expected to be closed; decides how much funding is due.
    why
        Recorded with the order.
    offset_ticks
        How many ticks behind the best price of its own side a limit entry rests.
    """

    side: Side
    size: float
    edge_bps: float | None
    horizon_secs: float
    why: str
    offset_ticks: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """Close this strategy's whole position with a reduce-only order.

    Attributes
    ----------
    why
        Recorded with the order.
    urgent
        True takes liquidity now; False rests post-only at the best price of the exit's own side.
    """

    why: str
    urgent: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """Reach a signed position: reduce with reduce-only, add with an entry, flip by closing first.

    Attributes
    ----------
    position
        Signed base units.
    edge_bps, horizon_secs, why
        As in `Enter`.
    """

    position: float
    edge_bps: float | None
    horizon_secs: float
    why: str


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Cancel every working order of this strategy.

    Attributes
    ----------
    why
        Recorded with the cancels.
    """

    why: str


type Intent = Quote | Enter | Exit | Target | CancelAll
