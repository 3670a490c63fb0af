"""Receipt and exchange times of the sample's events.

The model's clock is the receiver's; the exchange's time of an event is earlier by the feed latency. The latency is constant in
each span of 100 ms and its mapping strictly increasing, so that events arrive in the order in which they happened.
"""

from __future__ import annotations

import numpy as np

from catalog.sample.draws import Draws, Table
from catalog.sample.tape import Ints

SPAN_NS = 100_000_000
_CREEP = 64


class Feed:
    """Clock of one sample.

    Parameters
    ----------
    seed
        Seed of the latencies.
    start_ns, length_ns
        The period.
    latency_us
        Table of equally likely latencies.
    """

    def __init__(self, seed: int, start_ns: int, length_ns: int, latency_us: Table) -> None:
        self._start_ns = start_ns
        spans = -(-length_ns // SPAN_NS)
        self._latency = 1_000 * Draws(seed).picks(latency_us, spans)
        self._floor = _floors(self._latency)

    def receipt_ns(self, us: Ints) -> Ints:
        """Return UNIX times of receipt for times in µs since the start."""
        return np.asarray(self._start_ns + us * 1_000)

    def event_ns(self, us: Ints) -> Ints:
        """Return UNIX times at the exchange: the receipt less the latency, never before an earlier event's."""
        ns = us * 1_000
        span = ns // SPAN_NS
        direct = ns - self._latency[span]
        queued = self._floor[span] + (ns - span * SPAN_NS) // _CREEP
        return np.asarray(self._start_ns + np.maximum(direct, queued))


def _floors(latency: Ints) -> Ints:
    """Return for each span the exchange time that its events may not precede, relative to the start."""
    span = np.arange(len(latency))
    creep = SPAN_NS // _CREEP
    reached = np.maximum.accumulate((span + 1) * SPAN_NS - latency - span * creep)
    floors = np.full(len(latency), np.iinfo(np.int64).min // 2)
    floors[1:] = reached[:-1] + span[:-1] * creep
    return floors
