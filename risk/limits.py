"""R-2, R-1, R-3: limits on orders, positions and losses. Pure checks; equality passes, beyond is refused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.config import RiskConfig
from risk.request import OrderRequest
from risk.verdict import APPROVED, Reason, Refused, Verdict, plain

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
    gross_elsewhere
        Worst-case notional of all other instruments, quote units.
    worst_here
        Worst-case position of this instrument before the order, base units; never below |net|.
    equity
        Account equity, quote units.
    """

    net: Decimal
    resting_same_side: Decimal
    price: Decimal
    gross_elsewhere: Decimal
    worst_here: Decimal
    equity: Decimal


def check_exposure(request: OrderRequest, exposure: Exposure, config: RiskConfig) -> Verdict:
    """Notional per order, worst-case position and gross leverage of an entry."""
    price = max(exposure.price, request.price) if request.price is not None else exposure.price
    notional = price * request.quantity
    limit = Decimal(repr(config.max_order_notional_quote))
    if notional > limit:
        return _refuse(Reason.ORDER_NOTIONAL, "order notional", notional, limit)
    after = exposure.net + int(request.side) * (exposure.resting_same_side + request.quantity)
    if after * exposure.net >= 0 and abs(after) < abs(exposure.net):
        return APPROVED  # it only reduces, even if everything on its side fills: refusing it would keep the excess
    limit = Decimal(repr(config.max_position_notional_quote))
    if abs(after) * price > limit:
        return _refuse(
            Reason.POSITION_NOTIONAL, "position notional if everything resting fills", abs(after) * price, limit
        )
    gross = exposure.gross_elsewhere + max(exposure.worst_here, abs(after)) * price
    limit = Decimal(repr(config.max_gross_leverage)) * exposure.equity
    if gross > limit:
        return _refuse(Reason.GROSS_LEVERAGE, "gross notional if everything resting fills", gross, limit)
    return APPROVED


def _refuse(reason: Reason, what: str, value: Decimal, limit: Decimal) -> Refused:
    return Refused(reason, f"{what} {plain(value)} > {plain(limit)}", {"value": plain(value), "limit": plain(limit)})


@dataclass(frozen=True, slots=True)
class LossBreach:
    """A loss limit that was passed.

    Attributes
    ----------
    why
        One sentence with the figures.
    day
        UTC day number with which the halt ends; None where it lasts.
    """

    why: str
    day: int | None


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

    def update(self, ts_ns: int, equity: Decimal) -> LossBreach | None:
        """Take one reading; return the breach, or None. A drawdown breach lasts; a daily one ends with the UTC day."""
        self.peak = equity if self.peak is None else max(self.peak, equity)
        if ts_ns // NS_PER_DAY != self.day:
            self.day, self.day_start = ts_ns // NS_PER_DAY, equity
        drawdown = (self.peak - equity) / self.peak * 100 if self.peak > 0 else Decimal(0)
        if drawdown > self.max_drawdown_pct:
            return LossBreach(f"drawdown {plain(drawdown)} % > {plain(self.max_drawdown_pct)} %", None)
        if self.day_start is not None and self.day_start - equity > self.max_daily_loss:
            why = f"daily loss {plain(self.day_start - equity)} > {plain(self.max_daily_loss)}"
            return LossBreach(why, self.day)
        return None
