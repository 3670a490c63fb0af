"""Peak use of the config's limits, as far as orders, fills and equity tell.

A position counts as its limit counts it: resting entries as filled. Exits (`reduce_only`) are outside every limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.report.columns import F64, I64, UNKNOWN_NS, Fills, Orders
from monitoring.report.equity import DUST, Curve, drawdowns
from monitoring.report.mids import Mids
from monitoring.report.risk_models import LimitSummary
from monitoring.report.round_trips import RoundTrip

NS_PER_SEC = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_SEC
type Peak = tuple[float, int | None]
NONE: Peak = (0.0, None)
NOT_COMPUTED = ("min_free_margin_pct", "throttles.max_cancels_per_fill")


@dataclass(frozen=True, slots=True)
class Worst:
    """One instrument's position if everything resting on a side filled, base units, at every mark of the curve."""

    long: F64
    short: F64
    entries: F64
    mid: F64

    @property
    def notional(self) -> F64:
        """Largest of both sides, quote currency."""
        return np.asarray(np.maximum(np.abs(self.long), np.abs(self.short)) * self.mid)


def limit_use(
    config: Mapping[str, Any], orders: Orders, fills: Fills, curve: Curve, mids: Mapping[str, Mids],
    trips: list[RoundTrip], starting_balance: float,
) -> list[LimitSummary]:  # fmt: skip
    """Peak use of every limit that is set and can be computed.

    Parameters
    ----------
    config
        The `risk` block of the run's config, nested or flat as it was written.
    orders
        All orders that were approved; only entries count.
    fills
        What became of them.
    curve
        Equity and positions at every mark of the trading time.
    trips
        Round trips, for the losing streak.
    """
    entries: Orders = orders.where((orders.ts >= curve.ts[0]) & ~orders.reduce_only)
    ts = np.unique(np.concatenate([curve.ts, entries.ts[entries.ts <= curve.ts[-1]]]))
    rows = np.searchsorted(curve.ts, ts, side="right") - 1
    worst = {iid: _worst(entries.where(entries.instrument == iid), fills, held[rows], mids[iid].at(ts), ts)
             for iid, held in curve.position.items()}  # fmt: skip
    peaks = _order_peaks(entries, config) | _exposure_peaks(worst, ts, curve.equity[rows])
    peaks |= _loss_peaks(curve, starting_balance, trips)
    return [
        LimitSummary(name=name, limit=limit, peak=peak, use=peak / limit, at_ns=at)
        for name, (peak, at) in peaks.items()
        if (limit := set_limit(config, name)) is not None
    ]


def not_computed(config: Mapping[str, Any]) -> list[str]:
    """Limits that are set, whose use the tables do not tell."""
    return [name for name in NOT_COMPUTED if (set_limit(config, name) or 0.0) > 0.0]


def set_limit(config: Mapping[str, Any], path: str) -> float | None:
    """Value of a limit by its dotted path; None where it is not set."""
    at: Any = config
    for key in path.split("."):
        at = at.get(key) if isinstance(at, Mapping) else None
    return None if at is None else float(at)


def most_within(ts: I64, window_secs: float) -> Peak:
    """Most events within a sliding window that includes its end and excludes its start, and the instant."""
    if not len(ts):
        return NONE
    ordered = np.sort(ts)
    counts = np.arange(1, len(ordered) + 1) - np.searchsorted(
        ordered, ordered - round(window_secs * NS_PER_SEC), side="right"
    )
    row = int(counts.argmax())
    return float(counts[row]), int(ordered[row])


def daily_losses(curve: Curve, starting_balance: float) -> F64:
    """Fall of equity since the start of its UTC day, quote currency; the first day starts at the starting balance."""
    day = curve.ts // NS_PER_DAY
    first = np.searchsorted(day, day, side="left")
    start = np.where(first == 0, starting_balance, curve.equity[first])
    return np.asarray(start - curve.equity)


def _peak(values: F64, ts: I64) -> Peak:
    row = int(values.argmax())
    return (float(values[row]), int(ts[row])) if values[row] > 0.0 else NONE


def _order_peaks(entries: Orders, config: Mapping[str, Any]) -> dict[str, Peak]:
    notional = np.nan_to_num(np.fmax(entries.price, entries.mid_decision) * entries.quantity)
    has = bool(len(entries))
    shapes: dict[tuple[Any, ...], list[int]] = {}
    for row in range(len(entries)):
        shapes.setdefault(_shape(entries, row), []).append(int(entries.ts[row]))
    window = set_limit(config, "throttles.identical_window_secs") or 10.0
    alike = [most_within(np.array(times), window) for times in shapes.values()]
    return {
        "max_order_notional_quote": _peak(notional, entries.ts) if has else NONE,
        "max_order_quantity": _peak(entries.quantity, entries.ts) if has else NONE,
        "throttles.max_orders_per_sec": most_within(entries.ts, 1.0),
        "throttles.max_identical_orders": max(alike, key=lambda peak: peak[0], default=NONE),
    }


def _shape(orders: Orders, row: int) -> tuple[Any, ...]:
    price = None if np.isnan(orders.price[row]) else float(orders.price[row])
    return orders.strategy[row], orders.instrument[row], int(orders.side[row]), price, float(orders.quantity[row])


def _exposure_peaks(worst: Mapping[str, Worst], ts: I64, equity: F64) -> dict[str, Peak]:
    if not worst:
        return {}
    each = list(worst.values())
    gross = np.sum([w.notional for w in each], axis=0)
    net = np.maximum(
        np.abs(np.sum([w.long * w.mid for w in each], axis=0)), np.abs(np.sum([w.short * w.mid for w in each], axis=0))
    )
    leverage = np.divide(gross, equity, out=np.zeros(len(ts)), where=equity > 0)
    return {
        "max_position_notional_quote": max(_peak(w.notional, ts) for w in each),
        "max_gross_notional_quote": _peak(gross, ts),
        "max_net_notional_quote": _peak(net, ts),
        "max_gross_leverage": _peak(leverage, ts),
        "max_open_entries_per_symbol": max(_peak(w.entries, ts) for w in each),
    }


def _loss_peaks(curve: Curve, starting_balance: float, trips: list[RoundTrip]) -> dict[str, Peak]:
    _, fraction = drawdowns(curve.equity, starting_balance)
    return {
        "max_daily_loss_quote": _peak(daily_losses(curve, starting_balance), curve.ts),
        "max_drawdown_pct": _peak(100.0 * fraction, curve.ts),
        "max_losses_in_a_row": _streak(trips),
    }


def _streak(trips: list[RoundTrip]) -> Peak:
    best, row = NONE, 0
    for closed_ns, net in sorted((t.closed_ns, t.net) for t in trips if t.closed_ns is not None):
        row = row + 1 if net < 0 else 0 if net > 0 else row
        if row > best[0]:
            best = (float(row), closed_ns)
    return best


def _worst(entries: Orders, fills: Fills, held: F64, mid: F64, ts: I64) -> Worst:
    """Resting size per side is what was ordered, less what filled, less what was left when the order ended."""
    last = np.iinfo(np.int64).max
    ended = np.where(entries.ts_closed == UNKNOWN_NS, last, entries.ts_closed)
    sides = {}
    for side in (1, -1):
        mine: Orders = entries.where(entries.side == side)
        done: Fills = fills.where(np.isin(fills.order, mine.order))
        gone_ts = np.concatenate([done.ts, ended[entries.side == side]])
        gone = np.concatenate([done.quantity, mine.quantity - mine.filled])
        sides[side] = _level(mine.ts, mine.quantity, ts) - _level(gone_ts, gone, ts)
    one = np.ones(len(entries))
    count = _level(entries.ts, one, ts) - _level(ended, one, ts)
    return Worst(_dusted(held + sides[1]), _dusted(held - sides[-1]), count, mid)


def _level(event_ts: I64, size: F64, ts: I64) -> F64:
    order = np.argsort(event_ts, kind="stable")
    levels = np.concatenate([[0.0], np.cumsum(size[order])])
    return np.asarray(levels[np.searchsorted(event_ts[order], ts, side="right")])


def _dusted(values: F64) -> F64:
    return np.asarray(np.where(np.abs(values) < DUST, 0.0, values))
