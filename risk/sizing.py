"""How large an entry is. Every size is rounded down to the step and refused below the venue's minimum.

Leverage stands in no formula: it is what the account may borrow, not what a trade may lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.breach import Breach, Limit
from risk.venue_rules import VenueRules

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Sized:
    """A size that may be sent.

    Attributes
    ----------
    quantity
        Base units, a multiple of the step.
    unrounded
        Before rounding.
    """

    quantity: Decimal
    unrounded: Decimal


type Sizing = Sized | Breach


def to_venue(quantity: Decimal, price: Decimal, rules: VenueRules) -> Sizing:
    """Round down to the step, cap at the venue's maximum, refuse below its minima."""
    capped = quantity if rules.max_quantity is None else min(quantity, rules.max_quantity)
    rounded = capped // rules.step * rules.step if capped > ZERO else ZERO
    least = max(rules.step, rules.min_quantity or ZERO)
    if rounded < least:
        return _too_small("quantity", rounded, least, quantity)
    if rules.min_notional is not None and rounded * price < rules.min_notional:
        return _too_small("notional", rounded * price, rules.min_notional, quantity)
    return Sized(rounded, quantity)


def fixed_notional(notional: Decimal, price: Decimal, rules: VenueRules) -> Sizing:
    """Size worth `notional` quote units."""
    return to_venue(notional / price, price, rules) if price > ZERO else _no_price(price)


def risk_per_trade(
    equity: Decimal, risk_pct: Decimal, stop_distance: Decimal, price: Decimal, rules: VenueRules
) -> Sizing:
    """ATR-ranked size: equity · risk % / stop distance, so that being stopped costs the same on every symbol.

    Parameters
    ----------
    equity
        Quote units.
    risk_pct
        Of equity, lost when the stop is hit at its price.
    stop_distance
        Between entry and stop, quote units per base unit; a multiple of the ATR for ATR-ranked sizes.
    price, rules
        To round and to compare with the minimum.
    """
    if stop_distance <= ZERO:
        return Breach(
            Limit.NO_STOP_DISTANCE, f"stop distance {stop_distance} gives no size", {"distance": str(stop_distance)}
        )
    return to_venue(equity * risk_pct / 100 / stop_distance, price, rules)


def volatility_target(
    equity: Decimal, target_pct: Decimal, volatility_pct: Decimal, price: Decimal, rules: VenueRules
) -> Sizing:
    """Size whose notional is equity · target / volatility, never more than equity.

    Parameters
    ----------
    equity
        Quote units.
    target_pct, volatility_pct
        Of the same period, such as a year: what the position may, and what the market does fluctuate.
    price, rules
        To round and to compare with the minimum.
    """
    if volatility_pct <= ZERO:
        return Breach(
            Limit.NO_STOP_DISTANCE, f"volatility {volatility_pct} gives no size", {"volatility": str(volatility_pct)}
        )
    return fixed_notional(equity * min(ONE, target_pct / volatility_pct), price, rules)


def drawdown_factor(drawdown_pct: Decimal, start_pct: Decimal, stop_pct: Decimal) -> Decimal:
    """Share of the usual size in a drawdown: 1 up to `start_pct`, falling in a straight line to 0 at `stop_pct`.

    Raises
    ------
    ValueError
        Unless 0 <= start < stop.
    """
    if not ZERO <= start_pct < stop_pct:
        raise ValueError(f"start_pct {start_pct} must be at least 0 and below stop_pct {stop_pct}")
    return min(ONE, max(ZERO, (stop_pct - drawdown_pct) / (stop_pct - start_pct)))


def scaled(size: Sizing, factor: Decimal, price: Decimal, rules: VenueRules) -> Sizing:
    """Apply a drawdown throttle or a breaker's size factor; it can only make an entry smaller."""
    if isinstance(size, Breach):
        return size
    return to_venue(size.quantity * min(ONE, max(ZERO, factor)), price, rules)


def _too_small(what: str, value: Decimal, limit: Decimal, wanted: Decimal) -> Breach:
    figures = {what: str(value), "limit": str(limit), "wanted_quantity": str(wanted)}
    return Breach(Limit.SIZE_TOO_SMALL, f"{what} {value} is below the venue's {limit}", figures)


def _no_price(price: Decimal) -> Breach:
    return Breach(Limit.SIZE_TOO_SMALL, f"price {price} gives no size", {"price": str(price)})
