"""Tardis files into the catalog, by the same way as a recording."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from catalog.certificate import Source
from catalog.instruments import Market, instrument_id
from catalog.recording.ingest import Ingested, Method, add_decoded, collector_paused, is_there
from catalog.recording.source import Progress
from catalog.tardis.formats import EXCHANGES
from catalog.tardis.messages import assemble
from catalog.tardis.read import Rows, read_rows
from catalog.tardis.sequence import agreement_in_time, plan_restarts
from errors import DataError

READER_VERSION = 1


def ingest_tardis(
    files: Sequence[Path], *, market: Market, symbol: str, catalog: Path, on_bytes: Progress = lambda _: None
) -> Ingested:
    """Read Tardis CSV files and add them to a catalog as one source.

    Parameters
    ----------
    files
        ``incremental_book_L2``, ``trades`` and ``book_ticker`` files of one or more days, plain or gzip. Give those of
        one day together: only then can the certificate compare the book with ``book_ticker``.
    market, symbol
        Which exchange the files must be of, and which of their symbols to read.
    catalog
        Made when it is missing.
    on_bytes
        Told how many bytes of all files have been read.

    Raises
    ------
    DataError
        When a file is missing, damaged, of another exchange or without the symbol, or a row is wrong (the message names
        file and line), or the data overlap other data.
    RunFailed
        When the catalog cannot be written; it is then as it was before.
    """
    source_id = _source_id(files, market, symbol)
    if is_there(catalog, source_id):
        return Ingested(new=False, instrument_id=instrument_id(market, symbol), certificates=(), warnings=())
    with collector_paused():
        rows = _read(files, EXCHANGES[market], symbol, on_bytes)
        assembled = assemble(rows, market)
        rows.clear()
        planner = partial(plan_restarts, openings=assembled.openings)
        method = Method(planner, agreement_in_time, {"no_update_ids": bool(assembled.openings)})
        source = Source(id=source_id, kind="import", name=", ".join(file.name for file in files))
        return add_decoded(assembled.decoded, source, method, market=market, symbol=symbol, catalog=catalog)


def _read(files: Sequence[Path], exchange: str, symbol: str, on_bytes: Progress) -> list[Rows]:
    out, behind = [], 0
    for file in files:
        out.append(read_rows(file, exchange, symbol, _after(behind, on_bytes)))
        behind += file.stat().st_size
    if not any(len(rows) for rows in out):
        found = sorted({name for rows in out for name in rows.others}) or ["no row at all"]
        raise DataError(f"the files hold nothing of {symbol}; they hold: {', '.join(found[:10])}.")
    return out


def _after(behind: int, on_bytes: Progress) -> Progress:
    return lambda done: on_bytes(behind + done)


def _source_id(files: Sequence[Path], market: Market, symbol: str) -> str:
    digests = []
    for file in files:
        try:
            with file.open("rb") as handle:
                digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
    text = "|".join((*sorted(digests), str(READER_VERSION), market, symbol))
    return f"tardis-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
