"""R-8: a book that is crossed, locked, one-sided or has lost a message."""

from __future__ import annotations

from collections import deque

from risk.breakers.config import BreakerConfig, WindowedConfig
from risk.breakers.machine import NO_EDGES, NS_PER_SEC, Breaker, Edges, Level


class CrossedBook(Breaker):
    """Crossed, locked or one-sided updates in a row."""

    __slots__ = ("in_a_row",)

    def __init__(self, name: str, config: BreakerConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self.in_a_row = 0
        """Updates without a market, up to the last one."""

    def update(self, ts_ns: int, bid: float, ask: float) -> Edges:
        """Take the best prices after an update; 0 stands for an empty side."""
        if 0.0 < bid < ask:
            self.in_a_row = 0
            return NO_EDGES if self.quiet_upto >= 0.0 else self.normal(ts_ns)
        self.in_a_row += 1
        level = self.judge(self.in_a_row)
        if level is Level.NONE:
            return NO_EDGES
        figures = {"bid": bid, "ask": ask, "updates": self.in_a_row}
        return self.abnormal(ts_ns, level, f"bid {bid:g} and ask {ask:g} are no market", figures)


class GappedBook(Breaker):
    """Sequence gaps within the window. From a gap on, the book is wrong until a snapshot replaces it."""

    __slots__ = ("_gaps", "_max_gaps", "_window_ns", "gapped")

    def __init__(self, name: str, config: WindowedConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        limit = max(limit for limit in (config.soft, config.hard) if limit is not None)
        self._max_gaps = int(limit) + 1  # one more than the highest limit says all that there is to say
        self._gaps: deque[int] = deque(maxlen=self._max_gaps)
        self._window_ns = round(config.window_secs * NS_PER_SEC)
        self.gapped = False

    def update(self, ts_ns: int, *, gap: bool, snapshot: bool) -> Edges:
        """Take one update."""
        if snapshot:
            self.gapped = False
        if gap and not snapshot:
            self.gapped = True
            self._gaps.append(ts_ns)
        if not self.gapped:
            return NO_EDGES if self.quiet_upto >= 0.0 else self.normal(ts_ns)
        return self._judge_gaps(ts_ns)

    def on_time(self, ts_ns: int) -> Edges:
        """Let time pass; it does not heal a book that waits for its snapshot."""
        return self._judge_gaps(ts_ns) if self.gapped else self.advance(ts_ns)

    def _judge_gaps(self, ts_ns: int) -> Edges:
        while len(self._gaps) > 1 and self._gaps[0] <= ts_ns - self._window_ns:
            self._gaps.popleft()
        count = len(self._gaps)
        level = self.judge(count)
        if level is Level.NONE:
            return NO_EDGES
        return self.abnormal(ts_ns, level, f"{count} sequence gaps and no snapshot since", {"gaps": count})
