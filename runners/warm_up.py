"""Sensitivity to the length of the warm-up: the same start, learned for longer and longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from catalog.store import Period
from errors import PeriodEmpty, RunFailed
from runners.comparing import Parting
from runners.config import Resolved, Trust
from runners.decisions import COLUMNS, Row, decide, first_difference
from runners.look_ahead import without_flatten
from runners.market import Market

S = 1_000_000_000
LEAST_TRADING = 0.25
"""Share of the data that is kept for trading after the longest warm-up."""
STEP_SECS = 60.0
"""Unit of the lengths tried where the configuration has no warm-up."""


@dataclass(frozen=True, slots=True)
class Length:
    """One replay.

    Attributes
    ----------
    secs
        Warm-up before the start of trading.
    decisions
        Orders sent or refused after it.
    differing
        Decisions that are not among those of the longest warm-up, or that are missing, whichever are more; prices no further
        apart than the tolerance are the same.
    parting
        Where they part from those of the longest; None when all are the same.
    """

    secs: float
    decisions: int
    differing: int
    parting: Parting | None

    @property
    def share(self) -> float:
        """Differing decisions over all."""
        return self.differing / max(self.decisions, 1)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """All lengths, shortest first; the last is what the others are compared with."""

    start_ns: int
    lengths: tuple[Length, ...]

    def enough_secs(self, tolerance: float = 0.0) -> float | None:
        """Shortest warm-up from which on decisions settle; None when only the longest agrees with itself."""
        settled = None
        for length in reversed(self.lengths[:-1]):
            if length.share > tolerance:
                break
            settled = length.secs
        return settled


def warm_up(
    resolved: Resolved, market: Market, trust: Trust, factors: tuple[int, ...],
    progress: Callable[[float], None] = lambda _done: None, tolerance_bps: float = 0.0,
) -> WarmUp:  # fmt: skip
    """Start trading at one instant after warm-ups of different lengths.

    Parameters
    ----------
    factors
        Multiples of the configured warm-up, rising; those that the data is too short for are left out.
    tolerance_bps
        How far apart, in basis points, two prices may be and count as the same.

    Raises
    ------
    PeriodEmpty
        When not even twice the warm-up fits.
    RunFailed
        When nothing was decided after any of them.
    """
    resolved = without_flatten(resolved)
    base = resolved.config.data.warmup_secs
    secs = _fitting(market, [base * k for k in factors] if base else [0.0, *(STEP_SECS * k for k in factors)])
    start = market.period.start_ns + round(secs[-1] * S)
    found: list[list[Row]] = []
    for length in secs:
        period = Period(start - round(length * S), market.period.end_ns)
        one = replace(market, config=resolved.config, period=period, trading_start_ns=start)
        found.append(decide(resolved, one, trust).since(start))
        progress(len(found) / len(secs))
    if not any(found):
        raise RunFailed(
            "no order was sent or refused after any warm-up, so nothing can be compared: take a longer period."
        )
    lengths = (_length(s, rows, found[-1], tolerance_bps) for s, rows in zip(secs, found, strict=True))
    return WarmUp(start, tuple(lengths))


def _fitting(market: Market, secs: list[float]) -> list[float]:
    room = (market.period.end_ns - market.period.start_ns) / S * (1 - LEAST_TRADING)
    fitting = [length for length in secs if length <= room]
    if len(fitting) < 2:
        raise PeriodEmpty(
            f"the data is too short to compare warm-ups of {secs[0]:g} s and {secs[1]:g} s and trade in the last quarter of it; "
            "take a longer period or a shorter data.warmup_secs."
        )
    return fitting


def _length(secs: float, rows: list[Row], longest: list[Row], bps: float) -> Length:
    size = max(len(rows), len(longest))
    aligned = [
        mine | {"price": other["price"]} if _close(mine, other, bps) else mine
        for mine, other in zip(rows, longest, strict=False)
    ]
    parting = first_difference(aligned + rows[len(longest) :], longest)
    return Length(secs, size, size - _same(rows, longest, bps), parting)


def _same(rows: list[Row], longest: list[Row], bps: float) -> int:
    """How many decisions of one list can be paired with an equal one of the other."""
    mine, wanted = _prices(rows), _prices(longest)
    return sum(_pairs(prices, wanted.get(key, []), bps) for key, prices in mine.items())


def _prices(rows: list[Row]) -> Mapping[tuple[Any, ...], list[Decimal]]:
    found: defaultdict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for row in rows:
        found[_key(row)].append(Decimal(0) if row["price"] is None else row["price"])
    return found


def _pairs(a: list[Decimal], b: list[Decimal], bps: float) -> int:
    """Largest number of pairs of prices within the tolerance: both sorted, the lower one that fits no partner is left out."""
    left, right, found = sorted(a), sorted(b), 0
    i = j = 0
    while i < len(left) and j < len(right):
        if _near(left[i], right[j], bps):
            i, j, found = i + 1, j + 1, found + 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return found


def _close(a: Row, b: Row, bps: float) -> bool:
    both_priced = a["price"] is not None and b["price"] is not None
    return both_priced and _key(a) == _key(b) and _near(a["price"], b["price"], bps)


def _near(a: Decimal, b: Decimal, bps: float) -> bool:
    return abs(a - b) * 10_000 <= Decimal(repr(bps)) * b


def _key(row: Row) -> tuple[Any, ...]:
    """Everything but the price; a market order has none, which its type says."""
    return tuple(row[name] for name in COLUMNS if name != "price")
