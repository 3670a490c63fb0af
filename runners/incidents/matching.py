"""Recorded risk events beside those of a replay: which came again, and why one did not."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from execution.journal import RiskEvent

SLACK_NS = 2_000_000_000
"""An edge that comes again within this is the same one: a timer looks once a second. A halt is the same one whenever it comes."""

type Key = tuple[str, str, str, str, str]


class Verdict(enum.StrEnum):
    """What became of a recorded event."""

    SAME = "again, same instant"
    SHIFTED = "again"
    LEARNING = "not again: the breaker was still learning in the excerpt"
    OPEN_BEFORE = "not again: the breaker had opened before the window"
    NOT_REACHED = "not again: the excerpt ends before it"
    MISSING = "not again"
    STANDING = "in force before the window began"
    EXTRA = "only in the replay"


@dataclass(frozen=True, slots=True)
class Match:
    """One event, recorded, replayed or both.

    Attributes
    ----------
    recorded, replayed
        Either may be None, not both.
    verdict
        See `Verdict`.
    """

    recorded: RiskEvent | None
    replayed: RiskEvent | None
    verdict: Verdict

    @property
    def ts_ns(self) -> int:
        """When it was recorded, else when it came in the replay."""
        event = self.recorded or self.replayed
        return event.ts_ns if event is not None else 0

    @property
    def shift_ns(self) -> int:
        """How much later it came in the replay; 0 where it did not."""
        if self.recorded is None or self.replayed is None:
            return 0
        return self.replayed.ts_ns - self.recorded.ts_ns

    @property
    def came_again(self) -> bool:
        """Whether it is in both."""
        return self.recorded is not None and self.replayed is not None

    @property
    def text(self) -> str:
        """The verdict in words, with the shift where there is one."""
        return f"{self.verdict}, {self.shift_ns / 1e9:+.3f} s" if self.verdict is Verdict.SHIFTED else str(self.verdict)


@dataclass(frozen=True, slots=True)
class Known:
    """What explains an event that did not come again.

    Attributes
    ----------
    ready_ns
        By breaker (``name instrument``): when it had learnt enough in the replay; None: never. Breakers that do not learn are
        not in it.
    open_before
        Breakers (``name instrument``) that were not closed when the window began.
    end_ns
        Last instant that the replay reached.
    halted
        Entries were shut when the window began: a replay finds that anew.
    """

    ready_ns: Mapping[str, int | None]
    open_before: frozenset[str]
    end_ns: int
    halted: bool = False


def match(recorded: Sequence[RiskEvent], replayed: Sequence[RiskEvent], known: Known) -> list[Match]:
    """Pair events of one kind in the order of time; each of the replay stands for one recorded event at most."""
    left: dict[Key, list[RiskEvent]] = {}
    for event in replayed:
        left.setdefault(_key(event), []).append(event)
    first_edges = _first_edges(recorded)
    found = [_matched(event, left.get(_key(event), []), known, first_edges) for event in recorded]
    extra = [Match(None, event, _extra(event, known)) for events in left.values() for event in events]
    return sorted([*found, *extra], key=lambda pair: pair.ts_ns)


def _extra(event: RiskEvent, known: Known) -> Verdict:
    return Verdict.STANDING if known.halted and event.kind == "halt" else Verdict.EXTRA


def _matched(event: RiskEvent, candidates: list[RiskEvent], known: Known, first: Mapping[str, int]) -> Match:
    near = [c for c in candidates if event.kind == "halt" or abs(c.ts_ns - event.ts_ns) <= SLACK_NS]
    if not near:
        return Match(event, None, _why(event, known, first))
    best = min(near, key=lambda candidate: abs(candidate.ts_ns - event.ts_ns))
    candidates.remove(best)
    return Match(event, best, Verdict.SAME if best.ts_ns == event.ts_ns else Verdict.SHIFTED)


def _why(event: RiskEvent, known: Known, first: Mapping[str, int]) -> Verdict:
    name = f"{event.name} {event.instrument_id}".rstrip()
    if event.kind == "breaker":
        ready = known.ready_ns.get(name, -1)
        if ready is None or ready > event.ts_ns:
            return Verdict.LEARNING
        if name in known.open_before and event.ts_ns < first.get(name, event.ts_ns + 1):
            return Verdict.OPEN_BEFORE
    return Verdict.NOT_REACHED if event.ts_ns > known.end_ns else Verdict.MISSING


def _first_edges(events: Sequence[RiskEvent]) -> dict[str, int]:
    """When each breaker opened from closed for the first time within the window."""
    found: dict[str, int] = {}
    closed: set[str] = set()
    for event in events:
        name = f"{event.name} {event.instrument_id}".rstrip()
        if event.state == "closed":
            closed.add(name)
        elif event.state == "open" and name in closed:
            found.setdefault(name, event.ts_ns)
    return found


def _key(event: RiskEvent) -> Key:
    return event.kind, event.name, event.instrument_id, event.state, event.level


def as_json(pair: Match) -> dict[str, Any]:
    """One match as plain values."""
    return {
        "verdict": pair.text, "came_again": pair.came_again, "shift_ns": pair.shift_ns,
        "recorded": _event(pair.recorded), "replayed": _event(pair.replayed),
    }  # fmt: skip


def _event(event: RiskEvent | None) -> dict[str, Any] | None:
    if event is None:
        return None
    names = ("ts_ns", "kind", "name", "instrument_id", "state", "level", "detail")
    return {**{name: getattr(event, name) for name in names}, "figures": dict(event.figures)}
