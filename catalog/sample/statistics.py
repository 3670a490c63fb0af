"""Figures that say what a stretch of market data is like: pure functions, the same for recordings and samples.

Prices are in quote units, sizes in base units, times in ns. All figures use exchange times.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Quotes:
    """Best bid and ask, one row per change; arrays of one length."""

    ts_ns: Ints
    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats

    @property
    def mid(self) -> Floats:
        """Mean of bid and ask."""
        return (self.bid + self.ask) / 2

    def mid_at(self, when_ns: Ints) -> Floats:
        """Return the mid in force at each instant; before the first quote, the first mid."""
        rows = np.searchsorted(self.ts_ns, when_ns, side="right") - 1
        return np.asarray(self.mid[np.maximum(rows, 0)])


@dataclass(frozen=True, slots=True)
class Trades:
    """Prints; ``side`` is the aggressor's, 1 or −1."""

    ts_ns: Ints
    price: Floats
    size: Floats
    side: Ints


@dataclass(frozen=True, slots=True)
class Depth:
    """Total size of the best occupied levels of each side after each depth message."""

    ts_ns: Ints
    bid: Floats
    ask: Floats

    @property
    def imbalance(self) -> Floats:
        """(bid − ask) / (bid + ask), in [−1, 1]."""
        return (self.bid - self.ask) / (self.bid + self.ask)


@dataclass(frozen=True, slots=True)
class MarketData:
    """Quotes, trades and depth of one instrument over one stretch of time."""

    quotes: Quotes
    trades: Trades
    depth: Depth

    def between(self, start_ns: int, end_ns: int) -> MarketData:
        """Return the rows with start ≤ time < end."""
        q, t, d = self.quotes, self.trades, self.depth
        rows, prints, books = (_rows(part.ts_ns, start_ns, end_ns) for part in (q, t, d))
        return MarketData(
            Quotes(q.ts_ns[rows], q.bid[rows], q.bid_size[rows], q.ask[rows], q.ask_size[rows]),
            Trades(t.ts_ns[prints], t.price[prints], t.size[prints], t.side[prints]),
            Depth(d.ts_ns[books], d.bid[books], d.ask[books]),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """The statistics by which the sample is compared with a recording.

    Attributes
    ----------
    spread_mean_ticks, spread_median_ticks
        Spread weighted by the time it stood.
    depth_mean, depth_median
        Size in the five best occupied levels of one side, over both sides and all depth messages.
    print_mean, order_mean
        Mean size of a print, and of a market order (prints of one instant and side).
    print_interval_ms, order_interval_ms, order_interval_median_ms
        Time between prints (mean) and between market orders (mean, median).
    volatility_bps
        Root mean square of the mid's change over one second.
    impact_bps
        Mean change of the mid from just before a market order to one second after, in the order's direction.
    imbalance_correlation
        Correlation of the five-level imbalance with the sign of the mid's change over the next second.
    """

    spread_mean_ticks: float
    spread_median_ticks: float
    depth_mean: float
    depth_median: float
    print_mean: float
    order_mean: float
    print_interval_ms: float
    order_interval_ms: float
    order_interval_median_ms: float
    volatility_bps: float
    impact_bps: float
    imbalance_correlation: float

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def figures(data: MarketData, tick: float) -> Figures:
    """Compute all figures of a stretch.

    Parameters
    ----------
    data
        At least two seconds with at least three quotes, trades and depth messages.
    tick
        Price step, quote units.
    """
    orders = market_orders(data.trades)
    depth = np.concatenate([data.depth.bid, data.depth.ask])
    spread_mean, spread_median = spread_ticks(data.quotes, tick)
    intervals = np.diff(orders.ts_ns) / 1e6
    return Figures(
        spread_mean_ticks=spread_mean,
        spread_median_ticks=spread_median,
        depth_mean=float(depth.mean()),
        depth_median=float(np.median(depth)),
        print_mean=float(data.trades.size.mean()),
        order_mean=float(orders.size.mean()),
        print_interval_ms=float(np.diff(data.trades.ts_ns).mean() / 1e6),
        order_interval_ms=float(intervals.mean()),
        order_interval_median_ms=float(np.median(intervals)),
        volatility_bps=volatility_bps(data.quotes, SECOND_NS),
        impact_bps=impact_bps(data.quotes, orders, SECOND_NS),
        imbalance_correlation=imbalance_correlation(data.depth, data.quotes, SECOND_NS),
    )


def spread_ticks(quotes: Quotes, tick: float) -> tuple[float, float]:
    """Return mean and median of the spread in ticks, weighted by the time each quote stood (the last one does not count)."""
    spread = np.round((quotes.ask - quotes.bid)[:-1] / tick)
    stood = np.diff(quotes.ts_ns).astype(np.float64)
    order = np.argsort(spread, kind="stable")
    reached = np.cumsum(stood[order])
    median = spread[order][np.searchsorted(reached, reached[-1] / 2)]
    return float(spread @ stood / reached[-1]), float(median)


def market_orders(trades: Trades) -> Trades:
    """Join prints of one instant and side into market orders: total size, price of the last print."""
    new = np.ones(len(trades.ts_ns), dtype=bool)
    new[1:] = (np.diff(trades.ts_ns) != 0) | (np.diff(trades.side) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(new)) - 1
    return Trades(trades.ts_ns[first], trades.price[last], np.add.reduceat(trades.size, first), trades.side[first])


def volatility_bps(quotes: Quotes, step_ns: int) -> float:
    """Return the root mean square of the mid's change over a step, in basis points of the mean mid."""
    mids = quotes.mid_at(np.arange(quotes.ts_ns[0], quotes.ts_ns[-1] + 1, step_ns))
    return float(np.sqrt(np.mean(np.diff(mids) ** 2)) / mids.mean() * 1e4)


def impact_bps(quotes: Quotes, orders: Trades, horizon_ns: int) -> float:
    """Return the mean signed change of the mid from 1 ms before an order to a horizon after, in basis points."""
    whole = orders.ts_ns + horizon_ns <= quotes.ts_ns[-1]
    when, side = orders.ts_ns[whole], orders.side[whole]
    before = quotes.mid_at(when - 1_000_000)
    return float(np.mean(side * (quotes.mid_at(when + horizon_ns) / before - 1)) * 1e4)


def imbalance_correlation(depth: Depth, quotes: Quotes, horizon_ns: int) -> float:
    """Return the correlation of the imbalance with the sign of the mid's change over the horizon that follows."""
    whole = depth.ts_ns + horizon_ns <= quotes.ts_ns[-1]
    when = depth.ts_ns[whole]
    change = np.sign(np.round(quotes.mid_at(when + horizon_ns) - quotes.mid_at(when), 9))
    return float(np.corrcoef(depth.imbalance[whole], change)[0, 1])


def _rows(ts_ns: Ints, start_ns: int, end_ns: int) -> slice:
    first, last = np.searchsorted(ts_ns, [start_ns, end_ns]).tolist()
    return slice(first, last)
