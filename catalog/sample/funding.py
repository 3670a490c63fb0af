"""Funding rates of the sample: each rate is announced every minute until its funding time."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from catalog.sample.draws import Draws
from catalog.sample.feed import Feed
from catalog.sample.parameters import Parameters
from catalog.sample.spec import MINUTE_NS, SampleSpec
from catalog.tables import funding_table

INTERVAL_MINS = 480
_MINUTE_US = 60_000_000


class Fundings:
    """Rates drawn from the seed.

    Parameters
    ----------
    spec
        Gives the first funding time, if any, and the length.
    parameters
        Centre and width of the rates, in 10⁻⁸.
    """

    def __init__(self, spec: SampleSpec, parameters: Parameters) -> None:
        self._start_ns = spec.start_ns
        self._first = spec.funding_at_minute
        draws = Draws(spec.seed)
        count = spec.minutes // INTERVAL_MINS + 2
        centre, width = parameters.funding_rate_e8, parameters.funding_spread_e8
        self._rates = [centre - width + draws.below(2 * width + 1) for _ in range(count)]

    def table(self, start_us: int, end_us: int, feed: Feed) -> pa.Table | None:
        """Return what is announced in a span, or None when there is no funding.

        Parameters
        ----------
        start_us, end_us
            The span, µs since the start; its end is excluded.
        """
        minutes = np.arange(-(-start_us // _MINUTE_US), -(-end_us // _MINUTE_US))
        if self._first is None or len(minutes) == 0:
            return None
        number = np.maximum((minutes - self._first) // INTERVAL_MINS + 1, 0)
        return funding_table(
            rate=[format(Decimal(self._rates[i]).scaleb(-8), "f") for i in number.tolist()],
            interval_mins=np.full(len(minutes), INTERVAL_MINS),
            next_funding_ns=self._start_ns + (self._first + number * INTERVAL_MINS) * MINUTE_NS,
            ts_event=feed.event_ns(minutes * _MINUTE_US),
            ts_init=feed.receipt_ns(minutes * _MINUTE_US),
        )
