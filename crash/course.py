"""How a soak went, and whether that is good enough."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from crash.host import COUNTDOWN_SECS, TAG
from crash.judge.facts import Facts, Judgement, Verdict

FIRST_RATE = 200.0
FLAT = 1.05
"""Most that memory of the last quarter may be, relative to the second."""
LEAST_READINGS = 40
"""Memory is judged where one session has so many readings, one a second."""
CONFIRM_SECS, STALL_SECS = 3.0, 1.0
"""A position has its stop within this (D9); shorter standstills of the venue's process are not granted."""
CLEAN_STOP = 5
"""Exit code after a STOP file."""


@dataclass(slots=True)
class Course:
    """How a soak went.

    Attributes
    ----------
    messages
        Market events that the node has handled.
    secs
        Of the market.
    rate
        Last pace, events of the market a second.
    memory
        Resident bytes of the node, a reading each second, by start; empty where the system does not tell.
    restarts
        Why a session ended by itself: the next one takes over, as a supervisor would have it.
    exit_code, errors
        How the node ended; what it said that it should not have.
    faults
        How many fired, by name.
    stalled
        Longest time that the venue's process stood still for want of a core or a disk: nobody could place a stop meanwhile.
    judgement
        Of ledger and journal.
    """

    messages: int = 0
    secs: float = 0.0
    rate: float = FIRST_RATE
    memory: list[list[int]] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    exit_code: int | None = None
    errors: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    stalled: float = 0.0
    judgement: Judgement = field(default_factory=Judgement)

    @property
    def facts(self) -> Facts:
        """For the judge: a stop may be later by what the venue stood still, before its order came and before it was answered."""
        waits = 2 * self.stalled if self.stalled > STALL_SECS else 0.0
        return Facts(TAG, (), COUNTDOWN_SECS, canary="", confirm_secs=CONFIRM_SECS + waits)

    @property
    def growth(self) -> float | None:
        """Median memory of the last quarter over that of the second, in the longest session; None: too few readings."""
        longest = max(self.memory, key=len, default=[])
        quarter = len(longest) // 4
        if len(longest) < LEAST_READINGS:
            return None
        second, last = longest[quarter : 2 * quarter], longest[-quarter:]
        return statistics.median(last) / statistics.median(second)

    @property
    def passes(self) -> bool:
        """It traded; nothing found, nothing unhandled, memory flat, and a clean end."""
        flat = self.growth is None or self.growth <= FLAT
        traded = self.judgement.activity.partial > 0
        return traded and not self.judgement.findings and not self.errors and flat and self.exit_code == CLEAN_STOP

    @property
    def last_line(self) -> str:
        """The verdict."""
        counts = " ".join(f"{verdict} {self.judgement.count(verdict)}" for verdict in Verdict)
        growth = "unknown" if self.growth is None else f"{self.growth:.3f}"
        ends = f"errors {len(self.errors)} restarts {len(self.restarts)}"
        return f"{counts} memory {growth} {ends} messages {self.messages} in {self.secs:.0f} s"


def fired(ledger: Path) -> dict[str, int]:
    """How many faults fired, by name."""
    found: dict[str, int] = {}
    with ledger.open(encoding="utf-8") as lines:
        for line in lines:
            if '"kind":"fault"' in line:
                name = json.loads(line)["name"]
                found[name] = found.get(name, 0) + 1
    return found


def resident_bytes(pid: int) -> int | None:
    """Memory that a process holds; None where the system has no such file."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * 4096
