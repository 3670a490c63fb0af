"""One account as it follows from the events: orders, positions, cash, days and halts, kept by arithmetic of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from tests.properties.lamps import SECOND, Panel
from tests.properties.profile import (
    PAUSE_SECS,
    SHRINK_START,
    SHRINK_STOP,
    Profile,
    breakers_of,
)

DAY = 86_400 * SECOND
TICK, STEP = Decimal("0.1"), Decimal("0.001")
LEAST, MOST, LEAST_NOTIONAL = Decimal("0.002"), Decimal(50), Decimal(5)
MARGIN_RATE = Decimal("0.05")
ZERO = Decimal(0)
HALF_AN_ULP = Fraction(1, 10**9)


@dataclass(slots=True)
class Known:
    """An order as the oracle follows it."""

    order_id: str
    strategy_id: str
    iid: str
    side: int
    quantity: Decimal
    reduce_only: bool
    mid: Fraction | None
    filled: Decimal = ZERO
    open: bool = True
    cancel_asked: bool = False

    @property
    def leaves(self) -> Decimal:
        """What can still fill as far as anybody has been told."""
        return self.quantity - self.filled if self.open else ZERO


@dataclass(frozen=True, slots=True)
class Ask:
    """An order as it stands before the gate, in plain values."""

    order_id: str
    strategy_id: str
    iid: str
    side: int
    rank: int
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    edge_bps: float | None = None
    closes_own: bool = False
    wish: Decimal | None = None
    """What was wished for before it was made smaller."""


@dataclass(slots=True)
class Followed:
    """One account as it follows from the events."""

    profile: Profile
    iids: tuple[str, ...]
    starts_ns: int
    ends_ns: int | None
    prefix: str
    seen: Counter[str] = field(default_factory=Counter)
    now: int = 0
    cash: Decimal = Decimal(10_000)
    visible: bool = True
    net: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    own: defaultdict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    trip_cash: defaultdict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    orders: dict[str, Known] = field(default_factory=dict)
    tops: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    last_price: dict[str, Decimal] = field(default_factory=dict)
    day: int = -1
    day_start: Decimal = ZERO
    day_halted: int = -1
    peak: Decimal | None = None
    latched: str | None = None
    streak: int = 0
    paused_until: int = 0
    read_ns: int = -SECOND
    sent_ns: list[int] = field(default_factory=list)
    shapes: defaultdict[tuple[object, ...], list[int]] = field(default_factory=lambda: defaultdict(list))
    cancels: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    fills: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    flat_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    used_ids: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    panel: Panel = field(init=False)

    def __post_init__(self) -> None:
        self.new_panel()

    def new_panel(self) -> None:
        """Breakers start closed."""
        limits = {name: row for name, row in breakers_of(self.profile).items() if row is not None}
        self.panel = Panel(limits, self.iids, self._note)

    def _note(self, what: str) -> None:
        self.seen[what] += 1

    # Prices and equity -----------------------------------------------------------------------------------------------

    def price(self, iid: str) -> Decimal | None:
        """Mark, else mid; None without either."""
        if iid in self.marks:
            return self.marks[iid]
        top = self.tops.get(iid)
        return None if top is None else (top[0] + top[1]) / 2

    def valued(self, iid: str) -> Decimal:
        """What a position is valued at: an emptied book does not make it worthless."""
        found = self.price(iid)
        if found is not None:
            self.last_price[iid] = found
        return self.last_price.get(iid, ZERO)

    def equity(self) -> Decimal | None:
        """Cash and positions; nobody knows it while a position has never had a price."""
        if not self.visible or any(self.net[iid] and not self.valued(iid) for iid in self.iids):
            return None
        return self.cash + sum((self.net[iid] * self.valued(iid) for iid in self.iids), ZERO)

    # Losses ----------------------------------------------------------------------------------------------------------

    def observe(self, ts_ns: int) -> None:
        """The market moved or time passed: equity is read once a second, and after a fill."""
        if ts_ns - self.read_ns >= SECOND:
            self.read_ns = ts_ns
            self.reading(ts_ns)

    def reading(self, ts_ns: int) -> None:
        """Read the equity, roll the day, find what is broken."""
        equity = self.equity()
        if equity is None:
            return
        today = ts_ns // DAY
        if today > self.day:
            self.seen["day rolled"] += self.day >= 0
            self.day, self.day_start = today, equity
        self.peak = equity if self.peak is None else max(self.peak, equity)
        lost = self.day_start - equity
        if lost > Decimal(repr(self.profile.daily_loss)):
            if self.profile.daily_latches:
                self.trip("daily loss")
            elif self.day_halted < today:
                self.day_halted = today
                self.seen["halt: daily loss"] += 1
        if (self.peak - equity) * 100 > Decimal(repr(self.profile.drawdown_pct)) * self.peak:
            self.trip("drawdown")

    def trip(self, cause: str) -> None:
        """Shut entries for good; the first cause counts."""
        if self.latched is None:
            self.latched = cause
            self.seen[f"halt: {cause.split(' ', maxsplit=1)[0]} (latched)"] += 1

    def shrink(self) -> Fraction:
        """Share of the usual size that the drawdown leaves."""
        equity = self.equity()
        if not self.profile.shrink or self.profile.drawdown_pct < SHRINK_STOP or equity is None:
            return Fraction(1)
        if self.peak is None or self.peak <= 0:
            return Fraction(1)
        fall = Fraction(self.peak - equity) / Fraction(self.peak) * 100
        return min(Fraction(1), max(Fraction(0), (Fraction(SHRINK_STOP) - fall) / Fraction(SHRINK_STOP - SHRINK_START)))

    # Orders ----------------------------------------------------------------------------------------------------------

    def approved(self, ask: Ask, ts_ns: int) -> None:
        """An order has left."""
        top = self.tops.get(ask.iid)
        mid = None if top is None else Fraction(top[0] + top[1]) / 2
        self.used_ids.add(ask.order_id)
        self.orders[ask.order_id] = Known(
            ask.order_id, ask.strategy_id, ask.iid, ask.side, ask.quantity, ask.reduce_only, mid
        )
        if not ask.reduce_only:
            self.sent_ns.append(ts_ns)
            self.shapes[ask.strategy_id, ask.iid, ask.side, ask.price, ask.quantity].append(ts_ns)

    def over(self, order_id: str) -> None:
        """An order is over as far as we were told."""
        self.orders[order_id].open = False

    def reopened(self, order_id: str) -> None:
        """It was executed though we were told that it was rejected: its rest may be open."""
        self.orders[order_id].open = self.orders[order_id].cancel_asked = True  # a query decides what becomes of it
        self.orders[order_id].mid = None

    def filled(self, ts_ns: int, order_id: str, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """A trade, told for the first time: the equity is read with the next event."""
        self.read_ns = -SECOND
        order = self.orders[order_id]
        was_open, signed = order.open, quantity * order.side
        order.filled += quantity
        order.open = order.open and order.leaves > 0
        self.cash -= signed * price + fee
        self.net[order.iid] += signed
        self.fills[order.strategy_id].append(ts_ns)
        self.panel.answered(ts_ns, rejected=False)
        if was_open and order.mid is not None:
            self.panel.slipped(ts_ns, order.iid, order.side * (Fraction(price) - order.mid) / order.mid * 10_000)
        self._trip_of(ts_ns, (order.strategy_id, order.iid), signed, price, fee)

    def _trip_of(self, ts_ns: int, key: tuple[str, str], signed: Decimal, price: Decimal, fee: Decimal) -> None:
        before = self.own[key]
        closing = -before if before * (before + signed) < 0 else signed
        self.own[key] += closing
        self.trip_cash[key] -= closing * price + fee
        if before and not self.own[key]:
            pnl, self.trip_cash[key] = self.trip_cash[key], ZERO
            self.flat_ns[key] = ts_ns
            self._round_trip(ts_ns, pnl)
        if closing != signed:
            self.own[key] += signed - closing
            self.trip_cash[key] -= (signed - closing) * price

    def _round_trip(self, ts_ns: int, pnl: Decimal) -> None:
        self.seen["round trip " + ("won" if pnl > 0 else "lost")] += 1
        if pnl:
            self.streak = self.streak + 1 if pnl < 0 else 0
        if self.profile.streak is not None and pnl < 0 and self.streak >= self.profile.streak:
            self.streak, self.paused_until = 0, ts_ns + int(PAUSE_SECS * SECOND)
            self.seen["pause after losses"] += 1

    def resting(self, iid: str, side: int) -> Decimal:
        """Entries on one side that can still fill."""
        rows = self.orders.values()
        return sum((o.leaves for o in rows if o.open and o.iid == iid and o.side == side and not o.reduce_only), ZERO)

    def open_entries(self, iid: str, strategy_id: str | None = None) -> int:
        """How many entries are open."""
        rows = (o for o in self.orders.values() if o.open and o.iid == iid and not o.reduce_only)
        return sum(1 for o in rows if strategy_id in (None, o.strategy_id))

    def is_gone(self, strategy_id: str, but: str = "") -> bool:
        """Flat everywhere (`but` on one instrument), and nothing works."""
        held = any(q for (name, iid), q in self.own.items() if name == strategy_id and iid != but)
        return not held and not any(o.open and o.strategy_id == strategy_id for o in self.orders.values())

    def flat(self, strategy_id: str, iid: str) -> None:
        """A strategy's position is closed; where the same trade opens the other side, that is told afterwards."""
        if self.is_gone(strategy_id, but=iid):
            self.leaving.discard(strategy_id)

    def prune(self) -> None:
        """Who is gone may enter again."""
        self.leaving = {name for name in self.leaving if not self.is_gone(name)}

    def restart(self, ts_ns: int, equity: Decimal | None) -> None:
        """What lives in memory only is gone; losses, latch and positions stay."""
        self.orders = {k: o for k, o in self.orders.items() if o.open}
        for known in self.orders.values():
            known.open = False
        self.sent_ns, self.read_ns, self.leaving = [], -SECOND, set()
        self.shapes.clear()
        self.cancels.clear()
        self.fills.clear()
        self.flat_ns.clear()
        self.tops.clear()
        self.last_price.clear()
        self.new_panel()
        if equity is not None and 0 <= self.day < ts_ns // DAY:
            self.day, self.day_start = ts_ns // DAY, max(equity, self.day_start)

    def worst(self, iid: str) -> Decimal:
        """Largest position that what rests can lead to."""
        held = self.net[iid]
        return max(abs(held), abs(held + self.resting(iid, 1)), abs(held - self.resting(iid, -1)))
