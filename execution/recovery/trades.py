"""Every trade that is not booked, once: to which row it belongs, or that it is somebody else's, or that nobody can say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from execution.recovery.actions import Action, BookTrade, Latch, Wait
from execution.recovery.look import Look
from execution.recovery.model import ZERO, JournalOrder, VenueOrder, VenueTrade
from execution.recovery.rows import Row
from execution.recovery.strangers import forced, row_of
from execution.safety.wire_ids import is_operators, logical_id

EXTERNAL = "EXTERNAL"
RECOVERED = "RECOVERED"
"""Strategy of an order whose row was rebuilt: which one it was stood in the row that is gone."""
FORCED_LATCH = "forced_close"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What becomes of the fresh trades.

    Attributes
    ----------
    actions
        Bookings and what goes with them.
    by_order, by_symbol
        Base units booked now; the latter signed.
    orphans
        Trades whose order the venue does not know, by symbol.
    """

    actions: tuple[Action, ...]
    by_order: Mapping[str, Decimal]
    by_symbol: Mapping[str, Decimal]
    orphans: Mapping[str, tuple[VenueTrade, ...]]


def attribute(look: Look) -> Attribution:
    """Give each fresh trade to somebody."""
    by_order: dict[str, Decimal] = defaultdict(lambda: ZERO)
    by_symbol: dict[str, Decimal] = defaultdict(lambda: ZERO)
    orphans: dict[str, list[VenueTrade]] = defaultdict(list)
    actions: list[Action] = []
    for trade in look.fresh:
        found = _action(look, trade)
        if found is None:
            orphans[trade.symbol].append(trade)
            continue
        actions.append(found)
        if isinstance(found, BookTrade):
            by_order[found.client_order_id] += trade.quantity
            by_symbol[trade.symbol] += trade.signed
    actions += _latches(actions)
    return Attribution(
        tuple(actions), dict(by_order), dict(by_symbol), {name: tuple(some) for name, some in orphans.items()}
    )


def _action(look: Look, trade: VenueTrade) -> Action | None:
    key = (trade.symbol, trade.order_number)
    owner = look.owner.get(key)
    if owner is not None:
        return _own(look, trade, look.rows[owner])
    order = look.regular.get(key)
    if order is not None:
        return _of_stranger(look, trade, order)
    if key not in look.venue.unknown_numbers:
        why = f"order {trade.order_number} of trade {trade.number} is being asked for"
        return _wait(look, trade, Row.TRADE_WITHOUT_ORDER, why)
    reason = look.accepted(trade.symbol)
    if reason is None:
        return None
    why = f"its order is unknown, accepted: {reason}"
    return _book(trade, f"venue-{trade.order_number}", EXTERNAL, Row.ACCEPTED, why)


def _own(look: Look, trade: VenueTrade, row: JournalOrder) -> Action:
    standing = look.standing[row.client_order_id]
    if row.is_over:
        why = f"filled after the journal took it for {row.status}"
        return _book(trade, row.client_order_id, row.strategy_id, Row.LATE_FILL, why, alert=True)
    if standing.algo is not None:
        return _book(trade, row.client_order_id, row.strategy_id, Row.ALGO_CHILD, "by the order that it triggered")
    if standing.order is None and look.venue.now_ms - row.signed_ms > look.policy.forgotten_ms:
        why = "by the venue's number, the order is forgotten"
        return _book(trade, row.client_order_id, row.strategy_id, Row.OLD_TRADED, why)
    return _book(trade, row.client_order_id, row.strategy_id, Row.TRADE_OF_ORDER, "not booked yet")


def _of_stranger(look: Look, trade: VenueTrade, order: VenueOrder) -> Action:
    if look.is_ours(order):
        row = row_of(look, order)
        if row is Row.REPLACED_SEEN_ONCE:
            return _wait(look, trade, row, f"its order {logical_id(order.wire_id)} has an unknown epoch: seen once")
        return _book(trade, logical_id(order.wire_id), RECOVERED, row, "of an order without a row")
    what = forced(order.wire_id)
    if what is not None:
        return _book(trade, order.wire_id, EXTERNAL, Row.FORCED_CLOSE, what, alert=True)
    whose = "by a watchdog or by hand" if is_operators(order.wire_id) else "by somebody else"
    return _book(trade, order.wire_id, EXTERNAL, Row.FOREIGN_TRADE, whose, alert=True)


def _book(trade: VenueTrade, order_id: str, strategy_id: str, row: Row, why: str, *, alert: bool = False) -> BookTrade:
    text = (
        f"trade {trade.number} {trade.symbol} {trade.side} {trade.quantity:f} at {trade.price:f} of {order_id}: {why}"
    )
    return BookTrade(row=row, why=text, alert=alert, trade=trade, client_order_id=order_id, strategy_id=strategy_id)


def _wait(look: Look, trade: VenueTrade, row: Row, why: str) -> Wait:
    until = look.venue.now_ms + look.policy.apart_ms
    return Wait(row=row, why=why, subject=f"trade {trade.number}", symbol=trade.symbol, until_ms=until)


def _latches(actions: list[Action]) -> list[Action]:
    closes = [one for one in actions if one.row is Row.FORCED_CLOSE and isinstance(one, BookTrade)]
    if not closes:
        return []
    return [Latch(row=Row.FORCED_CLOSE, why=f"{FORCED_LATCH}: {closes[0].why}", alert=True, name=FORCED_LATCH)]
