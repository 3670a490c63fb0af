"""D-3: how long everything takes in a live session, as streaming histograms. Definitions: docs/what-every-number-means.md."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from execution.histogram import LogHistogram

TICK_TO_DECISION, DECISION_TO_ACK, ACK_TO_FILL, FEED = "tick_to_decision", "decision_to_ack", "ack_to_fill", "feed"
NAMES = (FEED, TICK_TO_DECISION, DECISION_TO_ACK, ACK_TO_FILL)
MOST_WAITING = 10_000
"""Orders without an answer, or without a fill, of which the time is kept; the oldest is forgotten."""


class LatencyProbe:
    """Takes the time at four places; durations of ours are on the monotonic clock.

    Parameters
    ----------
    wall_ns, monotonic_ns
        Clocks. Receipt times of market events are wall times, so the first of our durations is, too.

    Attributes
    ----------
    histograms
        By name.
    on_timer
        Orders that were not decided while a market event was handled: on a timer, or after an order event.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        self.histograms: Mapping[str, LogHistogram] = {name: LogHistogram() for name in NAMES}
        self.on_timer = 0
        self._tick_ns: int | None = None
        self._decided: OrderedDict[str, int] = OrderedDict()
        self._acked: OrderedDict[str, int] = OrderedDict()

    def market(self, ts_init_ns: int) -> None:
        """A strategy begins to handle a market event that was received at `ts_init_ns`."""
        self._tick_ns = ts_init_ns

    def market_over(self) -> None:
        """It is done with it."""
        self._tick_ns = None

    def feed(self, ts_init_ns: int, ts_event_ns: int, offset_ns: int) -> None:
        """A market event was received; `offset_ns` is our clock minus the venue's."""
        self.histograms[FEED].add(ts_init_ns - offset_ns - ts_event_ns)

    def decided(self, client_order_id: str) -> None:
        """An order is approved and recorded, and goes to the engine now."""
        if self._tick_ns is None:
            self.on_timer += 1
        else:
            self.histograms[TICK_TO_DECISION].add(self._wall_ns() - self._tick_ns)
        _keep(self._decided, client_order_id, self._monotonic_ns())

    def answered(self, client_order_id: str, *, accepted: bool) -> None:
        """The first word of the venue about an order: accepted, rejected, or filled at once."""
        sent, now = self._decided.pop(client_order_id, None), self._monotonic_ns()
        if sent is not None:
            self.histograms[DECISION_TO_ACK].add(now - sent)
            if accepted:
                _keep(self._acked, client_order_id, now)

    def filled(self, client_order_id: str) -> None:
        """A fill; the first of an order that was accepted before is counted."""
        acked = self._acked.pop(client_order_id, None)
        if acked is None:
            self.answered(client_order_id, accepted=False)
        else:
            self.histograms[ACK_TO_FILL].add(self._monotonic_ns() - acked)

    def over(self, client_order_id: str) -> None:
        """An order that is over without a fill is waited for no longer."""
        self.answered(client_order_id, accepted=False)
        self._acked.pop(client_order_id, None)


def _keep(waiting: OrderedDict[str, int], order_id: str, at_ns: int) -> None:
    waiting[order_id] = at_ns
    if len(waiting) > MOST_WAITING:
        waiting.popitem(last=False)


def timing_rows(probe: LatencyProbe | None) -> list[dict[str, object]]:
    """Everything as rows of ``timings.json``: milliseconds, and the buckets for a picture."""
    rows: list[dict[str, object]] = []
    for name, histogram in ({} if probe is None else probe.histograms).items():
        told = histogram.quantiles()
        figures = {
            "p50": told.p50,
            "p90": told.p90,
            "p99": told.p99,
            "p999": told.p999,
            "mean": told.mean,
            "max": told.max,
        }
        rows.append(
            {"name": name, "count": told.count, "negative": histogram.negative}
            | {f"{key}_ms": None if value is None else round(value / 1e6, 6) for key, value in figures.items()}
            | {"buckets": [[round(end / 1e6, 6), count] for end, count in histogram.buckets()]}
        )
    return rows


def timing_line(probe: LatencyProbe | None) -> dict[str, str]:
    """Median and 99th percentile of what has been seen, for the status."""
    said = {}
    for name, histogram in ({} if probe is None else probe.histograms).items():
        p50, p99 = histogram.quantile(0.5), histogram.quantile(0.99)
        if p50 is not None and p99 is not None:
            said[name] = f"{p50 / 1e6:.3g} / {p99 / 1e6:.3g} ms"
    return said
