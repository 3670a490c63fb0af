"""What came out of playing a tape."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from runners.tapes.difference import Difference


@dataclass(slots=True)
class Score:
    """What came out.

    Attributes
    ----------
    decisions, same
        On the tape or in the replay; equal in both.
    kinds
        Decisions of the session by kind.
    handed
        What the strategies were handed, by handler.
    market
        Market messages.
    unplayable
        Why something could not be handed out, and how often.
    first
        The first difference.
    cut
        The tape ends in the middle: its node was killed.
    """

    decisions: int = 0
    same: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    handed: Counter[str] = field(default_factory=Counter)
    market: int = 0
    unplayable: Counter[str] = field(default_factory=Counter)
    first: Difference | None = None
    cut: bool = True
