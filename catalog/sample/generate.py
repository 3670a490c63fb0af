"""Generating a sample into a catalog."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock

from catalog.book import Levels
from catalog.certificate import Source
from catalog.files import NS_PER_DAY
from catalog.instruments import bundled
from catalog.kinds import Kind
from catalog.sample.arrow import Numbering, snapshot, tables
from catalog.sample.audit import Audit
from catalog.sample.book import Book
from catalog.sample.feed import Feed
from catalog.sample.funding import Fundings
from catalog.sample.model import Market
from catalog.sample.parameters import CALIBRATED
from catalog.sample.schedule import MINUTE_US, plan
from catalog.sample.spec import MINUTE_NS, SampleSpec
from catalog.tables import BookSide
from catalog.writer import CatalogWriter, Transaction

Progress = Callable[[float], None]
SYMBOL = "BTCUSDT"
CHUNK_US = 10 * MINUTE_US


def generate(spec: SampleSpec, catalog: Path, progress: Progress | None = None) -> None:
    """Write a sample into a catalog; nothing happens when it is there already.

    Parameters
    ----------
    spec
        What to generate.
    catalog
        Folder of the catalog, created when missing.
    progress
        Called with the finished fraction, in (0, 1], after each chunk.

    Raises
    ------
    DataError
        When the catalog holds other data of the same instrument and time.
    RunFailed
        When the catalog cannot be written.
    """
    writer = CatalogWriter(catalog)
    source = Source(id=f"sample-{spec.digest()}", kind="sample", name=spec.model_dump_json())
    if not writer.has(source.id):
        with writer.transaction(source.id) as transaction:
            _write(spec, source, transaction, progress)


def ensure_sample(spec: SampleSpec, root: Path, progress: Progress | None = None) -> Path:
    """Return a catalog that holds just this sample, generating it when it is not there yet.

    Two processes that ask for the same sample at once get the same catalog, generated once.

    Parameters
    ----------
    spec
        What to generate.
    root
        Folder of all cached samples.
    progress
        As for :func:`generate`.
    """
    catalog = root / f"sample-{spec.digest()}"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{catalog.name}.lock"):
        generate(spec, catalog, progress)
    return catalog


def spans(spec: SampleSpec) -> Iterator[tuple[int, int]]:
    """Cut the period into chunks of ten minutes that do not reach over midnight, in µs since the start."""
    total, day_us = spec.minutes * MINUTE_US, NS_PER_DAY // 1_000
    into_day = spec.start_ns // 1_000 % day_us
    cuts = {*range(0, total, CHUNK_US), *range(day_us - into_day, total, day_us), total}
    yield from itertools.pairwise(sorted(cuts))


def _write(spec: SampleSpec, source: Source, transaction: Transaction, progress: Progress | None) -> None:
    instrument = bundled("usdm", SYMBOL)
    market = Market(spec.seed, CALIBRATED, plan(spec.minutes))
    feed = Feed(spec.seed, spec.start_ns, spec.minutes * MINUTE_NS, CALIBRATED.latency_us)
    fundings, numbering = Fundings(spec, CALIBRATED), Numbering()
    opening = book_levels(market.book)
    audit = Audit(opening, feed)
    transaction.add(instrument, Kind.DELTAS, snapshot(opening, feed, numbering))
    for start_us, end_us in spans(spec):
        market.run(end_us)
        chunk = market.tape.cut()
        rates = fundings.table(start_us, end_us, feed)
        if rates is not None:
            transaction.add(instrument, Kind.FUNDING, rates)
        for kind, table in tables(chunk, feed, numbering):
            transaction.add(instrument, kind, table)
        audit.add(chunk, 0 if rates is None else len(rates))
        if progress is not None:
            progress(end_us / (spec.minutes * MINUTE_US))
    for certificate in audit.certificates(str(instrument.id), source):
        transaction.certificate(certificate)


def book_levels(book: Book) -> Levels:
    """Return a book's levels, bids from the best down, then asks from the best up."""
    bids = sorted(book.bids.levels.items(), reverse=True)
    asks = sorted(book.asks.levels.items(), reverse=True)
    rows = np.array([(abs(key), lots) for key, lots in (*bids, *asks)], dtype=np.int64)
    side = np.full(len(rows), BookSide.SELL, dtype=np.int8)
    side[: len(bids)] = BookSide.BUY
    return Levels(side, rows[:, 0], rows[:, 1])
