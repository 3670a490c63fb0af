"""Both sides of an audit as plain rows: Decimal figures, client order ids as we spell them, symbols as the venue does."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
type TradeKey = tuple[str, str]
"""Symbol and trade id."""
type IncomeKey = tuple[str, int]
"""Type and transaction id."""


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """One order, regular or conditional.

    Attributes
    ----------
    client_order_id, symbol, side, status
        Of the order; the status in its side's own words.
    quantity, filled
        Base units.
    ts_ms
        When it was decided, or placed; ms UTC.
    is_ours
        It carries our tag; always so in the journal.
    is_answered
        The venue has ever told of it; always so where the venue tells.
    """

    client_order_id: str
    symbol: str
    side: str
    status: str
    quantity: Decimal
    filled: Decimal = ZERO
    ts_ms: int = 0
    is_ours: bool = True
    is_answered: bool = True


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """One fill.

    Attributes
    ----------
    order_id
        Client order id where it is known, else the venue's number.
    fee
        Positive when paid.
    """

    symbol: str
    trade_id: str
    order_id: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    ts_ms: int

    @property
    def key(self) -> TradeKey:
        """What makes it one of its kind."""
        return self.symbol, self.trade_id

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.side} {plain(self.quantity)} at {plain(self.price)}, fee {plain(self.fee)} {self.fee_asset}"


@dataclass(frozen=True, slots=True)
class IncomeFigures:
    """One change of the wallet; `trade_id` is empty where no trade made it."""

    kind: str
    transaction_id: int
    symbol: str
    asset: str
    amount: Decimal
    ts_ms: int
    trade_id: str = ""

    @property
    def key(self) -> IncomeKey:
        """What makes it one of its kind."""
        return self.kind, self.transaction_id

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.amount:+f} {self.asset}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A reading of the wallet from which changes are counted.

    Attributes
    ----------
    amount
        Settlement currency.
    ts_ms
        Venue time; changes after it are not in it.
    """

    amount: Decimal
    ts_ms: int


@dataclass(frozen=True, slots=True)
class Books:
    """The journal's side.

    Attributes
    ----------
    orders, open
        Every order that it knows, and which of them it does not hold for over.
    trades
        Fills of the time that is compared.
    booked
        Every trade that was ever booked.
    net
        Signed sum of all fills by symbol, base units.
    incomes
        Booked changes of the wallet besides those of trades; None: this journal books none.
    anchor
        None: no reading of the wallet.
    """

    orders: Mapping[str, OrderFigures] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    trades: Mapping[TradeKey, TradeFigures] = field(default_factory=dict)
    booked: Container[TradeKey] = frozenset()
    net: Mapping[str, Decimal] = field(default_factory=dict)
    incomes: Mapping[IncomeKey, IncomeFigures] | None = None
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How the account is set.

    Attributes
    ----------
    hedge, multi_assets
        Position mode and asset mode.
    margin
        ``cross`` or ``isolated`` by symbol.
    leverage
        By symbol.
    """

    hedge: bool = False
    multi_assets: bool = False
    margin: Mapping[str, str] = field(default_factory=dict)
    leverage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """The venue's side: one look. What was not asked is None and not compared.

    Attributes
    ----------
    now_ms
        Venue time when the look began.
    open_orders
        Everything that is open, in both services, on every symbol.
    asked
        Orders that the journal holds for open and the list does not show, asked by id: None where the venue knows none.
    trades
        Since `trades_from_ms`, of the symbols that were asked.
    positions
        Signed base units; flat ones may be left out.
    wallet, incomes
        Settlement currency; changes since the anchor.
    settings
        See `Settings`.
    """

    now_ms: int
    open_orders: tuple[OrderFigures, ...] | None = None
    asked: Mapping[str, OrderFigures | None] = field(default_factory=dict)
    trades: Mapping[TradeKey, TradeFigures] | None = None
    trades_from_ms: int = 0
    positions: Mapping[str, Decimal] | None = None
    wallet: Decimal | None = None
    incomes: tuple[IncomeFigures, ...] | None = None
    settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is not in a journal: how the account is to be, and how long an order may travel.

    Attributes
    ----------
    settings
        Of the configuration; None is not compared.
    symbols
        Whose trades are ours to explain.
    foreign
        ``refuse`` or ``count``: orders of others on the account.
    fence_ms
        An order that is not known to the venue after this never will be (`recovery.md` 1).
    tolerance
        Of the wallet, settlement currency.
    """

    settings: Settings | None = None
    symbols: tuple[str, ...] = ()
    foreign: str = "refuse"
    fence_ms: int = 10_000
    tolerance: Decimal = Decimal("0.01")


def plain(value: Decimal) -> str:
    """A figure without trailing zeros or exponent.

    Examples
    --------
    >>> plain(Decimal("0.0100"))
    '0.01'
    """
    return f"{value.normalize():f}" if value else "0"
