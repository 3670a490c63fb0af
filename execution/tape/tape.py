"""What the strategies of one session were handed, and what they decided, in the order in which it happened.

A tape knows two sides. Inside a handler of a strategy everything is the strategy's: what it asks (clock, equity, ids) is noted with
the answer, what it wants (intents, orders, cancels) is a decision. Inside a decision, and between the handlers, the machinery
works: gate, guard, breakers. Of that the tape keeps what the strategy can see of it: its working orders and its positions, whenever
they have changed. So a strategy can be handed the same again, and must decide the same.

Rows are tuples, in memory until somebody takes them; values are made plain there, not in the way of an order.

====== =====================================================================================================
``d``  number, deltas: a venue message of depth, applied to the book
``m``  number, event: any other market event
``[``  strategy, handler, arguments: a handler begins; an event that has a row is ``("#", number)``
``]``  it ends
``!``  a handler in which nothing else happened, begun and ended
``w``  strategy, working orders, positions, end of trading: as seen from here on
``v``  what, value: the strategy asked, and was told
``(``  what, content: a decision begins
``)``  it ends
``end`` rows, decisions: the session ended, and so many there were
====== =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from risk.request import OrderRequest
from risk.verdict import Refused
from risk.view import WorkingOrder

MARKET = frozenset({
    "on_trade", "on_quote", "on_bar", "on_book_depth", "on_mark_price", "on_index_price", "on_funding_rate",
})  # fmt: skip

type Row = tuple[Any, ...]


class Tape:
    """One per session.

    Attributes
    ----------
    rows
        Not taken yet.
    mine
        True while a strategy's own code runs.
    decisions
        How many so far.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.mine = False
        self.decisions = 0
        self._number = self._taken = 0
        self._books: dict[Any, int] = {}
        self._last: dict[tuple[str, Any], tuple[Any, int]] = {}
        self._seen: dict[str, Any] = {}

    def take(self) -> list[Row]:
        """Give everything since the last time."""
        rows, self.rows = self.rows, []
        self._taken += len(rows)
        return rows

    def close(self) -> None:
        """Nothing more comes: add the last row, by which a reader knows that nothing is missing."""
        self.rows.append(("end", self._taken + len(self.rows), self.decisions))

    def attach(self, services: Any, desks: list[Any]) -> None:
        """Note what the strategies ask their desks for; call before the run."""
        services.tape = self
        for desk in desks:
            desk.next_id = self.asked("id", desk.next_id)
            desk.closed = self.asked("closed", desk.closed)
            desk.refuse = self._wish(desk.refuse)

    # What happens to a strategy -------------------------------------------------------------------------------------

    def deltas(self, deltas: Any) -> None:
        """Note a message that was applied to the book."""
        self._number += 1
        self._books[deltas.instrument_id] = self._number
        self.rows.append(("d", self._number, deltas))

    def enter(self, strategy: Any, handler: str, args: tuple[Any, ...]) -> None:
        """A handler of a strategy begins."""
        self.see(strategy)
        if handler == "on_book_deltas" and args[0].instrument_id in self._books:
            args = (("#", self._books[args[0].instrument_id]),)
        elif handler in MARKET:
            args = (("#", self._event(handler, args[0])),)
        self.rows.append(("[", strategy.desk.strategy_id, handler, args))

    def leave(self) -> None:
        """It ends."""
        last = self.rows[-1] if self.rows else None
        if last is not None and last[0] == "[":
            self.rows[-1] = ("!", *last[1:])
        else:
            self.rows.append(("]",))

    def see(self, strategy: Any) -> None:
        """Note what the strategy sees of its orders and positions, where it is not what it saw before."""
        desk = strategy.desk
        mine, view = desk.strategy_id, desk.view
        orders = tuple(
            (key, o.leaves, o.accepted, o.pending_cancel, o.filled) for key, o in view.working.items() if o.strategy_id == mine
        )  # fmt: skip
        positions = tuple(item for item in view.positions.items() if item[0][0] == mine)
        seen = (orders, positions, desk.trading_end_ns)
        if seen == self._seen.get(mine):
            return
        self._seen[mine] = seen
        working = tuple(order_row(view.working[order[0]]) for order in orders)
        self.rows.append(("w", mine, working, tuple((key[1], held) for key, held in positions), desk.trading_end_ns))

    def raised(self, error: BaseException) -> None:
        """A handler ends by raising: that is a decision as well."""
        self.rows += [("(", "raised", repr(error)), (")",)]

    # What a strategy does -------------------------------------------------------------------------------------------

    def asked(self, what: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a question: its answer is noted, what the answer is made of is not the strategy's."""

        def answered(*args: Any) -> Any:
            if not self.mine:
                return ask(*args)
            self.mine = False
            try:
                value = ask(*args)
            finally:
                self.mine = True
            self.rows.append(("v", what, value))
            return value

        return answered

    def told(self, what: str, value: Any) -> Any:
        """Note an answer and return it."""
        if self.mine:
            self.rows.append(("v", what, value))
        return value

    def begin(self, what: str, content: Any) -> None:
        """A decision begins."""
        self.decisions += 1
        self.rows.append(("(", what, content))

    def end(self, strategy: Any) -> None:
        """It ends, and may have changed what the strategy sees."""
        self.see(strategy)
        self.rows.append((")",))

    def _wish(self, refuse: Callable[[OrderRequest, Refused], None]) -> Callable[[OrderRequest, Refused], None]:
        def noted(request: OrderRequest, refused: Refused) -> None:
            if self.mine:
                content = (request.side, request.order_type, request.quantity, request.price, request.purpose)
                self.begin("wish", (*content, refused.reason, refused.detail))
                self.rows.append((")",))
            refuse(request, refused)

        return noted

    def _event(self, handler: str, event: Any) -> int:
        """Number of a market event; the engine makes it anew for each subscriber, so equal ones in a row are one."""
        key = (handler, getattr(event, "bar_type", None) or event.instrument_id)
        last = self._last.get(key)
        if last is not None and last[0] == event:
            return last[1]
        self._number += 1
        self._last[key] = (event, self._number)
        self.rows.append(("m", self._number, event))
        return self._number


def order_row(order: WorkingOrder) -> Row:
    """Everything of a working order, as it is now."""
    return (
        order.client_order_id, order.instrument_id, int(order.side), order.price, order.leaves, order.reduce_only, order.ts_ns,
        order.accepted, order.pending_cancel, order.filled, order.order_type, order.mid_decision,
    )  # fmt: skip
