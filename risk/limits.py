"""R-2, R-1, R-3: limits on orders, positions and losses. Pure checks; equality passes, beyond is refused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.config import RiskConfig
from risk.request import OrderRequest
from risk.verdict import APPROVED, Reason, Refused, Verdict

NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the account would risk if everything resting filled.

    Attributes
    ----------
    net
        Net position before the order, signed base units.
    resting_same_side
        Open entries on the order's side, base units.
    price
        Reference price, quote units.
    gross_notional
        Gross notional of all positions before the order, quote units.
    equity
        Account equity, quote units.
    """

    net: Decimal
    resting_same_side: Decimal
    price: Decimal
    gross_notional: Decimal
    equity: Decimal


def check_exposure(request: OrderRequest, exposure: Exposure, config: RiskConfig) -> Verdict:
    """Notional per order, worst-case position and gross leverage of an entry."""
    price = max(exposure.price, request.price) if request.price is not None else exposure.price
    notional = price * request.quantity
    limit = Decimal(repr(config.max_order_notional_quote))
    if notional > limit:
        return _refuse(Reason.ORDER_NOTIONAL, "order notional", notional, limit)
    worst = abs(exposure.net + int(request.side) * (exposure.resting_same_side + request.quantity))
    limit = Decimal(repr(config.max_position_notional_quote))
    if worst * price > limit:
        return _refuse(Reason.POSITION_NOTIONAL, "position notional if everything resting fills", worst * price, limit)
    added = max(Decimal(0), worst - abs(exposure.net)) * price
    leverage_limit = Decimal(repr(config.max_gross_leverage))
    if exposure.gross_notional + added > leverage_limit * exposure.equity:
        gross = exposure.gross_notional + added
        return _refuse(Reason.GROSS_LEVERAGE, "gross notional", gross, leverage_limit * exposure.equity)
    return APPROVED


def _refuse(reason: Reason, what: str, value: Decimal, limit: Decimal) -> Refused:
    return Refused(reason, f"{what} {value:.2f} > {limit:.2f}", {"value": str(value), "limit": str(limit)})


@dataclass(slots=True)
class LossLimits:
    """Daily loss and peak drawdown of one run, fed with equity readings.

    Parameters
    ----------
    max_daily_loss
        Quote units below the equity at the start of the UTC day.
    max_drawdown_pct
        Percent below the highest equity seen.
    """

    max_daily_loss: Decimal
    max_drawdown_pct: Decimal
    peak: Decimal | None = None
    day: int = -1
    day_start: Decimal | None = None

    def update(self, ts_ns: int, equity: Decimal) -> str | None:
        """Take one reading; return the sentence of a breach, or None.

        A drawdown breach lasts; a daily one ends with the UTC day (the caller keeps the halt).
        """
        self.peak = equity if self.peak is None else max(self.peak, equity)
        if ts_ns // NS_PER_DAY != self.day:
            self.day, self.day_start = ts_ns // NS_PER_DAY, equity
        if self.day_start is not None and self.day_start - equity > self.max_daily_loss:
            return f"daily loss {self.day_start - equity:.2f} > {self.max_daily_loss:.2f}"
        drawdown = (self.peak - equity) / self.peak * 100 if self.peak > 0 else Decimal(0)
        if drawdown > self.max_drawdown_pct:
            return f"drawdown {drawdown:.2f} % > {self.max_drawdown_pct:.2f} %"
        return None
