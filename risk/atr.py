"""One-minute bars and Wilder's average true range, streaming and with constant memory."""

from __future__ import annotations

NS_PER_MINUTE = 60_000_000_000


class MinuteAtr:
    """Average true range of one-minute bars (Wilder 1978, chapter 3).

    TR = max(high, previous close) − min(low, previous close); the first ATR is the mean of the first n TR, then
    ATR ← (ATR · (n − 1) + TR) / n. A minute without a price makes no bar.

    Parameters
    ----------
    period
        n, bars.
    """

    __slots__ = ("_close", "_high", "_low", "_minute", "_period", "_previous", "_seen", "_sum", "value")

    def __init__(self, period: int) -> None:
        if period < 1:
            raise ValueError(f"period must be at least 1, got {period}")
        self._period = period
        self._minute = -1
        self._high = self._low = self._close = 0.0
        self._previous: float | None = None
        self._seen = 0
        self._sum = 0.0
        self.value: float | None = None
        """ATR after the last complete bar, price units; None before `period` bars."""

    def update(self, ts_ns: int, price: float) -> bool:
        """Take a price; return True when it completed the bar before it.

        A price of an earlier minute (a clock that stepped back) counts for the current bar.
        """
        minute = ts_ns // NS_PER_MINUTE
        if minute > self._minute:
            completed = self._minute >= 0
            if completed:
                self._complete()
            self._minute = minute
            self._high = self._low = self._close = price
            return completed
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        return False

    def _complete(self) -> None:
        high, low = self._high, self._low
        if self._previous is not None:
            high, low = max(high, self._previous), min(low, self._previous)
        self._previous = self._close
        true_range = high - low
        if self.value is not None:
            self.value = (self.value * (self._period - 1) + true_range) / self._period
            return
        self._seen += 1
        self._sum += true_range
        if self._seen == self._period:
            self.value = self._sum / self._period
