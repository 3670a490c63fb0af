"""What no skill would have earned: holding, and the same round trips with the side tossed by a coin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.report.columns import F64, I64
from monitoring.report.mids import Mids
from monitoring.report.round_trips import RoundTrip

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class RandomSide:
    """Distribution of the result had each round trip's side been random.

    Attributes
    ----------
    closed_ns
        Ends of the round trips, by time (an open one ends with the data).
    actual
        Cumulated net of what was done, shape of `closed_ns`.
    low, median, high
        5th, 50th and 95th percentile of the draws' cumulated net.
    beaten
        Share of draws whose total is below the actual one.
    """

    closed_ns: I64
    actual: F64
    low: F64
    median: F64
    high: F64
    beaten: float


def random_side(trips: list[RoundTrip], end_ns: int, *, seed: int = 0, draws: int = DRAWS) -> RandomSide | None:
    """Toss the side of each round trip, which reverses what the market and funding gave, or not.

    Times, sizes and costs stay. It assumes that the other side would have been filled alike. None without round trips.
    """
    if not trips:
        return None
    ordered = sorted(trips, key=lambda trip: (trip.closed_ns or end_ns, trip.opened_ns))
    moved = np.array([float(trip.mid_pnl + trip.funding) for trip in ordered])
    cost = np.array([float(trip.price_pnl - trip.mid_pnl - trip.fees) for trip in ordered])
    signs = np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), size=(draws, len(ordered)))
    paths = np.cumsum(signs * moved + cost, axis=1)
    actual = np.cumsum(moved + cost)
    low, median, high = np.quantile(paths, [0.05, 0.5, 0.95], axis=0)
    closed = np.array([trip.closed_ns or end_ns for trip in ordered], dtype=np.int64)
    return RandomSide(closed, actual, low, median, high, float((paths[:, -1] < actual[-1]).mean()))


def buy_and_hold(market: Mids, at: I64, starting_balance: float, fee_bps: float) -> F64:
    """P&L of the starting balance bought at the first ask, valued at mid, one taker fee paid."""
    first = market.rows_at(at[:1])[0]
    quantity = starting_balance / float(market.ask[first])
    return np.asarray(quantity * market.at(at) - starting_balance * (1.0 + fee_bps / 1e4))
