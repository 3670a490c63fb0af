"""A streaming histogram of durations in bounded memory: buckets grow with the value, so that every quantile is good to 3 %.

The layout is that of HDR histograms (G. Tene): 32 buckets to an octave above 32 ns, one bucket a nanosecond below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SUB_BITS = 5
SUB = 1 << SUB_BITS
OCTAVES = 42
"""Up to 2^46 ns, 19 hours; longer counts as that."""
MOST_NS = (1 << (SUB_BITS + OCTAVES - 1)) - 1


@dataclass(frozen=True, slots=True)
class Quantiles:
    """What a histogram says, nanoseconds; None while it is empty.

    Attributes
    ----------
    count
        Values.
    p50, p90, p99, p999
        Upper end of the bucket that holds the quantile: at most 3.2 % above the true value, never below.
    mean, max
        Exact.
    """

    count: int
    p50: int | None
    p90: int | None
    p99: int | None
    p999: int | None
    mean: float | None
    max: int | None


class LogHistogram:
    """Counts durations; about 11 kB, whatever comes.

    Attributes
    ----------
    negative
        Durations below zero, which two clocks can give; they are counted here and nowhere else.
    """

    __slots__ = ("_counts", "_most", "_sum", "count", "negative")

    def __init__(self) -> None:
        self._counts = [0] * (SUB * OCTAVES)
        self._sum = self._most = self.count = self.negative = 0

    def add(self, value_ns: int) -> None:
        """Count one duration, nanoseconds."""
        if value_ns < 0:
            self.negative += 1
            return
        self._counts[_bucket(min(value_ns, MOST_NS))] += 1
        self.count += 1
        self._sum += value_ns
        self._most = max(self._most, value_ns)

    def quantile(self, share: float) -> int | None:
        """Smallest bucket end that at least `share` of the values do not exceed; None while empty."""
        if not self.count:
            return None
        wanted, seen = max(1, -(-self.count * round(share * 10_000) // 10_000)), 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(_end(index), self._most)
        return self._most

    def quantiles(self) -> Quantiles:
        """What is told of it."""
        if not self.count:
            return Quantiles(0, None, None, None, None, None, None)
        p50, p90, p99, p999 = (self.quantile(share) for share in (0.5, 0.9, 0.99, 0.999))
        return Quantiles(self.count, p50, p90, p99, p999, self._sum / self.count, self._most)

    def buckets(self) -> Iterator[tuple[int, int]]:
        """Upper end in nanoseconds and count of every bucket that is not empty, from short to long."""
        return ((_end(index), count) for index, count in enumerate(self._counts) if count)


def _bucket(value: int) -> int:
    """Index of the bucket: below 32 the value, then the five bits that follow the leading one."""
    if value < SUB:
        return value
    shift = value.bit_length() - SUB_BITS - 1
    return (shift + 1) * SUB + (value >> shift) - SUB


def _end(index: int) -> int:
    """Largest value of a bucket."""
    if index < SUB:
        return index
    shift, top = index // SUB - 1, index % SUB + SUB
    return ((top + 1) << shift) - 1
