"""Closing orders that the runner sends past the engine: named, journaled before they leave, filled in from the venue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from execution.ids import ClientOrderIds, random_epoch
from execution.journal import Fill, Journal
from execution.safety.rows import OrderRow, TradeRow
from risk.request import OrderRequest, Purpose, Side

SOURCE = "stop"


def instrument_of(symbol: str) -> str:
    """Instrument id of a USD-M symbol."""
    return f"{symbol}-PERP.BINANCE"


def symbol_of(instrument_id: str) -> str:
    """Symbol of a USD-M instrument id."""
    return instrument_id.removesuffix("-PERP.BINANCE")


class JournaledCloses:
    """Gives ids of an epoch of its own, so that they never meet those of the strategies.

    Parameters
    ----------
    journal
        Where orders, answers and fills go.
    order_tag
        How client order ids of this account begin.
    now_ns
        Clock, UTC nanoseconds.

    Attributes
    ----------
    by_number
        Client order id of each order that the venue took, by the venue's own id.
    """

    def __init__(self, journal: Journal, order_tag: str, now_ns: Callable[[], int]) -> None:
        self._journal, self._ids = journal, ClientOrderIds(order_tag, random_epoch())
        self._now_ns = now_ns
        self.by_number: dict[int, str] = {}

    def next_close(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal) -> str:
        """See `runners.live.clearing.Closes`."""
        order_id = self._ids.next()
        request = OrderRequest(
            SOURCE, instrument_of(symbol), order_id, Side[side], "MARKET", quantity, None, False, True, "GTC", self._now_ns(),
            Purpose(why="flatten", source=SOURCE),
        )  # fmt: skip
        self._journal.order(request, None)
        return order_id

    def sent(self, client_order_id: str, row: OrderRow) -> None:
        """See `runners.live.clearing.Closes`."""
        self.by_number[row.order_id] = client_order_id
        self._journal.event(row.updated_ms * 1_000_000, client_order_id, "VenueAccepted", "ACK", row.status)

    def refused(self, client_order_id: str, why: str) -> None:
        """See `runners.live.clearing.Closes`."""
        self._journal.event(self._now_ns(), client_order_id, "VenueRejected", "REJECTED", why)


def fill_of(trade: TradeRow, client_order_id: str, strategy_id: str) -> Fill:
    """Translate a trade that the venue lists."""
    return Fill(
        ts_ns=trade.time_ms * 1_000_000, trade_id=str(trade.trade_id), strategy_id=strategy_id,
        instrument_id=instrument_of(trade.symbol), client_order_id=client_order_id, side=trade.side, price=trade.price,
        quantity=trade.quantity, liquidity="MAKER" if trade.maker else "TAKER", fee=trade.fee, fee_asset=trade.fee_asset,
    )  # fmt: skip
