"""The P&L waterfall: exact decimal sums that must meet the account's own net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import ceil, sqrt

import numpy as np

from monitoring.report.columns import Fills, Funding, total
from monitoring.report.mids import Mids

UNIT = Decimal("0.00000001")
"""Smallest unit of the account currency that the engine books (USDT and the like: 8 decimals)."""

_DIGITS = 80


@dataclass(frozen=True, slots=True)
class Parts:
    """Price P&L in three parts, fees and funding, in account currency.

    `fees` is a cost (positive when paid), `funding` is positive when received.
    """

    spread: Decimal
    markout: Decimal
    inventory: Decimal
    fees: Decimal
    funding: Decimal

    @property
    def gross(self) -> Decimal:
        """P&L from prices alone."""
        return self.spread + self.markout + self.inventory

    @property
    def net(self) -> Decimal:
        """What the parts sum to."""
        return self.gross - self.fees + self.funding


def parts(fills: Fills, funding: Funding, mids: Mapping[str, Mids], *, horizon_secs: float, currency: str) -> Parts:
    """Sum the waterfall's parts over fills and funding rows.

    Per fill, with s = ±1: spread captured s·q·(mid_fill − p), markout s·q·(mid_{t+h} − mid_fill) and inventory
    s·q·(mid_T − mid_{t+h}); `t + h` is cut at the end T of the data. Only fees in `currency` are summed.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        sums = [Decimal(0)] * 3
        for instrument_id, market in sorted(mids.items()):
            mine: Fills = fills.where(fills.instrument == instrument_id)
            sums = [a + b for a, b in zip(sums, price_parts(mine, market, horizon_secs), strict=True)]
        fees = total(fills.fee_exact[fills.fee_asset == currency])
        return Parts(sums[0], sums[1], sums[2], fees, total(funding.amount_exact))


def price_parts(fills: Fills, market: Mids, horizon_secs: float) -> tuple[Decimal, Decimal, Decimal]:
    """Spread captured, markout and inventory of one instrument's fills."""
    spread = markout = inventory = Decimal(0)
    if not len(fills):
        return spread, markout, inventory
    later = fills.ts + round(horizon_secs * 1e9)
    mid_fill, mid_later = market.exact_at(fills.ts), market.exact_at(later)
    mid_end = market.exact_at(np.array([market.end_ns]))[0]
    for row, side in enumerate(fills.side.tolist()):
        signed = side * fills.quantity_exact[row]
        spread += signed * (mid_fill[row] - fills.price_exact[row])
        markout += signed * (mid_later[row] - mid_fill[row])
        inventory += signed * (mid_end - mid_later[row])
    return spread, markout, inventory


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What the parts leave of the account's net: rounding within its allowance, or a residual."""

    residual: Decimal
    rounding: Decimal
    allowance: Decimal


def explain(account_net: Decimal, explained: Decimal, postings: int) -> Unexplained:
    """Compare the account's net with the parts, to the smallest currency unit.

    The engine rounds each amount it books to one unit, an error spread evenly over ±½ unit; `postings` of them add up
    to less than 6·√(postings/12) units with practical certainty, and at least one unit is allowed. A difference within
    that allowance is rounding and shown as such; beyond it the whole difference is the residual.
    """
    left = (account_net - explained).quantize(UNIT) + 0
    allowance = (UNIT * max(1, ceil(6 * sqrt(postings / 12)))).quantize(UNIT)
    zero = Decimal(0)
    return Unexplained(zero, left, allowance) if abs(left) <= allowance else Unexplained(left, zero, allowance)
