"""Funding of a simulated account: the engine's sandbox settles none, so it is booked here from what the venue announces.

At a funding time a position pays ``position · mark · rate`` (received where negative), with the last rate that was announced for
it and the last mark before it. The engine's own account does not hear of it: it stands beside it, in the view of the gate, in the
journal and in every figure of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Self

from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId, InstrumentId

from execution.journal import MemoryJournal
from execution.records import signed
from execution.services import Services

CENT = Decimal("1e-8")
"""Unit in which Binance keeps balances."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Due:
    """One funding time that has passed.

    Attributes
    ----------
    ts_ns
        When it was.
    rate
        Paid by longs, a fraction.
    mark
        Price that positions were valued at.
    """

    ts_ns: int
    rate: Decimal
    mark: Decimal


class FundingClock:
    """Tells when one instrument's funding was due, from its announcements alone: the venue's time counts, not ours."""

    def __init__(self) -> None:
        self._rate, self._next_ns = ZERO, 0
        self._mark: Decimal | None = None

    def on_mark(self, ts_ns: int, price: Decimal) -> None:
        """Take a mark price and the venue's time of it; the last one before a funding time stays until that is settled."""
        if self._mark is None or not 0 < self._next_ns < ts_ns:
            self._mark = price

    def on_rate(self, ts_ns: int, rate: Decimal, next_ns: int | None) -> Due | None:
        """Take an announcement; return what fell due before it, once.

        Parameters
        ----------
        ts_ns
            The venue's time of it.
        rate, next_ns
            What will be paid, and when; None where the venue does not say.
        """
        due = None
        if 0 < self._next_ns <= ts_ns and self._mark is not None:
            due = Due(self._next_ns, self._rate, self._mark)
            self._next_ns = 0
        if next_ns is not None and next_ns > ts_ns:
            self._rate, self._next_ns = rate, next_ns
        return due


def payments(
    fills: Sequence[Mapping[str, Any]], instrument_id: str, due: Due,
    earlier: Mapping[tuple[str, str], Decimal] = MappingProxyType({}),
) -> list[tuple[str, Decimal, Decimal]]:  # fmt: skip
    """Work out who pays what: one payment per strategy that held something at the funding time.

    Parameters
    ----------
    fills
        Rows of the journal.
    instrument_id, due
        Of what.
    earlier
        What earlier fills, which are not among the rows any more, add up to; see `MemoryJournal.let_go`.

    Returns
    -------
    list of (strategy id, position, amount)
        Signed base units; settlement currency, positive when received.
    """
    held = {strategy: amount for (iid, strategy), amount in earlier.items() if iid == instrument_id}
    for fill in fills:
        if fill["instrument_id"] == instrument_id and fill["ts_ns"] <= due.ts_ns:
            held[fill["strategy_id"]] = held.get(fill["strategy_id"], ZERO) + signed(fill)
    return [(name, q, (-q * due.mark * due.rate).quantize(CENT)) for name, q in sorted(held.items()) if q]


class FundingDeskConfig:
    """What `FundingDesk` needs.

    Parameters
    ----------
    services
        View and faults of the session.
    journal
        Of the session.
    instrument_ids
        What is watched.
    tell
        Called with one sentence per payment.
    """

    def __init__(
        self, services: Services, journal: MemoryJournal, instrument_ids: Sequence[str], tell: Callable[[str], None]
    ) -> None:  # fmt: skip
        self.services, self.journal, self.instrument_ids, self.tell = services, journal, tuple(instrument_ids), tell

    def nautilus(self) -> DataActorConfig:
        """The engine's own configuration."""
        return DataActorConfig(actor_id=ActorId("FUNDING-001"), log_events=False, log_commands=False)


class FundingDesk(DataActor):
    """Listens to marks and rates and books what falls due."""

    def __new__(cls, config: FundingDeskConfig) -> Self:
        return super().__new__(cls, config.nautilus())  # type: ignore[call-arg]

    def __init__(self, config: FundingDeskConfig) -> None:
        super().__init__(config.nautilus())
        self.setup = config
        self.clocks = {name: FundingClock() for name in config.instrument_ids}

    def on_start(self) -> None:
        """Subscribe."""
        for name in self.setup.instrument_ids:
            self.subscribe_mark_prices(InstrumentId.from_str(name))
            self.subscribe_funding_rates(InstrumentId.from_str(name))

    def on_mark_price(self, mark: Any) -> None:
        """Keep it."""
        clock = self.clocks.get(str(mark.instrument_id))
        if clock is not None:
            clock.on_mark(mark.ts_event, mark.value.as_decimal())

    def on_funding_rate(self, update: Any) -> None:
        """Book what fell due; an error ends the session, since the engine would swallow it."""
        name = str(update.instrument_id)
        try:
            due = self.clocks[name].on_rate(update.ts_event, update.rate, update.next_funding_ns)
            if due is not None:
                self._book(name, due)
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self.setup.services.faults.record("FundingDesk", error)

    def _book(self, name: str, due: Due) -> None:
        services, journal = self.setup.services, self.setup.journal
        for strategy, position, amount in payments(journal.fills, name, due, journal.let_go):
            services.journal.funding(due.ts_ns, name, strategy, position, due.rate, amount)
            services.view.beside += amount
            self.setup.tell(
                f"funding {amount:+f} USDT: {strategy} held {position:f} of {name}, rate {due.rate:f}, mark {due.mark:f}"
            )
