"""R-6: a market that moves much more than it did."""

from __future__ import annotations

import math
from collections import deque
from operator import itemgetter

from risk.atr import MinuteAtr
from risk.breakers.config import AtrConfig, RealisedConfig
from risk.breakers.machine import NO_EDGES, NS_PER_SEC, Breaker, Edges, Level
from risk.breakers.window import RunningMedian

_SQUARE = itemgetter(1)
_SMALLEST = 1e-12  # relative: a market that never moved must not divide by zero


class AtrMultiple(Breaker):
    """One-minute average true range over its running median; judged once a minute, when the bar is complete."""

    __slots__ = ("_atr", "_history")

    def __init__(self, name: str, config: AtrConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._atr = MinuteAtr(config.period_minutes)
        self._history = RunningMedian(config.window_secs, config.min_samples)

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return not self._history.ready

    def update(self, ts_ns: int, price: float) -> Edges:
        """Take a mid or trade price."""
        if not self._atr.update(ts_ns, price) or self._atr.value is None:
            return NO_EDGES
        history, atr = self._history, self._atr.value
        ready, median = history.ready, max(history.median, _SMALLEST * price)
        history.add(ts_ns, atr)
        if not ready:
            return NO_EDGES
        multiple = atr / median
        level = self.judge(multiple)
        if level is Level.NONE:
            return self.normal(ts_ns)
        figures = {"atr": atr, "median": median, "multiple": multiple}
        return self.abnormal(ts_ns, level, f"ATR {atr:.6g} is {multiple:.1f} times its median {median:.6g}", figures)


class RealisedMultiple(Breaker):
    """Realised volatility over its running median.

    RV = √Σ r² over the horizon, r the log returns of the last mid of each second (Andersen and Bollerslev 1998), in basis
    points. A second without an update has r = 0.
    """

    __slots__ = ("_history", "_horizon", "_last_mid", "_mid", "_second", "_squares")

    def __init__(self, name: str, config: RealisedConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._horizon = config.horizon_secs
        self._history = RunningMedian(config.window_secs, config.min_samples)
        self._squares: deque[tuple[int, float]] = deque()
        self._second = -1
        self._mid = 0.0
        self._last_mid = 0.0

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return not self._history.ready

    def update(self, ts_ns: int, mid: float) -> Edges:
        """Take a mid; at the first one of a new second the second before it is complete."""
        second = ts_ns // NS_PER_SEC
        edges = NO_EDGES
        if second > self._second:
            if self._second >= 0:
                edges = self._complete(ts_ns)
            self._second = second
        self._mid = mid
        return edges

    def _complete(self, ts_ns: int) -> Edges:
        if self._last_mid > 0.0:
            change = math.log(self._mid / self._last_mid)
            self._squares.append((self._second, change * change))
        self._last_mid = self._mid
        while self._squares and self._squares[0][0] <= self._second - self._horizon:
            self._squares.popleft()
        realised = math.sqrt(math.fsum(map(_SQUARE, self._squares))) * 1e4
        return self._judge_realised(ts_ns, realised)

    def _judge_realised(self, ts_ns: int, realised: float) -> Edges:
        history = self._history
        ready, median = history.ready, max(history.median, _SMALLEST * 1e4)
        history.add(ts_ns, realised)
        if not ready:
            return NO_EDGES
        multiple = realised / median
        level = self.judge(multiple)
        if level is Level.NONE:
            return self.normal(ts_ns)
        figures = {"realised_bps": realised, "median_bps": median, "multiple": multiple}
        detail = f"realised volatility {realised:.1f} bps is {multiple:.1f} times its median {median:.1f}"
        return self.abnormal(ts_ns, level, detail, figures)
