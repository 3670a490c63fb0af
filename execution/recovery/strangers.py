"""Table 7: orders that only the venue knows. Prefix and tag say whether they are ours, the epoch says which journal knew them."""

from __future__ import annotations

from execution.recovery.actions import Action, Cancel, Keep, Latch, Rebuild, Refuse, SplitBrain, Wait
from execution.recovery.look import Look
from execution.recovery.model import VenueOrder
from execution.recovery.own_ids import read_id
from execution.recovery.rows import Row
from execution.safety.wire_ids import is_operators, logical_id

FORCED = {"autoclose-": "liquidation", "adl_autoclose": "auto-deleveraging", "settlement_autoclose-": "settlement"}
ROLLBACK = "journal_rollback"


def forced(wire_id: str) -> str | None:
    """What the venue did by itself, by the prefix of the order's id; None for an ordinary order."""
    return next((name for prefix, name in FORCED.items() if wire_id.startswith(prefix)), None)


def strangers(look: Look) -> list[VenueOrder]:
    """Orders without a row, but for the children of conditional orders: those belong to their parent."""
    known = {(row.symbol, row.wire_id) for row in look.journal.orders}
    return [
        order
        for order in look.venue.orders
        if (order.symbol, order.wire_id) not in known
        and (order.is_open or order.created_ms >= look.journal.orders_from_ms)
        and (order.is_algo or (order.symbol, order.number) not in look.owner.keys() | look.children)
    ]


def row_of(look: Look, order: VenueOrder) -> Row:
    """Row of an order with our tag that has no row in the journal."""
    own = read_id(order.wire_id)
    if own.epoch in look.journal.epochs:
        return Row.LOST_TAIL
    if order.created_ms >= look.venue.started_ms:  # later changes prove nothing: a countdown cancels, an orphan fills
        return Row.SPLIT_BRAIN
    if look.journal.first_start:
        return Row.FIRST_START
    now = look.venue.now_ms
    since = look.venue.unchanged_since_ms.get((order.is_algo, order.symbol, order.number), now)
    return Row.REPLACED if now - since >= look.policy.apart_ms else Row.REPLACED_SEEN_ONCE


def on_strangers(look: Look) -> list[Action]:
    """What is to be done about them; a split brain alone, since then nothing may be touched."""
    unknown = strangers(look)
    ours = [(row_of(look, order), order) for order in unknown if look.is_ours(order)]
    split = [order for row, order in ours if row is Row.SPLIT_BRAIN]
    if split:
        return [_split(look, split)]
    actions: list[Action] = []
    for row, order in ours:
        actions += _ours(look, row, order)
    actions += _latch([row for row, _ in ours])
    for order in unknown:
        if order.is_open and not look.is_ours(order):
            actions.append(_of_operator(look, order) if is_operators(order.wire_id) else _foreign(look, order))
    return actions


def _split(look: Look, orders: list[VenueOrder]) -> Action:
    first = orders[0]
    return SplitBrain(
        row=Row.SPLIT_BRAIN, alert=True,
        why=f"{len(orders)} orders with our tag {look.policy.tag} and an epoch that this journal never had were placed "
        f"after our start, the first is {logical_id(first.wire_id)} {first.symbol}: another node trades this account",
    )  # fmt: skip


def _ours(look: Look, row: Row, order: VenueOrder) -> list[Action]:
    name = logical_id(order.wire_id)
    if row is Row.REPLACED_SEEN_ONCE:
        until = look.venue.now_ms + look.policy.apart_ms
        why = f"{name} has an unknown epoch: seen once"
        return [Wait(row=row, why=why, subject=name, symbol=order.symbol, until_ms=until)]
    if row is Row.FIRST_START:
        return _before_us(look, order, name)
    why = {
        Row.LOST_TAIL: f"{name} has an epoch of this journal but no row: the journal has lost what came after",
        Row.REPLACED: f"{name} has our tag and an epoch that this journal never had: it is not the journal that wrote it",
    }[row]
    actions: list[Action] = [Rebuild(row=row, why=why, alert=True, order=order)]
    if order.is_open and not look.guards(order):
        actions.append(Cancel(row=row, why=f"{name} is open", order=order, client_order_id=name))
    return actions


def _before_us(look: Look, order: VenueOrder, name: str) -> list[Action]:
    """An order with our tag at the very first start: a stop that protects what is held gets a row, the rest goes."""
    why = f"{name} has our tag and is older than this journal"
    if look.guards(order) and order.is_open:
        return [Rebuild(row=Row.FIRST_START, why=why, order=order)]
    if not order.is_open:
        return []
    return [Cancel(row=Row.FIRST_START, why=why, alert=True, order=order, client_order_id=name)]


def _latch(rows: list[Row]) -> list[Action]:
    row = next((row for row in rows if row in (Row.LOST_TAIL, Row.REPLACED)), None)
    if row is None:
        return []
    count = sum(1 for one in rows if one in (Row.LOST_TAIL, Row.REPLACED))
    why = f"{ROLLBACK}: {count} orders of ours at the venue are not in the journal"
    return [Latch(row=row, why=why, alert=True, name=ROLLBACK)]


def _of_operator(look: Look, order: VenueOrder) -> Action:
    """What a watchdog or `flatten` left: a stop that protects what is held stays, as one of a node would; the rest goes."""
    name = f"order {order.wire_id} {order.symbol} {order.side}, placed by a watchdog or by hand"
    if look.guards(order):
        why = f"{name}: protects the open position"
        return Keep(row=Row.OPERATOR, why=why, kind="stop", subject=order.wire_id, quantity=order.quantity)
    why = f"{name}, protects nothing"
    return Cancel(row=Row.OPERATOR, why=why, alert=True, order=order, client_order_id=order.wire_id)


def _foreign(look: Look, order: VenueOrder) -> Action:
    name = (
        f"{'conditional ' if order.is_algo else ''}order {order.wire_id} {order.symbol} {order.side} {order.quantity:f}"
    )
    what = forced(order.wire_id)
    if what is not None:
        until = look.venue.now_ms + look.policy.apart_ms
        why = f"{name}: {what} under way"
        return Wait(row=Row.FORCED_CLOSE, why=why, subject=order.wire_id, symbol=order.symbol, until_ms=until)
    if look.policy.foreign == "refuse":
        return Refuse(
            row=Row.FOREIGN_REFUSED,
            why=f"an open order is not ours: {name}; cancel it by hand, or write account.foreign_orders: count, then it stays "
            "and is left alone",
        )  # fmt: skip
    why = f"{name}: left alone, not ours"
    return Keep(row=Row.FOREIGN_COUNTED, why=why, kind="order", subject=order.symbol, quantity=order.quantity)
