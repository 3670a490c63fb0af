"""Round trips: flat to flat, per strategy and instrument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

import numpy as np

from monitoring.report.columns import Fills, Funding, total
from monitoring.report.mids import Mids


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One stay in the market.

    Attributes
    ----------
    side
        +1 when it began with a buy, −1 with a sell.
    closed_ns
        None while open; `price_pnl` then values the rest at the last mid.
    price_pnl
        −Σ s·q·p, in account currency, before fees and funding.
    mid_pnl
        The same at the mids of the fills: what the market gave, without the spread captured or paid.
    """

    strategy: str
    instrument: str
    side: int
    opened_ns: int
    closed_ns: int | None
    quantity: Decimal
    price_pnl: Decimal
    mid_pnl: Decimal
    fees: Decimal
    funding: Decimal
    fills: int

    @property
    def net(self) -> Decimal:
        """P&L after fees and funding."""
        return self.price_pnl - self.fees + self.funding

    @property
    def holding_secs(self) -> float | None:
        """From the first fill to flat; None while open."""
        return None if self.closed_ns is None else (self.closed_ns - self.opened_ns) / 1e9


def round_trips(fills: Fills, funding: Funding, mids: Mapping[str, Mids]) -> list[RoundTrip]:
    """Cut the fills of each strategy and instrument at every instant its position is zero.

    A fill through zero (a flip by one order) closes one round trip and opens the next, its fee shared by quantity. A
    position left at the end is a last, open round trip. Funding belongs to the round trip that was open then.
    """
    found: list[RoundTrip] = []
    with localcontext() as context:
        context.prec = 80
        for strategy, instrument in sorted(set(zip(fills.strategy, fills.instrument, strict=True))):
            mine: Fills = fills.where((fills.strategy == strategy) & (fills.instrument == instrument))
            paid: Funding = funding.where((funding.strategy == strategy) & (funding.instrument == instrument))
            found += [_with_funding(trip, paid) for trip in _walk(mine, mids[instrument])]
    return sorted(found, key=lambda trip: (trip.opened_ns, trip.strategy, trip.instrument))


def _walk(fills: Fills, market: Mids) -> Iterator[RoundTrip]:
    mid_fill, held = market.exact_at(fills.ts), Decimal(0)
    trip: RoundTrip | None = None
    for row in np.argsort(fills.ts, kind="stable").tolist():
        side, left = int(fills.side[row]), fills.quantity_exact[row]
        while left > 0:
            closing = trip is not None and side * held < 0
            part = min(left, abs(held)) if closing else left
            trip = trip or _begin(fills, row, side)
            held += side * part
            trip = replace(_add(trip, fills, row, part, mid_fill[row]), quantity=max(trip.quantity, abs(held)))
            left -= part
            if held == 0:
                yield replace(trip, closed_ns=int(fills.ts[row]))
                trip = None
    if trip is not None:
        last = market.exact_at(np.array([market.end_ns]))[0]
        yield replace(trip, price_pnl=trip.price_pnl + held * last, mid_pnl=trip.mid_pnl + held * last)


def _begin(fills: Fills, row: int, side: int) -> RoundTrip:
    zero = Decimal(0)
    start = int(fills.ts[row])
    return RoundTrip(
        fills.strategy[row], fills.instrument[row], side, start, None, zero, zero, zero, zero, zero, fills=0
    )


def _add(trip: RoundTrip, fills: Fills, row: int, part: Decimal, mid: Decimal) -> RoundTrip:
    signed = int(fills.side[row]) * part
    return replace(
        trip,
        price_pnl=trip.price_pnl - signed * fills.price_exact[row],
        mid_pnl=trip.mid_pnl - signed * mid,
        fees=trip.fees + fills.fee_exact[row] * part / fills.quantity_exact[row],
        fills=trip.fills + 1,
    )


def _with_funding(trip: RoundTrip, funding: Funding) -> RoundTrip:
    until = np.inf if trip.closed_ns is None else trip.closed_ns
    inside = (funding.ts > trip.opened_ns) & (funding.ts <= until)
    return replace(trip, funding=total(funding.amount_exact[inside]))


def hit_rate(trips: list[RoundTrip]) -> float | None:
    """Share of closed round trips with a positive net; None without any."""
    closed = [trip.net > 0 for trip in trips if trip.closed_ns is not None]
    return sum(closed) / len(closed) if closed else None


def holding_secs(trips: list[RoundTrip]) -> tuple[float, float] | None:
    """Mean and median holding time of closed round trips in seconds; None without any."""
    held = [trip.holding_secs for trip in trips if trip.holding_secs is not None]
    return (float(np.mean(held)), float(np.median(held))) if held else None
