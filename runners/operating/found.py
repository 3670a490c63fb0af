"""What was found on the account, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from execution.safety.rows import PositionRow
from runners.live.account import OpenOrder

ZERO = Decimal(0)


@dataclass(slots=True)
class Row:
    """One thing that was found, and what became of it.

    Attributes
    ----------
    what, symbol, side, quantity, name, whose
        ``order``, ``conditional``, ``stop`` or ``position``; base units.
    done
        In words.
    left
        It was meant and is still there.
    """

    what: str
    symbol: str
    side: str
    quantity: Decimal
    name: str
    whose: str
    done: str = ""
    left: bool = False


@dataclass(slots=True)
class Closed:
    """Orders that closed one position."""

    side: str = ""
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    orders: int = 0

    def __str__(self) -> str:
        if not self.filled:
            return "closed"
        price = (self.paid / self.filled).quantize(Decimal("1e-8")).normalize()
        several = f", {self.orders} orders" if self.orders > 1 else ""
        return f"closed: {self.side} {self.filled.normalize():f} at {price:f}{several}"


def key_of(order: OpenOrder) -> tuple[str, str]:
    """What names an open order: its service, and the venue's id there."""
    return ("algo" if order.is_algo else "order", str(order.number))


def position_row(row: PositionRow) -> Row:
    """A position as it is shown."""
    return Row("position", row.symbol, "long" if row.amount > 0 else "short", abs(row.amount), "", "account's")
