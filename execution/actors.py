"""Actors of every run: one keeps the books nobody else keeps, one stops the system where a handler could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId, BookType, InstrumentId

from execution.services import Services
from execution.topics import STOP

SECOND_NS = 1_000_000_000


class _Config:
    """Base of the one constructor argument: the engine wants its own config from `__new__`."""

    name = "ACTOR-001"

    def nautilus(self) -> DataActorConfig:
        return DataActorConfig(actor_id=ActorId(self.name), log_events=False, log_commands=False)


class BookKeeperConfig(_Config):
    """What `BookKeeper` needs.

    Parameters
    ----------
    services
        Books, gate and faults of the run.
    instrument_ids
        Which instruments to subscribe to.
    lends
        Leave a book to a strategy that listens to it. Not on a live node, where a feed must never depend on a strategy.
    """

    name = "BOOKS-001"

    def __init__(self, services: Services, instrument_ids: Sequence[InstrumentId], *, lends: bool = False) -> None:
        self.services = services
        self.instrument_ids = tuple(instrument_ids)
        self.lends = lends


class BookKeeper(DataActor):
    """Subscribes to every instrument: each has a book and a top even if no strategy asks, and limits are always read."""

    def __new__(cls, config: BookKeeperConfig) -> Self:
        return super().__new__(cls, config.nautilus())  # type: ignore[call-arg]

    def __init__(self, config: BookKeeperConfig) -> None:
        super().__init__(config.nautilus())
        self.setup = config
        self._kept: set[str] = set()

    @property
    def handler(self) -> str:
        """See `execution.services.Keeper`."""
        return "on_quote" if self.setup.services.view.books.from_quotes else "on_book_deltas"

    def on_start(self) -> None:
        """Subscribe, and listen for requests to stop."""
        for instrument_id in self.setup.instrument_ids:
            if not (self.setup.lends and self.setup.services.turns.anyone(self.handler, str(instrument_id))):
                self.take(str(instrument_id))
        if self.setup.lends:
            self.setup.services.keeper = self
        self.subscribe_topic(STOP, self._stop)
        # on whole seconds, as breakers and limits count theirs
        whole_ns = (self.clock.timestamp_ns() // SECOND_NS + 1) * SECOND_NS
        self.clock.set_timer_ns("hyper-second", SECOND_NS, whole_ns, callback=self._second)

    def on_stop(self) -> None:
        """Stop the timer."""
        self.clock.cancel_timers()

    def take(self, key: str) -> None:
        """See `execution.services.Keeper`."""
        if key not in self._kept:
            self._kept.add(key)
            instrument_id = self.setup.services.view.instrument_id(key)
            if self.setup.services.view.books.from_quotes:
                self.subscribe_quotes(instrument_id)
            else:
                self.subscribe_book_deltas(instrument_id, BookType.L2_MBP)

    def release(self, key: str) -> None:
        """See `execution.services.Keeper`."""
        if key in self._kept:
            self._kept.remove(key)
            instrument_id = self.setup.services.view.instrument_id(key)
            if self.setup.services.view.books.from_quotes:
                self.unsubscribe_quotes(instrument_id)
            else:
                self.unsubscribe_book_deltas(instrument_id)

    def keeps(self, key: str) -> bool:
        """See `execution.services.Keeper`."""
        return key in self._kept

    def on_book_deltas(self, deltas: Any) -> None:
        """Keep the book, unless a strategy was called before."""
        services = self.setup.services
        try:
            kept = services.view.books.apply_deltas(deltas, self)
            if kept is not None:
                services.on_deltas(deltas, kept, self.publish_message)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(error)

    def on_quote(self, quote: Any) -> None:
        """Keep the top, unless a strategy was called before."""
        services = self.setup.services
        try:
            kept = services.view.books.apply_quote(quote, self)
            if kept is not None:
                services.on_quote(quote, kept, self.publish_message)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(error)

    def _second(self, event: Any) -> None:
        """What is due when nothing happens: silences, cool-downs, orders that take too long."""
        try:
            self.setup.services.on_time(event.ts_event, self.publish_message)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._fail(error)

    def _stop(self, why: object) -> None:
        self.shutdown_system(str(why))

    def _fail(self, error: BaseException) -> None:
        self.setup.services.faults.record("BookKeeper", error)
        self.shutdown_system(f"BookKeeper raised {error!r}")
