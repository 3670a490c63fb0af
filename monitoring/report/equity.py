"""Equity at every mark, on the statistics grid, and its drawdown.

Equity = starting balance + cash from fills − fees + funding + Σ position × mid. A *mark* is any instant at which the
top of book, a fill or a funding payment changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from execution.records import EQUITY
from monitoring.report.columns import F64, I64, Fills, Funding
from monitoring.report.mids import Mids

NS = 1_000_000_000
DUST = 1e-12
"""Positions below this are the rounding of a float sum, not positions."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Account value at every mark.

    Attributes
    ----------
    ts
        Marks in ns, strictly increasing; the first is the start, the last the end.
    equity
        Account value at mid, in account currency, shape of `ts`.
    exposure
        Σ |position| × mid, in account currency.
    position
        Signed position per instrument, base units.
    """

    ts: I64
    equity: F64
    exposure: F64
    position: dict[str, F64]


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Deepest fall from the running peak: in account currency and as a fraction of that peak."""

    quote: float
    fraction: float


def equity_curve(
    fills: Fills, funding: Funding, mids: Mapping[str, Mids], *, starting_balance: float, start_ns: int, end_ns: int
) -> Curve:
    """Value the account at every mark between two instants, both included."""
    marks = [np.array([start_ns, end_ns]), fills.ts, funding.ts, *(m.ts for m in mids.values())]
    every = np.unique(np.concatenate(marks).astype(np.int64))
    ts = every[(every >= start_ns) & (every <= end_ns)]
    equity = np.full(len(ts), starting_balance) + _steps(funding.ts, funding.amount, ts)
    exposure = np.zeros(len(ts))
    position = {}
    for instrument_id, market in mids.items():
        mine: Fills = fills.where(fills.instrument == instrument_id)
        held = _steps(mine.ts, mine.side * mine.quantity, ts)
        held[np.abs(held) < DUST] = 0.0
        value = held * market.at(ts)
        equity += _steps(mine.ts, -mine.side * mine.notional - mine.fee, ts) + value
        exposure += np.abs(value)
        position[instrument_id] = held
    return Curve(ts=ts, equity=equity, exposure=exposure, position=position)


def drawdowns(equity: F64, starting_balance: float) -> tuple[F64, F64]:
    """Fall from the running peak at every mark: in account currency, and as a fraction of the peak.

    The peak starts at the starting balance.
    """
    peak = np.maximum(np.maximum.accumulate(equity), starting_balance)
    fall = peak - equity
    return fall, fall / peak


def max_drawdown(equity: F64, starting_balance: float) -> Drawdown:
    """Deepest drawdown over every mark."""
    fall, fraction = drawdowns(equity, starting_balance)
    return Drawdown(quote=float(fall.max()), fraction=float(fraction.max()))


def grid(start_ns: int, end_ns: int, step_secs: int = 60) -> I64:
    """UTC multiples of the step inside the period, with the start and the end themselves."""
    step = step_secs * NS
    inner = np.arange(-(-start_ns // step) * step, end_ns + 1, step, dtype=np.int64)
    ends = np.array([start_ns, end_ns], dtype=np.int64)
    return np.asarray(np.unique(np.concatenate([ends, inner])), dtype=np.int64)


def on_grid(curve: Curve, starting_balance: float, step_secs: int = 60) -> tuple[I64, F64, F64]:
    """Equity on the grid and, per grid row, the deepest drawdown fraction since the row before."""
    at = grid(int(curve.ts[0]), int(curve.ts[-1]), step_secs)
    rows = np.searchsorted(curve.ts, at, side="right") - 1
    _, fraction = drawdowns(curve.equity, starting_balance)
    starts = np.concatenate([[0], np.minimum(rows[:-1] + 1, rows[1:])])
    deepest = np.array([fraction[first : last + 1].max() for first, last in zip(starts, rows, strict=True)])
    return at, curve.equity[rows], deepest


def curve_table(curve: Curve, starting_balance: float, step_secs: int = 60) -> pa.Table:
    """Arrow table of the grid: `ts_ns`, `equity`, `drawdown` (deepest fraction of the peak since the row before)."""
    at, equity, deepest = on_grid(curve, starting_balance, step_secs)
    return pa.table([pa.array(at), pa.array(equity), pa.array(deepest)], schema=EQUITY)


def time_weighted(curve: Curve, values: F64) -> float:
    """Mean of a mark series weighted by how long each value stood."""
    lasted = np.diff(curve.ts).astype(np.float64)
    return float((values[:-1] * lasted).sum() / lasted.sum()) if lasted.sum() > 0 else float(values[-1])


def _steps(event_ts: I64, amounts: F64, ts: I64) -> F64:
    order = np.argsort(event_ts, kind="stable")
    levels = np.concatenate([[0.0], np.cumsum(amounts[order])])
    return np.asarray(levels[np.searchsorted(event_ts[order], ts, side="right")])
