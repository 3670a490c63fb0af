"""R-13: what changes the account without us: liquidation, auto-deleveraging, settlement, a person. It trips the kill switch.

The engine books such a fill a few milliseconds after the venue tells of it, under EXTERNAL: so every limit counts it at once. That
it is not ours is seen where the engine's net position leaves the sum of our own fills. As the user stream can be dead, and as other
symbols are not the engine's, the venue's own list is held against our fills as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from execution.journal import CLOSED, MemoryJournal
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.rows import TradeRow
from execution.safety.wire_ids import carries_tag, is_operators, logical_id
from risk.breach import Figure
from runners.live.closes import PROTECTIVE, fill_of, instrument_of

LOOK_SECS = 0.1
"""Between two looks at the engine's position."""
ASK_SECS = 2.0
"""Between two looks at the venue's list: weight 5 each, 150 of 2,400 a minute."""
PATIENCE_SECS = 0.5
"""For the venue to say whose trade it was; without an answer it was not ours."""
AGAIN_SECS = 1.0
"""Between two questions about the same difference, which our own fill explains when it is booked."""
SHOWN_MS = 5000
"""The venue shows an order by its id at the latest so long after its trade: -2013 was seen for three seconds (O-4)."""
LOST_SECS = 5.0
"""A difference that no trade explains for so long means that the engine is wrong."""
PAGE = 100
KINDS = {"autoclose-": "liquidation", "adl_autoclose": "auto-deleveraging", "settlement_autoclose-": "settlement"}

type Trip = Callable[[str, Mapping[str, Figure]], None]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A trade that no order of this session made.

    Attributes
    ----------
    trade
        As the venue lists it.
    client_order_id
        Of its order, without the engine's prefix.
    ours
        It carries our tag: a fill that we were not told of.
    is_stop
        Of a protective stop of ours, of this session or an earlier one, which was reached.
    is_known
        The venue shows its order; a young one it may not show yet.
    """

    trade: TradeRow
    client_order_id: str
    ours: bool
    is_stop: bool = False
    is_known: bool = True

    def __str__(self) -> str:
        """As it is told."""
        kind = next(
            (name for prefix, name in KINDS.items() if self.client_order_id.startswith(prefix)), "not our order"
        )
        trade = self.trade
        if self.is_stop:
            return f"{trade.symbol} {trade.side} {trade.quantity:f} at {trade.price:f}"
        return f"{kind}: {trade.symbol} {trade.side} {trade.quantity:f} at {trade.price:f} by {self.client_order_id}"


class Strangers:
    """Watches one account while its session runs.

    Parameters
    ----------
    client
        Asks the venue.
    journal
        Our own fills, adopted positions included.
    order_tag, symbols
        Of the account.
    since_ms
        Start of the session, venue time.
    engine_net
        The engine's net position of an instrument, signed base units.
    trip
        Told the reason and figures when somebody else has traded.
    fault
        Told when a fill of ours was not told, or the engine holds what nobody traded.
    waits
        Whether an order of a symbol is in doubt and followed: what it makes of the position is not yet known.
    """

    def __init__(
        self, client: SafetyClient, journal: MemoryJournal, order_tag: str, symbols: tuple[str, ...], since_ms: int,
        engine_net: Callable[[str], Decimal], trip: Trip, fault: Callable[[str], None],
        waits: Callable[[str], bool] = lambda _symbol: False,
    ) -> None:  # fmt: skip
        self._client, self._journal, self._order_tag, self._symbols = client, journal, order_tag, symbols
        self._since_ms, self._engine_net, self._trip, self._fault = since_ms, engine_net, trip, fault
        self._waits = waits
        self._doubts: dict[str, Decimal] = {}
        self._differs: dict[str, tuple[float, float]] = {}

    async def watch(self, runs: Callable[[], bool], over: Callable[[], bool]) -> None:
        """Look until something is found or the session is over; `runs` is False while the engine is not ready."""
        asked = time.monotonic()
        while not over():
            if runs():
                told = await self.look()
                if not told and time.monotonic() - asked >= ASK_SECS:
                    asked = time.monotonic()
                    told = await self.ask()
                if told:
                    return
            await asyncio.sleep(LOOK_SECS)

    async def look(self) -> bool:
        """Hold the engine's positions against our fills; True when it was told."""
        for symbol in self._symbols:
            iid = instrument_of(symbol)
            engine, own = self._engine_net(iid), self._journal.net(iid)
            if engine == own:
                self._differs.pop(symbol, None)
            elif await self._differing(symbol, engine, own):
                return True
        return False

    async def _differing(self, symbol: str, engine: Decimal, own: Decimal) -> bool:
        """Ask whose trade it was, at once and then now and then."""
        now = time.monotonic()
        since, asked = self._differs.get(symbol, (now, now - AGAIN_SECS))
        if now - asked < AGAIN_SECS:
            return False
        self._differs[symbol] = (since, now)
        if await self._explained(symbol, engine, own):
            return True
        if now - since < LOST_SECS or self._waits(symbol):
            return False
        self._fault(f"the engine holds {engine:f} {symbol}, our trades and the venue's list make it {own:f}")
        return True

    async def ask(self) -> bool:
        """Hold the venue's positions against our fills; a difference counts when two looks show the same."""
        before = self._own()
        try:
            held = {row.symbol: row.amount for row in await self._client.positions()}
        except VenueError:
            return False  # that the venue cannot be asked is seen by others: feed, private stream, the next look
        after, doubts = self._own(), self._doubts
        self._doubts = {
            symbol: amount
            for symbol in {*held, *after}
            if (amount := held.get(symbol, Decimal(0))) not in (before.get(symbol, Decimal(0)), after.get(symbol, 0))
        }
        for symbol, amount in self._doubts.items():
            if doubts.get(symbol) == amount and await self._explained(symbol, amount, after.get(symbol, Decimal(0))):
                return True
        return False

    def _own(self) -> dict[str, Decimal]:
        return {symbol: self._journal.net(instrument_of(symbol)) for symbol in self._symbols}

    async def _explained(self, symbol: str, found: Decimal, own: Decimal) -> bool:
        """Find out whose trades make the difference, and tell."""
        figures: dict[str, Figure] = {"symbol": symbol, "position": f"{found:f}", "ours": f"{own:f}"}
        position = f"{symbol} is {found:f}, our own trades make it {own:f}"
        try:
            unknown = await asyncio.wait_for(self._unknown(symbol), PATIENCE_SECS)
        except (VenueError, TimeoutError) as error:
            why = "the venue does not answer" if isinstance(error, TimeoutError) else str(error)
            self._trip(f"the position changed without us: {position}; {why}", figures)
            return True
        strangers, stops = [one for one in unknown if not one.ours], [one for one in unknown if one.is_stop]
        # The venue may not show a young order yet: it may be the one that is being asked for, or that its event tells of next.
        strangers = [
            one for one in strangers if one.is_known or not (self._waits(symbol) or self._may_be_ours(one.trade))
        ]
        unknown = [one for one in unknown if one.ours or one in strangers]
        for one in stops:  # the engine books it under EXTERNAL: the journal knows whose it is
            self._journal.fill(fill_of(one.trade, one.client_order_id, PROTECTIVE))
        if strangers:
            told = "; ".join(str(one) for one in strangers[:3])
            self._trip(f"the position changed without us: {told}; {position}", figures)
        elif stops:
            self._trip(
                f"the protective stop of {symbol} was reached: {'; '.join(str(one) for one in stops[:3])}", figures
            )
        elif unknown and self._waits(symbol):
            return False  # it is booked by whoever follows it (`runners.live.doubts`)
        elif unknown:
            self._fault(
                f"the private stream is silent: order {unknown[0].client_order_id} traded at the venue, and nothing was heard "
                f"of trade {unknown[0].trade.trade_id}"
            )
        elif symbol not in self._symbols:  # how it came about cannot be listed, and no limit counts it
            self._trip(f"the position changed without us: {position}", figures)
        else:
            return False  # our own fill, which the journal has by now
        return True

    def _may_be_ours(self, trade: TradeRow) -> bool:
        """Whether a young trade may be of an order of ours that works on that side."""
        iid = instrument_of(trade.symbol)
        return self._client.clock.ms() - trade.time_ms < SHOWN_MS and any(
            (row["instrument_id"], row["side"]) == (iid, trade.side) and row["status"] not in CLOSED
            for row in reversed(self._journal.orders.values())
        )

    async def _unknown(self, symbol: str) -> list[Foreign]:
        iid, found = instrument_of(symbol), []
        for trade in await self._client.user_trades(symbol, limit=PAGE):
            if trade.time_ms >= self._since_ms and not self._journal.has_trade(iid, str(trade.trade_id)):
                found.append(await self._foreign(trade))
        return [one for one in found if not self._journal.has_trade(iid, str(one.trade.trade_id))]

    async def _foreign(self, trade: TradeRow) -> Foreign:
        row = await self._client.order(trade.symbol, order_id=trade.order_id)
        if row is None:
            return Foreign(trade, f"venue-{trade.order_id}", ours=False, is_known=False)
        known = self._journal.row(row.logical_id)
        watchdogs = (
            is_operators(row.wire_id) and row.close_position
        )  # a stop that outlived the node which it was placed for
        ours = carries_tag(row.wire_id, self._order_tag) or watchdogs
        is_stop = ours and (row.close_position or (known is not None and known["source"] == PROTECTIVE))
        return Foreign(trade, logical_id(row.wire_id), ours, is_stop)
