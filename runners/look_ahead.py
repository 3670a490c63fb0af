"""Prefix invariance: what is decided at an instant must not change when the data after it is taken away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.store import Period
from errors import RunFailed
from runners.comparing import Parting
from runners.config import Resolved, Trust
from runners.decisions import Decisions, decide, first_difference
from runners.market import Market
from runners.truncation import redirected, truncated


@dataclass(frozen=True, slots=True)
class Cut:
    """One replay of truncated data.

    Attributes
    ----------
    end_ns
        Data from here on was taken away.
    compared
        Decisions up to the last event before it.
    parting
        The first decision that changed; None when all are the same.
    error
        What the strategy raised for want of the data, or None.
    """

    end_ns: int
    compared: int
    parting: Parting | None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """True when nothing changed."""
        return self.parting is None and self.error is None


def look_ahead(
    resolved: Resolved, market: Market, trust: Trust, cuts: int, progress: Callable[[float], None] = lambda _done: None
) -> list[Cut]:
    """Replay everything, then again with the data cut off right after some of the decisions.

    Parameters
    ----------
    resolved, market, trust
        The run.
    cuts
        How many truncated replays.
    progress
        Called with the finished fraction.

    Raises
    ------
    RunFailed
        When the strategies decide nothing, so that nothing can be checked.
    """
    resolved = without_flatten(resolved)
    market = replace(market, config=resolved.config)
    whole = decide(resolved, market, trust)
    if not whole.rows:
        raise RunFailed(
            "the strategies neither sent an order nor had one refused, so nothing can be checked: take a longer period or "
            "parameters with which they act."
        )
    progress(1 / (cuts + 1))
    found: list[Cut] = []
    for end_ns in cut_times(whole, cuts):
        found.append(_cut(resolved, market, trust, whole, end_ns))
        progress((len(found) + 1) / (cuts + 1))
    return found


def cut_times(whole: Decisions, count: int) -> list[int]:
    """Ends of the truncated data: just after decisions, the first and the last among them, where a look-ahead of any length shows.

    A decision of a timer is served with the next event, so the cut comes after the first event at or after it.
    """
    asked = np.unique([row["ts_ns"] for row in whole.rows])
    places = np.unique(np.linspace(0, len(asked) - 1, count).round().astype(int))
    events = np.minimum(np.searchsorted(whole.times, asked[places]), len(whole.times) - 1)
    return [int(end) + 1 for end in np.unique(whole.times[events])]


def without_flatten(resolved: Resolved) -> Resolved:
    """Positions are left open at the end: closing them at a fixed time before the end of data is no decision of a strategy."""
    venue = resolved.config.venue.model_copy(update={"close_at_end": "mark"})
    return replace(resolved, config=resolved.config.model_copy(update={"venue": venue}))


def _cut(resolved: Resolved, market: Market, trust: Trust, whole: Decisions, end_ns: int) -> Cut:
    reach = int(whole.times[np.searchsorted(whole.times, end_ns) - 1])
    expected = whole.until(reach)
    with tempfile.TemporaryDirectory(prefix="lookahead-", ignore_cleanup_errors=True) as folder:
        copy = truncated(market.catalog, resolved.config.instruments, end_ns, Path(folder) / market.catalog.path.name)
        period = Period(market.period.start_ns, end_ns)
        shorter = replace(market, catalog=copy, period=period)
        try:
            seen = decide(_redirected(resolved, market.catalog.path, copy.path), shorter, trust)
        except RunFailed as error:
            return Cut(end_ns, len(expected), None, str(error))
    return Cut(end_ns, len(expected), first_difference(expected, seen.until(reach)))


def _redirected(resolved: Resolved, source: Path, target: Path) -> Resolved:
    entries: Sequence[object] = [
        entry.model_copy(update={"params": redirected(entry.params, source, target)})
        for entry in resolved.config.strategies
    ]
    return replace(resolved, config=resolved.config.model_copy(update={"strategies": tuple(entries)}))
