"""Reads what `plan` wants to know of the venue: one look after the other, each cheap once the first was whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from execution.recovery.look import explained_from_ms
from execution.recovery.model import (
    ZERO,
    Asked,
    Income,
    JournalOrder,
    JournalState,
    Key,
    Policy,
    VenueOrder,
    VenueState,
    VenueTrade,
)
from execution.safety.failures import VenueError
from execution.safety.reads import Reads
from execution.safety.rows import AlgoRow, IncomeRow, OrderRow, TradeRow

OVERLAP_MS = 60_000
"""Lists begin so long before the last verified instant."""
MARGIN_MS = 2_000


@dataclass(frozen=True, slots=True)
class _Money:
    wallet: Decimal = ZERO
    equity: Decimal = ZERO
    incomes: tuple[Income, ...] = ()
    sizes: Mapping[str, Decimal] = field(default_factory=dict)


class VenueReader:
    """Asks for one recovery.

    Parameters
    ----------
    client
        Asks.
    symbols
        Of the configuration and of the journal; those that the venue reports are added.
    policy
        For the fence.

    Attributes
    ----------
    started_ms
        Venue time of our start.
    """

    def __init__(self, client: Reads, symbols: Iterable[str], policy: Policy) -> None:
        self._client, self._policy = client, policy
        self.symbols = set(symbols)
        self.started_ms = client.clock.ms()
        self._money: _Money | None = None

    async def look(self, journal: JournalState, since_ms: int, *, whole: bool) -> VenueState:
        """Look once.

        Parameters
        ----------
        journal
            As it is now: its open rows are asked for by id.
        since_ms
            Venue time from which on orders and trades are listed.
        whole
            Ask for orders of every symbol, and for the money, as well (weight 120 more).

        Raises
        ------
        VenueError
            When a list is not answered; a by-id question that is not stands in `asked`.
        """
        now_ms = self._client.clock.ms()
        whole = whole or self._money is None
        start_ms = min(
            [since_ms - OVERLAP_MS, *(row.signed_ms - MARGIN_MS for row in journal.orders if not row.is_over)]
        )
        orders = await self._listed(start_ms, now_ms, whole=whole)
        trades = [
            trade for name in sorted(self.symbols) for trade in await self._client.trades_since(name, start_ms, now_ms)
        ]
        asked = await self._by_id(journal.orders, orders)
        unknown = await self._of_trades(journal, trades, orders, now_ms)
        trades += await self._paged(journal, trades, orders)
        positions = {row.symbol: row.amount for row in await self._client.positions() if row.amount}
        self.symbols.update(positions)
        if whole or self._money is None:
            self._money = await self._read_money(journal, now_ms)
        money = self._money
        return VenueState(
            now_ms, self.started_ms, tuple(orders.values()), asked, tuple(map(trade_of, trades)),
            dict.fromkeys(self.symbols, start_ms), frozenset(unknown), positions, money.sizes, money.wallet, money.equity,
            money.incomes,
        )  # fmt: skip

    async def _listed(self, start_ms: int, now_ms: int, *, whole: bool) -> dict[tuple[bool, str, int], VenueOrder]:
        """Open orders and the history of both services: what is asked later is believed."""
        found: dict[tuple[bool, str, int], VenueOrder] = {}
        for symbol in (None,) if whole else sorted(self.symbols):
            _put(found, map(order_of, await self._client.open_orders(symbol)))
            _put(found, map(algo_of, await self._client.open_algo_orders(symbol)))
        self.symbols.update(order.symbol for order in found.values())
        for name in sorted(self.symbols):
            _put(found, map(order_of, await self._client.orders_between(name, start_ms, now_ms + OVERLAP_MS)))
            _put(found, map(algo_of, await self._client.algo_orders_between(name, start_ms, now_ms + OVERLAP_MS)))
        return found

    async def _by_id(
        self, rows: Iterable[JournalOrder], found: dict[tuple[bool, str, int], VenueOrder]
    ) -> dict[str, Asked]:
        """Ask both services about each open row that is in no list."""
        shown = {(order.symbol, order.wire_id, order.is_algo) for order in found.values()}
        asked: dict[str, Asked] = {}
        for row in rows:
            if not row.is_over and (row.symbol, row.wire_id, row.is_algo) in shown:
                asked[row.client_order_id] = "found"
            elif not row.is_over:
                asked[row.client_order_id] = await self._ask(row, found)
        return asked

    async def _ask(self, row: JournalOrder, found: dict[tuple[bool, str, int], VenueOrder]) -> Asked:
        try:
            regular = await self._client.order(row.symbol, wire_id=row.wire_id)
            algo = await self._client.algo_order(wire_id=row.wire_id)
        except VenueError:
            return "failed"  # the plan says so, and it is asked again
        _put(found, [] if regular is None else [order_of(regular)])
        _put(found, [] if algo is None else [algo_of(algo)])
        return "absent" if regular is None and algo is None else "found"

    async def _of_trades(
        self, journal: JournalState, trades: Iterable[TradeRow], found: dict[tuple[bool, str, int], VenueOrder], now_ms: int
    ) -> set[Key]:  # fmt: skip
        """Ask for the orders of trades that are not booked, and for the children of conditional orders."""
        began_ms = explained_from_ms(journal, found.values(), now_ms, self._policy)
        wanted = {
            (trade.symbol, trade.order_id): trade.time_ms
            for trade in trades
            if trade.time_ms >= began_ms and (trade.symbol, trade.trade_id) not in journal.trades and trade.trade_id
        }
        wanted |= {(algo.symbol, algo.child): now_ms for algo in found.values() if algo.child is not None}
        unknown: set[Key] = set()
        for (symbol, number), time_ms in wanted.items():
            if (False, symbol, number) in found:
                continue
            row = await self._client.order(symbol, order_id=number)
            if row is not None:
                _put(found, [order_of(row)])
            elif time_ms + self._policy.fence_ms < now_ms:  # a young order may not be shown yet
                unknown.add((symbol, number))
        return unknown

    async def _paged(
        self, journal: JournalState, trades: Iterable[TradeRow], found: dict[tuple[bool, str, int], VenueOrder]
    ) -> list[TradeRow]:  # fmt: skip
        """Trades by the venue's number, of orders that have executed more than is booked or listed."""
        listed: dict[Key, Decimal] = {}
        for trade in trades:
            if (trade.symbol, trade.trade_id) not in journal.trades:
                key = (trade.symbol, trade.order_id)
                listed[key] = listed.get(key, ZERO) + trade.quantity
        booked = {(row.symbol, row.wire_id): row.filled for row in journal.orders}
        more: list[TradeRow] = []
        for order in found.values():
            have = booked.get((order.symbol, order.wire_id))
            if have is not None and have + listed.get((order.symbol, order.number), ZERO) < order.filled:
                more += await self._client.user_trades(order.symbol, order_id=order.number)
        return more

    async def _read_money(self, journal: JournalState, now_ms: int) -> _Money:
        account = await self._client.account()
        midnight = now_ms - now_ms % 86_400_000
        since = midnight if journal.wallet is None else min(midnight, journal.wallet.from_ms)
        rows = await self._client.income_since(since)
        sizes = self._money.sizes if self._money is not None else await self._sizes()
        return _Money(account.wallet, account.equity, tuple(map(income_of, rows)), sizes)

    async def _sizes(self) -> dict[str, Decimal]:
        """Smallest quantity of a market order, by symbol; a symbol without such a rule has no dust."""
        info, sizes = await self._client.exchange_info(), {}
        for one in info.symbols:
            kinds = {rule.get("filterType") for rule in one.filters}
            kind = next((name for name in ("MARKET_LOT_SIZE", "LOT_SIZE") if name in kinds), None)
            if kind is not None:
                sizes[one.symbol] = one.rule(kind, "minQty")
        return sizes


def _put(found: dict[tuple[bool, str, int], VenueOrder], orders: Iterable[VenueOrder]) -> None:
    found |= {(order.is_algo, order.symbol, order.number): order for order in orders}


def order_of(row: OrderRow) -> VenueOrder:
    """Translate a regular order."""
    return VenueOrder(
        row.symbol,
        row.order_id,
        row.wire_id,
        row.side,
        row.quantity,
        row.filled,
        row.status,
        row.time_ms,
        row.updated_ms,
    )


def algo_of(row: AlgoRow) -> VenueOrder:
    """Translate a conditional order."""
    child = int(row.order_id) if row.order_id.isdecimal() and int(row.order_id) else None
    return VenueOrder(
        row.symbol, row.algo_id, row.wire_id, row.side, row.quantity, ZERO, row.status, row.created_ms, row.updated_ms, True,
        row.close_position, child,
    )  # fmt: skip


def trade_of(row: TradeRow) -> VenueTrade:
    """Translate a trade."""
    return VenueTrade(
        row.symbol, row.trade_id, row.order_id, row.side, row.price, row.quantity, row.fee, row.fee_asset, row.maker, row.time_ms
    )  # fmt: skip


def income_of(row: IncomeRow) -> Income:
    """Translate a change of the wallet."""
    return Income(row.kind, row.transaction_id, row.amount, row.asset, row.symbol, row.time_ms)
