"""How one-sided the trades are: flow that resting orders should fear."""

from __future__ import annotations

from collections import deque

from strategies.features.decay import DecayedSum, positive


class SignedVolume:
    """Net share of aggressive buying, (V_buy − V_sell) / (V_buy + V_sell), decayed over time.

    Parameters
    ----------
    halflife_secs
        Half-life of a trade, seconds.
    """

    __slots__ = ("_gross", "_net")

    def __init__(self, halflife_secs: float) -> None:
        self._net = DecayedSum(halflife_secs)
        self._gross = DecayedSum(halflife_secs)

    def add(self, ts_ns: int, side: int, size: float) -> None:
        """Count a trade whose aggressor bought (`side` 1) or sold (−1) `size` base units."""
        self._net.add(ts_ns, side * size)
        self._gross.add(ts_ns, size)

    @property
    def ratio(self) -> float:
        """In [−1, 1]; 0 before the first trade."""
        gross = self._gross.last
        return self._net.last / gross if gross > 0.0 else 0.0


class Vpin:
    """Volume-synchronised probability of informed trading: mean |V_buy − V_sell| / V over equal-volume buckets.

    Easley, López de Prado and O'Hara (2012), "Flow toxicity and liquidity in a high-frequency world"; trades
    carry their aggressor here, so the paper's bulk classification is not needed. Volume is counted in quote units,
    so that one setting serves several symbols. A trade larger than a bucket fills as many buckets as it covers.

    Parameters
    ----------
    bucket_quote
        Notional of one bucket, V, quote units.
    buckets
        Number of buckets in the mean.
    """

    __slots__ = ("_bucket", "_buy", "_capacity", "_filled", "_ring", "_sum")

    def __init__(self, bucket_quote: float, buckets: int) -> None:
        if buckets < 1:
            raise ValueError(f"buckets must be at least 1, got {buckets}")
        self._bucket = positive("bucket_quote", bucket_quote)
        self._capacity = buckets
        self._ring: deque[float] = deque()
        self._buy = 0.0
        self._filled = 0.0
        self._sum = 0.0

    def add(self, side: int, notional: float) -> None:
        """Count a trade of `notional` quote units whose aggressor bought (`side` 1) or sold (−1)."""
        rest = notional
        whole = rest - (self._bucket - self._filled)
        if whole >= self._bucket * self._capacity:  # covers every bucket of the mean: no need to walk them
            rest = self._bucket * self._capacity + whole % self._bucket + (self._bucket - self._filled)
        while rest > 0.0:
            part = min(rest, self._bucket - self._filled)
            self._filled += part
            self._buy += part if side > 0 else 0.0
            rest -= part
            if self._bucket - self._filled <= 1e-9 * self._bucket:
                self._close()

    def _close(self) -> None:
        self._ring.append(min(1.0, abs(2.0 * self._buy / self._bucket - 1.0)))
        if len(self._ring) > self._capacity:
            self._ring.popleft()
        self._sum = sum(self._ring)
        self._buy = self._filled = 0.0

    @property
    def full(self) -> bool:
        """Whether every bucket of the mean has been filled once."""
        return len(self._ring) == self._capacity

    @property
    def value(self) -> float:
        """In [0, 1]: 0 balanced, 1 all one way; 0 before the first full bucket."""
        return self._sum / len(self._ring) if self._ring else 0.0
