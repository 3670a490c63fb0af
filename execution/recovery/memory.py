"""What one look remembers of the one before it: "absent", "unchanged" and "the same" need two looks, some time apart."""

from __future__ import annotations

from dataclasses import replace

from execution.recovery.model import JournalState, Policy, VenueOrder, VenueState


def carry(before: VenueState | None, fresh: VenueState, journal: JournalState, policy: Policy) -> VenueState:
    """Give a look the memory of the one before it: how long orders are absent, orders unchanged, the account the same.

    Parameters
    ----------
    before
        The look before, carried itself; None: this is the first.
    fresh
        As read.
    """
    earlier_absent = before.absent_since_ms if before is not None else {}
    found = {order.wire_id for order in fresh.orders}
    absent = {
        row.client_order_id: earlier_absent.get(row.client_order_id, fresh.now_ms)
        for row in journal.orders
        if fresh.asked.get(row.client_order_id) == "absent" and row.wire_id not in found
        and fresh.now_ms >= row.signed_ms + policy.fence_ms
    }  # fmt: skip
    known = {} if before is None else {_state(one): before.unchanged_since_ms[_key(one)] for one in before.orders}
    unchanged = {_key(one): known.get(_state(one), fresh.now_ms) for one in fresh.orders}
    same = before is not None and _account(before) == _account(fresh)
    since = before.same_since_ms if before is not None and same else fresh.now_ms
    return replace(fresh, absent_since_ms=absent, unchanged_since_ms=unchanged, same_since_ms=since)


def _key(order: VenueOrder) -> tuple[bool, str, int]:
    return (order.is_algo, order.symbol, order.number)


def _state(order: VenueOrder) -> tuple[object, ...]:
    return (*_key(order), order.status, order.filled, order.updated_ms)


def _account(look: VenueState) -> tuple[object, ...]:
    opened = frozenset(_state(order) for order in look.orders if order.is_open)
    return opened, {name: amount for name, amount in look.positions.items() if amount}, {one.key for one in look.trades}
