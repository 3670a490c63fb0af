"""What recovery is decided from: the journal, the venue, the policy. Frozen; venue time stands in the venue's part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from execution.safety.rows import OPEN_STATUSES

ZERO = Decimal(0)
ENDED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED", "NOT_EXECUTED", "FORGOTTEN_NO_FILL"})
"""States of a journal row that is over."""
_ALGO_OPEN = frozenset({"NEW", "TRIGGERING", "TRIGGERED"})

type Key = tuple[str, int]
"""Symbol and the venue's number of an order or trade."""


@dataclass(frozen=True, slots=True)
class JournalOrder:
    """A row of the journal.

    Attributes
    ----------
    client_order_id, wire_id
        As we and as the venue spell it.
    symbol, side, quantity, filled
        Of the order; `filled` is what is booked, base units.
    status
        NEW is `PREPARED` of the tables: the row is committed, and whether it left nobody knows.
    signed_ms
        Venue time before which it was signed.
    venue_order_id
        The venue's number, where it was heard.
    acknowledged
        The venue has said once that it has the order.
    strategy_id
        Whose fills they are.
    is_algo
        It was sent to the service of conditional orders.
    """

    client_order_id: str
    wire_id: str
    symbol: str
    side: str
    quantity: Decimal
    status: str
    signed_ms: int
    filled: Decimal = ZERO
    venue_order_id: int | None = None
    acknowledged: bool = False
    strategy_id: str = ""
    is_algo: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the journal takes it for over."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class WalletAnchor:
    """A reading of the wallet with what had been counted into it.

    Attributes
    ----------
    amount
        Wallet balance, settlement currency.
    from_ms
        Venue time from which on changes may be new to it.
    keys
        (Type, transaction id) of the changes since then that it already holds.
    """

    amount: Decimal
    from_ms: int = 0
    keys: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class JournalState:
    """What the journal knows.

    Attributes
    ----------
    orders
        Rows that are not over, and those whose end may still be corrected.
    trades
        Booked trades.
    nets
        Signed sum of the booked fills by symbol, base units.
    epochs
        Last sequence by epoch; all that were ever journaled.
    incomes
        Booked changes of the wallet, by type and transaction id.
    wallet
        None until one was read.
    day
        UTC day number of the loss ledger; None: there is none.
    began_ms
        Venue time from which on trades are ours to explain.
    orders_from_ms
        Venue time before which orders with our tag that are over are not the journal's business.
    last_signed_ms
        Of any order, cancels not counted; 0: none.
    first_start
        The account was never traded from here.
    """

    orders: tuple[JournalOrder, ...] = ()
    trades: frozenset[Key] = frozenset()
    nets: Mapping[str, Decimal] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)
    incomes: frozenset[tuple[str, int]] = frozenset()
    wallet: WalletAnchor | None = None
    day: int | None = None
    began_ms: int = 0
    orders_from_ms: int = 0
    last_signed_ms: int = 0
    first_start: bool = False


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue shows it, regular or conditional.

    Attributes
    ----------
    number
        The venue's id in its service.
    protects
        A conditional order that closes the whole position.
    child
        Number of the regular order that a conditional one became.
    """

    symbol: str
    number: int
    wire_id: str
    side: str
    quantity: Decimal
    filled: Decimal
    status: str
    created_ms: int
    updated_ms: int
    is_algo: bool = False
    protects: bool = False
    child: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in (_ALGO_OPEN if self.is_algo else OPEN_STATUSES)


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """A trade of the account; number 0 is a notice of a liquidation, which is none (I4)."""

    symbol: str
    number: int
    order_number: int
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time_ms: int

    @property
    def key(self) -> Key:
        """What makes it one of its kind."""
        return self.symbol, self.number

    @property
    def signed(self) -> Decimal:
        """Change of the position, base units."""
        return self.quantity if self.side == "BUY" else -self.quantity


@dataclass(frozen=True, slots=True)
class Income:
    """A change of the wallet."""

    kind: str
    number: int
    amount: Decimal
    asset: str
    symbol: str
    time_ms: int

    @property
    def key(self) -> tuple[str, int]:
        """Type and transaction id."""
        return self.kind, self.number


Asked = Literal["found", "absent", "failed"]


@dataclass(frozen=True, slots=True)
class VenueState:
    """What the venue said in one look, and how long it has been saying so.

    Attributes
    ----------
    now_ms, started_ms
        Venue time of the look, and of our start.
    orders
        Everything known of orders: open lists, history, by-id answers; each once.
    asked
        Answers of both services to by-id questions, by client order id.
    trades, trades_from_ms
        Trades, and since when they are complete, by symbol.
    unknown_numbers
        Orders of trades of which the venue says that there are none.
    positions, sizes
        Signed base units; smallest quantity that can be traded.
    wallet, equity
        Settlement currency.
    incomes
        Changes of the wallet since the anchor or midnight, whichever is earlier.
    absent_since_ms
        When an order was first found absent after its fence, without a look that saw it since.
    unchanged_since_ms
        When an order was first seen as it is now.
    same_since_ms
        When the account was first seen as it is now; None: never before.
    """

    now_ms: int
    started_ms: int
    orders: tuple[VenueOrder, ...] = ()
    asked: Mapping[str, Asked] = field(default_factory=dict)
    trades: tuple[VenueTrade, ...] = ()
    trades_from_ms: Mapping[str, int] = field(default_factory=dict)
    unknown_numbers: frozenset[Key] = frozenset()
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    sizes: Mapping[str, Decimal] = field(default_factory=dict)
    wallet: Decimal = ZERO
    equity: Decimal = ZERO
    incomes: tuple[Income, ...] = ()
    absent_since_ms: Mapping[str, int] = field(default_factory=dict)
    unchanged_since_ms: Mapping[tuple[bool, str, int], int] = field(default_factory=dict)
    same_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A person's word that a position is right although nothing explains it."""

    quantity: Decimal
    reason: str


DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What is to be done, and how long is long enough.

    Attributes
    ----------
    tag, symbols
        Of the configuration.
    positions, foreign
        `execution.on_start.positions`, `account.foreign_orders`.
    recv_window_ms, clock_bound_ms, slack_ms
        Their sum is the fence.
    apart_ms
        Between two looks that prove something.
    accepted
        What a person has accepted, by symbol.
    account
        Alias, for the command that accepts.
    """

    tag: str
    symbols: tuple[str, ...]
    positions: Literal["adopt", "close", "refuse"] = "adopt"
    foreign: Literal["refuse", "count"] = "refuse"
    recv_window_ms: int = 5000
    clock_bound_ms: int = 1000
    slack_ms: int = 4000
    apart_ms: int = 2000
    forgotten_ms: int = 3 * DAY_MS
    unlisted_ms: int = 90 * DAY_MS
    wallet_tolerance: Decimal = Decimal("0.01")
    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    account: str = ""

    @property
    def fence_ms(self) -> int:
        """An order that the venue has not got so long after it was signed will never arrive."""
        return self.recv_window_ms + self.clock_bound_ms + self.slack_ms
