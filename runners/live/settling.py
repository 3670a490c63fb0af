"""After the engine has stopped: the journal is completed from the venue, and the three are held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, InstrumentId, VenueOrderId

from execution.journal import CLOSED, EXTERNAL, MemoryJournal
from execution.journal_records import symbol_of
from execution.records import signed
from execution.safety.client import SafetyClient
from execution.safety.reads import PAGE
from execution.safety.rows import PositionRow, TradeRow
from execution.safety.wire_ids import wire_id
from risk.valuation import unfloated
from runners.live.closes import SOURCE, JournaledCloses, fill_of, instrument_of
from runners.live.starting import Opening

ZERO = Decimal(0)
DAY_MS = 86_400_000
"""Trades and fees of a long session are asked for so far back: what is older, the audit has compared, and told."""
DIGITS = 12
"""More than any size has, fewer than where the engine's sums of floats err."""
ENDS = {
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "EXPIRED",
    "REJECTED": "REJECTED",
    "FILLED": "FILLED",
}


def book_adopted(journal: MemoryJournal, opening: Opening) -> list[str]:
    """Book adopted positions at the mark, without a fee: so every later figure counts them from there.

    Returns
    -------
    list of str
        Where the journal on disk had another position, one line each.
    """
    held = {instrument_of(symbol): (row.amount, row.mark_price) for symbol, row in opening.positions.items()}
    return journal.adopt(opening.ts_ms * 1_000_000, held)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What venue, journal and engine say of one position, base units.

    Attributes
    ----------
    instrument_id
        Of what.
    venue, journal, engine
        Signed; the engine's with what was closed past it.
    """

    instrument_id: str
    venue: Decimal
    journal: Decimal
    engine: Decimal

    @property
    def recorded(self) -> bool:
        """Whether the journal has everything that happened at the venue, to the last unit."""
        return self.venue == self.journal

    @property
    def holds(self) -> bool:
        """Whether all three are the same to the last unit."""
        return self.recorded and self.journal == self.engine


class Settling:
    """Completes one session's journal.

    Parameters
    ----------
    journal, closes
        Of the session; what was sent past the engine.
    client
        Asks the venue.
    cache
        The engine's.
    opening
        Where the session began.

    Attributes
    ----------
    remarks
        What was found that the engine had not told, one line each.
    """

    def __init__(
        self, journal: MemoryJournal, closes: JournaledCloses, client: SafetyClient, cache: Any, opening: Opening
    ) -> None:
        self._journal, self._closes, self._client, self._cache = journal, closes, client, cache
        self._opening = opening
        self._looked_up: dict[int, str] = {}
        self.remarks: list[str] = []

    async def complete(
        self, symbols: tuple[str, ...], settle: Callable[..., None], *, no_orders: bool = True
    ) -> None:  # fmt: skip
        """Take over late events of the engine, then every trade and end of an order that only the venue knows, then funding.

        Parameters
        ----------
        no_orders
            The venue was seen without an open order of ours: without that the engine's word ends none.

        Raises
        ------
        VenueError
            When the venue does not answer.
        """
        lost = self._journal.recall()
        if lost is not None:
            self.remarks.append(lost)
        for symbol in symbols:
            for trade in await self._trades(symbol):
                await self._book(trade)
        still_open = False
        for row in list(self._journal.orders.values()):
            if row["status"] not in CLOSED:
                still_open = await self._end(row, believed=no_orders) or still_open
        settle(self._cache, over=no_orders and not still_open)
        await self._funding()

    async def _trades(self, symbol: str) -> list[TradeRow]:
        start_ms = max(self._opening.ts_ms, self._client.clock.ms() - DAY_MS)
        first = list(await self._client.user_trades(symbol, start_ms=start_ms))
        if len(first) < PAGE:
            return first
        return first + await self._client.user_trades_from(symbol, first[-1].trade_id + 1)

    async def _book(self, trade: TradeRow) -> None:
        """Book a trade that is not booked yet, to the order that it belongs to."""
        if self._journal.has_trade(instrument_of(trade.symbol), str(trade.trade_id)):
            return
        order_id = self._closes.by_number.get(trade.order_id) or await self._order_of(trade)
        row = self._journal.row(order_id)
        self._journal.fill(fill_of(trade, order_id, row["strategy_id"] if row is not None else EXTERNAL))
        if order_id not in self._closes.by_number.values() and not self._engine_knows(order_id, str(trade.trade_id)):
            whose = "ours" if row is not None else "not ours"
            self.remarks.append(f"trade {trade.trade_id} of order {order_id} ({whose}) was booked from the venue alone")

    async def _order_of(self, trade: TradeRow) -> str:
        """Client order id of a trade: a trade names the venue's id only."""
        known = self._cache.client_order_id(VenueOrderId(str(trade.order_id)))
        if known is not None and self._journal.row(str(known)) is not None:
            return str(known)
        if trade.order_id not in self._looked_up:  # the engine may have taken it for a stranger's
            row = await self._client.order(trade.symbol, order_id=trade.order_id)
            self._looked_up[trade.order_id] = f"venue-{trade.order_id}" if row is None else row.logical_id
        return self._looked_up[trade.order_id]

    def _engine_knows(self, order_id: str, trade_id: str) -> bool:
        """Whether its fill is in the engine's order: the handlers of a stopping strategy no longer tell of it."""
        order = self._cache.order(ClientOrderId(order_id))
        return order is not None and any(str(getattr(event, "trade_id", "")) == trade_id for event in order.events())

    async def _end(self, row: dict[str, Any], *, believed: bool) -> bool:
        """Ask how an order ended; True where the venue has it open among its regular orders.

        Where nothing can be open (`believed`) the engine's word about what it closed is good enough.
        """
        order_id = row["client_order_id"]
        order = self._cache.order(ClientOrderId(order_id))
        if believed and order is not None and order.is_closed and row["status"] != "UNKNOWN":
            return False  # `settle` takes it over; where the engine only believes that it is over, the venue is asked
        found = await self._client.order(symbol_of(row["instrument_id"]), wire_id=wire_id(order_id))
        if found is not None and found.status in ENDS:
            self._journal.event(
                found.updated_ms * 1_000_000, order_id, "VenueStatus", ENDS[found.status], "asked at the end"
            )
        return found is not None and found.status not in ENDS

    async def _funding(self) -> None:
        for row in await self._client.income_since(self._opening.ts_ms, kind="FUNDING_FEE"):
            iid, ts_ns = instrument_of(row.symbol), row.time_ms * 1_000_000
            traders = {fill["strategy_id"] for fill in self._journal.fills if fill["instrument_id"] == iid}
            strategy = traders.pop() if len(traders) == 1 else EXTERNAL
            self._journal.funding(ts_ns, iid, strategy, self._held(iid, ts_ns), None, row.amount)

    def _held(self, instrument_id: str, until_ns: int | None = None) -> Decimal:
        fills = (f for f in self._journal.fills if f["instrument_id"] == instrument_id)
        return sum((signed(f) for f in fills if until_ns is None or f["ts_ns"] <= until_ns), ZERO)

    def agreements(
        self, instrument_ids: tuple[str, ...], held: Mapping[str, PositionRow], portfolio: Any
    ) -> list[Agreement]:
        """Hold venue, journal and engine against each other."""
        found = []
        for iid in instrument_ids:
            row = held.get(symbol_of(iid))
            past = sum(
                (signed(f) for f in self._journal.fills if f["strategy_id"] == SOURCE and f["instrument_id"] == iid),
                ZERO,
            )
            engine = unfloated(Decimal(portfolio.net_position(InstrumentId.from_str(iid))), DIGITS) + past
            found.append(Agreement(iid, row.amount if row is not None else ZERO, self._held(iid), engine))
        return found
