"""What open breakers forbid, together."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from risk.breakers.machine import Breaker, Level, State


class Action(enum.IntEnum):
    """What is done to what already stands; the worst of several counts."""

    NONE = 0
    CANCEL = 1
    FLATTEN = 2


@dataclass(frozen=True, slots=True)
class Restriction:
    """What is allowed now. Cancels and exits always are.

    Attributes
    ----------
    size_factor
        Share of the usual size that an entry may have: 1 free, 0 no new entries.
    action
        Cancel all, or cancel and flatten.
    trip
        A latching breaker has opened: trip the kill switch.
    breakers
        Names of those that restrict, ``name`` or ``name instrument``.
    reason
        Of the first one.
    """

    size_factor: float = 1.0
    action: Action = Action.NONE
    trip: bool = False
    breakers: tuple[str, ...] = ()
    reason: str = ""

    @property
    def entries_allowed(self) -> bool:
        """Whether an entry of any size may go."""
        return self.size_factor > 0.0


FREE = Restriction()


def restriction_of(breakers: Iterable[Breaker]) -> Restriction:
    """Merge what each breaker demands: smallest size, worst action."""
    closed = State.CLOSED
    standing = [breaker for breaker in breakers if breaker.state is not closed]
    restricting = [breaker for breaker in standing if _size_factor(breaker) < 1.0]
    if not restricting:
        return FREE
    return Restriction(
        size_factor=min(_size_factor(breaker) for breaker in restricting),
        action=max(_action(breaker) for breaker in restricting),
        trip=any(breaker.latched for breaker in restricting),
        breakers=tuple(f"{breaker.name} {breaker.instrument_id}".rstrip() for breaker in restricting),
        reason=restricting[0].reason,
    )


def _size_factor(breaker: Breaker) -> float:
    if breaker.state is State.HALF_OPEN and breaker.probes:
        return 1.0
    return breaker.config.size_factor if breaker.level is Level.SOFT else 0.0


def _action(breaker: Breaker) -> Action:
    if breaker.state is not State.OPEN or breaker.level is not Level.HARD:
        return Action.NONE
    return Action.FLATTEN if breaker.config.hard_action == "flatten" else Action.CANCEL
