"""When the sample is calm, when it is fast and when it is dead quiet.

The plan repeats every hour; a shorter sample gets the same plan squeezed into its length, so that each sample of a few minutes
already has all three.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

MINUTE_US = 60_000_000
_PLAN = ((0.30, "CALM"), (0.36, "FAST"), (0.70, "CALM"), (0.74, "QUIET"), (1.0, "CALM"))


class Regime(enum.Enum):
    """State of the market that scales the model's rates."""

    CALM = "calm"
    FAST = "fast"
    QUIET = "quiet"


class Stretch(NamedTuple):
    """A span of one regime, µs since the start, end excluded."""

    start_us: int
    end_us: int
    regime: Regime


def plan(minutes: int) -> list[Stretch]:
    """Return the stretches of a sample in order; they tile its whole length.

    Parameters
    ----------
    minutes
        Length of the sample.
    """
    block = min(minutes, 60) * MINUTE_US
    total = minutes * MINUTE_US
    stretches: list[Stretch] = []
    for offset in range(0, total, block):
        start = offset
        for fraction, name in _PLAN:
            end = min(offset + int(fraction * block), total)
            if end > start:
                stretches.append(Stretch(start, end, Regime[name]))
            start = end
    return stretches


def longest(minutes: int, regime: Regime) -> Stretch:
    """Return the longest stretch of a regime (the first of equals)."""
    return max((s for s in plan(minutes) if s.regime is regime), key=lambda s: s.end_us - s.start_us)
