"""Table 6, for rows of which the venue shows nothing: only "absent" as `docs/recovery.md` 1 defines it decides anything."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from execution.recovery.actions import Action, Refuse, Settle, Wait
from execution.recovery.look import Look
from execution.recovery.model import DAY_MS, JournalOrder
from execution.recovery.rows import Row

TRADE_MARGIN_MS = 1000
"""Trades must be listed from so long before the order was signed."""
ASK_AGAIN_MS = 500


def on_absence(
    look: Look, row: JournalOrder, fresh: Decimal, difference: Decimal, *, disturbed: Collection[str]
) -> Action:
    """Decide about an open row that is in no list.

    Parameters
    ----------
    row
        Of the journal.
    fresh
        Base units of its trades that are booked now (they name the venue's number).
    difference
        Position at the venue minus that of the journal with everything booked now.
    disturbed
        Symbols on which something is still under way: there the difference proves nothing yet.
    """
    unproven = _unproven(look, row)
    if unproven is not None:
        return unproven
    booked, reason = row.filled + fresh, look.accepted(row.symbol)
    verdict = _verdict(look, row, booked, difference, disturbed)
    if reason is not None and isinstance(verdict, Refuse):
        return _settled(row, Row.ACCEPTED, booked, _end(row, booked), f"accepted by a person: {reason}")
    return verdict


def _verdict(look: Look, row: JournalOrder, booked: Decimal, difference: Decimal, disturbed: Collection[str]) -> Action:
    age = look.venue.now_ms - row.signed_ms
    if age > look.policy.unlisted_ms:
        days = look.policy.unlisted_ms // DAY_MS
        why = f"{_name(row)} is older than {days} days: the venue tells nothing of it any more"
        return Refuse(row=Row.TOO_OLD, why=why, command=look.accept_command(row.symbol))
    if difference:
        return _broken(look, row, difference, disturbed)
    return _gone(look, row, booked, forgotten=age > look.policy.forgotten_ms)


def _gone(look: Look, row: JournalOrder, booked: Decimal, *, forgotten: bool) -> Action:
    """It is absent and the position holds: how it ended depends on whether the venue may have forgotten it."""
    if forgotten and booked:
        why = "its trades stand by the venue's number, the order itself is forgotten"
        return _settled(row, Row.OLD_TRADED, booked, _end(row, booked), why)
    if forgotten:
        why = "absent, and no trade in its whole life"
        return _settled(row, Row.OLD_NO_TRADE, booked, "FORGOTTEN_NO_FILL", why)
    if row.acknowledged or booked:
        return _impossible(look, row)
    why = "absent after its fence, the position holds without it"
    return _settled(row, Row.ABSENT, booked, "NOT_EXECUTED", why)


def _unproven(look: Look, row: JournalOrder) -> Action | None:
    """What is missing for "absent": an answer, the fence, the trades, the second look."""
    venue, policy, name = look.venue, look.policy, row.client_order_id
    fence_over = row.signed_ms + policy.fence_ms
    if venue.asked.get(name) != "absent":
        return _wait(row, Row.QUERY_FAILED, venue.now_ms + ASK_AGAIN_MS, "the venue has not answered about it")
    if venue.now_ms < fence_over:
        left = (fence_over - venue.now_ms) / 1000
        return _wait(row, Row.BEFORE_FENCE, fence_over, f"not found, and may arrive for another {left:.1f} s")
    if venue.trades_from_ms.get(row.symbol, venue.now_ms) > row.signed_ms - TRADE_MARGIN_MS:
        why = "its trades are not listed from its beginning"
        return _wait(row, Row.TRADES_MISSING, venue.now_ms + ASK_AGAIN_MS, why)
    since = venue.absent_since_ms.get(name, venue.now_ms)
    if venue.now_ms - since < policy.apart_ms:
        return _wait(row, Row.ABSENT_SEEN_ONCE, since + policy.apart_ms, "not found after its fence: seen once")
    return None


def _broken(look: Look, row: JournalOrder, difference: Decimal, disturbed: Collection[str]) -> Action:
    if row.symbol in disturbed or not look.stable:
        why = f"absent, but the position differs by {difference:+f}: looking again"
        return _wait(row, Row.NOT_QUIESCENT, look.venue.now_ms + look.policy.apart_ms, why)
    return Refuse(
        row=Row.ABSENT_BUT_BROKEN,
        why=f"{_name(row)} is absent, but {row.symbol} is {look.held(row.symbol):f} at the venue, {difference:+f} more than all "
        "booked trades make it, and no trade explains that",
        command=look.accept_command(row.symbol),
    )  # fmt: skip


def _impossible(look: Look, row: JournalOrder) -> Action:
    return Refuse(
        row=Row.ACKED_ABSENT,
        why=f"{_name(row)} was acknowledged as order {row.venue_order_id or 'without a number'} and is unknown now, which cannot "
        "be on the right account: look for a wrong key, a wrong environment or a reset of the testnet",
        command=look.accept_command(row.symbol),
    )  # fmt: skip


def _end(row: JournalOrder, booked: Decimal) -> str:
    if booked:
        return "FILLED" if booked >= row.quantity else "CANCELED"
    return "FORGOTTEN_NO_FILL"


def _settled(row: JournalOrder, name: Row, booked: Decimal, status: str, why: str) -> Action:
    return Settle(
        row=name, why=f"{_name(row)}: {why}", client_order_id=row.client_order_id, status=status, filled=booked
    )


def _wait(row: JournalOrder, name: Row, until_ms: int, why: str) -> Wait:
    text = f"{_name(row)}: {why}"
    return Wait(row=name, why=text, subject=row.client_order_id, symbol=row.symbol, until_ms=until_ms)


def _name(row: JournalOrder) -> str:
    return f"{row.client_order_id} {row.symbol} {row.side} {row.quantity:f} ({row.status})"
