"""A venue and an account made of plain values: it does what it is told, and keeps the books that the engine would keep.

It is netted per symbol, and knows what each strategy has done. A reduce-only order never fills beyond the position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Currency, InstrumentId

from tests.properties.engine_words import Num

USDT = Currency.from_str("USDT")
ZERO = Decimal(0)
FEE_RATE = Decimal("0.0002")


class Cash(Num):
    """Money of the settlement currency."""

    currency = USDT


@dataclass(slots=True)
class Resting:
    """An order at the venue, or on its way there or already gone."""

    order_id: str
    strategy_id: str
    iid: str
    side: int
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool
    filled: Decimal = ZERO
    told: str = "sent"
    """What the system was told last: sent, accepted, cancelling, over or rejected."""
    dead: bool = False
    """Nothing can fill any more."""

    @property
    def leaves(self) -> Decimal:
        """Can still fill."""
        return self.quantity - self.filled


@dataclass(slots=True)
class Trip:
    """A strategy's position from flat to flat: quantity and the cash that it cost and earned."""

    quantity: Decimal = ZERO
    cash: Decimal = ZERO
    price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark price."""

    value: Num


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """What the cache tells of a position."""

    instrument_id: InstrumentId
    signed_qty: float
    size_precision: int = 3
    is_closed: bool = False


@dataclass(slots=True)
class Venue:
    """Orders, positions, cash; also what the engine's cache and portfolio answer."""

    cash: Decimal = Decimal(10_000)
    visible: bool = True
    orders: dict[str, Resting] = field(default_factory=dict)
    net: dict[str, Decimal] = field(default_factory=dict)
    trips: dict[tuple[str, str], Trip] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    trades: int = 0

    # What the gate's view asks ---------------------------------------------------------------------------------------

    def account(self, _account_id: object) -> Any:
        """The account, once the engine knows it."""
        return self if self.visible else None

    def balances_total(self) -> dict[Any, Any]:
        """Cash: what was paid for positions is taken off, what they are worth is unrealised."""
        return {USDT: Cash(self.cash)}

    def mark_price(self, iid: object) -> Mark | None:
        """The mark."""
        found = self.marks.get(str(iid))
        return None if found is None else Mark(Num(found))

    def purge_account_events(self, _ts_ns: int, _lookback_secs: int) -> None:
        """No past is kept."""

    def funding_rate(self, _iid: object) -> None:
        """None is announced."""

    def price(self, _iid: object, _kind: object) -> None:
        """The engine has seen neither quote nor trade."""

    def net_position(self, iid: object) -> Decimal:
        """Signed base units."""
        return self.net.get(str(iid), ZERO)

    def unrealized_pnl(self, iid: object, price: Any) -> Cash:
        """Worth of the position."""
        return Cash(self.net_position(iid) * price.as_decimal())

    def positions_open(self, _venue: object, iid: object, strategy_id: object) -> list[OpenPosition]:
        """Open positions of one strategy."""
        return [
            OpenPosition(InstrumentId.from_str(where), float(trip.quantity))
            for (name, where), trip in self.trips.items()
            if trip.quantity and name == str(strategy_id) and iid in (None, InstrumentId.from_str(where))
        ]

    # What happens ----------------------------------------------------------------------------------------------------

    def live(self) -> Iterator[Resting]:
        """Orders that can still fill, oldest first."""
        return (order for order in self.orders.values() if not order.dead and order.leaves > 0)

    def can_fill(self, order: Resting) -> Decimal:
        """How much may fill now: a reduce-only order never more than the position."""
        if not order.reduce_only:
            return order.leaves
        return min(order.leaves, max(ZERO, -order.side * self.net.get(order.iid, ZERO)))

    def trade(self, order: Resting, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
        """Book a trade; return fee and trade id."""
        self.trades += 1
        fee = quantity * price * FEE_RATE
        signed = quantity * order.side
        order.filled += quantity
        self.net[order.iid] = self.net.get(order.iid, ZERO) + signed
        self.cash -= signed * price + fee
        return fee, str(self.trades)
