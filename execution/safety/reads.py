"""Questions to the venue."""

from __future__ import annotations

from collections.abc import Set

from execution.safety import endpoints, rows
from execution.safety.asker import Asker, Value
from execution.safety.endpoints import Endpoint
from execution.safety.failures import OutcomeUnknown

NO_SUCH_ORDER = -2013
PAGE = 1000
MOST_PAGES = 100
LONGEST_SPAN_MS = 7 * 86_400_000 - 60_000
"""Of a question about orders or trades."""


class Reads(Asker):
    """Requests that change nothing. All raise `VenueError` when they are not answered."""

    async def exchange_info(self) -> rows.ExchangeInfo:
        """Limits of the venue, contracts and their filters."""
        return await self._ask(endpoints.EXCHANGE_INFO, rows.ExchangeInfo, {})

    async def open_orders(self, symbol: str | None = None) -> tuple[rows.OrderRow, ...]:
        """Open regular orders of a symbol, or of all (weight 40)."""
        return await self._ask(endpoints.OPEN_ORDERS, tuple[rows.OrderRow, ...], {"symbol": symbol})

    async def open_algo_orders(self, symbol: str | None = None) -> tuple[rows.AlgoRow, ...]:
        """Conditional orders that wait, of a symbol, or of all (weight 40)."""
        return await self._ask(endpoints.OPEN_ALGO_ORDERS, tuple[rows.AlgoRow, ...], {"symbol": symbol})

    async def order(
        self, symbol: str, *, wire_id: str | None = None, order_id: int | None = None
    ) -> rows.OrderRow | None:
        """One regular order, whatever became of it; None when the venue answers that it knows none (-2013).

        None proves nothing by itself: the venue may not show a young order yet (`recovery.md` 1, "absent").
        """
        params = {"symbol": symbol} | one_id("origClientOrderId", wire_id, "orderId", order_id)
        return await self._find(endpoints.ORDER, rows.OrderRow, params)

    async def algo_order(self, *, wire_id: str | None = None, algo_id: int | None = None) -> rows.AlgoRow | None:
        """One conditional order; None as for `order`."""
        return await self._find(endpoints.ALGO_ORDER, rows.AlgoRow, one_id("clientAlgoId", wire_id, "algoId", algo_id))

    async def _find[T](self, endpoint: Endpoint, shape: type[T], params: dict[str, Value]) -> T | None:
        try:
            return await self._ask(endpoint, shape, params)
        except OutcomeUnknown as error:
            if error.code == NO_SUCH_ORDER:
                return None
            raise

    async def user_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = PAGE,
    ) -> tuple[rows.TradeRow, ...]:
        """One page of our fills, oldest first; without bounds the newest. A time span may not exceed seven days."""
        params: dict[str, Value] = {"symbol": symbol, "fromId": from_id, "orderId": order_id}
        params |= {"startTime": start_ms, "endTime": end_ms, "limit": limit}
        return await self._ask(endpoints.USER_TRADES, tuple[rows.TradeRow, ...], params)

    async def user_trades_from(self, symbol: str, from_id: int, page: int = PAGE) -> list[rows.TradeRow]:
        """All our fills from a trade id on, page by page.

        Raises
        ------
        OverflowError
            After a hundred full pages.
        """
        found: list[rows.TradeRow] = []
        for _ in range(MOST_PAGES):
            got = await self.user_trades(symbol, from_id=from_id, limit=page)
            found += got
            if len(got) < page:
                return found
            from_id = got[-1].trade_id + 1
        raise OverflowError(f"more than {MOST_PAGES * page} trades of {symbol} since trade {from_id}")

    async def orders_between(self, symbol: str, start_ms: int, end_ms: int, page: int = PAGE) -> list[rows.OrderRow]:
        """All regular orders that were placed in a time span, whatever became of them.

        A full page does not say which end of the span it shows, so the span is halved until no page is full. Unfilled orders are
        listed for three days after their end.
        """
        found: dict[int, rows.OrderRow] = {}
        spans = [(at, min(at + LONGEST_SPAN_MS, end_ms)) for at in range(start_ms, end_ms + 1, LONGEST_SPAN_MS)]
        while spans:
            first, last = spans.pop()
            params: dict[str, Value] = {"symbol": symbol, "startTime": first, "endTime": last, "limit": page}
            got = await self._ask(endpoints.ALL_ORDERS, tuple[rows.OrderRow, ...], params)
            found |= {row.order_id: row for row in got}
            if len(got) >= page and last > first:
                middle = (first + last) // 2
                spans += [(first, middle), (middle + 1, last)]
        return [found[number] for number in sorted(found)]

    async def algo_orders_between(
        self, symbol: str, start_ms: int, end_ms: int, page: int = PAGE
    ) -> list[rows.AlgoRow]:
        """All conditional orders placed in a time span, whatever became of them; the last `page` of each seven days."""
        found: dict[int, rows.AlgoRow] = {}
        for first in range(start_ms, end_ms + 1, LONGEST_SPAN_MS):
            params: dict[str, Value] = {
                "symbol": symbol, "startTime": first, "endTime": min(first + LONGEST_SPAN_MS, end_ms), "limit": page,
            }  # fmt: skip
            got = await self._ask(endpoints.ALL_ALGO_ORDERS, tuple[rows.AlgoRow, ...], params)
            found |= {row.algo_id: row for row in got if start_ms <= row.created_ms <= end_ms}
        return [found[number] for number in sorted(found)]

    async def trades_since(self, symbol: str, start_ms: int, now_ms: int) -> list[rows.TradeRow]:
        """All our fills since a time, oldest first; the venue lists seven days at once."""
        found: dict[int, rows.TradeRow] = {}
        for first in range(start_ms, now_ms + 1, LONGEST_SPAN_MS):
            last = min(first + LONGEST_SPAN_MS, now_ms + LONGEST_SPAN_MS)
            got = await self.user_trades(symbol, start_ms=first, end_ms=last)
            found |= {row.trade_id: row for row in got}
            if len(got) >= PAGE:
                rest = await self.user_trades_from(symbol, got[-1].trade_id + 1)
                found |= {row.trade_id: row for row in rest}
                break
        return [found[number] for number in sorted(found)]

    async def positions(self) -> tuple[rows.PositionRow, ...]:
        """Positions that are not flat, and flat ones with an open order."""
        return await self._ask(endpoints.POSITIONS, tuple[rows.PositionRow, ...], {})

    async def position(self, symbol: str) -> rows.PositionRow:
        """Position of a symbol in one-way mode; a flat one when the venue lists none."""
        found = await self._ask(endpoints.POSITIONS, tuple[rows.PositionRow, ...], {"symbol": symbol})
        listed = (one for one in found if one.symbol == symbol and one.position_side == "BOTH")
        return next(listed, rows.PositionRow(symbol=symbol, amount=rows.ZERO))

    async def balances(self) -> tuple[rows.BalanceRow, ...]:
        """Balances by asset, with the venue's alias of the account."""
        return await self._ask(endpoints.BALANCES, tuple[rows.BalanceRow, ...], {})

    async def account(self) -> rows.AccountRow:
        """Wallet, equity and margin of the account."""
        return await self._ask(endpoints.ACCOUNT, rows.AccountRow, {})

    async def income(
        self, start_ms: int, *, page: int = 1, limit: int = PAGE, kind: str | None = None
    ) -> tuple[rows.IncomeRow, ...]:
        """One page of changes of the wallet since a time, oldest first; the venue keeps them for three months."""
        params: dict[str, Value] = {"startTime": start_ms, "page": page, "limit": limit, "incomeType": kind}
        return await self._ask(endpoints.INCOME, tuple[rows.IncomeRow, ...], params)

    async def income_since(
        self, start_ms: int, seen: Set[tuple[str, int]] = frozenset(), limit: int = PAGE, *, kind: str | None = None
    ) -> list[rows.IncomeRow]:
        """All changes of the wallet, or those of one kind, since a time whose (kind, transaction id) is not in `seen`, each once.

        Raises
        ------
        OverflowError
            After a hundred full pages.
        """
        fresh: dict[tuple[str, int], rows.IncomeRow] = {}
        for number in range(1, MOST_PAGES + 1):
            got = await self.income(start_ms, page=number, limit=limit, kind=kind)
            fresh |= {row.key: row for row in got if row.key not in seen}
            if len(got) < limit:
                return list(fresh.values())
        raise OverflowError(f"more than {MOST_PAGES * limit} changes of the wallet since {start_ms}")

    async def hedge_mode(self) -> bool:
        """Whether the account is in hedge mode."""
        return (await self._ask(endpoints.POSITION_MODE, rows.PositionMode, {})).hedge

    async def multi_assets_mode(self) -> bool:
        """Whether several assets are margin together."""
        return (await self._ask(endpoints.ASSETS_MODE, rows.AssetsMode, {})).multi

    async def commission(self, symbol: str) -> rows.CommissionRow:
        """Fee rates of a symbol."""
        return await self._ask(endpoints.COMMISSION, rows.CommissionRow, {"symbol": symbol})

    async def symbol_config(self, symbol: str | None = None) -> tuple[rows.SymbolConfigRow, ...]:
        """Leverage and margin type of a symbol, or of all."""
        return await self._ask(endpoints.SYMBOL_CONFIG, tuple[rows.SymbolConfigRow, ...], {"symbol": symbol})

    async def brackets(self) -> tuple[rows.BracketsRow, ...]:
        """Leverage brackets of all symbols."""
        return await self._ask(endpoints.BRACKETS, tuple[rows.BracketsRow, ...], {})

    async def key_permissions(self) -> rows.KeyPermissions:
        """What the key may do; `NotSent` where the environment has no wallet host."""
        return await self._ask(endpoints.KEY_PERMISSIONS, rows.KeyPermissions, {})


def one_id(text_name: str, text: str | None, number_name: str, number: int | None) -> dict[str, Value]:
    """Name an order by exactly one id.

    Raises
    ------
    ValueError
        When none or both are given.
    """
    if (text is None) == (number is None):
        raise ValueError("an order is named by its id on the wire or by the venue's id, one of the two")
    return {text_name: text} if number is None else {number_name: number}
