"""Sharpe ratio of UTC-daily equity returns, with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from monitoring.report.columns import F64, I64

DAY_NS = 86_400 * 1_000_000_000
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Sharpe:
    """Annualised ratio and standard error, or the reason why there is none."""

    ratio: float | None
    error: float | None
    reason: str | None
    days: int


def days_touched(ts: I64) -> I64:
    """UTC days since 1970 from the first to the last mark; a last mark at midnight belongs to the day before."""
    first = int(ts[0]) // DAY_NS
    return np.arange(first, max(first, (int(ts[-1]) - 1) // DAY_NS) + 1)


def daily_returns(ts: I64, equity: F64, starting_balance: float) -> F64:
    """Return of each UTC day that the series touches; the first day starts from the starting balance.

    Parameters
    ----------
    ts, equity
        Marks in ns and account value, by time. A day without a mark keeps the value of the day before.
    """
    days = days_touched(ts)
    last = np.searchsorted(ts, (days + 1) * DAY_NS, side="left") - 1
    closes = equity[np.maximum(last, 0)]
    closes[-1] = equity[-1]
    opens = np.concatenate([[starting_balance], closes[:-1]])
    return np.asarray((closes - opens) / opens)


def sharpe(returns: F64, min_days: int = 30) -> Sharpe:
    """Annualise mean / standard deviation (ddof 1) of daily returns by √365, risk-free rate 0.

    The standard error is that of Lo (2002), "The Statistics of Sharpe Ratios", equation 9, for independent returns:
    √((1 + SR²/2) / n) on the daily ratio, scaled by √365 as the ratio itself.
    """
    days = len(returns)
    if days < min_days:
        return Sharpe(None, None, f"{days} day{'' if days == 1 else 's'} of equity; {min_days} are needed", days)
    deviation = float(np.std(returns, ddof=1))
    if deviation <= 1e-15:
        return Sharpe(None, None, "equity did not move", days)
    daily = float(np.mean(returns)) / deviation
    error = sqrt((1.0 + daily * daily / 2.0) / days)
    return Sharpe(daily * sqrt(DAYS_A_YEAR), error * sqrt(DAYS_A_YEAR), None, days)
