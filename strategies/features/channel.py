"""The Donchian channel and the relative volume that confirms a break of it."""

from __future__ import annotations

from collections import deque


class Donchian:
    """Highest high and lowest low of the last `window` closed bars.

    Read it before the new bar is added: a bar must not be compared with a channel that contains it.

    Parameters
    ----------
    window
        Number of bars, at least 1.
    """

    __slots__ = ("_highs", "_lows", "_window")

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        self._window = window
        self._highs: deque[float] = deque(maxlen=window)
        self._lows: deque[float] = deque(maxlen=window)

    def add(self, high: float, low: float) -> None:
        """Take one closed bar."""
        self._highs.append(high)
        self._lows.append(low)

    @property
    def ready(self) -> bool:
        """Whether `window` bars were seen."""
        return len(self._highs) == self._window

    @property
    def upper(self) -> float:
        """Highest high; infinity before the channel is full, so that nothing breaks out of it."""
        return max(self._highs) if self.ready else float("inf")

    @property
    def lower(self) -> float:
        """Lowest low; minus infinity before the channel is full."""
        return min(self._lows) if self.ready else float("-inf")


class RelativeVolume:
    """Volume of a bar over the mean volume of the `window` bars before it.

    Parameters
    ----------
    window
        Number of bars, at least 1.
    """

    __slots__ = ("_volumes",)

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        self._volumes: deque[float] = deque(maxlen=window)

    def update(self, volume: float) -> float:
        """Take the volume of a closed bar and return its ratio; 0 while there is nothing to compare with."""
        past = sum(self._volumes)
        ratio = volume * len(self._volumes) / past if past > 0.0 else 0.0
        self._volumes.append(volume)
        return ratio
