"""Closing orders and stops that the runner sends past the engine: named, journaled before they leave, filled in from the venue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from execution.ids import ClientOrderIds, random_epoch
from execution.journal import Fill, Journal
from execution.journal_file import JournalFailed
from execution.safety.rows import OrderRow, TradeRow
from risk.request import OrderRequest, Purpose, Side

SOURCE = "stop"
PROTECTIVE = "protective"
"""Source, and strategy, of the stops at the venue that protect open positions."""


def instrument_of(symbol: str) -> str:
    """Instrument id of a USD-M symbol."""
    return f"{symbol}-PERP.BINANCE"


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
    epoch
        Of these ids, where the journal has drawn one; None draws it here.

    Attributes
    ----------
    by_number
        Client order id of each order that the venue took, by the venue's own id.
    unrecorded
        Orders whose row could not be written, and why: closing a position never waits for a disk (`recovery.md` 9).
    """

    def __init__(self, journal: Journal, order_tag: str, now_ns: Callable[[], int], epoch: int | None = None) -> None:
        self._journal, self._ids = journal, ClientOrderIds(order_tag, random_epoch() if epoch is None else epoch)
        self._now_ns = now_ns
        self.by_number: dict[int, str] = {}
        self.unrecorded: dict[str, str] = {}

    def next_close(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal) -> str:
        """See `runners.live.clearing.Closes`."""
        order_id = self._ids.next()
        request = OrderRequest(
            SOURCE, instrument_of(symbol), order_id, Side[side], "MARKET", quantity, None, False, True, "GTC", self._now_ns(),
            Purpose(why="flatten", source=SOURCE),
        )  # fmt: skip
        self._record(request)
        return order_id

    def next_stop(self, symbol: str, side: Literal["BUY", "SELL"], quantity: Decimal, trigger: Decimal) -> str:
        """Record a stop that closes the whole position, before it is placed; its price is the trigger."""
        order_id = self._ids.next()
        request = OrderRequest(
            PROTECTIVE, instrument_of(symbol), order_id, Side[side], "STOP_MARKET", quantity, trigger, False, True, "GTC",
            self._now_ns(), Purpose(why="protects the position", source=PROTECTIVE),
        )  # fmt: skip
        self._record(request)
        return order_id

    def stop_is(self, client_order_id: str, event: str, status: str | None, detail: str) -> None:
        """Record what became of a stop."""
        self._note(self._now_ns(), client_order_id, event, status, detail)

    def sent(self, client_order_id: str, row: OrderRow) -> None:
        """See `runners.live.clearing.Closes`."""
        self.by_number[row.order_id] = client_order_id
        self._note(row.updated_ms * 1_000_000, client_order_id, "VenueAccepted", "ACK", row.status)

    def refused(self, client_order_id: str, why: str) -> None:
        """See `runners.live.clearing.Closes`."""
        self._note(self._now_ns(), client_order_id, "VenueRejected", "REJECTED", why)

    def _record(self, request: OrderRequest) -> None:
        """Write the row of an order that can only reduce risk; without it the order goes all the same, the venue remembers it."""
        try:
            self._journal.order(request, None)
        except JournalFailed as error:
            self.unrecorded[request.client_order_id] = str(error)

    def _note(self, ts_ns: int, client_order_id: str, event: str, status: str | None, detail: str) -> None:
        try:
            self._journal.event(ts_ns, client_order_id, event, status, detail)
        except JournalFailed as error:
            self.unrecorded[client_order_id] = str(error)


def fill_of(trade: TradeRow, client_order_id: str, strategy_id: str) -> Fill:
    """Translate a trade that the venue lists."""
    return Fill(
        ts_ns=trade.time_ms * 1_000_000, trade_id=str(trade.trade_id), strategy_id=strategy_id,
        instrument_id=instrument_of(trade.symbol), client_order_id=client_order_id, side=trade.side, price=trade.price,
        quantity=trade.quantity, liquidity="MAKER" if trade.maker else "TAKER", fee=trade.fee, fee_asset=trade.fee_asset,
    )  # fmt: skip
