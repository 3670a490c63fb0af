"""What a trade costs, in basis points of its price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fees per side; a rebate is negative.

    Attributes
    ----------
    maker_bps, taker_bps
        Basis points of the notional.
    """

    maker_bps: float
    taker_bps: float


@dataclass(frozen=True, slots=True)
class Funding:
    """The next funding payment of a perpetual.

    Attributes
    ----------
    rate_bps
        Paid by longs to shorts, basis points of the notional; negative the other way round.
    next_ns
        When it is due, UTC nanoseconds.
    interval_ns
        From one payment to the next; None where the venue does not say.
    """

    rate_bps: float
    next_ns: int
    interval_ns: int | None = None

    def payments(self, ts_ns: int, until_ns: int) -> int:
        """How many payments fall after `ts_ns` and not after `until_ns`."""
        if not self.interval_ns:
            return int(ts_ns < self.next_ns <= until_ns)
        missed = max(0, -((self.next_ns - ts_ns - 1) // self.interval_ns))
        first = self.next_ns + missed * self.interval_ns
        return max(0, (until_ns - first) // self.interval_ns + 1)


def half_spread_bps(bid: float, ask: float) -> float:
    """Half the spread over the mid, in basis points.

    Examples
    --------
    >>> round(half_spread_bps(99.99, 100.01), 6)
    1.0
    """
    return (ask - bid) / (ask + bid) * 1e4


def funding_due_bps(funding: Funding | None, side: int, ts_ns: int, horizon_secs: float) -> float:
    """Funding that a position opened now pays before its expected exit.

    Parameters
    ----------
    funding
        The next payment, or None where none is known; later ones are taken to have the same rate.
    side
        +1 long, −1 short.
    ts_ns
        Now.
    horizon_secs
        Until the expected exit.

    Returns
    -------
    float
        Basis points; positive is a cost, negative is received.
    """
    if funding is None:
        return 0.0
    return side * funding.rate_bps * funding.payments(ts_ns, ts_ns + int(horizon_secs * 1e9))
