"""Reading a catalog."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from nautilus_trader.model import CryptoPerpetual, CurrencyPair
from nautilus_trader.persistence import ParquetDataCatalog
from pydantic import ValidationError

from catalog.certificate import Certificate
from catalog.files import MARKER, DataFile, day_of, instrument_of, list_data
from catalog.instruments import nearest
from catalog.journal import catalog_lock, pending, recover
from catalog.kinds import INSTRUMENT_FOLDERS, Kind
from catalog.stream import Stream, Taken, Window, open_file
from catalog.stretch import Chunk
from catalog.tables import Precision, nanoseconds
from errors import CatalogMissing, CorruptData, InstrumentMissing, PeriodEmpty

__all__ = ["Catalog", "Kind", "Period"]

Instrument = CryptoPerpetual | CurrencyPair
MARKET_KINDS = frozenset({Kind.DELTAS, Kind.TRADES, Kind.QUOTES, Kind.BARS})


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of receipt time in UNIX nanoseconds; the end is excluded."""

    start_ns: int
    end_ns: int


class Catalog:
    """A catalog as it was when this object was made; later additions need a new object.

    Parameters
    ----------
    path
        Folder that holds the catalog.

    Raises
    ------
    CatalogMissing
        When there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / MARKER).is_file() and not (path / "data").is_dir():
            raise CatalogMissing(f"there is no catalog at {path}; make one with: python -m runners ingest --help")
        self._files = self._listing()
        self._instruments: dict[str, Instrument] = {}

    def _listing(self) -> list[DataFile]:
        if not (self.path / MARKER).is_file():
            return list_data(self.path)  # written by Nautilus itself: nobody commits here
        with suppress(PermissionError), catalog_lock(self.path):  # a read-only catalog is not being changed
            if pending(self.path):
                recover(self.path)
            return list_data(self.path)
        return list_data(self.path)

    def instrument_ids(self) -> list[str]:
        """Return the ids of all instruments that are defined here."""
        folders = (self.path / "data" / name for name in INSTRUMENT_FOLDERS.values())
        return sorted(folder.name for parent in folders for folder in parent.glob("*/"))

    def instrument(self, instrument_id: str) -> Instrument:
        """Return an instrument's definition.

        Raises
        ------
        InstrumentMissing
            When it is not here; the message names the nearest one.
        CorruptData
            When its file cannot be read.
        """
        if instrument_id not in self._instruments:
            self._instruments[instrument_id] = self._read_instrument(instrument_id)
        return self._instruments[instrument_id]

    def _read_instrument(self, instrument_id: str) -> Instrument:
        known = self.instrument_ids()
        if instrument_id not in known:
            raise InstrumentMissing(
                f"{instrument_id} is not in the catalog {self.path}{nearest(instrument_id, known)}."
            )
        try:
            found = ParquetDataCatalog(str(self.path)).instruments([instrument_id])
        except (OSError, RuntimeError, ValueError) as error:
            raise CorruptData(f"the definition of {instrument_id} in {self.path} cannot be read.") from error
        if not found:
            raise CorruptData(f"the definition of {instrument_id} in {self.path} is empty.")
        instrument: Instrument = found[-1]
        return instrument

    def coverage(self, instrument_id: str) -> Period:
        """Return the time from the first to just after the last event of an instrument.

        Raises
        ------
        InstrumentMissing, PeriodEmpty
            When the instrument, or any data of it, is not here.
        """
        self.instrument(instrument_id)
        files = [file for file in self.files(instrument_id) if file.kind in MARKET_KINDS]
        if not files:
            raise PeriodEmpty(f"the catalog {self.path} holds no market data of {instrument_id}.")
        return Period(min(file.start_ns for file in files), max(file.end_ns for file in files) + 1)

    def files(self, instrument_id: str, kind: Kind | None = None) -> list[DataFile]:
        """Return an instrument's data files, in time order within each kind."""
        return [
            file
            for file in self._files
            if kind in (None, file.kind) and instrument_of(file.kind, file.identifier) == instrument_id
        ]

    def certificates(self, instrument_id: str, period: Period | None = None) -> list[Certificate]:
        """Return the certificates of the days that a period touches, in order.

        Raises
        ------
        CorruptData
            When a certificate is not what it should be.
        """
        folder = self.path / "certificates" / instrument_id
        first, last = ("", "9") if period is None else (day_of(period.start_ns), day_of(max(period.end_ns - 1, 0)))
        return [_certificate(path) for path in sorted(folder.glob("*.json")) if first <= path.stem <= last]

    def count(self, instrument_id: str, kind: Kind, period: Period | None = None) -> int:
        """Return the number of rows of a kind, in a period or in all.

        The snapshots that carry the book over midnight are rows too.
        """
        total = 0
        for file in self.files(instrument_id, kind):
            opened = open_file(file)
            if period is None or (period.start_ns <= file.start_ns and file.end_ns < period.end_ns):
                total += opened.metadata.num_rows
            elif file.start_ns < period.end_ns and period.start_ns <= file.end_ns:
                ts = nanoseconds(_times(file))
                total += int(np.diff(np.searchsorted(ts, (period.start_ns, period.end_ns)))[0])
        return total

    def chunks(
        self,
        instrument_ids: Sequence[str],
        period: Period | None,
        *,
        kinds: frozenset[Kind],
        max_events: int = 200_000,
        foresee: bool = False,
    ) -> Iterator[Chunk]:
        """Yield Nautilus objects in the order of their receipt time.

        Events of one time come as funding, mark, deltas, trades, quotes, bars, each in the order of `instrument_ids`.
        One venue message is one ``OrderBookDeltas``. The first deltas of each instrument are a full snapshot: the
        recorded one, or, when the period starts inside a partition, the book at that instant. Snapshots that only
        carry a book over midnight are left out, because the book is there already. Chunks never split a venue message
        or events of one time, so what a consumer sees does not depend on `max_events`.

        Parameters
        ----------
        instrument_ids
            Which instruments.
        period
            None for everything.
        kinds
            Which kinds of data.
        max_events
            Rows (single deltas count) that one chunk aims to hold at most.
        foresee
            Fill in `Chunk.stretches`, what the book will be after each message, and `Chunk.prints`.

        Raises
        ------
        InstrumentMissing, CorruptData
            When an instrument is not here or a file cannot be decoded.
        """
        window = Window(0, np.iinfo(np.int64).max) if period is None else Window(period.start_ns, period.end_ns)
        streams = self._streams(instrument_ids, kinds, window, foresee)
        while (limit := _limit(streams)) is not None:
            rows = _cut(streams, limit, max_events)
            chunk = _merge([stream.take(count) for stream, count in zip(streams, rows, strict=True)])
            chunk.prints = chunk.prints if foresee else None
            yield chunk

    def _streams(
        self, instrument_ids: Sequence[str], kinds: frozenset[Kind], window: Window, foresee: bool
    ) -> list[Stream]:
        streams = []
        for kind in sorted(kinds, key=lambda kind: kind.rank):
            for instrument_id in instrument_ids:
                instrument = self.instrument(instrument_id)
                precision = Precision(instrument.price_precision, instrument.size_precision)
                files = self.files(instrument_id, kind)
                for identifier in dict.fromkeys(file.identifier for file in files):
                    own = [file for file in files if file.identifier == identifier]
                    streams.append(Stream(own, precision, window, foresee=foresee))
        return streams


def _limit(streams: list[Stream]) -> int | None:
    """Return the time before which every stream is loaded completely, or None when nothing is left."""
    while True:
        for stream in streams:
            if not len(stream.ts) and not stream.exhausted:
                stream.load()
        open_ends = [stream for stream in streams if not stream.exhausted]
        firsts = [int(stream.ts[0]) for stream in streams if len(stream.ts)]
        if not open_ends:
            return np.iinfo(np.int64).max if firsts else None
        horizon = min(int(stream.ts[-1]) for stream in open_ends if len(stream.ts)) if firsts else None
        waiting = [stream for stream in open_ends if not len(stream.ts)]
        if horizon is not None and not waiting and min(firsts) < horizon:
            return horizon
        for stream in waiting or [stream for stream in open_ends if int(stream.ts[-1]) == horizon]:
            stream.load()


def _cut(streams: list[Stream], limit: int, max_events: int) -> list[int]:
    """Return how many rows of each stream the next chunk takes."""
    ready = [int(np.searchsorted(stream.ts, limit)) for stream in streams]
    if sum(ready) <= max_events:
        return ready
    merged = np.concatenate([stream.ts[:rows] for stream, rows in zip(streams, ready, strict=True)])
    merged.sort()
    # Everything up to the first time is taken even if that is too much: one time is never split.
    cut = max(int(merged[max_events]), int(merged[0]) + 1)
    return [int(np.searchsorted(stream.ts[:rows], cut)) for stream, rows in zip(streams, ready, strict=True)]


def _merge(parts: list[Taken]) -> Chunk:
    filled = [part for part in parts if part.objects]
    stretches = tuple(part.stretch for part in filled if part.stretch is not None)
    prints = tuple(part.prints for part in filled if part.prints is not None)
    if len(filled) == 1:
        return Chunk(filled[0].objects, stretches, prints)
    objects = [item for part in filled for item in part.objects]
    order = np.argsort(np.concatenate([part.ts for part in filled]), kind="stable")
    return Chunk(operator.itemgetter(*order.tolist())(objects), stretches, prints)


def _times(file: DataFile) -> pa.ChunkedArray:
    try:
        return open_file(file).read(columns=["ts_init"])["ts_init"]
    except (pa.ArrowException, OSError) as error:
        raise CorruptData(f"{file.path} is damaged.") from error


def _certificate(path: Path) -> Certificate:
    try:
        return Certificate.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        raise CorruptData(f"{path} is not a certificate; ingest the day again.") from error
