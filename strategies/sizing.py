"""From the sizing parameters to a quantity that the venue takes, or the reason why there is none. Pure."""

from __future__ import annotations

import math
from decimal import Decimal

from risk.breach import Breach
from risk.sizing import Sized, Sizing, fixed_notional, risk_per_trade, volatility_target
from risk.venue_rules import VenueRules
from strategies.params import RiskPerTrade, SizedParams, VolatilityTarget

SECS_PER_YEAR = 365 * 86_400


def size_of(
    params: SizedParams, rules: VenueRules, equity: Decimal, price: float, *,
    stop_distance: float = 0.0, volatility_pct_per_year: float = 0.0,
) -> Sizing:  # fmt: skip
    """Size of an entry, rounded down to the step; leverage stands in none of the formulas.

    Parameters
    ----------
    params
        Method and largest notional.
    rules
        Step and minima of the venue.
    equity
        Quote units.
    price
        Expected entry price, quote units per base unit.
    stop_distance
        Between entry and stop, quote units per base unit; for `RiskPerTrade`. 0 when it is not known.
    volatility_pct_per_year
        Of the price, one deviation; for `VolatilityTarget`. 0 when it is not known.

    Returns
    -------
    Sized or Breach
        Why there is no size: ``size_too_small`` or ``no_stop_distance``.
    """
    at, most = exact(price), exact(params.order_notional_quote)
    match params.sizing:
        case RiskPerTrade(risk_pct=share):
            size = risk_per_trade(equity, exact(share), exact(stop_distance), at, rules)
        case VolatilityTarget(volatility_pct_per_year=target):
            size = volatility_target(equity, exact(target), exact(volatility_pct_per_year), at, rules)
        case _:
            return fixed_notional(most, at, rules)
    return fixed_notional(most, at, rules) if isinstance(size, Sized) and size.quantity * at > most else size


def volatility_pct_per_year(sigma: float, price: float) -> float:
    """σ in price units per √s as percent of the price per √year; days never close."""
    return 100.0 * sigma / price * math.sqrt(SECS_PER_YEAR) if price > 0.0 else 0.0


def volatility_of_range(average_range: float, bar_secs: float) -> float:
    """σ in price units per √s from the average range of bars.

    The range of a Brownian motion over T seconds is σ · √(8 T / π) on average (Feller 1951, "The asymptotic distribution of the
    range of sums of independent random variables").
    """
    return average_range / math.sqrt(8.0 * bar_secs / math.pi)


def exact(value: float) -> Decimal:
    """Twelve digits of a float: what a price, a size or a distance means, without the noise of its last bits.

    Examples
    --------
    >>> exact(0.1 + 0.2)
    Decimal('0.3')
    """
    return Decimal(f"{value:.12g}")


def wanted(breach: Breach) -> Decimal:
    """Size before rounding of a refused wish, as far as there was one; 0 otherwise."""
    return round(Decimal(breach.figures.get("wanted_quantity", 0)), 12)
