"""The actor that feeds the black box of a node from the engine's own subscriptions and from the bus."""

from __future__ import annotations

from typing import Any, Self

from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId, BookType, InstrumentId

from execution.faults import Faults
from execution.topics import ORDER_EVENTS, REFUSALS, RISK
from monitoring.incidents.flight import FlightRecorder

SECOND_NS = 1_000_000_000


class BlackBoxActorConfig:
    """What `BlackBoxActor` needs.

    Parameters
    ----------
    recorder
        Where everything goes.
    instrument_ids
        Which instruments to subscribe to.
    faults
        Of the run: an error here is told there.
    from_quotes
        True where there is no depth.
    """

    def __init__(
        self, recorder: FlightRecorder, instrument_ids: tuple[str, ...], faults: Faults, *, from_quotes: bool = False
    ) -> None:
        self.recorder = recorder
        self.instrument_ids = instrument_ids
        self.faults = faults
        self.from_quotes = from_quotes

    def nautilus(self) -> DataActorConfig:
        """The engine's own configuration."""
        return DataActorConfig(actor_id=ActorId("BLACKBOX-001"), log_events=False, log_commands=False)


class BlackBoxActor(DataActor):
    """Hands every market, order and risk event to the recorder. It decides nothing and sends nothing."""

    def __new__(cls, config: BlackBoxActorConfig) -> Self:
        return super().__new__(cls, config.nautilus())  # type: ignore[call-arg]

    def __init__(self, config: BlackBoxActorConfig) -> None:
        super().__init__(config.nautilus())
        self.setup = config

    def on_start(self) -> None:
        """Subscribe to the market of every instrument and to our own topics."""
        for name in self.setup.instrument_ids:
            instrument_id = InstrumentId.from_str(name)
            if self.setup.from_quotes:
                self.subscribe_quotes(instrument_id)
            else:
                self.subscribe_book_deltas(instrument_id, BookType.L2_MBP)
            self.subscribe_trades(instrument_id)
            if "-PERP" in name:
                self.subscribe_mark_prices(instrument_id)
                self.subscribe_funding_rates(instrument_id)
        recorder = self.setup.recorder
        self.subscribe_topic(ORDER_EVENTS, lambda event: self._take(recorder.on_order, event))
        self.subscribe_topic(REFUSALS, lambda refusal: self._take(recorder.on_refusal, refusal))
        self.subscribe_topic(RISK, lambda event: self._take(recorder.on_risk, event))
        self.clock.set_timer_ns("hyper-black-box", SECOND_NS, callback=self._second)

    def on_stop(self) -> None:
        """Stop the timer; the session closes the recorder."""
        self.clock.cancel_timers()

    def on_book_deltas(self, deltas: Any) -> None:
        """Keep it."""
        self._take(self.setup.recorder.on_market, deltas)

    def on_quote(self, quote: Any) -> None:
        """Keep it."""
        self._take(self.setup.recorder.on_market, quote)

    def on_trade(self, trade: Any) -> None:
        """Keep it."""
        self._take(self.setup.recorder.on_market, trade)

    def on_mark_price(self, mark: Any) -> None:
        """Keep it."""
        self._take(self.setup.recorder.on_market, mark)

    def on_funding_rate(self, funding: Any) -> None:
        """Keep it."""
        self._take(self.setup.recorder.on_market, funding)

    def _second(self, event: Any) -> None:
        self._take(self.setup.recorder.on_time, event.ts_event)

    def _take(self, hand_over: Any, event: Any) -> None:
        try:
            hand_over(event)
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self.setup.faults.record("BlackBoxActor", error)
