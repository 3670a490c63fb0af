"""What a run's components share. New objects for every run; nothing global."""

from __future__ import annotations

from dataclasses import dataclass, field

from execution.faults import Faults
from execution.journal import Journal
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
