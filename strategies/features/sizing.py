"""Position size from the rank of the present volatility among its own past: pure functions and a bounded history."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection


def rank(value: float, history: Collection[float]) -> float:
    """Return the share of `history` that lies below `value`, ties counting half, in [0, 1]; 0.5 without history."""
    if not history:
        return 0.5
    below = sum(1.0 if past < value else 0.5 if past == value else 0.0 for past in history)
    return below / len(history)


def ranked_fraction(volatility_rank: float, least: float) -> float:
    """Return the fraction of the full size: 1 at the calmest, `least` at the wildest, linear between.

    Parameters
    ----------
    volatility_rank
        In [0, 1].
    least
        In (0, 1].
    """
    return 1.0 - volatility_rank * (1.0 - least)


def risk_size(risk_quote: float, stop_distance: float) -> float:
    """Return the size, base units, that loses `risk_quote` when the price moves by `stop_distance`; 0 without a distance."""
    return risk_quote / stop_distance if stop_distance > 0.0 else 0.0


class AtrRank:
    """Rank of each ATR among the `window` before it.

    Parameters
    ----------
    window
        How many past values are kept.
    """

    __slots__ = ("_history", "value")

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        self._history: deque[float] = deque(maxlen=window)
        self.value = 0.5

    def update(self, atr: float) -> float:
        """Take one ATR and return its rank, in [0, 1]."""
        self.value = rank(atr, self._history)
        self._history.append(atr)
        return self.value
