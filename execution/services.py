"""What a run's components share. New objects for every run; nothing global."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from execution.faults import Faults
from execution.journal import Journal
from execution.topics import HALT
from execution.turns import Turns
from risk.gate import RiskGate
from risk.view import AccountView


@dataclass(slots=True)
class Services:
    """Gate, journal, account view, faults and turns of one run."""

    gate: RiskGate
    journal: Journal
    view: AccountView
    faults: Faults = field(default_factory=Faults)
    turns: Turns = field(default_factory=Turns)
    told: str | None = None

    def observe(self, ts_ns: int, publish: Callable[[str, object], None]) -> None:
        """Let the gate read the equity, and say once when it has halted.

        Called by whoever is first for a market message, before any strategy acts on it: the same run halts at the same place.
        """
        self.gate.observe(ts_ns)
        if self.gate.halted != self.told:
            self.told = self.gate.halted
            if self.told is not None:
                publish(HALT, self.told)
