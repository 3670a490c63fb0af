"""A journal and a venue made of a few words, and what carrying a plan out does to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from execution.recovery.actions import (
    Accept,
    Action,
    BookIncome,
    BookTrade,
    Cancel,
    Close,
    Ready,
    Rebuild,
    Reopen,
    ResumeDay,
    Settle,
)
from execution.recovery.memory import carry
from execution.recovery.model import (
    ZERO,
    Asked,
    JournalOrder,
    JournalState,
    Policy,
    VenueOrder,
    VenueState,
    VenueTrade,
    WalletAnchor,
)
from execution.recovery.plan import plan
from execution.recovery.rows import Row
from execution.safety.wire_ids import BROKER_PREFIX, logical_id

D = Decimal
NOW = 1_700_000_000_000
"""Venue time of a look; noon is far."""
STARTED = NOW - 5_000
SIGNED = NOW - 60_000
BTC = "BTCUSDT"
POLICY = Policy(tag="h1", symbols=(BTC,), account="demo")
EPOCH = "k7q2mz"
ID = "h1k7q2mz000001"


def row(status: str = "NEW", **changes: Any) -> JournalOrder:
    """A journal row: bought 1 BTC, a minute ago."""
    name = changes.pop("name", ID)
    made = JournalOrder(name, BROKER_PREFIX + name, BTC, "BUY", D(1), status, SIGNED, strategy_id="s1")
    return replace(made, **changes)


def order(status: str = "NEW", filled: str = "0", **changes: Any) -> VenueOrder:
    """That order at the venue."""
    name = changes.pop("wire_id", BROKER_PREFIX + changes.pop("name", ID))
    made = VenueOrder(BTC, 7, name, "BUY", D(1), D(filled), status, SIGNED + 50, SIGNED + 100)
    return replace(made, **changes)


def trade(quantity: str = "1", number: int = 100, **changes: Any) -> VenueTrade:
    """A trade of that order."""
    made = VenueTrade(BTC, number, 7, "BUY", D(60000), D(quantity), D("0.1"), "USDT", maker=True, time_ms=SIGNED + 100)
    return replace(made, **changes)


def journal(*orders: JournalOrder, **changes: Any) -> JournalState:
    """A journal that has been there for an hour."""
    made = JournalState(
        orders, epochs={EPOCH: 5}, began_ms=NOW - 3_600_000, last_signed_ms=SIGNED, wallet=WalletAnchor(D(1000))
    )
    return replace(made, **changes)


def venue(*orders: VenueOrder, trades: Iterable[VenueTrade] = (), **changes: Any) -> VenueState:
    """A venue seen the same for ten seconds; by-id questions about our rows are answered as its orders say."""
    made = tuple(trades)
    held: dict[str, Decimal] = {}
    for one in made:
        held[one.symbol] = held.get(one.symbol, ZERO) + one.signed
    state = VenueState(
        NOW, STARTED, orders, {ID: "found" if orders else "absent"}, made, {BTC: 0}, positions=held, sizes={BTC: D("0.001")},
        wallet=D(1000), equity=D(1000), absent_since_ms={} if orders else {ID: NOW - 10_000},
        unchanged_since_ms={(o.is_algo, o.symbol, o.number): NOW - 10_000 for o in orders}, same_since_ms=NOW - 10_000,
    )  # fmt: skip
    return replace(state, **changes)


def rows_of(actions: Iterable[Action]) -> list[Row]:
    """Rows of a plan, in its order."""
    return [action.row for action in actions]


def planned(known: JournalState, seen: VenueState, **policy: Any) -> list[Action]:
    """Plan under the usual policy with changes."""
    return plan(known, seen, replace(POLICY, **policy))


def only[T: Action](actions: Iterable[Action], kind: type[T]) -> T:
    """The one action of a kind."""
    found = [action for action in actions if isinstance(action, kind)]
    assert len(found) == 1, actions
    return found[0]


# What carrying it out does -----------------------------------------------------------------------------------------------


type Both = tuple[JournalState, VenueState]


def carried_out(known: JournalState, seen: VenueState, actions: Iterable[Action], policy: Policy) -> Both:
    """Journal and venue afterwards, three seconds later."""
    fresh = seen
    for action in actions:
        known, fresh = _one(known, fresh, action)
    shown = {one.wire_id for one in fresh.orders}
    asked: dict[str, Asked] = {o.client_order_id: "found" if o.wire_id in shown else "absent" for o in known.orders}
    fresh = replace(fresh, now_ms=seen.now_ms + 3_000, asked=asked)
    return known, carry(seen, fresh, known, policy)


def _one(known: JournalState, seen: VenueState, action: Action) -> Both:
    match action:
        case Rebuild():
            made = rebuilt(action.order)
            return replace(known, orders=(*known.orders, made)), seen
        case BookTrade():
            return _booked(known, action), seen
        case Reopen():
            return _changed(known, action.client_order_id, status=action.status), seen
        case Settle():
            return _changed(known, action.client_order_id, status=action.status, filled=action.filled), seen
        case Cancel():
            ended = replace(action.order, status="CANCELED", updated_ms=seen.now_ms)
            orders = tuple(ended if one == action.order else one for one in seen.orders)
            return known, replace(seen, orders=orders)
        case BookIncome():
            return replace(known, incomes=known.incomes | {action.income.key}), seen
        case ResumeDay():
            return replace(known, day=action.day), seen
        case Accept():
            net = known.nets.get(action.symbol, ZERO) + action.difference
            return replace(known, nets={**known.nets, action.symbol: net}), seen
        case Close():
            return _closed(known, seen, action)
        case Ready():
            return replace(known, wallet=WalletAnchor(seen.wallet, seen.now_ms)), seen
    return known, seen


def rebuilt(order: VenueOrder) -> JournalOrder:
    """The row that is written of an order."""
    return JournalOrder(
        logical_id(order.wire_id), order.wire_id, order.symbol, order.side, order.quantity, "UNKNOWN", order.created_ms,
        venue_order_id=None if order.is_algo else order.number, acknowledged=True, is_algo=order.is_algo,
    )  # fmt: skip


def _changed(known: JournalState, name: str, **changes: Any) -> JournalState:
    orders = tuple(replace(one, **changes) if one.client_order_id == name else one for one in known.orders)
    return replace(known, orders=orders)


def _booked(known: JournalState, action: BookTrade) -> JournalState:
    """As every journal books: once by trade id, the row is FILLED when all of it is."""
    made = action.trade
    assert made.key not in known.trades, f"{made} is booked twice"
    nets = {**known.nets, made.symbol: known.nets.get(made.symbol, ZERO) + made.signed}
    known = replace(known, trades=known.trades | {made.key}, nets=nets)
    for one in known.orders:
        if one.client_order_id == action.client_order_id:
            filled = one.filled + made.quantity
            status = "FILLED" if filled >= one.quantity else one.status if one.is_over else "PARTIALLY_FILLED"
            known = _changed(known, one.client_order_id, filled=filled, status=status)
    return known


def _closed(known: JournalState, seen: VenueState, action: Close) -> Both:
    """The close is an order and a trade of its own, which the executor journals."""
    nets = {**known.nets, action.symbol: known.nets.get(action.symbol, ZERO) - action.quantity}
    positions = {**seen.positions, action.symbol: seen.positions.get(action.symbol, ZERO) - action.quantity}
    return replace(known, nets=nets), replace(seen, positions=positions)
