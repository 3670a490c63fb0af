"""Layer 2 as a state machine: what a watchdog does next, decided from silence alone (`recovery.md` 10)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal


class State(enum.StrEnum):
    """Where a watchdog stands. From `FENCE` on there is no way back, whatever the node shows."""

    IDLE = "idle"
    OBSERVE = "observe"
    SUSPECT = "suspect"
    FENCE = "fence"
    CANCEL = "cancel"
    VERIFY = "verify"
    FLATTEN = "flatten"
    LATCHED = "latched"


NOT_WATCHED = frozenset({"preparing", "ended"})
"""Phases in which a node has nothing at the venue that could need a watchdog: it has not begun, or its account was verified."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the configuration.

    Attributes
    ----------
    suspect_secs, fence_secs
        Without progress.
    then
        Cancel, or close positions as well.
    """

    suspect_secs: float = 5.0
    fence_secs: float = 10.0
    then: Literal["cancel", "flatten"] = "cancel"


def observed(silent_secs: float, phase: str | None, limits: Limits) -> State:
    """State that a silence puts a watchdog in.

    Parameters
    ----------
    silent_secs
        Without progress, seen from the watchdog.
    phase
        What the node said last; None where no node has been seen.

    Examples
    --------
    >>> observed(6.0, "running", Limits())
    <State.SUSPECT: 'suspect'>
    """
    if phase is None or phase in NOT_WATCHED:
        return State.IDLE
    if silent_secs >= limits.fence_secs:
        return State.FENCE
    return State.SUSPECT if silent_secs >= limits.suspect_secs else State.OBSERVE


def may_flatten(limits: Limits, *, node_gone: bool, lock_held: bool) -> str | None:
    """Why positions are not closed, or None where they are to be: by policy, and only while nobody else can trade the account."""
    if limits.then != "flatten":
        return "safety.watchdog.then is cancel"
    if not node_gone:
        return "the node could not be ended: it may be closing the same position"
    return None if lock_held else "the account's lock could not be taken: somebody holds it"
