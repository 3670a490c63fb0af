"""What the judge is told of a run, and what it says about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal


class Verdict(enum.StrEnum):
    """The five failures."""

    LOST = "LOST"
    DOUBLED = "DOUBLED"
    WRONG = "WRONG"
    STUCK = "STUCK"
    EXPOSED = "EXPOSED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure.

    Attributes
    ----------
    verdict, text
        Which, and what was seen, with both figures.
    """

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What neither file holds.

    Attributes
    ----------
    tag
        Of the account's client order ids.
    kills_ns
        When the process was killed or frozen, in order.
    countdown_secs, confirm_secs
        Of the configuration: longest life of an orphan; longest life of a position without its stop.
    expects
        ``refuse``: the start before the last must refuse, by a name among `names`. The last one always trades the canary.
    names
        Words of which the refusal must have one.
    refused
        What the start before the last said; "" where there was none or it did not refuse.
    refusal
        What the last start said when it refused; None where it did not.
    canary
        Reason (column ``why``) of the intent that must trade exactly once after READY; "" where there was no crash.
    algo_in_countdown
        The venue's countdown reaches conditional orders, so that a stop may die with it.
    """

    tag: str
    kills_ns: tuple[int, ...] = ()
    countdown_secs: float = 5.0
    confirm_secs: float = 3.0
    expects: Literal["ready", "refuse"] = "ready"
    names: tuple[str, ...] = ()
    refused: str = ""
    refusal: str | None = None
    canary: str = "canary"
    algo_in_countdown: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened at the venue at least, so that sending nothing is no way to be right.

    Attributes
    ----------
    accepted, partial, cancelled
        Orders of ours that were accepted, partly filled at some time, cancelled.
    """

    accepted: int = 0
    partial: int = 0
    cancelled: int = 0

    @property
    def enough(self) -> bool:
        """At least one of each."""
        return min(self.accepted, self.partial, self.cancelled) >= 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that the judge says of a run.

    Attributes
    ----------
    findings
        Empty: nothing is wrong.
    activity
        At the venue.
    """

    findings: tuple[Finding, ...] = ()
    activity: Activity = field(default_factory=Activity)

    def count(self, verdict: Verdict) -> int:
        """How many findings of one kind."""
        return sum(finding.verdict is verdict for finding in self.findings)
