"""What a run has reached, and what it must have reached to have proved anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from risk.verdict import Reason
from tests.properties.profile import BREAKERS

LIVE_LOCKS = frozenset({Reason.COUNTDOWN, Reason.UNPROTECTED, Reason.STALLED, Reason.WATCHDOG})
NOT_THE_GATES = LIVE_LOCKS | {Reason.SIZE_TOO_SMALL, Reason.NO_STOP_DISTANCE, Reason.DRAWDOWN}
"""What only a live session demands, sizes that a strategy cannot compute, and a drawdown, which is refused as the halt that it
has caused."""
FILLS = ("part", "whole", "late", "after a reject", "while down")
HALTS = ("operator", "drawdown", "daily", "rejects_in_a_row")
EDGES = ("green>red", "red>amber", "amber>green")


def demanded() -> Iterator[str]:
    """Everything that a long run must reach: each refusal of the gate, halt, fill, and edge of each breaker."""
    yield from (f"refused {reason}" for reason in Reason if reason not in NOT_THE_GATES)
    yield from (f"fill {kind}" for kind in FILLS)
    yield from (f"halt: {cause} (latched)" for cause in HALTS)
    yield from (f"breaker {name} {edge}" for name in BREAKERS for edge in EDGES)
    yield from ("halt: daily loss", "pause after losses", "day rolled", "restart", "reset", "approved entry", "approved exit",
                "approved closing entry", "taken back")  # fmt: skip


def refusals_missing(seen: Counter[str]) -> list[str]:
    """Refusal reasons of the gate that were never reached."""
    return [name for name in demanded() if name.startswith("refused") and not seen[name]]


def missing(seen: Counter[str]) -> list[str]:
    """Everything demanded that was never reached."""
    return [name for name in demanded() if not seen[name]]
