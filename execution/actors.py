"""Actors of every run: one keeps the books nobody else keeps, one stops the system where a handler could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId, BookType, InstrumentId

from execution.faults import Faults
from execution.topics import HALT, STOP
from risk.books import Books
from risk.gate import RiskGate


class _Config:
    """Base of the one constructor argument: the engine wants its own config from `__new__`."""

    name = "ACTOR-001"

    def nautilus(self) -> DataActorConfig:
        return DataActorConfig(actor_id=ActorId(self.name), log_events=False, log_commands=False)


class BookKeeperConfig(_Config):
    """What `BookKeeper` needs.

    Parameters
    ----------
    books
        Where books are kept.
    instrument_ids
        Which instruments to subscribe to.
    from_quotes
        True for fidelity ``l1_trades``: the top comes from quotes.
    faults
        Where an exception goes.
    gate
        Is told the time with each event, so that loss limits hold while nothing is sent.
    """

    name = "BOOKS-001"

    def __init__(
        self, books: Books, instrument_ids: Sequence[InstrumentId], from_quotes: bool, faults: Faults, gate: RiskGate
    ) -> None:  # fmt: skip
        self.gate = gate
        self.books = books
        self.instrument_ids = tuple(instrument_ids)
        self.from_quotes = from_quotes
        self.faults = faults


class BookKeeper(DataActor):
    """Subscribes to every instrument: each has a book and a top even if no strategy asks, and limits are always read."""

    def __new__(cls, config: BookKeeperConfig) -> Self:
        return super().__new__(cls, config.nautilus())  # type: ignore[call-arg]

    def __init__(self, config: BookKeeperConfig) -> None:
        super().__init__(config.nautilus())
        self.setup = config
        self._told: str | None = None

    def on_start(self) -> None:
        """Subscribe, and listen for requests to stop."""
        for instrument_id in self.setup.instrument_ids:
            if self.setup.from_quotes:
                self.subscribe_quotes(instrument_id)
            else:
                self.subscribe_book_deltas(instrument_id, BookType.L2_MBP)
        self.subscribe_topic(STOP, self._stop)

    def on_book_deltas(self, deltas: Any) -> None:
        """Keep the book, unless a strategy does."""
        try:
            self.setup.books.apply_deltas(deltas, self, keeper=True)
            self._observe(deltas.ts_init)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(error)

    def on_quote(self, quote: Any) -> None:
        """Keep the top, unless a strategy does."""
        try:
            self.setup.books.apply_quote(quote, self, keeper=True)
            self._observe(quote.ts_init)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(error)

    def _observe(self, ts_ns: int) -> None:
        gate = self.setup.gate
        gate.observe(ts_ns)
        if gate.halted != self._told:
            self._told = gate.halted
            if gate.halted is not None:
                self.publish_message(HALT, gate.halted)

    def _stop(self, why: object) -> None:
        self.shutdown_system(str(why))

    def _fail(self, error: BaseException) -> None:
        self.setup.faults.record("BookKeeper", error)
        self.shutdown_system(f"BookKeeper raised {error!r}")
