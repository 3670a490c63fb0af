"""The seconds between the last look of recovery and the engine's own stream: what happened in them is asked for once more.

A user stream of our own is no way to see them: the listen key is one per account, and the engine deletes it when it stops
(`docs/recovery.md`). So the venue's list is read again when the engine is ready, from the instant of READY on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from execution.journal import MemoryJournal
from execution.journal_read import read_journal
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.rows import TradeRow
from execution.safety.wire_ids import carries_tag
from risk.breach import Figure
from runners.live.closes import PROTECTIVE, fill_of, instrument_of

LOOK_SECS = 0.05
OVERLAP_MS = 2_000
"""The list begins so long before READY; what is booked already is not booked again."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What closing the gap needs.

    Attributes
    ----------
    client, journal
        Asks; takes what is found.
    path
        The journal file: rows of earlier sessions.
    order_tag, symbols
        Of the account.
    since_ms
        Venue time of READY.
    prefix
        How ids of this session's strategies begin: the engine tells of those.
    trip
        A protective stop that was reached trips the kill switch, as it does while the session runs.
    say
        Tells a person.
    """

    client: SafetyClient
    journal: MemoryJournal
    path: Path
    order_tag: str
    symbols: tuple[str, ...]
    since_ms: int
    prefix: str
    trip: Callable[[str, Mapping[str, Figure]], None]
    say: Callable[[str, str], None]


async def close_when_ready(gap: Gap, runs: Callable[[], bool], over: Callable[[], bool]) -> None:
    """Wait for the engine, then close the gap; without an answer it is tried again."""
    while not over():
        if runs():
            try:
                await close_gap(gap)
            except VenueError:
                await asyncio.sleep(
                    10 * LOOK_SECS
                )  # the watch that follows would name its own orders as a silent stream
            else:
                return
        await asyncio.sleep(LOOK_SECS)


async def close_gap(gap: Gap) -> int:
    """Book trades of earlier sessions' orders since READY; return how many. What is not ours is left to those who watch for it.

    Raises
    ------
    VenueError
        When the venue does not answer.
    """
    booked = 0
    for symbol in gap.symbols:
        for trade in await gap.client.trades_since(symbol, gap.since_ms - OVERLAP_MS, gap.client.clock.ms()):
            if not gap.journal.has_trade(instrument_of(symbol), str(trade.trade_id)):
                booked += await _book(gap, trade)
    return booked


async def _book(gap: Gap, trade: TradeRow) -> bool:
    order = await gap.client.order(trade.symbol, order_id=trade.order_id)
    if order is None or not carries_tag(order.wire_id, gap.order_tag) or order.logical_id.startswith(gap.prefix):
        return False
    row = read_journal(gap.path).order(order.logical_id)
    if row is None or not gap.journal.fill(fill_of(trade, order.logical_id, row.strategy_id)):
        return False
    text = f"{trade.symbol} {trade.side} {trade.quantity:f} at {trade.price:f}"
    gap.say(
        "found", f"trade {trade.trade_id} {text} of {order.logical_id}: it came while the engine started, and is booked"
    )
    if row.source == PROTECTIVE:
        gap.trip(f"the protective stop of {trade.symbol} was reached: {text}", {"symbol": trade.symbol})
    return True
