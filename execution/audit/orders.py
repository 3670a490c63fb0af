"""Orders: what is open where, and how much was executed."""

from __future__ import annotations

from collections.abc import Iterator

from execution.audit.differences import NOTHING, Difference, Kind
from execution.audit.figures import Account, Books, Expected, OrderFigures, plain
from execution.journal import CLOSED
from execution.safety.rows import OPEN_STATUSES

UNDECIDED = frozenset({"NEW", "UNKNOWN"})
DECIDED_FENCES = 3
"""Whoever asks about such an order needs the fence and two looks: after so many fences it has not been decided."""
ALGO_OPEN = frozenset({"NEW", "TRIGGERING", "TRIGGERED"})


def on_orders(books: Books, account: Account, expected: Expected) -> Iterator[Difference]:
    """Hold open orders against each other; an order that is younger than the fence may still travel."""
    if account.open_orders is None:
        return
    there = {order.client_order_id: order for order in account.open_orders}
    for order in account.open_orders:
        row = books.orders.get(order.client_order_id)
        found = _stranger(order, expected) if row is None else _open(row, order, account, expected)
        yield from found
    for name, found_order in account.asked.items():
        row = books.orders.get(name)
        if row is not None and name not in there and row.status not in CLOSED:
            yield from _not_open(row, found_order, account, expected)


def _stranger(order: OrderFigures, expected: Expected) -> Iterator[Difference]:
    shown = f"{order.side} {plain(order.quantity)} {order.status}"
    if order.is_ours:
        meaning = "the journal lost its end, or a second node sends with our tag"
        yield Difference(Kind.ORDER_UNKNOWN, order.symbol, order.client_order_id, NOTHING, shown, meaning)
    elif expected.foreign == "refuse":
        meaning = "another program or a person trades this account"
        yield Difference(Kind.ORDER_FOREIGN, order.symbol, order.client_order_id, NOTHING, shown, meaning)


def _open(row: OrderFigures, order: OrderFigures, account: Account, expected: Expected) -> Iterator[Difference]:
    def differs(kind: Kind, journal: str, venue: str, meaning: str) -> Difference:
        return Difference(kind, row.symbol, row.client_order_id, journal, venue, meaning, f"{journal}/{venue}")

    if row.status in CLOSED:
        yield differs(
            Kind.ORDER_OPEN,
            row.status,
            order.status,
            "the journal holds it for over, and it can still trade: cancel it",
        )
    elif row.status == "NEW" and _is_old(row, account, expected):
        yield differs(
            Kind.ORDER_UNHEARD, row.status, order.status, "nothing was heard of it: the private stream is silent"
        )
    if row.filled != order.filled:
        meaning = "a fill was not told" if order.filled > row.filled else "the journal claims more than was executed"
        yield differs(Kind.ORDER_FILLED, plain(row.filled), plain(order.filled), meaning)


def _not_open(
    row: OrderFigures, found: OrderFigures | None, account: Account, expected: Expected
) -> Iterator[Difference]:  # fmt: skip
    if not _is_old(row, account, expected):
        return
    name = row.client_order_id
    if found is None:
        undecided = row.status in UNDECIDED or not row.is_answered  # also where a cancel was sent behind it
        if undecided and account.now_ms - row.ts_ms <= DECIDED_FENCES * expected.fence_ms:
            return
        meaning = (
            "it never arrived: its row is to be closed as NOT_EXECUTED" if undecided
            else "this key or environment is another account's, or the venue was reset"
        )  # fmt: skip
        yield Difference(Kind.ORDER_ABSENT, row.symbol, name, row.status, NOTHING, meaning, row.status)
    elif found.status not in OPEN_STATUSES | ALGO_OPEN:
        shown = f"{found.status} {plain(found.filled)}"
        meaning = "its end was not heard: no node ran, the private stream is silent, or an event was lost"
        yield Difference(Kind.ORDER_ENDED, row.symbol, name, f"{row.status} {plain(row.filled)}", shown, meaning, shown)


def _is_old(row: OrderFigures, account: Account, expected: Expected) -> bool:
    return account.now_ms - row.ts_ms > expected.fence_ms
