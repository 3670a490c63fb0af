"""One cancel-all (and flatten) kept for the first instant at which the venue lets us in again (`recovery.md` 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from execution.safety.budget import Cost, Purpose, RateBudget
from execution.safety.venue_clock import NS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done: cancel all orders of these symbols, and close their positions if `flatten`."""

    symbols: tuple[str, ...]
    flatten: bool


class Emergency:
    """Keeps at most one wish; further wishes are merged into it.

    Parameters
    ----------
    budget
        Knows when the venue lets us in.
    monotonic_ns
        Clock, the budget's own.
    """

    FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 250_000_000, 4_000_000_000

    def __init__(self, budget: RateBudget, monotonic_ns: NS) -> None:
        self._budget, self._now = budget, monotonic_ns
        self._failures, self._not_before_ns = 0, 0
        self.wanted: Wanted | None = None

    def want(self, symbols: Iterable[str], *, flatten: bool) -> Wanted:
        """Ask for a cancel-all; a wish to flatten is never withdrawn by a later one without."""
        before = self.wanted or Wanted((), flatten=False)
        merged = tuple(sorted({*before.symbols, *symbols}))
        self.wanted = Wanted(merged, flatten=before.flatten or flatten)
        return self.wanted

    def wait_ns(self) -> int | None:
        """Time until the first permitted instant; None when nothing is wanted."""
        if self.wanted is None:
            return None
        return max(self._budget.closed_ns(Cost(), Purpose.CANCEL), self._not_before_ns - self._now(), 0)

    def take(self) -> Wanted | None:
        """Hand over the wish once it may be carried out, and forget it; say afterwards `put_back` or `done`."""
        if self.wait_ns() != 0:
            return None
        taken, self.wanted = self.wanted, None
        return taken

    def put_back(self, wanted: Wanted) -> None:
        """Want it again, because carrying it out failed: after a quarter of a second, a half, one, … four seconds."""
        self.want(wanted.symbols, flatten=wanted.flatten)
        pause = min(self.FIRST_PAUSE_NS * 2**self._failures, self.LONGEST_PAUSE_NS)
        self._failures = min(self._failures + 1, 10)
        self._not_before_ns = self._now() + pause

    def done(self) -> None:
        """Note that the venue has carried it out: the next failure starts with the shortest pause."""
        self._failures, self._not_before_ns = 0, 0
