"""R-4, R-8: market events that arrive late, unusually late, or not at all."""

from __future__ import annotations

from risk.breakers.config import BreakerConfig, LatencyMadsConfig
from risk.breakers.machine import NO_EDGES, NS_PER_MS, Breaker, Edges, Level
from risk.breakers.window import MAD_TO_SIGMA, RunningMedian

NEVER_NS = -(1 << 63)
"""Before every event."""


class FeedAge(Breaker):
    """Absolute latency: receipt minus exchange time, milliseconds. A negative age is the clock's fault, not the feed's."""

    __slots__ = ()

    def update(self, ts_ns: int, age_ms: float) -> Edges:
        """Take the age of one event."""
        if age_ms <= self.quiet_upto:
            return NO_EDGES
        level = self.judge(age_ms)
        if level is Level.NONE:
            return self.normal(ts_ns)
        return self.abnormal(ts_ns, level, f"event is {age_ms:.0f} ms old", {"age_ms": age_ms})


class AbnormalLatency(Breaker):
    """Latency against its own history: (age − median) / σ with σ = max(1.4826 · MAD, floor).

    The modified z-score of Iglewicz and Hoaglin (1993, section 3.2). Abnormal ages are samples too, so that a lasting change
    becomes the new normal within the window.
    """

    __slots__ = ("_floor_ms", "_history", "usual_upto")

    def __init__(self, name: str, config: LatencyMadsConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._floor_ms = config.floor_ms
        self.usual_upto = float("inf")
        """Hot path: up to this age nothing is to be judged, whatever the MAD, since σ is never below the floor."""
        self._history = RunningMedian(config.window_secs, config.min_samples, spacing_secs=config.sample_secs)

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return not self._history.ready

    def update(self, ts_ns: int, age_ms: float) -> Edges:
        """Compare the age of one event with those before it, then count it."""
        history = self._history
        usual = self.quiet_upto >= 0.0 and age_ms <= self.usual_upto
        if usual and ts_ns < history.next_ns:
            return NO_EDGES
        edges = self._judge_age(ts_ns, age_ms) if history.ready and not usual else NO_EDGES
        history.add(ts_ns, age_ms)
        if history.ready:
            self.usual_upto = history.median + self.calm * self._floor_ms
        return edges

    @property
    def next_ns(self) -> int:
        """When the next sample is due."""
        return self._history.next_ns

    def _judge_age(self, ts_ns: int, age_ms: float) -> Edges:
        median, sigma = self._history.median, max(MAD_TO_SIGMA * self._history.mad, self._floor_ms)
        score = (age_ms - median) / sigma
        level = self.judge(score)
        if level is Level.NONE:
            return self.normal(ts_ns)
        figures = {"age_ms": age_ms, "median_ms": median, "sigma_ms": sigma, "score": score}
        return self.abnormal(
            ts_ns, level, f"age {age_ms:.0f} ms is {score:.1f} σ above its median {median:.0f} ms", figures
        )


class Silence(Breaker):
    """Time since the last event, milliseconds: of the whole feed, or of one instrument's book.

    It looks at the clock on `on_time` and, where nobody asked in between, when the next event ends the silence.
    """

    __slots__ = ("_what", "last_ns")

    def __init__(
        self, name: str, config: BreakerConfig, instrument_id: str = "", *, what: str = "market event"
    ) -> None:
        super().__init__(name, config, instrument_id)
        self.last_ns = NEVER_NS
        """Time of the last event."""
        self._what = what

    def update(self, ts_ns: int) -> Edges:
        """Take an event: judge the silence that it ends, then count it as a normal one."""
        if 0 <= ts_ns - self.last_ns <= self.quiet_upto * NS_PER_MS:
            self.last_ns = ts_ns
            return NO_EDGES
        edges = self._judge_silence(ts_ns)
        self.last_ns = max(ts_ns, self.last_ns)
        return edges + self.normal(ts_ns)

    def on_time(self, ts_ns: int) -> Edges:
        """Judge the silence so far; the first call starts the count."""
        if self.last_ns == NEVER_NS:
            self.last_ns = ts_ns
        return self._judge_silence(ts_ns) + self.advance(ts_ns)

    def _judge_silence(self, ts_ns: int) -> Edges:
        if self.last_ns == NEVER_NS:
            return NO_EDGES
        silent_ms = (ts_ns - self.last_ns) / NS_PER_MS
        level = self.judge(silent_ms)
        if level is Level.NONE:
            return NO_EDGES
        return self.abnormal(ts_ns, level, f"no {self._what} for {silent_ms:.0f} ms", {"silent_ms": silent_ms})
