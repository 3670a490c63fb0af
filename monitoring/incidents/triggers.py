"""Which risk events make an incident: trips of the kill switch, daily losses, hard breakers; few, and none twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from execution.journal import RiskEvent
from monitoring.blackbox import BlackBoxConfig

FOR_HALTS = 2
"""Places that breakers leave free, so that ten bad spreads cannot hide the halt that follows."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What an incident is about.

    Attributes
    ----------
    number
        From 1, in its run.
    event
        The risk event.
    also
        What else tripped at that instant.
    """

    number: int
    event: RiskEvent
    also: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """``kill_switch``, ``daily_loss`` or the breaker's name."""
        return self.event.name


def trips(event: RiskEvent) -> bool:
    """Whether an event is a halt or a hard edge."""
    return event.state == "open" and (event.kind == "halt" or (event.kind == "breaker" and event.level == "hard"))


class Triggers:
    """Chooses the incidents of one run.

    Parameters
    ----------
    config
        How many, and how far apart those of one cause are.
    """

    def __init__(self, config: BlackBoxConfig) -> None:
        self._config = config
        self._last: dict[tuple[str, str], int] = {}
        self._made = 0
        self.left_out = 0

    def take(self, event: RiskEvent) -> Trip | None:
        """Return the incident that an event makes, or None."""
        if not trips(event) or self._is_again(event):
            return None
        room = self._config.max_incidents - (0 if event.kind == "halt" else FOR_HALTS)
        if self._made >= room:
            self.left_out += 1
            return None
        self._made += 1
        return Trip(self._made, event)

    def _is_again(self, event: RiskEvent) -> bool:
        key = (event.name, event.instrument_id)
        last = self._last.get(key)
        if last is not None and event.ts_ns - last < self._config.debounce_ns:
            return True
        self._last[key] = event.ts_ns
        return False


def all_trips(config: BlackBoxConfig, events: Iterable[RiskEvent]) -> list[Trip]:
    """Choose the incidents of a finished run: events of one instant make one, and a halt gives it its name."""
    triggers = Triggers(config)
    found: list[Trip] = []
    for same in _instants(events):
        taken = [event for event in sorted(same, key=lambda event: event.kind != "halt") if trips(event)]
        trip = next((trip for event in taken if (trip := triggers.take(event)) is not None), None)
        if trip is not None:
            others = dict.fromkeys(f"{e.name}: {e.detail}" for e in taken if e is not trip.event)
            found.append(replace(trip, also=tuple(others)))
    return found


def _instants(events: Iterable[RiskEvent]) -> list[list[RiskEvent]]:
    groups: list[list[RiskEvent]] = []
    for event in events:
        if groups and groups[-1][0].ts_ns == event.ts_ns:
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups
