"""How long to wait before the next attempt."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def pauses(first_secs: float, longest_secs: float, random: Random) -> Iterator[float]:
    """Yield waits that double up to a limit, each shortened at random by up to a half so that clients spread out."""
    wait = first_secs
    while True:
        yield min(wait, longest_secs) * random.uniform(0.5, 1.0)
        wait = min(wait * 2, longest_secs)
