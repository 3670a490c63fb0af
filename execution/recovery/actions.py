"""What recovery does. Every action names the row of the tables that asks for it and says why, with figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from execution.recovery.model import Income, VenueOrder, VenueTrade
from execution.recovery.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do.

    Attributes
    ----------
    row
        Of the tables.
    why
        For journal, screen and `recover --dry-run`.
    alert
        A person is told at once.
    """

    row: Row
    why: str
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Action):
    """Look again, not before `until_ms` (venue time); nothing is decided."""

    subject: str
    symbol: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild(Action):
    """Write the journal row of an order that only the venue knows."""

    order: VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTrade(Action):
    """Book a trade; `client_order_id` and `strategy_id` say to whom."""

    trade: VenueTrade
    client_order_id: str
    strategy_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Action):
    """DELETE an open order by the venue's number."""

    order: VenueOrder
    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Action):
    """A journal row that was taken for over is not."""

    client_order_id: str
    status: str = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Action):
    """End a journal row as the venue has it; a row that is over otherwise is opened for that."""

    client_order_id: str
    status: str
    filled: Decimal
    reopens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch(Action):
    """Trip the kill switch; a person resets it."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Action):
    """Tell a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookIncome(Action):
    """Book a change of the wallet."""

    income: Income


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDay(Action):
    """Midnight has passed: the day's start equity is estimated from what was booked since."""

    day: int
    equity: Decimal
    booked_since: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Action):
    """Book the difference that a person has accepted."""

    symbol: str
    difference: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Action):
    """Close a position reduce-only, sized from a fresh reading."""

    symbol: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Action):
    """Nothing is done; what stays is told: an adopted position, dust, an order of others, a protective stop."""

    kind: Literal["position", "dust", "order", "stop"]
    subject: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Action):
    """No trading until a person has acted; `command` accepts what was found, where that is possible."""

    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitBrain(Action):
    """Another node trades the account: nothing of it is touched, exit code 7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Action):
    """Journal and venue agree, and nothing is under way."""
