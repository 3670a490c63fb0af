"""The market as the session saw it: every top of book and the volume per minute, as in a backtest's run directory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId, BookType, InstrumentId

from execution.services import Services
from runners.tables import TopRecorder, VolumeRecorder


class MarketWatchConfig:
    """What `MarketWatch` needs.

    Parameters
    ----------
    services
        Books and faults of the run.
    instruments
        Nautilus instruments by id.
    folder
        Where the rows of the market table are until the session ends.
    """

    def __init__(self, services: Services, instruments: Mapping[str, Any], folder: Path | None = None) -> None:
        self.services = services
        self.instruments = instruments
        self.folder = folder

    def nautilus(self) -> DataActorConfig:
        """The engine's own configuration."""
        return DataActorConfig(actor_id=ActorId("MARKET-001"), log_events=False, log_commands=False)


class MarketWatch(DataActor):
    """Subscribes to all that a session needs of the market, counts it and keeps the tables.

    Mark prices and funding rates reach the engine's cache only when somebody subscribes: the gate values positions at the mark
    and knows the next funding from there. Best quotes give market orders a price before the first print.

    Attributes
    ----------
    events
        Messages so far.
    heard
        Monotonic time of the last one; None before the first.
    """

    def __new__(cls, config: MarketWatchConfig) -> Self:
        return super().__new__(cls, config.nautilus())  # type: ignore[call-arg]

    def __init__(self, config: MarketWatchConfig) -> None:
        super().__init__(config.nautilus())
        self.setup = config
        self.events = 0
        self.heard: float | None = None
        self.trades: list[Any] = []
        self.tops, self.volume = TopRecorder(config.instruments, config.folder), VolumeRecorder()

    def on_start(self) -> None:
        """Subscribe to book, trades, best quotes, mark price and funding of every instrument."""
        for name in self.setup.instruments:
            instrument_id = InstrumentId.from_str(name)
            self.subscribe_book_deltas(instrument_id, BookType.L2_MBP)
            self.subscribe_trades(instrument_id)
            self.subscribe_quotes(instrument_id)
            self.subscribe_mark_prices(instrument_id)
            self.subscribe_funding_rates(instrument_id)

    def on_book_deltas(self, deltas: Any) -> None:
        """Count it, and the time that it took here."""
        self._time(deltas)
        self.events += 1
        self.heard = time.monotonic()

    def on_mark_price(self, mark: Any) -> None:
        """Count it: it comes each second, also in a quiet market."""
        del mark
        self.events += 1
        self.heard = time.monotonic()

    def on_trade(self, trade: Any) -> None:
        """Keep it for the volume table."""
        self._time(trade)
        self.events += 1
        self.heard = time.monotonic()
        self.trades.append(trade)

    def _time(self, event: Any) -> None:
        services = self.setup.services
        if services.latency is not None:
            services.latency.feed(event.ts_init, event.ts_event, services.watch.offset_ns)

    def silent_secs(self) -> float:
        """Time since the last message; 0 before the first."""
        return 0.0 if self.heard is None else time.monotonic() - self.heard

    def drain(self) -> None:
        """Move what has been collected into columns; call now and then, outside the handlers."""
        trades, self.trades = self.trades, []
        self.tops.drain(self.setup.services.view.books)
        if trades:
            self.volume.add(trades)

    def tables(self) -> dict[str, pa.Table]:
        """Tables ``market`` and ``volume``."""
        self.drain()
        return {"market": self.tops.table(), "volume": self.volume.table()}

    def last(self) -> dict[str, tuple[float, float]]:
        """Last bid and ask by instrument id."""
        self.drain()
        return self.tops.last()
