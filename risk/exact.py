"""Floats of the configuration as the decimals that were written there."""

from __future__ import annotations

import functools
from decimal import Decimal


@functools.lru_cache(maxsize=1024)
def exact(number: float) -> Decimal:
    """Return the shortest decimal that is this float: 0.1 becomes 0.1, not its binary neighbour. Limits are asked for often."""
    return Decimal(repr(number))
