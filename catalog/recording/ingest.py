"""A recording into the catalog: decode, clean, convert, certify, commit."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from catalog.certificate import Certificate, Source
from catalog.files import MARKER
from catalog.instruments import Market, build, infer_rules, instrument_id, is_inferred, known_rules
from catalog.recording.clean import Cleaned, clean
from catalog.recording.convert import (
    Book,
    Converted,
    TooFine,
    convert_depth,
    convert_marks,
    convert_tickers,
    convert_trades,
    places_of,
)
from catalog.recording.decode import Decoded, decode
from catalog.recording.depth import Planner, plan
from catalog.recording.measure import Agreement, agreement, measure
from catalog.recording.schemas import Stream
from catalog.recording.seam import earliest_after
from catalog.recording.source import Progress, read_blocks
from catalog.store import Catalog
from catalog.tables import Ints, Precision
from catalog.writer import CatalogWriter, Instrument
from errors import DataError

READER_VERSION = 1
_WRITERS = 2


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did.

    Attributes
    ----------
    new
        False when the same file was in the catalog already.
    certificates
        One a UTC day; empty when nothing was new.
    warnings
        Sentences for the person who ran it.
    """

    new: bool
    instrument_id: str
    certificates: tuple[Certificate, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """How a kind of source is put in sequence and compared with bookTicker.

    Attributes
    ----------
    facts
        Measures that hold for the whole source.
    """

    planner: Planner
    compare: Agreement
    facts: Mapping[str, bool]


def ingest_recording(
    file: Path,
    *,
    market: Market,
    symbol: str,
    catalog: Path,
    from_deltas_alone: bool = False,
    on_bytes: Progress = lambda _: None,
) -> Ingested:
    """Read a recording and add it to a catalog.

    Parameters
    ----------
    file
        Lines of ``<local UNIX ns> <json>``, gzip or plain.
    market, symbol
        Which streams of the recording to read.
    catalog
        Made when it is missing.
    from_deltas_alone
        Build the book without a snapshot where none connects.
    on_bytes
        Told how many bytes of the file have been read.

    Raises
    ------
    DataError
        When the file cannot be read, holds nothing of the symbol, has no usable snapshot, or overlaps other data.
    RunFailed
        When the catalog cannot be written; it is then as it was before.
    """
    source_id = _source_id(file, market, symbol, from_deltas_alone=from_deltas_alone)
    if is_there(catalog, source_id):
        return Ingested(new=False, instrument_id=instrument_id(market, symbol), certificates=(), warnings=())
    method = Method(partial(plan, from_deltas_alone=from_deltas_alone), agreement, {})
    with collector_paused():
        decoded = decode(read_blocks(file, on_bytes), market, symbol)
        source = Source(id=source_id, kind="recording", name=file.name)
        return add_decoded(decoded, source, method, market=market, symbol=symbol, catalog=catalog)


def is_there(catalog: Path, source_id: str) -> bool:
    """Return whether a catalog exists and holds a source."""
    return (catalog / MARKER).exists() and CatalogWriter(catalog).has(source_id)


def add_decoded(
    decoded: Decoded, source: Source, method: Method, *, market: Market, symbol: str, catalog: Path
) -> Ingested:
    """Clean, convert, certify and commit what any reader decoded.

    Parameters
    ----------
    source
        Where it came from; clock offset and latencies are filled in.

    Raises
    ------
    DataError, RunFailed
        As :func:`ingest_recording`.
    """
    name = instrument_id(market, symbol)
    cleaned = _behind_the_file_before(clean(decoded), catalog, name)
    rules = _rules(catalog, market, symbol, cleaned)
    instrument, converted, book = _convert(cleaned, rules, market, method.planner)
    facts = {
        "truncated": bool(decoded.truncated),
        "rules_inferred": is_inferred(instrument),
        "book_from_deltas_alone": book is not None and book.from_deltas_alone,
        **method.facts,
    }
    clock = cleaned.clock
    source = source.model_copy(
        update={
            "clock_offset_ns": clock.offset_ns,
            "latency_p50_ns": clock.p50_ns,
            "latency_p99_ns": clock.p99_ns,
        }
    )
    with CatalogWriter(catalog).transaction(source.id) as transaction:
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="parquet") as executor:
            writes = [executor.submit(transaction.add, instrument, *item) for item in converted.tables.items()]
            by_day = measure(cleaned, converted, book, facts, method.compare)
        for write in writes:
            write.result()
        certificates = [Certificate.issue(name, day, measures, (source,)) for day, measures in by_day.items()]
        for certificate in certificates:
            transaction.certificate(certificate)
    new = transaction.result is not None and transaction.result.new
    warnings = _warnings(decoded.truncated, certificates, instrument)
    return Ingested(new, name, tuple(Catalog(catalog).certificates(name)) if new else (), warnings)


def _behind_the_file_before(cleaned: Cleaned, catalog: Path, name: str) -> Cleaned:
    clock = cleaned.clock
    first = int(clock.ts[0])
    floor = earliest_after(catalog, name, first - clock.offset_ns, first)
    return cleaned if floor is None else replace(cleaned, clock=replace(clock, ts=np.maximum(clock.ts, floor)))


def _rules(catalog: Path, market: Market, symbol: str, cleaned: Cleaned) -> Iterator[Instrument]:
    """Yield the rules to try: those that the catalog has, or else the bundled ones, or else what the data show."""
    name = instrument_id(market, symbol)
    store = Catalog(catalog) if (catalog / MARKER).exists() else None
    if store is not None and name in store.instrument_ids():
        yield store.instrument(name)
        return
    rules = known_rules(market, symbol)
    if rules is not None:
        yield build(market, symbol, rules)
    prices, sizes = _numbers(cleaned, _PRICES), _numbers(cleaned, _SIZES)
    yield build(market, symbol, infer_rules(max(map(places_of, prices)), max(map(places_of, sizes))))


def _convert(
    cleaned: Cleaned, rules: Iterator[Instrument], market: Market, planner: Planner
) -> tuple[Instrument, Converted, Book | None]:
    refused: TooFine | None = None
    for instrument in rules:
        try:
            return instrument, *_convert_with(cleaned, instrument, market, planner)
        except TooFine as error:
            refused = error
    raise refused or TooFine("there are no rules for the instrument.")


def _convert_with(
    cleaned: Cleaned, instrument: Instrument, market: Market, planner: Planner
) -> tuple[Converted, Book | None]:
    out, columns, clock = Converted(), cleaned.columns, cleaned.clock
    precision = Precision(instrument.price_precision, instrument.size_precision)
    if Stream.TICKER in columns:
        convert_tickers(out, columns[Stream.TICKER], clock, precision)
    if Stream.TRADE in columns:
        convert_trades(out, columns[Stream.TRADE], clock, precision)
    if Stream.MARK in columns:
        convert_marks(out, columns[Stream.MARK], clock, precision)
    if Stream.DEPTH not in columns:
        return out, None
    return out, convert_depth(out, columns, market, clock, precision, planner)


_PRICES = {Stream.TICKER: ("b", "a"), Stream.TRADE: ("p",), Stream.DEPTH: ("b_price", "a_price")}
_SIZES = {Stream.TICKER: ("B", "A"), Stream.TRADE: ("q",), Stream.DEPTH: ("b_size", "a_size")}


def _numbers(cleaned: Cleaned, columns: Mapping[Stream, tuple[str, ...]]) -> Iterator[Ints]:
    for stream in columns.keys() & cleaned.columns.keys():
        for name in columns[stream]:
            for chunk in cleaned.columns[stream][name].chunks:
                values = chunk.flatten() if name.endswith(("_price", "_size")) else chunk
                yield np.asarray(values.to_numpy())


def _warnings(truncated: str, certificates: list[Certificate], instrument: Instrument) -> tuple[str, ...]:
    out = []
    if truncated:
        out.append(f"the file is truncated ({truncated}): everything up to there was read")
    if is_inferred(instrument):
        out.append(
            f"no bundled rules fit {instrument.id}: tick {instrument.price_increment} and step "
            f"{instrument.size_increment} were inferred from the data"
        )
    if any(certificate.measures.book_from_deltas_alone for certificate in certificates):
        out.append("the book was built from deltas alone: levels that never changed are missing")
    for count, what in (
        (sum(c.measures.gaps for c in certificates), "gaps in the depth sequence: the book was cleared at each"),
        (sum(c.measures.unreadable for c in certificates), "lines are no valid message and were left out"),
        (
            sum(c.measures.absurd for c in certificates),
            "messages had an impossible time, price or size and were left out",
        ),
    ):
        if count:
            out.append(f"{count} {what}")
    return tuple(out)


def _source_id(file: Path, market: Market, symbol: str, *, from_deltas_alone: bool) -> str:
    try:
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256")
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
    digest.update(f"{READER_VERSION}|{market}|{symbol}|{from_deltas_alone}".encode())
    return f"recording-{digest.hexdigest()[:32]}"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector from walking millions of short-lived rows; nothing here makes cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
