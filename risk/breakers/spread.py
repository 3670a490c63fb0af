"""R-6: a spread that is wide for this market."""

from __future__ import annotations

from risk.breakers.config import SpreadConfig
from risk.breakers.machine import NO_EDGES, Breaker, Edges, Level
from risk.breakers.window import RunningMedian


class SpreadMultiple(Breaker):
    """Spread over its running median, both in basis points of the mid."""

    __slots__ = ("_floor_bps", "_history", "usual_upto")

    def __init__(self, name: str, config: SpreadConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._floor_bps = config.floor_bps
        self.usual_upto = float("inf")
        """Hot path: up to this spread, basis points, there is nothing to do before the next sample."""
        self._history = RunningMedian(config.window_secs, config.min_samples, spacing_secs=config.sample_secs)

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return not self._history.ready

    @property
    def next_ns(self) -> int:
        """When the next sample is due."""
        return self._history.next_ns

    def update(self, ts_ns: int, bid: float, ask: float) -> Edges:
        """Compare the spread with those before it, then count it; a crossed book has none."""
        if not 0.0 < bid < ask:
            return NO_EDGES
        history = self._history
        spread = (ask - bid) / (ask + bid) * 2e4
        if self.quiet_upto >= 0.0 and spread <= self.usual_upto and ts_ns < history.next_ns:
            return NO_EDGES
        edges = self._judge_spread(ts_ns, spread) if history.ready else NO_EDGES
        history.add(ts_ns, spread)
        if history.ready:
            self.usual_upto = max(history.median, self._floor_bps) * self.calm
        return edges

    def _judge_spread(self, ts_ns: int, spread: float) -> Edges:
        median = max(self._history.median, self._floor_bps)
        multiple = spread / median
        level = self.judge(multiple)
        if level is Level.NONE:
            return self.normal(ts_ns)
        figures = {"spread_bps": spread, "usual_bps": median, "multiple": multiple}
        usual = "its median" if median > self._floor_bps else "the floor"
        detail = f"spread {spread:.2f} bps is {multiple:.1f} times {usual} {median:.2f}"
        return self.abnormal(ts_ns, level, detail, figures)
