"""How a strategy behaves: how often its position changes direction, and whether it waits out its re-entry cool-down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from monitoring.report.columns import Orders
from monitoring.report.round_trips import RoundTrip

SECS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Conduct:
    """Figures of all strategies together.

    Attributes
    ----------
    flips, flips_per_hour
        Stays in the market of the opposite direction to the one before, whether the position went through zero in one fill or
        rested flat between; per hour of trading time, None where there was none.
    cooldown_secs
        Least time from flat to the next entry that the configuration demands.
    reentries, reentries_early
        Entries sent from flat after an earlier stay; those of them decided before the cool-down was over.
    shortest_secs
        Shortest time from flat to the decision of the next entry; None without one.
    """

    flips: int
    flips_per_hour: float | None
    cooldown_secs: float
    reentries: int
    reentries_early: int
    shortest_secs: float | None


def conduct(trips: Sequence[RoundTrip], orders: Orders, trading_secs: float, cooldown_secs: float) -> Conduct:
    """Count flips and re-entries.

    Parameters
    ----------
    trips
        Round trips of the run, in order of time.
    orders
        All orders of the run.
    trading_secs
        Length of the trading window.
    cooldown_secs
        As configured.
    """
    stays = list(_stays(trips))
    flips = sum(before.side != after.side for mine in stays for before, after in pairwise(mine))
    waits = sorted(wait for mine in stays for wait in _waits(mine, orders))
    return Conduct(
        flips=flips,
        flips_per_hour=flips / trading_secs * SECS_PER_HOUR if trading_secs > 0 else None,
        cooldown_secs=cooldown_secs,
        reentries=len(waits),
        reentries_early=sum(wait < cooldown_secs for wait in waits),
        shortest_secs=waits[0] if waits else None,
    )


def _stays(trips: Sequence[RoundTrip]) -> Iterator[list[RoundTrip]]:
    """Round trips of each strategy and instrument, in order of time."""
    ordered = sorted(trips, key=lambda trip: (trip.strategy, trip.instrument, trip.opened_ns))
    for _, mine in groupby(ordered, key=lambda trip: (trip.strategy, trip.instrument)):
        yield list(mine)


def _waits(stays: list[RoundTrip], orders: Orders) -> Iterator[float]:
    """Seconds from flat to each entry that was sent while the position was flat; the first stay has no flat before it."""
    of_mine = (orders.strategy == stays[0].strategy) & (orders.instrument == stays[0].instrument)
    decided = orders.ts[of_mine & orders.sent & ~orders.reduce_only].tolist()
    for before, after in zip(stays, [*stays[1:], None], strict=True):
        until = float("inf") if after is None else after.opened_ns
        # through zero there was no moment without a position
        if before.closed_ns is not None and before.closed_ns < until:
            yield from ((ts - before.closed_ns) / 1e9 for ts in decided if before.closed_ns <= ts <= until)
