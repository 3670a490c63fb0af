"""Funding of perpetuals: rates into the engine, settled payments out of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.model import FundingRateUpdate, InstrumentId

from catalog.stretch import Chunk

NS_PER_8H = 8 * 3_600 * 1_000_000_000
MINUTES_PER_8H = 480


@dataclass(frozen=True, slots=True)
class Payment:
    """One funding payment as the engine booked it.

    Attributes
    ----------
    ts_ns
        Settlement time.
    instrument_id, strategy_id
        Of the position; the strategy id is the engine's.
    position
        Signed base units that were held.
    rate
        Rate that was settled; None where the data did not announce it.
    amount
        Settlement currency, positive when received.
    """

    ts_ns: int
    instrument_id: str
    strategy_id: str
    position: Decimal
    rate: Decimal | None
    amount: Decimal


def constant_rates(instrument_id: str, bps: float, start_ns: int, end_ns: int) -> list[FundingRateUpdate]:
    """Make the announcements of one rate at every 00, 08 and 16 UTC: at the start, then at each funding time."""
    rate, found, ts = Decimal(repr(bps)) / 10_000, [], start_ns
    iid = InstrumentId.from_str(instrument_id)
    while ts < end_ns:
        following = (ts // NS_PER_8H + 1) * NS_PER_8H
        found.append(FundingRateUpdate(iid, rate, ts, ts, MINUTES_PER_8H, following))
        ts = following
    return found


def merged(chunks: Iterable[list[Any]], updates: Sequence[FundingRateUpdate]) -> Iterator[list[Any]]:
    """Put rate announcements into the stream, before events of the same time."""
    waiting = sorted(updates, key=lambda update: update.ts_init)
    for chunk in chunks:
        due = bisect_left(waiting, chunk[-1].ts_init, key=lambda update: update.ts_init) if chunk else 0
        if chunk and due < len(waiting) and waiting[due].ts_init == chunk[-1].ts_init:
            due += 1
        taken, waiting = waiting[:due], waiting[due:]
        yield _put_in(taken, chunk) if taken else chunk


def _put_in(updates: list[FundingRateUpdate], chunk: list[Any]) -> list[Any]:
    events = sorted([*updates, *chunk], key=lambda event: event.ts_init)
    return chunk.holding(events) if isinstance(chunk, Chunk) else events


class SettledRates:
    """Remembers which rate was announced for which settlement."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, int], Decimal] = {}

    def add(self, update: FundingRateUpdate) -> None:
        """Take one announcement; a later one for the same settlement replaces it."""
        due = update.next_funding_ns if update.next_funding_ns is not None else update.ts_event
        self._rates[(str(update.instrument_id), due)] = update.rate

    def rate(self, instrument_id: str, ts_ns: int) -> Decimal | None:
        """Rate that was settled at an instant."""
        return self._rates.get((instrument_id, ts_ns))


def payments(cache: Any, rates: SettledRates) -> list[Payment]:
    """Read every funding payment that the engine booked, in order of time, instrument and strategy."""
    positions = [*cache.position_snapshots(), *cache.positions()]
    found = [payment for position in positions for payment in _of_position(position, rates)]
    return sorted(found, key=lambda p: (p.ts_ns, p.instrument_id, p.strategy_id))


def _of_position(position: Any, rates: SettledRates) -> Iterator[Payment]:
    for change in position.adjustments():
        if change.pnl_change is None or change.adjustment_type.name != "FUNDING":
            continue
        iid = str(position.instrument_id)
        yield Payment(
            change.ts_event, iid, str(position.strategy_id), _held(position, change.ts_event),
            rates.rate(iid, change.ts_event), change.pnl_change.as_decimal(),
        )  # fmt: skip


def _held(position: Any, ts_ns: int) -> Decimal:
    signed = (
        fill.last_qty.as_decimal() * (1 if fill.order_side.name == "BUY" else -1)
        for fill in position.events()
        if fill.ts_event <= ts_ns
    )
    return sum(signed, Decimal(0))
