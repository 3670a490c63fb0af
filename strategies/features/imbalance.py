"""Depth imbalance over the first levels of the book."""

from __future__ import annotations

import math
from collections.abc import Sequence


def level_weights(levels: int, decay: float) -> tuple[float, ...]:
    """Return weights e^(−decay·k) of the levels k = 0 … levels − 1, best level first.

    Raises
    ------
    ValueError
        When `levels` is below 1 or `decay` is negative.
    """
    if levels < 1:
        raise ValueError(f"levels must be at least 1, got {levels}")
    if decay < 0.0:
        raise ValueError(f"decay must not be negative, got {decay}")
    return tuple(math.exp(-decay * k) for k in range(levels))


def depth_imbalance(bid_sizes: Sequence[float], ask_sizes: Sequence[float], weights: Sequence[float]) -> float:
    """Return (B − A) / (B + A) with B = Σ w_k·bid_k and A = Σ w_k·ask_k.

    The one-level case is the imbalance ρ of Cartea, Donnelly and Jaimungal (2018), "Enhancing trading
    strategies with order book signals"; deeper levels count less by their weight.

    Parameters
    ----------
    bid_sizes, ask_sizes
        Displayed sizes, best level first, base units; levels beyond `weights` are not read.
    weights
        One weight per level.

    Returns
    -------
    float
        In [−1, 1]; 0 when the book is empty, ±1 when one side is.
    """
    bid = sum(w * size for w, size in zip(weights, bid_sizes, strict=False))
    ask = sum(w * size for w, size in zip(weights, ask_sizes, strict=False))
    total = bid + ask
    return (bid - ask) / total if total > 0.0 else 0.0
