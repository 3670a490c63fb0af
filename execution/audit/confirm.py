"""A difference counts when two looks, far enough apart, have seen the same one: what was in flight has arrived by then."""

from __future__ import annotations

from collections.abc import Iterable

from execution.audit.differences import Difference

APART_SECS = 2.0


class Confirming:
    """Keeps what earlier looks have seen.

    Parameters
    ----------
    apart_secs
        Least time between the two looks.
    """

    def __init__(self, apart_secs: float = APART_SECS) -> None:
        self._apart_secs = apart_secs
        self._since: dict[tuple[str, str, str, str], float] = {}

    @property
    def doubts(self) -> bool:
        """Whether the last look saw anything: another one is due after `apart_secs`."""
        return bool(self._since)

    def take(self, found: Iterable[Difference], now_secs: float) -> list[Difference]:
        """Take a look.

        Parameters
        ----------
        found
            Its differences.
        now_secs
            When it began, monotonic clock.

        Returns
        -------
        list of Difference
            Those that an earlier look has seen as well, and no look since has not.
        """
        seen = {one.identity: one for one in found}
        self._since = {identity: self._since.get(identity, now_secs) for identity in seen}
        return [one for identity, one in seen.items() if now_secs - self._since[identity] >= self._apart_secs]
