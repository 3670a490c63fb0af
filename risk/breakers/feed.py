"""R-4, R-8: market events that arrive late, unusually late, or not at all."""

from __future__ import annotations

from risk.breakers.config import BreakerConfig, LatencyMadsConfig
from risk.breakers.machine import NO_EDGES, NS_PER_MS, Breaker, Edges, Level
from risk.breakers.window import MAD_TO_SIGMA, RunningMedian


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

    __slots__ = ("_floor_ms", "_history", "_sigma_ms", "_usual_upto")

    def __init__(self, name: str, config: LatencyMadsConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._floor_ms = self._sigma_ms = config.floor_ms
        self._usual_upto = float("inf")  # hot path: nothing to do up to here before the next sample; all while learning
        self._history = RunningMedian(config.window_secs, config.min_samples)

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return not self._history.ready

    def update(self, ts_ns: int, age_ms: float) -> Edges:
        """Compare the age of one event with those before it, then count it."""
        history = self._history
        if age_ms <= self._usual_upto and ts_ns < history.next_ns:
            return NO_EDGES
        edges = self._judge_age(ts_ns, age_ms) if history.ready else NO_EDGES
        history.add(ts_ns, age_ms)
        if history.ready:
            self._sigma_ms = max(MAD_TO_SIGMA * history.mad, self._floor_ms)
            self._usual_upto = history.median + self.quiet_upto * self._sigma_ms
        return edges

    def _judge_age(self, ts_ns: int, age_ms: float) -> Edges:
        median, sigma = self._history.median, self._sigma_ms
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

    __slots__ = ("_last_ns", "_what")

    def __init__(
        self, name: str, config: BreakerConfig, instrument_id: str = "", *, what: str = "market event"
    ) -> None:
        super().__init__(name, config, instrument_id)
        self._last_ns: int | None = None
        self._what = what

    def update(self, ts_ns: int) -> Edges:
        """Take an event: judge the silence that it ends, then count it as a normal one."""
        last_ns = self._last_ns
        if last_ns is not None and 0 <= ts_ns - last_ns <= self.quiet_upto * NS_PER_MS:
            self._last_ns = ts_ns
            return NO_EDGES
        edges = self._judge_silence(ts_ns)
        self._last_ns = ts_ns if self._last_ns is None else max(ts_ns, self._last_ns)
        return edges + self.normal(ts_ns)

    def on_time(self, ts_ns: int) -> Edges:
        """Judge the silence so far; the first call starts the count."""
        if self._last_ns is None:
            self._last_ns = ts_ns
        return self._judge_silence(ts_ns) + self.advance(ts_ns)

    def _judge_silence(self, ts_ns: int) -> Edges:
        if self._last_ns is None:
            return NO_EDGES
        silent_ms = (ts_ns - self._last_ns) / NS_PER_MS
        level = self.judge(silent_ms)
        if level is Level.NONE:
            return NO_EDGES
        return self.abnormal(ts_ns, level, f"no {self._what} for {silent_ms:.0f} ms", {"silent_ms": silent_ms})
