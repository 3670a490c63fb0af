"""One look with indexes: which order at the venue is which row, whose trade is whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from execution.recovery.model import ZERO, JournalOrder, JournalState, Key, Policy, VenueOrder, VenueState, VenueTrade
from execution.safety.wire_ids import carries_tag

CHILD_WITHIN_MS = 5000
"""A regular order of the same side and quantity that appears so close to a trigger is its child."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a journal row stands at the venue.

    Attributes
    ----------
    order
        The regular order whose fills are the row's.
    algo
        The conditional order, where the row is one.
    twice
        The venue has more than one order under the row's id.
    """

    order: VenueOrder | None
    algo: VenueOrder | None = None
    twice: bool = False


def explained_from_ms(journal: JournalState, orders: Iterable[VenueOrder], now_ms: int, policy: Policy) -> int:
    """Since when every trade is to be explained: an exchanged journal answers for all since the oldest order of ours."""
    began = journal.began_ms
    if began <= now_ms or journal.first_start:
        return began
    return min((order.created_ms for order in orders if carries_tag(order.wire_id, policy.tag)), default=began)


class Look:
    """Journal, venue and policy of one call of `plan`.

    Attributes
    ----------
    fresh
        Trades that are not booked, oldest first, each once.
    owner
        Client order id of the journal row that a venue order belongs to.
    stable
        The account was seen as it is now at least `apart_ms` ago.
    """

    def __init__(self, journal: JournalState, venue: VenueState, policy: Policy) -> None:
        self.journal, self.venue, self.policy = journal, venue, policy
        self.rows = {row.client_order_id: row for row in journal.orders}
        self.regular = {(order.symbol, order.number): order for order in venue.orders if not order.is_algo}
        self._by_wire: dict[tuple[str, str], list[VenueOrder]] = defaultdict(list)
        for order in self.regular.values():
            self._by_wire[order.symbol, order.wire_id].append(order)
        self.algos = {(order.symbol, order.wire_id): order for order in venue.orders if order.is_algo}
        self.children = {
            (algo.symbol, child.number) for algo in self.algos.values() if (child := self.child(algo)) is not None
        }
        self.standing = {row.client_order_id: self._stands(row) for row in journal.orders}
        self.owner = self._owners()
        self.fresh = self._fresh()

    @property
    def stable(self) -> bool:
        """Whether two looks, far enough apart, have shown the same account."""
        since = self.venue.same_since_ms
        return since is not None and self.venue.now_ms - since >= self.policy.apart_ms

    def is_ours(self, order: VenueOrder) -> bool:
        """Whether prefix and tag are ours."""
        return carries_tag(order.wire_id, self.policy.tag)

    def accepted(self, symbol: str) -> str | None:
        """A person's reason for taking the position of a symbol as it is; None where nobody gave one for this figure."""
        word = self.policy.accepted.get(symbol)
        return None if word is None or word.quantity != self.held(symbol) else word.reason

    def held(self, symbol: str) -> Decimal:
        """Position at the venue, signed base units."""
        return self.venue.positions.get(symbol, ZERO)

    def guards(self, order: VenueOrder) -> bool:
        """Whether an order is the stop of an open position: neither a state of knowledge nor a policy is a reason to remove it.

        Where the position is to be closed it goes once that is done, and not before.
        """
        held = self.held(order.symbol)
        return order.protects and (held > 0 if order.side == "SELL" else held < 0)

    def accept_command(self, symbol: str) -> str:
        """Command by which a person accepts the position as it is."""
        account = f" --account {self.policy.account}" if self.policy.account else ""
        return f'python -m runners.recover{account} --accept {symbol}={self.held(symbol):f} --reason "…"'

    def child(self, algo: VenueOrder) -> VenueOrder | None:
        """Regular order that a conditional one became: by number, else by id, else by quantity and time."""
        if algo.child is not None:
            return self.regular.get((algo.symbol, algo.child))
        if algo.status == "NEW":
            return None
        named = self._by_wire.get((algo.symbol, algo.wire_id), [])
        alike = named or [order for order in self.regular.values() if self._alike(algo, order)]
        return alike[0] if len(alike) == 1 else None

    def _alike(self, algo: VenueOrder, order: VenueOrder) -> bool:
        same = (order.symbol, order.side, order.quantity) == (algo.symbol, algo.side, algo.quantity)
        return same and not self.is_ours(order) and abs(order.created_ms - algo.updated_ms) <= CHILD_WITHIN_MS

    def _stands(self, row: JournalOrder) -> Standing:
        algo = self.algos.get((row.symbol, row.wire_id))
        if algo is not None:
            return Standing(self.child(algo), algo)
        named = self._by_wire.get((row.symbol, row.wire_id), [])
        if named:
            return Standing(named[0], twice=len(named) > 1)
        number = row.venue_order_id
        return Standing(None if number is None or row.is_algo else self.regular.get((row.symbol, number)))

    def _owners(self) -> dict[Key, str]:
        owner: dict[Key, str] = {}
        for row in self.journal.orders:
            if row.venue_order_id is not None and not row.is_algo:
                owner[row.symbol, row.venue_order_id] = row.client_order_id
            order = self.standing[row.client_order_id].order
            if order is not None:
                owner[order.symbol, order.number] = row.client_order_id
        return owner

    def _fresh(self) -> tuple[VenueTrade, ...]:
        booked, began = (
            self.journal.trades,
            explained_from_ms(self.journal, self.venue.orders, self.venue.now_ms, self.policy),
        )
        found = {
            trade.key: trade
            for trade in self.venue.trades
            if trade.number > 0 and trade.key not in booked
            and (trade.time_ms >= began or (trade.symbol, trade.order_number) in self.owner)
        }  # fmt: skip
        return tuple(sorted(found.values(), key=lambda trade: (trade.time_ms, trade.symbol, trade.number)))
