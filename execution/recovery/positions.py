"""Table 8: positions. `venue position = journal position + Σ fills booked now`, symbol by symbol."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from execution.recovery.actions import Accept, Action, Close, Keep, Refuse, Wait
from execution.recovery.look import Look
from execution.recovery.model import ZERO, VenueTrade
from execution.recovery.rows import Row
from execution.recovery.trades import Attribution

TOLD = 3
"""Candidate trades that a refusal names."""


def differences(look: Look, attribution: Attribution) -> dict[str, Decimal]:
    """Position at the venue minus that of the journal with everything booked now, by symbol, zeros included."""
    symbols = {*look.venue.positions, *look.journal.nets, *attribution.by_symbol, *look.policy.symbols}
    nets, now = look.journal.nets, attribution.by_symbol
    return {name: look.held(name) - nets.get(name, ZERO) - now.get(name, ZERO) for name in sorted(symbols)}


def on_positions(
    look: Look, attribution: Attribution, gaps: Mapping[str, Decimal], disturbed: Collection[str]
) -> list[Action]:
    """Decide about every symbol on which nothing is under way."""
    return [
        action
        for symbol, difference in gaps.items()
        if symbol not in disturbed
        for action in _one(look, symbol, difference, attribution.orphans.get(symbol, ()))
    ]


def _one(look: Look, symbol: str, difference: Decimal, orphans: tuple[VenueTrade, ...]) -> list[Action]:
    if difference or orphans:
        return [_mismatch(look, symbol, difference, orphans)]
    held = look.held(symbol)
    return [_held(look, symbol, held)] if held else []


def _mismatch(look: Look, symbol: str, difference: Decimal, orphans: tuple[VenueTrade, ...]) -> Action:
    held = look.held(symbol)
    if not look.stable:
        until = look.venue.now_ms + look.policy.apart_ms
        why = f"{symbol} differs by {difference:+f} from the journal: looking again"
        return Wait(row=Row.NOT_QUIESCENT, why=why, subject=symbol, symbol=symbol, until_ms=until)
    if look.journal.first_start:
        why = f"{symbol} {held:f} was there before the first start, {difference:+f} is booked as found"
        return Accept(row=Row.FIRST_START, why=why, symbol=symbol, difference=difference, reason="found")
    reason = look.accepted(symbol)
    if reason is not None:
        why = f"{symbol} {held:f} is accepted, {difference:+f} against the journal: {reason}"
        return Accept(row=Row.ACCEPTED, why=why, alert=True, symbol=symbol, difference=difference, reason=reason)
    names = ", ".join(f"{one.number} {one.side} {one.quantity:f} at {one.price:f}" for one in orphans[:TOLD])
    told = f"candidate trades: {names}" if names else "no trade explains it"
    word = look.policy.accepted.get(symbol)
    other = "" if word is None else f"; accepted was {word.quantity:f}, which it is not"
    return Refuse(
        row=Row.DIFFERS,
        why=f"{symbol} is {held:f} at the venue, the journal makes it {held - difference:f}; {told}{other}",
        command=look.accept_command(symbol),
    )


def _held(look: Look, symbol: str, held: Decimal) -> Action:
    name = f"position {symbol} {'long' if held > 0 else 'short'} {abs(held):f}"
    if abs(held) < look.venue.sizes.get(symbol, ZERO):
        why = f"{name}: dust, below the smallest order of {look.venue.sizes[symbol]:f}; it stays"
        return Keep(row=Row.DUST, why=why, kind="dust", subject=symbol, quantity=held)
    if look.policy.positions == "refuse":
        return Refuse(row=Row.HELD_REFUSED, why=f"{name}, and execution.on_start.positions is refuse")
    if look.policy.positions == "close":
        return Close(row=Row.CLOSED, why=f"{name}: closed reduce-only", symbol=symbol, quantity=held)
    if symbol not in look.policy.symbols:
        why = f"{name}, which no limit of this configuration counts: close it, or write execution.on_start.positions: close"
        return Refuse(row=Row.NOT_CONFIGURED, why=why)
    why = f"{name}: adopted, counted in every limit"
    return Keep(row=Row.ADOPTED, why=why, kind="position", subject=symbol, quantity=held)
