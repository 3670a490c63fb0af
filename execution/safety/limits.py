"""The venue's own statement of its limits, as limits of our budget."""

from __future__ import annotations

from execution.safety.budget import RateLimits
from execution.safety.endpoints import COUNTDOWN
from execution.safety.rows import ExchangeInfo

_NAMES = {
    ("REQUEST_WEIGHT", "MINUTE", 1): "weight_per_minute",
    ("ORDERS", "SECOND", 10): "orders_per_10_secs",
    ("ORDERS", "MINUTE", 1): "orders_per_minute",
}


def stated_limits(info: ExchangeInfo, reserve: float = 0.2) -> RateLimits:
    """Read the limits that ``exchangeInfo`` states; Binance's usual ones where it states none."""
    stated = {
        _NAMES[key]: row.limit for row in info.rate_limits if (key := (row.kind, row.interval, row.count)) in _NAMES
    }
    usual = RateLimits(reserve=reserve)
    return RateLimits(
        stated.get("weight_per_minute", usual.weight_per_minute),
        stated.get("orders_per_10_secs", usual.orders_per_10_secs),
        stated.get("orders_per_minute", usual.orders_per_minute),
        reserve,
    )


def countdown_share(symbols: int, refresh_secs: float, limits: RateLimits) -> float:
    """Share of the weight per minute that refreshing the countdown of some symbols takes; preflight refuses above 0.2 (D8).

    Examples
    --------
    >>> countdown_share(6, 7.5, RateLimits())
    0.2
    """
    return symbols * COUNTDOWN.weight * 60 / refresh_secs / limits.weight_per_minute
