"""A fair price between bid and ask, from the sizes that stand there."""

from __future__ import annotations


def weighted_mid(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """Return the weighted mid (A·bid + B·ask) / (A + B): B = bid size pushes the price up.

    This is the weighted mid, the first approximation that Stoikov (2018), "The micro-price: a high-frequency
    estimator of future prices", starts from, not his fitted martingale estimator. Where the spread is one tick, as on
    BTCUSDT, both lie inside that tick.

    Returns
    -------
    float
        Between bid and ask, quote units; the plain mid when both sizes are zero.
    """
    total = bid_size + ask_size
    if total <= 0.0:
        return 0.5 * (bid + ask)
    return bid + (ask - bid) * (bid_size / total)
