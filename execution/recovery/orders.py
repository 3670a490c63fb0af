"""Tables 4 and 6, for rows of which the venue shows something."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from execution.recovery.actions import Action, Cancel, Keep, Refuse, Reopen, Settle, Wait
from execution.recovery.look import Look, Standing
from execution.recovery.model import ZERO, JournalOrder, VenueOrder
from execution.recovery.rows import Row

ENDS: Mapping[str, str] = {
    "FILLED": "FILLED", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "EXPIRED_IN_MATCH": "EXPIRED", "REJECTED": "REJECTED",
    "FINISHED": "CANCELED",
}  # fmt: skip
"""How the journal calls the venue's ends. A conditional order that is FINISHED without a child has done nothing."""
NEVER = frozenset({"REJECTED", "NOT_EXECUTED", "DENIED", "FORGOTTEN_NO_FILL"})
"""Ends that say that nothing was executed."""


def on_evidence(look: Look, row: JournalOrder, standing: Standing, fresh: Decimal) -> list[Action]:
    """Decide about a row that stands at the venue.

    Parameters
    ----------
    row, standing
        Journal and venue.
    fresh
        Base units of its trades that are booked now.
    """
    order, accepted = standing.order, look.accepted(row.symbol) is not None
    if standing.twice and not accepted:
        return [_two(look, row)]
    if order is None:
        return _waiting(look, row, standing.algo) if standing.algo is not None else []
    booked = row.filled + fresh
    if order.filled < booked and not accepted:
        return [_more(look, row, order, booked)]
    actions = _open(look, row, order) if order.is_open else _ended(row, order, booked)
    if order.filled <= booked:
        return actions
    missing = _missing(look, row, order, booked)
    if accepted and isinstance(missing, Refuse):
        return actions
    return [*actions, missing] if order.is_open else [missing]


def _open(look: Look, row: JournalOrder, order: VenueOrder) -> list[Action]:
    """Cancel; a row that is over is opened first."""
    cancel = Cancel(row=_row_of_open(row), why=_tell(row, order), order=order, client_order_id=row.client_order_id)
    if not row.is_over:
        if look.guards(order):
            return [_kept(row, order)]
        return [cancel]
    return [Reopen(row=cancel.row, why=cancel.why, alert=True, client_order_id=row.client_order_id), cancel]


def _row_of_open(row: JournalOrder) -> Row:
    if row.is_over:
        return Row.LOCAL_CANCEL_OPEN if row.status == "CANCELED" else Row.FALSE_TERMINAL
    if row.status == "PENDING_CANCEL":
        return Row.PENDING_CANCEL_OPEN
    return Row.ACKED_OPEN if row.status in ("ACK", "PARTIALLY_FILLED") else Row.PREPARED_OPEN


def _ended(row: JournalOrder, order: VenueOrder, booked: Decimal) -> list[Action]:
    """End the row as the venue has it."""
    end = ENDS.get(order.status, "CANCELED")
    if row.is_over:
        after = "FILLED" if booked >= row.quantity > ZERO and booked > row.filled else row.status
        if after == end or {after, end} == {"CANCELED", "EXPIRED"}:
            return []
    name = Row.ENDED_OTHERWISE if row.is_over else _row_of_end(row, order)
    return [
        Settle(
            row=name, why=_tell(row, order), client_order_id=row.client_order_id, status=end, filled=booked,
            reopens=row.is_over,
        )
    ]  # fmt: skip


def _row_of_end(row: JournalOrder, order: VenueOrder) -> Row:
    filled = order.status == "FILLED"
    if row.status == "PENDING_CANCEL":
        return Row.PENDING_CANCEL_FILLED if filled else Row.PENDING_CANCEL_ENDED
    if row.status in ("ACK", "PARTIALLY_FILLED"):
        return Row.ACKED_ENDED
    if filled:
        return Row.PREPARED_FILLED
    return Row.PREPARED_ENDED_WITH_FILLS if order.filled else Row.PREPARED_ENDED_EMPTY


def _waiting(look: Look, row: JournalOrder, algo: VenueOrder) -> list[Action]:
    """A conditional order without a regular one: waiting, just triggered, or over without having done anything."""
    if algo.status == "NEW":
        return _open(look, row, algo)
    if algo.is_open or algo.child is not None:
        until = look.venue.now_ms + look.policy.apart_ms
        why = f"{row.client_order_id} has triggered, its order is not known yet"
        return [Wait(row=Row.ALGO_CHILD, why=why, subject=row.client_order_id, symbol=row.symbol, until_ms=until)]
    return [] if row.is_over else _ended(row, algo, row.filled)


def _kept(row: JournalOrder, order: VenueOrder) -> Action:
    return Keep(
        row=Row.PROTECTIVE_STOP, why=f"{row.client_order_id} {order.symbol} {order.side}: protects the open position",
        kind="stop", subject=row.client_order_id, quantity=order.quantity,
    )  # fmt: skip


def _tell(row: JournalOrder, order: VenueOrder) -> str:
    return (
        f"{row.client_order_id} {row.symbol} {row.side} {row.quantity:f} is {row.status} in the journal, {order.status} at the "
        f"venue with {order.filled:f} executed"
    )


def _missing(look: Look, row: JournalOrder, order: VenueOrder, booked: Decimal) -> Action:
    text = f"{row.client_order_id} {row.symbol} executed {order.filled:f} at the venue"
    if look.venue.now_ms - order.updated_ms > look.policy.unlisted_ms:
        why = f"{text}, booked are {booked:f}, and the venue lists no trades so old"
        return Refuse(row=Row.TOO_OLD, why=why, command=look.accept_command(row.symbol))
    until = look.venue.now_ms + look.policy.apart_ms // 4
    why = f"{text}, of which {order.filled - booked:f} are in no listed trade yet"
    return Wait(row=Row.TRADES_MISSING, why=why, subject=row.client_order_id, symbol=row.symbol, until_ms=until)


def _more(look: Look, row: JournalOrder, order: VenueOrder, booked: Decimal) -> Action:
    return Refuse(
        row=Row.BOOKED_MORE,
        why=f"{row.client_order_id} {row.symbol}: the journal has {booked:f} filled, the venue executed {order.filled:f} "
        f"(order {order.number}, {order.status}): the journal claims more than happened",
        command=look.accept_command(row.symbol),
    )  # fmt: skip


def _two(look: Look, row: JournalOrder) -> Action:
    numbers = [o.number for o in look.regular.values() if (o.symbol, o.wire_id) == (row.symbol, row.wire_id)]
    return Refuse(
        row=Row.TWO_UNDER_ONE_ID,
        why=f"the venue has orders {', '.join(map(str, numbers))} {row.symbol} under the one id {row.client_order_id}",
        command=look.accept_command(row.symbol),
    )
