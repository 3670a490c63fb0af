"""What can happen in an episode: each action a plain call with the plain values of `tests.properties.domains`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity

from risk.breakers.events import ApiUse, ClockReading
from risk.request import Purpose
from tests.properties import engine_words as words
from tests.properties.case import limit_price
from tests.properties.engine_words import Num, Order
from tests.properties.followed import LEAST, MOST, STEP
from tests.properties.keeping import Keeping
from tests.properties.venue import Resting
from tests.properties.world import IDS, IIDS, MS, STRANGER, ZERO, position_of


class Play(Keeping):
    """The world with everything that can be done in it."""

    # Strategies ------------------------------------------------------------------------------------------------------

    def enter(self, who: str, iid: str, side: int, kind: str, behind: int, size: int, edge: float | None) -> None:
        """A strategy wants in."""
        bid, ask = self.tops[iid]
        near, far = (bid, ask) if side > 0 else (ask, bid)
        price = {"post_only": near - side * behind, "limit": far + side * behind, "market": None}[kind]
        self._submit(who, self._order(who, iid, side, size * STEP, price, post_only=kind == "post_only"), edge)

    def insist(self, iid: str, side: int, size: int, times: int) -> None:
        """The same wish again and again."""
        for _ in range(times):
            self.enter("a", iid, side, "post_only", 2, size, None)

    def odd(self, what: str, side: int, iid: str, reduce_only: bool) -> None:
        """An order that nobody should send."""
        who, price, size, order_id = "a", self.tops[iid][0], STEP * 500, None
        where = "SOLUSDT-PERP.BINANCE" if what == "instrument" else iid
        if what == "reuse":
            order_id = next(iter(self.oracle.used_ids), None)
        if what == "form":
            order_id = "O-20240808-000000-001-001-1"
        size = {"step": Decimal("0.5005"), "zero": ZERO}.get(what, size)
        price = price + side * 60 if what == "far" else price
        if what == "stranger":
            who = STRANGER
        order = self._order(who, where, side, size, price, reduce_only=reduce_only, order_id=order_id)
        if what == "tick":
            order.price = Price.from_str("100.05")
        self._submit(who, order, 100.0)

    def leave(self, who: str, iid: str, halves: int, kind: str, dust: int) -> None:
        """A strategy wants out, of half, all or twice of what it holds."""
        own = position_of(self, who, iid)
        side = -1 if own > 0 else 1
        size = max(STEP, (abs(own) * halves / 2) // STEP * STEP + dust * STEP) if own else STEP * 1000
        price = self.tops[iid][1 if side < 0 else 0] if kind == "limit" else None
        order = self._order(who, iid, side, size, price, reduce_only=True)
        others = any(name != who and position_of(self, name, iid) for name in self.traders)
        net, before = self.venue.net.get(iid, ZERO), len(self.venue.orders)
        self._submit(who, order, None)
        sent = sum(o.quantity for o in list(self.venue.orders.values())[before:] if o.reduce_only)
        whole = min(size, abs(net)) // STEP * STEP
        if not others and net * side < 0 and whole >= LEAST:  # one order, or parts of what is too large for one
            self._expect(min(whole, MOST) <= sent <= whole, f"of an exit of {size} from {net}, {sent} were sent")

    def close(self, who: str, market_exit: bool) -> None:
        """A strategy closes what it holds, or leaves the market."""
        trader = self.traders[who]
        if market_exit:
            self.oracle.leaving.add(who)
            trader.closer.leave(Purpose(why="market exit", source="close"), hook=True)
            return
        for position in self.venue.positions_open(None, None, who):
            trader.closer.close(position, Purpose(why="close", source="close"))  # type: ignore[arg-type]

    def enlist(self, who: str, iid: str, side: int, size: int, second: int, bracket: bool) -> None:
        """Two orders at once: both go, or none does."""
        bid, ask = self.tops[iid]
        price, away = (bid, bid + 20) if side > 0 else (ask, ask - 20)
        first = self._order(who, iid, side, size * STEP, price, post_only=True)
        other = self._order(who, iid, -side if bracket else side, second * STEP, away if bracket else price - side,
                            post_only=True, reduce_only=bracket)  # fmt: skip
        before = len(self.venue.orders)
        self.traders[who].submit_order_list([first, other], Purpose("list", 100.0, 60.0))
        self._expect(len(self.venue.orders) - before in (0, 2), "half a list was sent")

    def _order(
        self, who: str, iid: str, side: int, size: Decimal, ticks: int | None, *, post_only: bool = False,
        reduce_only: bool = False, order_id: str | None = None,
    ) -> Order:  # fmt: skip
        make = self.traders[who].order_factory
        common = {"reduce_only": reduce_only, "client_order_id": order_id and ClientOrderId(order_id)}
        quantity, way = Quantity.from_str(f"{size:f}"), OrderSide.BUY if side > 0 else OrderSide.SELL
        made: Order = (
            make.market(IDS[iid], way, quantity, **common)
            if ticks is None
            else make.limit(IDS[iid], way, quantity, limit_price(ticks), post_only=post_only, **common)
        )
        return made

    def _submit(self, who: str, order: Order, edge: float | None) -> None:
        trader = self.traders[who]
        trader.desk.purpose = Purpose("a wish", edge, 60.0)
        trader.submit_order(order)

    # Venue -----------------------------------------------------------------------------------------------------------

    def settle(self, which: int, what: str, tenths: int, slip: int) -> None:
        """The venue does something with one of the orders that it knows."""
        live = list(self.venue.live())
        if not live:
            return
        order = live[-1 - which % len(live)]
        told, event = order.told, (self.now, order.order_id, IDS[order.iid])
        if what == "fill":
            self._fill(order, tenths, slip)
        elif what == "accept" and told in ("sent", "accepted"):
            order.told = "accepted"
            self.oracle.panel.answered(self.now, rejected=False)
            self.tell(words.OrderAccepted(*event), order)
        elif what in ("reject", "post_only") and told == "sent" and not order.filled:
            self._reject(order, due_post_only=what == "post_only" and order.price is not None, dead=tenths > 1)
        elif what == "expire" and told in ("accepted", "cancelling"):
            self._end(order, words.OrderExpired(*event))
        elif what == "clip" and order.reduce_only and told == "accepted" and self.venue.can_fill(order) > 0:
            order.quantity = order.filled + self.venue.can_fill(order)
            self.oracle.orders[order.order_id].quantity = order.quantity
            self.tell(words.OrderUpdated(*event, quantity=Num(order.quantity)), order)

    def refuse_all(self) -> None:
        """The venue refuses whatever is on its way."""
        for order in [order for order in self.venue.live() if order.told == "sent"]:
            if order.told == "sent":
                self._reject(order, due_post_only=False, dead=True)

    def _fill(self, order: Resting, tenths: int, slip: int) -> None:
        most = self.venue.can_fill(order)
        if most <= 0:
            if order.told in ("over", "rejected"):
                order.dead = True
            elif order.told == "sent":
                self._reject(order, due_post_only=False, dead=True)  # -2022
            else:
                self._end(order, words.OrderExpired(self.now, order.order_id, IDS[order.iid]))
            return
        quantity = most if tenths == 10 else max(STEP, (most * tenths / 10) // STEP * STEP)
        bid, ask = self.tops[order.iid]
        touch = limit_price(ask + slip * 4 if order.side > 0 else max(1, bid - slip * 4)).as_decimal()
        last = order.told == "over"
        event = self.traded(order, quantity, order.price if order.price is not None else touch)
        self.last_fill = event, order
        order.dead = order.dead or last

    def _reject(self, order: Resting, *, due_post_only: bool, dead: bool) -> None:
        """A reject; now and then the venue executes the order all the same."""
        order.told, order.dead = "rejected", dead
        self.oracle.over(order.order_id)
        if not due_post_only and self.oracle.panel.answered(self.now, rejected=True):
            self.oracle.trip("rejects_in_a_row")
        event = words.OrderRejected(self.now, order.order_id, IDS[order.iid], "-1000", due_post_only=due_post_only)
        self.tell(event, order)

    def _end(self, order: Resting, event: Any, *, late: bool = False) -> None:
        order.told, order.dead = "over", not late
        self.oracle.over(order.order_id)
        self.tell(event, order)

    def cancel_of(self, which: int, what: str) -> None:
        """A cancel is asked for, confirmed, refused, or confirmed while a fill is on its way."""
        live = [order for order in self.venue.live() if order.told not in ("over", "rejected")]
        if what != "ask":
            live = [order for order in live if order.told == "cancelling"]
        if not live:
            return
        order = live[-1 - which % len(live)]
        event = (self.now, order.order_id, IDS[order.iid])
        if what == "ask":
            self.traders[order.strategy_id].cancel_order(ClientOrderId(order.order_id))
        elif what == "refused":
            order.told = "accepted"
            self.tell(words.OrderCancelRejected(*event, "-2011"), order)
        else:
            self._end(order, words.OrderCanceled(*event), late=what == "late")

    def repeat(self) -> None:
        """The last fill is reported again."""
        if self.last_fill is not None:
            self.tell(*self.last_fill)

    # Market ----------------------------------------------------------------------------------------------------------

    def jump(self, iid: str, shift: int) -> None:
        """The price jumps by 1.5 to 9 %."""
        self.quote(iid, shift, 1)

    def spoil(self, iid: str, spread: int, kind: str) -> None:
        """The book is crossed, one-sided or cleared."""
        self.quote(iid, 0, spread, kind=kind)

    def mark(self, iid: str, off: int) -> None:
        """A mark price, so many ticks off the bid."""
        if self.profile.marks:
            price = (self.tops[iid][0] + off) * Decimal("0.1")
            self.venue.marks[iid] = self.oracle.marks[iid] = price

    def wait(self, ms: int, calm: bool) -> None:
        """Time passes; calm: with a market that goes on, else in silence."""
        self.seen[f"waited {ms} ms {'calm' if calm else 'in silence'}"] += 1
        for _ in range(4 if calm else 0):
            self.now += ms * MS // 4
            for iid in IIDS:
                self.quote(iid, 0, 1)
        if not calm:
            self.now += ms * MS
            self._timer()

    def _timer(self) -> None:
        self.oracle.panel.look(self.now)
        self.oracle.observe(self.now)
        self.services.on_time(self.now, self.publish)
        self._all_taken_back()

    def budget(self, pct: int) -> None:
        """The venue states how much of the budget is used."""
        if self.oracle.panel.on:
            self.oracle.panel.api.feed(self.now, pct)
        self.services.watch._take(self.gate.board.on_api(ApiUse(self.now, "weight_1m", pct, 100)))
        self.services.act(self.publish)

    def clocks(self, offset_ms: int) -> None:
        """The clocks are compared."""
        if self.oracle.panel.on:
            self.oracle.panel.offset.feed(self.now, abs(offset_ms))
        self.services.watch._take(self.gate.board.on_clock(ClockReading(self.now, self.now, float(offset_ms))))
        self.services.act(self.publish)
