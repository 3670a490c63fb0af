"""The journal's side of an audit: from the rows of a running session, or from the file."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from execution.audit.figures import Anchor, Books, IncomeFigures, IncomeKey, OrderFigures, TradeFigures, TradeKey
from execution.journal import CLOSED, MemoryJournal, unanswered
from execution.journal_read import FillRecord, JournalState, OrderRecord, symbol_of

NS_PER_MS = 1_000_000
LATE_NS = 60 * 10**9
"""A fill may be booked so much later than others that were traded after it."""


class _Rows(Mapping[str, OrderFigures]):
    """Rows of a session, translated as they are asked for: there may be many, and an audit asks for few.

    It is gone through as far as the rows are in memory.
    """

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    def __getitem__(self, name: str) -> OrderFigures:
        row = self._journal.row(name)
        if row is None:
            raise KeyError(name)
        return _of_row(row)

    def __iter__(self) -> Iterator[str]:
        return iter(self._journal.orders)

    def __len__(self) -> int:
        return len(self._journal.orders)


class _Booked(Container[TradeKey]):
    """Whether a trade is booked, by this session or an earlier one."""

    def __init__(self, journal: MemoryJournal, instruments: Mapping[str, str]) -> None:
        self._journal, self._instruments = journal, instruments

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple):
            return False
        symbol, trade_id = key
        return self._journal.has_trade(self._instruments.get(symbol, f"{symbol}-PERP.BINANCE"), trade_id)


def books_of_session(
    journal: MemoryJournal, instrument_ids: Iterable[str], anchor: Anchor, incomes: Mapping[IncomeKey, IncomeFigures], *,
    since_ms: int,
) -> Books:  # fmt: skip
    """Take the rows of a running session; adopted positions are fills among them.

    Parameters
    ----------
    journal, instrument_ids, incomes
        Of the session.
    anchor
        Wallet when it began.
    since_ms
        Fills from before are known to be right.
    """
    since_ns = since_ms * NS_PER_MS
    instruments = {symbol_of(iid): iid for iid in instrument_ids}
    trades: dict[TradeKey, TradeFigures] = {}
    for fill in reversed(journal.fills):
        if fill["ts_ns"] < since_ns - LATE_NS:
            break
        trade = _of_fill(fill)
        trades[trade.key] = trade
    return Books(
        orders=_Rows(journal),
        open=tuple(name for name, row in journal.orders.items() if row["status"] not in CLOSED),
        trades=trades, booked=_Booked(journal, instruments),
        net={symbol: journal.net(iid) for symbol, iid in instruments.items()}, incomes=incomes, anchor=anchor,
    )  # fmt: skip


def books_of_file(state: JournalState, *, since_ms: int) -> Books:
    """Take a journal file, all sessions of it.

    Parameters
    ----------
    state
        As `execution.journal_read.read_journal` gives it, with nothing left out.
    since_ms
        Fills and payments from before are not compared one by one.
    """
    trades = [_of_record(fill) for fill in state.fills if fill.ts_ns >= since_ms * NS_PER_MS]
    reading = state.wallet.get("USDT")
    incomes = {
        (row.kind, row.transaction_id): IncomeFigures(
            row.kind, row.transaction_id, row.symbol, row.asset, row.amount, row.ts_ms
        )
        for row in state.income
    }
    return Books(
        orders={order.client_order_id: _of_order(order) for order in state.orders},
        open=tuple(order.client_order_id for order in state.orders if not order.is_closed),
        trades={trade.key: trade for trade in trades},
        booked=frozenset((symbol, one) for symbol, ids in state.trade_ids.items() for one in ids),
        net=state.net, incomes=incomes, anchor=None if reading is None else Anchor(reading.balance, reading.ts_ms),
    )  # fmt: skip


def _of_fill(fill: Mapping[str, Any]) -> TradeFigures:
    return TradeFigures(
        symbol_of(fill["instrument_id"]), fill["trade_id"], fill["client_order_id"], fill["side"], fill["price"],
        fill["quantity"], fill["fee"], fill["fee_asset"], fill["ts_ns"] // NS_PER_MS,
    )  # fmt: skip


def _of_row(row: Mapping[str, Any]) -> OrderFigures:
    return OrderFigures(
        row["client_order_id"], symbol_of(row["instrument_id"]), row["side"], row["status"], row["quantity"],
        row["filled_quantity"], row["ts_ns"] // NS_PER_MS, is_answered=not unanswered(row),
    )  # fmt: skip


def _of_record(fill: FillRecord) -> TradeFigures:
    return TradeFigures(
        fill.symbol, fill.trade_id, fill.client_order_id, fill.side, fill.price, fill.quantity, fill.fee, fill.fee_asset,
        fill.ts_ns // NS_PER_MS,
    )  # fmt: skip


def _of_order(order: OrderRecord) -> OrderFigures:
    return OrderFigures(
        order.client_order_id, order.symbol, order.side, order.status, order.quantity, order.filled_quantity,
        order.ts_ns // NS_PER_MS, is_answered=order.status != "NEW" and (order.is_closed or order.ts_accepted is not None),
    )  # fmt: skip
