"""Median and median absolute deviation over a sliding window of time, bounded in memory.

The samples stand in a sorted list of at most 4,096: for so few, the standard library's `bisect` on a plain list costs less than
a balanced structure, and no estimate such as P² is needed. Where more arrive than fit, they are thinned evenly in time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

CAPACITY = 4096
_NS = 1_000_000_000
MAD_TO_SIGMA = 1.4826
"""Makes the MAD of a normal distribution its standard deviation (Rousseeuw and Croux 1993, section 1)."""


class RunningMedian:
    """Sliding-window median and MAD.

    Parameters
    ----------
    window_secs
        How far back samples count.
    min_samples
        Fewer are not enough for `ready`.
    capacity
        Most samples that are kept; one is taken at most every ``window_secs / capacity``.
    spacing_secs
        Least time between two samples; from a second on it is counted from the full second, so that all who sample meet.
    """

    __slots__ = ("_by_time", "_mad", "_median", "_min_samples", "_sorted", "_spacing_ns", "_window_ns", "next_ns")

    def __init__(
        self, window_secs: float, min_samples: int, capacity: int = CAPACITY, *, spacing_secs: float = 0.0
    ) -> None:
        if window_secs <= 0 or not 1 <= min_samples <= capacity:
            raise ValueError(
                f"window_secs {window_secs} must be positive and min_samples {min_samples} in 1..{capacity}"
            )
        self._window_ns = round(window_secs * _NS)
        self._spacing_ns = max(-(-self._window_ns // capacity), round(spacing_secs * _NS))
        self._min_samples = min_samples
        self._by_time: deque[tuple[int, float]] = deque()
        self._sorted: list[float] = []
        self.next_ns = -(1 << 63)
        """Samples before this instant are not taken; until then median and MAD stay as they are."""
        self._median: float | None = None
        self._mad: float | None = None

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def ready(self) -> bool:
        """Whether there are enough samples."""
        return len(self._sorted) >= self._min_samples

    def add(self, ts_ns: int, value: float) -> bool:
        """Take a sample unless it follows the last one too closely; return whether it was taken.

        Time that goes backwards is too close as well: clocks do step back.
        """
        if ts_ns < self.next_ns:
            return False
        begin_ns = ts_ns - ts_ns % _NS if self._spacing_ns >= _NS else ts_ns
        self.next_ns = begin_ns + self._spacing_ns
        self._expire(ts_ns)
        self._by_time.append((ts_ns, value))
        insort(self._sorted, value)
        self._median = self._mad = None
        return True

    @property
    def median(self) -> float:
        """Middle sample; the mean of the middle two where their number is even; 0 without samples."""
        if self._median is None:
            n = len(self._sorted)
            if n == 0:
                return 0.0
            self._median = (self._sorted[(n - 1) // 2] + self._sorted[n // 2]) / 2.0
        return self._median

    @property
    def mad(self) -> float:
        """Median of |x − median|; 0 without samples."""
        if self._mad is None:
            n = len(self._sorted)
            if n == 0:
                return 0.0
            lower = self._deviation((n - 1) // 2)
            self._mad = lower if n % 2 else (lower + self._deviation(n // 2)) / 2.0
        return self._mad

    def _expire(self, ts_ns: int) -> None:
        oldest = ts_ns - self._window_ns
        while self._by_time and self._by_time[0][0] <= oldest:
            _, value = self._by_time.popleft()
            del self._sorted[bisect_left(self._sorted, value)]

    def _deviation(self, rank: int) -> float:
        """Deviation number `rank` from below: left and right of the median they are two sorted runs."""
        middle, samples = self.median, self._sorted
        split = bisect_left(samples, middle)
        return _kth(
            rank, split, len(samples) - split,
            lambda i: middle - samples[split - 1 - i], lambda i: samples[split + i] - middle,
        )  # fmt: skip


def _kth(
    rank: int, left_len: int, right_len: int, left: Callable[[int], float], right: Callable[[int], float]
) -> float:
    """Element number `rank` of two sorted runs merged, by bisection over how many come from the left one."""
    low, high = max(0, rank - right_len), min(rank, left_len)
    while low < high:
        taken = (low + high) // 2
        if left(taken) < right(rank - taken - 1):
            low = taken + 1
        else:
            high = taken
    candidates = []
    if low < left_len:
        candidates.append(left(low))
    if rank - low < right_len:
        candidates.append(right(rank - low))
    return min(candidates)
