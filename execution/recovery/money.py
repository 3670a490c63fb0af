"""Table 8: the wallet, and midnight."""

from __future__ import annotations

from decimal import Decimal

from execution.recovery.actions import Action, Alert, BookIncome, ResumeDay
from execution.recovery.look import Look
from execution.recovery.model import DAY_MS, ZERO, Income
from execution.recovery.rows import Row

BY_TRADES = frozenset({"COMMISSION", "REALIZED_PNL"})
"""Kinds that come with a trade and are booked with it; in the wallet they count like all others."""


def on_money(look: Look) -> list[Action]:
    """Book what changed the wallet besides trades, and go on with the loss ledger's day."""
    return [*_incomes(look), *_midnight(look)]


def on_wallet(look: Look) -> list[Action]:
    """Hold the wallet against its anchor; a difference alerts and refuses nothing."""
    anchor, found = look.journal.wallet, look.venue.wallet
    if anchor is None:
        return []
    rows = [one for one in _once(look) if one.time_ms >= anchor.from_ms and one.key not in anchor.keys]
    expected = anchor.amount + sum((one.amount for one in rows), ZERO)
    if abs(found - expected) <= look.policy.wallet_tolerance:
        return []
    why = (
        f"the wallet holds {found:f}, {anchor.amount:f} and {len(rows)} booked changes make it {expected:f}: {found - expected:+f} "
        "that the venue lists nowhere"
    )
    return [Alert(row=Row.WALLET, why=why, alert=True)]


def _incomes(look: Look) -> list[Action]:
    return [
        BookIncome(row=Row.INCOME, why=_tell(one), income=one)
        for one in _once(look)
        if one.kind not in BY_TRADES and one.key not in look.journal.incomes and one.time_ms >= look.journal.began_ms
    ]


def _once(look: Look) -> list[Income]:
    return sorted({one.key: one for one in look.venue.incomes}.values(), key=lambda one: (one.time_ms, one.key))


def _tell(one: Income) -> str:
    return f"{one.kind} {one.amount:+f} {one.asset} {one.symbol or '–'} (transaction {one.number})"


def _midnight(look: Look) -> list[Action]:
    today = look.venue.now_ms // DAY_MS
    if look.journal.day is None or today <= look.journal.day:
        return []
    rows = [one for one in _once(look) if one.time_ms >= today * DAY_MS and one.kind != "TRANSFER"]
    booked: Decimal = sum((one.amount for one in rows), ZERO)
    why = (
        f"midnight UTC passed while down: the day began with an estimated {look.venue.equity - booked:f}, which is equity now "
        f"{look.venue.equity:f} less {booked:+f} booked since"
    )
    return [ResumeDay(row=Row.MIDNIGHT, why=why, day=today, equity=look.venue.equity, booked_since=booked)]
