"""Tables of the market that a run saw, collected chunk by chunk so that memory stays flat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nautilus_trader.model import AggressorSide, InstrumentId, TradeTick

from catalog.stretch import Chunk, Prints
from execution import records
from risk.books import Books
from runners.spill import Spill

NS_PER_MINUTE = 60_000_000_000
RAW_DIGITS = 16  # decimal places of a Nautilus quantity in the high-precision build
RAW_UNITS = 10**RAW_DIGITS
_SIGN = {AggressorSide.BUY: 1, AggressorSide.SELL: -1, AggressorSide.NO_AGGRESSOR: 0}


class TopRecorder:
    """Moves every change of the top of book out of `Books` into Arrow columns (40 bytes a row).

    Parameters
    ----------
    instruments
        Nautilus instruments by id: floats are set to the decimal they stand for, since rc6's ``float(Price)`` misses the
        nearest float by one unit in the last place for almost half of all prices.
    folder
        Where rows are until the table is asked for; None: in memory, for a run that ends soon.

    Notes
    -----
    Rows stand in the order in which the book changed, and no row is timed before the one above it. Live, a message can be: the
    engine stamps a snapshot when its answer comes, then hands out the updates that waited for it, which were received before.
    """

    def __init__(self, instruments: Mapping[str, Any], folder: Path | None = None) -> None:
        self._spill = None if folder is None else Spill(folder, records.MARKET)
        self._scales = {
            name: (10.0**found.price_precision, 10.0**found.size_precision) for name, found in instruments.items()
        }
        self._batches: defaultdict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._newest: defaultdict[str, int] = defaultdict(int)
        self._last: dict[str, tuple[float, float]] = {}

    def drain(self, books: Books) -> None:
        """Take what has been recorded since the last call."""
        for instrument_id, series in books.series().items():
            if not series.ts_ns:
                continue
            name = str(instrument_id)
            price, size = self._scales[name]
            stamps = np.maximum(np.maximum.accumulate(series.ts_ns), self._newest[name])
            self._newest[name] = int(stamps[-1])
            columns = [
                stamps, pa.repeat(name, len(series.ts_ns)), _decimal(series.bid, price),
                _decimal(series.bid_size, size), _decimal(series.ask, price), _decimal(series.ask_size, size),
            ]  # fmt: skip
            batch = pa.record_batch(columns, schema=records.MARKET)
            self._last[name] = (batch["bid"][-1].as_py(), batch["ask"][-1].as_py())
            if self._spill is None:
                self._batches[name].append(batch)
            else:
                self._spill.add(name, batch)
            for column in (series.ts_ns, series.bid, series.bid_size, series.ask, series.ask_size):
                column.clear()

    def table(self) -> pa.Table:
        """Everything, by instrument and then time; independent of how it was chunked."""
        for name, spilled in self._spill.take().items() if self._spill is not None else ():
            self._batches[name] += spilled
        batches = [batch for name in sorted(self._batches) for batch in self._batches[name]]
        return pa.Table.from_batches(batches, schema=records.MARKET).combine_chunks()

    def last(self) -> dict[str, tuple[float, float]]:
        """Last bid and ask of each instrument."""
        return dict(self._last)


def _decimal(values: list[float], scale: float) -> npt.NDArray[np.float64]:
    return np.rint(np.array(values) * scale) / scale


class VolumeRecorder:
    """Market volume per minute and side of the aggressor."""

    def __init__(self) -> None:
        self._minutes: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, events: list[Any]) -> None:
        """Count the trades among a chunk's events."""
        prints = events.prints if isinstance(events, Chunk) else None
        for found in _prints(events) if prints is None else prints:
            self._count(found)

    def _count(self, prints: Prints) -> None:
        if not len(prints.ts_ns):
            return
        unit = 10 ** (RAW_DIGITS - prints.digits)
        minutes = prints.ts_ns // NS_PER_MINUTE * NS_PER_MINUTE
        first = np.flatnonzero(np.diff(minutes, prepend=-1))  # of each minute; one that comes twice is added up below
        bought, sold = (np.add.reduceat(np.where(prints.side * sign > 0, prints.size, 0), first) for sign in (1, -1))
        trades = np.diff(first, append=len(minutes))
        for number, minute in enumerate(minutes[first].tolist()):
            row = self._minutes[(minute, prints.instrument_id)]
            row[0] += int(bought[number]) * unit  # whole units: any order gives the same sum
            row[1] += int(sold[number]) * unit
            row[2] += int(trades[number])

    def table(self) -> pa.Table:
        """One row per minute with trades, in order."""
        rows = [
            {
                "minute_ns": minute, "instrument_id": name, "buy_volume": bought / RAW_UNITS,
                "sell_volume": sold / RAW_UNITS, "trades": trades,
            }
            for (minute, name), (bought, sold, trades) in sorted(self._minutes.items())
        ]  # fmt: skip
        return records.table(records.VOLUME, rows)


def _prints(events: Iterable[Any]) -> Iterator[Prints]:
    """Gather the trades of plain events by instrument."""
    found: defaultdict[InstrumentId, list[Any]] = defaultdict(list)
    for event in events:
        if type(event) is TradeTick:
            found[event.instrument_id].append(event)
    for instrument_id, trades in found.items():
        digits = trades[0].size.precision
        unit = 10 ** (RAW_DIGITS - digits)
        yield Prints(
            str(instrument_id), np.array([trade.ts_init for trade in trades]),
            np.array([trade.size.raw // unit for trade in trades]),
            np.array([_SIGN[trade.aggressor_side] for trade in trades], np.int8), digits,
        )  # fmt: skip
