"""A small catalog of its own with a stretch of market data, for an incident: it starts with a full book and says what it is."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.certificate import Certificate, Measures, Source
from catalog.files import day_of
from catalog.kinds import Kind
from catalog.partition import split_days
from catalog.store import Catalog, Instrument, Period
from catalog.stream import Stream, Window
from catalog.tables import F_LAST, F_SNAPSHOT, Precision, nanoseconds
from catalog.writer import CatalogWriter

KINDS = frozenset({Kind.DELTAS, Kind.TRADES, Kind.QUOTES, Kind.MARK, Kind.FUNDING})


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument of an excerpt.

    Attributes
    ----------
    instrument
        Its definition.
    tables
        Rows by kind; deltas begin with a snapshot of the whole book.
    certificates
        Of the data that it was cut from, by UTC day; empty where there was none.
    """

    instrument: Instrument
    tables: Mapping[Kind, pa.Table]
    certificates: Mapping[str, Certificate] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by kind."""
        return {str(kind): len(table) for kind, table in self.tables.items()}


def cut(source: Catalog, instrument_ids: Sequence[str], period: Period, kinds: frozenset[Kind] = KINDS) -> list[Part]:
    """Take a stretch of some instruments out of a catalog, each from a full book on.

    Parameters
    ----------
    source
        Where from.
    instrument_ids
        Which; one that has nothing in the period is left out.
    period
        The stretch.
    kinds
        Which kinds of data.

    Raises
    ------
    InstrumentMissing, CorruptData
        When an instrument is not there or a file cannot be decoded.
    """
    parts = (_cut(source, iid, period, kinds) for iid in instrument_ids)
    return [part for part in parts if part.counts]


def _cut(source: Catalog, instrument_id: str, period: Period, kinds: frozenset[Kind]) -> Part:
    instrument = source.instrument(instrument_id)
    precision = Precision(instrument.price_precision, instrument.size_precision)
    window = Window(period.start_ns, period.end_ns)
    tables = {}
    for kind in sorted(kinds, key=lambda kind: kind.rank):
        files = source.files(instrument_id, kind)
        if files:
            tables[kind] = pa.concat_tables(_rows(Stream(files, precision, window)))
    certificates = {certificate.day: certificate for certificate in source.certificates(instrument_id, period)}
    return Part(instrument, {kind: table for kind, table in tables.items() if len(table)}, certificates)


def _rows(stream: Stream) -> Iterator[pa.Table]:
    while True:
        yield stream.take_table()
        if stream.exhausted:
            return
        stream.load()


def write_excerpt(target: Path, parts: Sequence[Part], name: str) -> dict[str, dict[str, int]]:
    """Write parts as a catalog, each day with a certificate that says it is an excerpt.

    Parameters
    ----------
    target
        Folder of the new catalog.
    parts
        At least one with rows.
    name
        What it is an excerpt of, for people.

    Returns
    -------
    dict
        Rows by instrument id and kind.

    Raises
    ------
    DataError, RunFailed
        When there is nothing to write, or it cannot be written.
    """
    source_id = f"excerpt-{_digest(name, parts)}"
    with no_collection(), CatalogWriter(target).transaction(source_id) as transaction:
        for part in parts:
            for kind, table in part.tables.items():
                transaction.add(part.instrument, kind, table)
            for certificate in _certificates(part, Source(id=source_id, kind="excerpt", name=name)):
                transaction.certificate(certificate)
    return {str(part.instrument.id): part.counts for part in parts}


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector off, in all threads.

    The writer has threads, and a collection that starts in one of them may drop what is left of an engine, which Nautilus
    allows only in the thread that made it.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _digest(name: str, parts: Sequence[Part]) -> str:
    digest = hashlib.sha256(name.encode())
    for part in parts:
        for kind, table in part.tables.items():
            ts = nanoseconds(table["ts_init"])
            digest.update(f"{part.instrument.id} {kind} {len(table)} {ts[0]} {ts[-1]}".encode())
    return digest.hexdigest()[:16]


def _certificates(part: Part, source: Source) -> list[Certificate]:
    """Certificates of the days; the grade is that of the data cut from, measured anew only where that had none."""
    issued = []
    for day, measures in sorted(_measures(part).items()):
        origin = part.certificates.get(day)
        if origin is None:
            issued.append(Certificate.issue(str(part.instrument.id), day, measures, (source,)))
        else:
            issued.append(origin.model_copy(update={"measures": measures, "sources": (*origin.sources, source)}))
    return issued


def _measures(part: Part) -> dict[str, Measures]:
    days: dict[str, list[tuple[Kind, pa.Table]]] = {}
    for kind, table in part.tables.items():
        for midnight, rows, _, _ in split_days(table, -1):
            days.setdefault(day_of(midnight), []).append((kind, rows))
    return {day: _measured(dict(tables)) for day, tables in days.items()}


def _measured(tables: Mapping[Kind, pa.Table]) -> Measures:
    stamps = np.sort(np.concatenate([nanoseconds(table["ts_init"]) for table in tables.values()]))
    rows = {kind: len(table) for kind, table in tables.items()}
    deltas = tables.get(Kind.DELTAS)
    ends = np.empty(0, np.uint8) if deltas is None else deltas["flags"].to_numpy()
    ends = ends[(ends & F_LAST) != 0]
    return Measures(
        start_ns=int(stamps[0]), end_ns=int(stamps[-1]), lines=len(stamps), delta_batches=len(ends),
        deltas=rows.get(Kind.DELTAS, 0), trades=rows.get(Kind.TRADES, 0), quotes=rows.get(Kind.QUOTES, 0),
        others=rows.get(Kind.MARK, 0) + rows.get(Kind.FUNDING, 0), snapshots=int(np.count_nonzero(ends & F_SNAPSHOT)),
        longest_silence_ns=int(np.diff(stamps).max(initial=0)), no_update_ids=True,
    )  # fmt: skip
