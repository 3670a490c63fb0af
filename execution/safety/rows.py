"""What the venue answers, as frozen rows: money, prices and quantities are Decimal, times are ms UTC.

Rows are read by field name; unknown fields are ignored, a missing or malformed one is an error.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from execution.safety.wire_ids import logical_id

ZERO = Decimal(0)
OPEN_STATUSES = frozenset({"NEW", "PARTIALLY_FILLED", "PENDING_NEW"})


class OrderRow(Struct, frozen=True, kw_only=True):
    """A regular order."""

    symbol: str
    order_id: int = field(name="orderId")
    wire_id: str = field(name="clientOrderId")
    side: str
    status: str
    type: str
    time_in_force: str = field(name="timeInForce", default="")
    price: Decimal = ZERO
    average_price: Decimal = field(name="avgPrice", default=ZERO)
    quantity: Decimal = field(name="origQty")
    filled: Decimal = field(name="executedQty")
    reduce_only: bool = field(name="reduceOnly", default=False)
    close_position: bool = field(name="closePosition", default=False)
    position_side: str = field(name="positionSide", default="BOTH")
    time_ms: int = field(name="time", default=0)
    updated_ms: int = field(name="updateTime", default=0)

    @property
    def logical_id(self) -> str:
        """Client order id as we spell it."""
        return logical_id(self.wire_id)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN_STATUSES


class AlgoRow(Struct, frozen=True, kw_only=True):
    """A conditional order.

    Attributes
    ----------
    order_id
        Of the regular order that it became; empty until it triggers.
    """

    symbol: str
    algo_id: int = field(name="algoId")
    wire_id: str = field(name="clientAlgoId")
    type: str = field(name="orderType")
    side: str
    status: str = field(name="algoStatus")
    trigger_price: Decimal = field(name="triggerPrice", default=ZERO)
    quantity: Decimal = ZERO
    close_position: bool = field(name="closePosition", default=False)
    reduce_only: bool = field(name="reduceOnly", default=False)
    working_type: str = field(name="workingType", default="")
    created_ms: int = field(name="createTime", default=0)
    updated_ms: int = field(name="updateTime", default=0)
    order_id: str = field(name="actualOrderId", default="")

    @property
    def logical_id(self) -> str:
        """Client order id as we spell it."""
        return logical_id(self.wire_id)


class TradeRow(Struct, frozen=True, kw_only=True):
    """A fill of ours.

    Attributes
    ----------
    fee
        Positive when paid.
    realised
        Profit booked by it, fee not included.
    """

    symbol: str
    trade_id: int = field(name="id")
    order_id: int = field(name="orderId")
    side: str
    price: Decimal
    quantity: Decimal = field(name="qty")
    realised: Decimal = field(name="realizedPnl")
    fee: Decimal = field(name="commission")
    fee_asset: str = field(name="commissionAsset")
    time_ms: int = field(name="time")
    maker: bool


class PositionRow(Struct, frozen=True, kw_only=True):
    """A position.

    Attributes
    ----------
    amount
        Base units, negative when short.
    """

    symbol: str
    amount: Decimal = field(name="positionAmt")
    entry_price: Decimal = field(name="entryPrice", default=ZERO)
    mark_price: Decimal = field(name="markPrice", default=ZERO)
    unrealised: Decimal = field(name="unRealizedProfit", default=ZERO)
    liquidation_price: Decimal = field(name="liquidationPrice", default=ZERO)
    position_side: str = field(name="positionSide", default="BOTH")
    updated_ms: int = field(name="updateTime", default=0)


class BalanceRow(Struct, frozen=True, kw_only=True):
    """What one asset of the account holds.

    Attributes
    ----------
    account_alias
        The venue's name of the account: pins key and account together (L-1).
    """

    account_alias: str = field(name="accountAlias")
    asset: str
    balance: Decimal
    available: Decimal = field(name="availableBalance")
    cross_wallet: Decimal = field(name="crossWalletBalance", default=ZERO)


class AccountRow(Struct, frozen=True, kw_only=True):
    """Sums of the account in its margin currency."""

    wallet: Decimal = field(name="totalWalletBalance")
    unrealised: Decimal = field(name="totalUnrealizedProfit")
    equity: Decimal = field(name="totalMarginBalance")
    available: Decimal = field(name="availableBalance")
    maintenance_margin: Decimal = field(name="totalMaintMargin")


class IncomeRow(Struct, frozen=True, kw_only=True):
    """A change of the wallet. Its transaction id is unique within its kind only."""

    kind: str = field(name="incomeType")
    amount: Decimal = field(name="income")
    asset: str
    time_ms: int = field(name="time")
    transaction_id: int = field(name="tranId")
    symbol: str = ""
    trade_id: str = field(name="tradeId", default="")

    @property
    def key(self) -> tuple[str, int]:
        """What makes it one of its kind."""
        return self.kind, self.transaction_id


class CommissionRow(Struct, frozen=True, kw_only=True):
    """Fee rates of a symbol, as fractions of notional."""

    symbol: str
    maker: Decimal = field(name="makerCommissionRate")
    taker: Decimal = field(name="takerCommissionRate")


class SymbolConfigRow(Struct, frozen=True, kw_only=True):
    """What is set for a symbol on this account; margin type is CROSSED or ISOLATED."""

    symbol: str
    margin_type: str = field(name="marginType")
    leverage: int


class Bracket(Struct, frozen=True, kw_only=True):
    """Leverage that is allowed up to a notional, and its maintenance margin rate."""

    initial_leverage: int = field(name="initialLeverage")
    notional_floor: Decimal = field(name="notionalFloor")
    notional_cap: Decimal = field(name="notionalCap")
    maintenance_rate: Decimal = field(name="maintMarginRatio")


class BracketsRow(Struct, frozen=True, kw_only=True):
    """Brackets of a symbol."""

    symbol: str
    brackets: tuple[Bracket, ...]


class RateLimitRow(Struct, frozen=True, kw_only=True):
    """One limit, e.g. ORDERS, 10 × SECOND: 300."""

    kind: str = field(name="rateLimitType")
    interval: str
    count: int = field(name="intervalNum")
    limit: int


class SymbolRow(Struct, frozen=True, kw_only=True):
    """A contract with its filters as the venue states them."""

    symbol: str
    status: str
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")
    contract_type: str = field(name="contractType", default="")
    filters: tuple[dict[str, Any], ...] = ()

    def rule(self, filter_type: str, name: str) -> Decimal:
        """One figure of a filter, e.g. ``rule("PRICE_FILTER", "tickSize")``.

        Raises
        ------
        KeyError
            When the venue states no such figure.
        """
        for one in self.filters:
            if one.get("filterType") == filter_type:
                return Decimal(str(one[name]))
        raise KeyError(f"{self.symbol} has no {filter_type}")


class ExchangeInfo(Struct, frozen=True, kw_only=True):
    """Limits and contracts of the venue."""

    rate_limits: tuple[RateLimitRow, ...] = field(name="rateLimits")
    symbols: tuple[SymbolRow, ...]
    server_ms: int = field(name="serverTime", default=0)

    def symbol(self, name: str) -> SymbolRow | None:
        """A contract by its symbol."""
        return next((one for one in self.symbols if one.symbol == name), None)


class KeyPermissions(Struct, frozen=True, kw_only=True):
    """What a key may do."""

    reading: bool = field(name="enableReading")
    futures: bool = field(name="enableFutures")
    withdrawals: bool = field(name="enableWithdrawals")
    internal_transfer: bool = field(name="enableInternalTransfer", default=False)
    universal_transfer: bool = field(name="permitsUniversalTransfer", default=False)
    address_restricted: bool = field(name="ipRestrict", default=False)


class ServerTime(Struct, frozen=True):
    """The venue's clock."""

    ms: int = field(name="serverTime")


class PositionMode(Struct, frozen=True):
    """Hedge mode or one-way."""

    hedge: bool = field(name="dualSidePosition")


class AssetsMode(Struct, frozen=True):
    """Multi-assets margin or single."""

    multi: bool = field(name="multiAssetsMargin")


class CountdownRow(Struct, frozen=True):
    """An acknowledged countdown."""

    symbol: str
    countdown_ms: int = field(name="countdownTime")


class Done(Struct, frozen=True):
    """The plain acknowledgement of a cancel-all or of a conditional order's cancel."""

    code: int = 200
