"""Removing data from a catalog, and checking what is in it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog import book
from catalog.certificate import Certificate
from catalog.files import DataFile, day_of
from catalog.journal import catalog_lock, publish, recover
from catalog.kinds import INSTRUMENT_FOLDERS, Kind
from catalog.partition import action_codes, levels_of
from catalog.store import Catalog
from catalog.stream import open_file, read_group
from catalog.tables import F_LAST, Action, Precision, nanoseconds
from errors import CorruptData, DataError, PeriodEmpty


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the catalog that is not as it should be."""

    instrument_id: str
    day: str
    file: str
    what: str


def remove(path: Path, instrument_id: str, day: str | None = None) -> list[str]:
    """Remove an instrument, or one UTC day of it, as one step.

    Returns
    -------
    list of str
        Removed files, relative to the catalog. A source of which a day was removed can be ingested again and fills it.

    Raises
    ------
    InstrumentMissing, PeriodEmpty
        When there is no such instrument or day.
    """
    store = Catalog(path)
    store.instrument(instrument_id)
    doomed = [file.path for file in store.files(instrument_id) if day in (None, day_of(file.start_ns))]
    doomed += sorted((path / "certificates" / instrument_id).glob(f"{day or '*'}.json"))
    if day is not None and not doomed:
        raise PeriodEmpty(f"the catalog {path} holds nothing of {instrument_id} on {day}.")
    if day is None:
        for folder in INSTRUMENT_FOLDERS.values():
            doomed += sorted((path / "data" / folder / instrument_id).glob("*.parquet"))
    names = [file.relative_to(path).as_posix() for file in doomed]
    with catalog_lock(path):
        recover(path)
        publish(path, uuid.uuid4().hex, {}, [*names, *_orphaned_sources(path, set(names))])
    return names


def _orphaned_sources(path: Path, doomed: set[str]) -> list[str]:
    out = []
    for ledger in sorted((path / "sources").glob("*.json")):
        files = json.loads(ledger.read_text(encoding="utf-8"))["files"]
        if not any((path / name).exists() and name not in doomed for name in files):
            out.append(ledger.relative_to(path).as_posix())
    return out


def verify(path: Path, instrument_id: str | None = None) -> list[Problem]:
    """Read every row again and compare it with the layout's rules and with the certificates.

    Raises
    ------
    CatalogMissing, InstrumentMissing
        When there is nothing to verify.
    """
    store = Catalog(path)
    wanted = [instrument_id] if instrument_id else store.instrument_ids()
    return [problem for name in wanted for problem in _verify_instrument(store, name)]


def _verify_instrument(store: Catalog, instrument_id: str) -> list[Problem]:
    instrument = store.instrument(instrument_id)
    precision = Precision(instrument.price_precision, instrument.size_precision)
    problems: list[Problem] = []
    rows: dict[str, dict[Kind, int]] = {}
    for file in store.files(instrument_id):
        day = day_of(file.start_ns)
        try:
            table = _read(file)
            found = [
                *_time_problems(file, table),
                *(_book_problems(table, precision) if file.kind is Kind.DELTAS else []),
            ]
            counts = rows.setdefault(day, {})
            counts[file.kind] = counts.get(file.kind, 0) + len(table)
        except DataError as error:
            found = [str(error)]
        problems += [Problem(instrument_id, day, _name(store, file), what) for what in found]
    return problems + _certificate_problems(store, instrument_id, rows)


def _read(file: DataFile) -> pa.Table:
    opened = open_file(file)
    groups = [read_group(file, opened, group) for group in range(opened.metadata.num_row_groups)]
    if not groups:
        raise CorruptData(f"{file.path} holds no rows.")
    return pa.concat_tables(groups)


def _name(store: Catalog, file: DataFile) -> str:
    return file.path.relative_to(store.path).as_posix()


def _time_problems(file: DataFile, table: pa.Table) -> list[str]:
    ts = nanoseconds(table["ts_init"])
    out = []
    if np.any(ts[1:] < ts[:-1]):
        out.append("receipt times go backwards")
    if (int(ts.min()), int(ts.max())) != (file.start_ns, file.end_ns):
        out.append("the file name does not tell the receipt times inside")
    return out


def _book_problems(table: pa.Table, precision: Precision) -> list[str]:
    actions, flags = action_codes(table), table["flags"].to_numpy()
    ends = np.flatnonzero(flags & F_LAST) + 1
    if not len(ends) or ends[-1] != len(table):
        return ["the file ends inside a venue message"]
    if actions[0] != Action.CLEAR:
        return ["the file does not begin with a snapshot"]
    crossed = int(book.tops(actions, levels_of(table, precision), ends).crossed.sum())
    return [f"the book is crossed after {crossed} of {len(ends)} batches"] if crossed else []


def _certificate_problems(store: Catalog, instrument_id: str, rows: dict[str, dict[Kind, int]]) -> list[Problem]:
    certificates = {certificate.day: certificate for certificate in store.certificates(instrument_id)}
    out = []
    for day, counts in sorted(rows.items()):
        certificate = certificates.get(day)
        what = "there is no certificate" if certificate is None else _count_problem(certificate, counts)
        if what:
            out.append(Problem(instrument_id, day, f"certificates/{instrument_id}/{day}.json", what))
    return out


def _count_problem(certificate: Certificate, counts: dict[Kind, int]) -> str:
    measures = certificate.measures
    expected = {
        Kind.DELTAS: measures.deltas + measures.carried,
        Kind.TRADES: measures.trades,
        Kind.QUOTES: measures.quotes,
    }
    wrong = [
        f"{kind.value} {counts.get(kind, 0)} not {rows}"
        for kind, rows in expected.items()
        if counts.get(kind, 0) != rows
    ]
    return f"rows differ from the certificate: {', '.join(wrong)}" if wrong else ""
