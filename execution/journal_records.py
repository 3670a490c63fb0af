"""Rows of a journal file as `execution.journal_read` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from execution.journal import CLOSED

ZERO = Decimal(0)


def symbol_of(instrument_id: str) -> str:
    """Venue symbol of an instrument id.

    Examples
    --------
    >>> symbol_of("BTCUSDT-PERP.BINANCE")
    'BTCUSDT'
    """
    return instrument_id.partition(".")[0].removesuffix("-PERP")


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """Whose journal it is: of one account, once and for all.

    Attributes
    ----------
    account_id, environment, host
        As the venue and the configuration name them.
    since_ns
        UTC.
    """

    account_id: str
    environment: str
    host: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One session.

    Attributes
    ----------
    run_id, started_ns, mode, account, config_hash, epoch
        As it was started; `account` is the alias.
    ended_ns, outcome
        None where the process did not come to its end.
    """

    run_id: str
    started_ns: int
    mode: str
    account: str
    config_hash: str
    epoch: int
    ended_ns: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch of client order ids.

    Attributes
    ----------
    epoch, run_id, purpose, created_ns
        ``strategies``, ``closes`` or whatever else draws ids of its own.
    last_sequence
        Highest sequence number that an order of it has; 0 where it has none.
    """

    epoch: int
    run_id: str
    purpose: str
    created_ns: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order, all columns.

    Attributes
    ----------
    number
        Position in the journal, rising.
    run_id, client_order_id, wire_id, venue_order_id, algo_id
        The ids; `wire_id` as it stands on the wire, the venue's once known.
    ts_ns, signed_ms
        When it was decided, UTC; venue time in ms when it was committed, right before it was handed over. None where the journal
        was written by version 1.
    strategy_id, instrument_id, side, order_type, price, quantity, post_only, reduce_only, time_in_force, why, source
        What was asked for.
    status
        Of `execution.lifecycle.Status`, or ``DENIED`` (it never left) or ``FORGOTTEN_NO_FILL``; ``NEW``: the row is committed,
        and nothing was heard.
    filled_quantity, avg_price, ts_accepted, ts_closed, reject_reason
        What became of it.
    is_protective, is_algo
        A venue-side stop; waits in the service of conditional orders.
    """

    number: int
    run_id: str
    client_order_id: str
    wire_id: str | None
    venue_order_id: int | None
    algo_id: int | None
    ts_ns: int
    signed_ms: int | None
    strategy_id: str
    instrument_id: str
    side: str
    order_type: str
    price: Decimal | None
    quantity: Decimal
    filled_quantity: Decimal
    avg_price: Decimal | None
    post_only: bool
    reduce_only: bool
    time_in_force: str
    status: str
    ts_accepted: int | None
    ts_closed: int | None
    reject_reason: str | None
    why: str
    source: str
    is_protective: bool
    is_algo: bool

    @property
    def symbol(self) -> str:
        """Venue symbol."""
        return symbol_of(self.instrument_id)

    @property
    def is_closed(self) -> bool:
        """Whether the journal holds it for over."""
        return self.status in CLOSED


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One fill, all columns; `position_after` is the account's net, signed base units."""

    number: int
    run_id: str
    ts_ns: int
    trade_id: str
    strategy_id: str
    instrument_id: str
    client_order_id: str
    side: str
    price: Decimal
    quantity: Decimal
    liquidity: str
    fee: Decimal
    fee_asset: str
    position_after: Decimal

    @property
    def symbol(self) -> str:
        """Venue symbol."""
        return symbol_of(self.instrument_id)

    @property
    def signed(self) -> Decimal:
        """Base units, negative for a sale."""
        return self.quantity if self.side == "BUY" else -self.quantity


@dataclass(frozen=True, slots=True)
class CancelRecord:
    """One cancel that was sent; `answered_ms` and `outcome` are None while nothing was heard."""

    number: int
    run_id: str
    client_order_id: str
    sent_ms: int
    answered_ms: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class IncomeRecord:
    """One booked change of the wallet; (kind, transaction id) is unique."""

    kind: str
    transaction_id: int
    symbol: str
    asset: str
    amount: Decimal
    ts_ms: int


@dataclass(frozen=True, slots=True)
class WalletRecord:
    """The last reading of one asset of the wallet."""

    ts_ms: int
    asset: str
    balance: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Last link of the record of venue messages; 0 and "" where there is none."""

    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class JournalState:
    """Everything that recovery asks a journal.

    Attributes
    ----------
    path, schema_version
        Which file.
    account
        None in a journal that no live session has written.
    runs, epochs, orders, fills, cancels, income
        In the order of writing; see `read_journal` for what is left out.
    trade_ids
        Every booked trade id, as text, by symbol; adoptions and the like are among them.
    last_trade_id
        Highest numeric trade id by symbol.
    net
        Signed sum of all fills by symbol, flat ones left out.
    income_keys
        (kind, transaction id) of every booked change of the wallet.
    wallet
        Last reading by asset.
    last_signed_ms
        Venue time of the last order or cancel that was handed over; None where there was none.
    last_income_ms
        Time of the newest booked change of the wallet; None where there is none.
    chain
        Head of the record of venue messages.
    """

    path: Path
    schema_version: int
    account: AccountRecord | None
    runs: tuple[RunRecord, ...]
    epochs: tuple[EpochRecord, ...]
    orders: tuple[OrderRecord, ...]
    fills: tuple[FillRecord, ...]
    cancels: tuple[CancelRecord, ...]
    income: tuple[IncomeRecord, ...]
    trade_ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    last_trade_id: Mapping[str, int] = field(default_factory=dict)
    net: Mapping[str, Decimal] = field(default_factory=dict)
    income_keys: frozenset[tuple[str, int]] = frozenset()
    wallet: Mapping[str, WalletRecord] = field(default_factory=dict)
    last_signed_ms: int | None = None
    last_income_ms: int | None = None
    chain: ChainHead = ChainHead()

    @property
    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Orders that the journal does not hold for over."""
        return tuple(order for order in self.orders if not order.is_closed)

    def order(self, client_order_id: str) -> OrderRecord | None:
        """One order by our own id."""
        return next((order for order in self.orders if order.client_order_id == client_order_id), None)

    def order_by_venue_id(self, venue_order_id: int) -> OrderRecord | None:
        """One order by the venue's id."""
        return next((order for order in self.orders if order.venue_order_id == venue_order_id), None)
