"""One look at the account for an audit; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from execution.audit.figures import Account, Books, IncomeFigures, OrderFigures, Settings, TradeFigures, TradeKey
from execution.safety.client import SafetyClient
from execution.safety.reads import PAGE
from execution.safety.rows import AlgoRow, OrderRow, TradeRow
from execution.safety.wire_ids import carries_tag, is_operators, logical_id, wire_id
from runners.config.account import AccountConfig

MOST_ASKED = 20
"""Orders that one look asks about by id."""
LONGEST_MS = 7 * 86_400_000 - 60_000
"""Trades are listed for seven days at most."""


class AccountLook:
    """Asks for one account.

    Parameters
    ----------
    client
        Asks.
    order_tag
        How our client order ids begin.
    """

    def __init__(self, client: SafetyClient, order_tag: str) -> None:
        self._client, self._order_tag = client, order_tag

    async def take(
        self, books: Books, symbols: Iterable[str], *, trades_from_ms: int, whole: bool, settings: bool
    ) -> Account:
        """Look once.

        Parameters
        ----------
        books
            The journal as it was right before: what it holds for open, and what it has booked, decides what is asked.
        symbols
            Whose orders and trades are listed.
        trades_from_ms
            Venue time.
        whole
            Ask for the orders of every symbol and for the money as well (weight 115 more).
        settings
            Ask how the account is set (weight 65 or more).

        Raises
        ------
        VenueError
            When the venue does not answer.
        """
        client, names = self._client, sorted(symbols)
        now_ms = client.clock.ms()
        held = {row.symbol: row.amount for row in await client.positions() if row.amount}
        orders = await self._open(None if whole else names)
        start = max(trades_from_ms, now_ms - LONGEST_MS)
        trades = {trade.key: trade for name in names for trade in await self._trades(name, start, books)}
        wallet, incomes = await self._money(books) if whole else (None, None)
        return Account(
            now_ms=now_ms, open_orders=orders, asked=await self._asked(books, orders), trades=trades, trades_from_ms=start,
            positions=held, wallet=wallet, incomes=incomes, settings=await self.settings(names) if settings else None,
        )  # fmt: skip

    async def settings(self, symbols: Iterable[str]) -> Settings:
        """Ask how the account is set.

        Raises
        ------
        VenueError
            When the venue does not answer.
        """
        wanted = frozenset(symbols)
        rows = [row for row in await self._client.symbol_config() if row.symbol in wanted]
        return Settings(
            hedge=await self._client.hedge_mode(), multi_assets=await self._client.multi_assets_mode(),
            margin={row.symbol: "isolated" if row.margin_type == "ISOLATED" else "cross" for row in rows},
            leverage={row.symbol: row.leverage for row in rows},
        )  # fmt: skip

    async def _open(self, symbols: list[str] | None) -> tuple[OrderFigures, ...]:
        """Open orders of both services; a stop that a watchdog placed has no row, and is looked after by the dead-man."""
        found: list[OrderFigures] = []
        for symbol in [None] if symbols is None else symbols:
            found += [self._order(row) for row in await self._client.open_orders(symbol)]
            algos = await self._client.open_algo_orders(symbol)
            found += [self._algo(row) for row in algos if not (is_operators(row.wire_id) and row.close_position)]
        return tuple(found)

    async def _asked(self, books: Books, there: Iterable[OrderFigures]) -> Mapping[str, OrderFigures | None]:
        listed = {order.client_order_id for order in there}
        asked: dict[str, OrderFigures | None] = {}
        for name in [name for name in books.open if name not in listed][:MOST_ASKED]:
            asked[name] = await self._by_id(books.orders[name].symbol, name)
        return asked

    async def _by_id(self, symbol: str, name: str) -> OrderFigures | None:
        try:
            wire = wire_id(name)
        except ValueError:
            wire = name
        row = await self._client.order(symbol, wire_id=wire)
        if row is not None:
            return self._order(row)
        algo = await self._client.algo_order(wire_id=wire)
        return None if algo is None else self._algo(algo)

    async def _trades(self, symbol: str, start_ms: int, books: Books) -> list[TradeFigures]:
        rows = list(await self._client.user_trades(symbol, start_ms=start_ms))
        if len(rows) >= PAGE:
            rows += await self._client.user_trades_from(symbol, rows[-1].trade_id + 1)
        names: dict[int, str] = {}
        for row in rows:
            if _key(row) not in books.booked and row.order_id not in names:
                names[row.order_id] = await self._name(symbol, row.order_id)
        return [_trade(row, names.get(row.order_id, str(row.order_id))) for row in rows if row.trade_id > 0]

    async def _name(self, symbol: str, number: int) -> str:
        """Whose order made a trade that is not booked."""
        row = await self._client.order(symbol, order_id=number)
        if row is None:
            return f"{number}, which the venue does not know"
        whose = "ours" if carries_tag(row.wire_id, self._order_tag) else "not ours"
        whose = "flatten by hand" if is_operators(row.wire_id) else whose
        return f"{logical_id(row.wire_id)} ({whose})"

    async def _money(self, books: Books) -> tuple[Decimal, tuple[IncomeFigures, ...]]:
        since = books.anchor.ts_ms if books.anchor is not None else 0
        wallet = (await self._client.account()).wallet
        rows = await self._client.income_since(since) if since else []
        return wallet, tuple(
            IncomeFigures(row.kind, row.transaction_id, row.symbol, row.asset, row.amount, row.time_ms, row.trade_id)
            for row in rows
        )

    def _order(self, row: OrderRow) -> OrderFigures:
        return OrderFigures(
            logical_id(row.wire_id), row.symbol, row.side, row.status, row.quantity, row.filled, row.time_ms,
            carries_tag(row.wire_id, self._order_tag),
        )  # fmt: skip

    def _algo(self, row: AlgoRow) -> OrderFigures:
        return OrderFigures(
            logical_id(row.wire_id), row.symbol, row.side, row.status, row.quantity, ts_ms=row.created_ms,
            is_ours=carries_tag(row.wire_id, self._order_tag),
        )  # fmt: skip


def expected_settings(account: AccountConfig, symbols: Iterable[str]) -> Settings:
    """How a configuration wants the account to be set."""
    names = tuple(symbols)
    return Settings(margin=dict.fromkeys(names, account.margin_mode), leverage=dict.fromkeys(names, account.leverage))


def _key(row: TradeRow) -> TradeKey:
    return row.symbol, str(row.trade_id)


def _trade(row: TradeRow, order_id: str) -> TradeFigures:
    return TradeFigures(
        row.symbol, str(row.trade_id), order_id, row.side, row.price, row.quantity, row.fee, row.fee_asset, row.time_ms
    )
