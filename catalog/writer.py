"""The one writer of catalog tables."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import pyarrow as pa
from nautilus_trader.model import CryptoPerpetual, CurrencyPair
from nautilus_trader.persistence import ParquetDataCatalog

from catalog.certificate import Certificate
from catalog.files import MARKER, DataFile, day_of, list_data, sync_all, write_text
from catalog.journal import Checkpoint, Staging, catalog_lock, no_checkpoint, publish, recover
from catalog.kinds import Kind
from catalog.partition import Partition, action_codes, split_days
from catalog.tables import Action, Precision
from errors import CorruptData, DataError, RunFailed

Instrument = CryptoPerpetual | CurrencyPair
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Committed:
    """What a transaction did.

    Attributes
    ----------
    new
        False when the source was in the catalog already and nothing changed.
    files
        Data files that are now there, relative to the catalog.
    """

    new: bool
    files: tuple[str, ...]


class CatalogWriter:
    """Adds whole sources to a catalog, each completely or not at all.

    Parameters
    ----------
    path
        The catalog; it is created when missing.
    checkpoint
        Called with a name at every step of a commit; for crash tests.

    Raises
    ------
    RunFailed
        When the folder cannot be written.
    """

    def __init__(self, path: Path, checkpoint: Checkpoint = no_checkpoint) -> None:
        self.path = path
        self._checkpoint = checkpoint
        with _writing(path):
            path.mkdir(parents=True, exist_ok=True)
            with catalog_lock(path):
                recover(path)
                if not (path / MARKER).exists():
                    write_text(path / MARKER, json.dumps({"format": FORMAT, "layout": "nautilus-parquet"}) + "\n")

    def has(self, source_id: str) -> bool:
        """Return whether a source is in the catalog, completely."""
        files = _ledger_files(self.path, source_id)
        return bool(files) and all((self.path / name).exists() for name in files)

    @contextmanager
    def transaction(self, source_id: str) -> Iterator[Transaction]:
        """Open a transaction that commits when the block ends and leaves nothing behind when it raises.

        Parameters
        ----------
        source_id
            Content hash of what is added, safe as a file name. A source that is there already makes the commit a no-op.

        Raises
        ------
        DataError
            When the new data overlaps other data of the same kind and instrument.
        RunFailed
            When the disk is full or cannot be written.
        """
        with _writing(self.path), catalog_lock(self.path):
            staging = Staging(self.path, uuid.uuid4().hex)
        transaction = Transaction(self.path, source_id, staging.path, self._checkpoint)
        try:
            yield transaction
            transaction.commit()
        finally:
            transaction.abandon()
            staging.discard()


class Transaction:
    """Collects tables and certificates of one source; use :meth:`CatalogWriter.transaction`."""

    def __init__(self, root: Path, source_id: str, staging: Path, checkpoint: Checkpoint) -> None:
        self.result: Committed | None = None
        self._root, self._source_id, self._staging, self._checkpoint = root, source_id, staging, checkpoint
        self._open: dict[tuple[Kind, str], Partition] = {}
        self._last_ns: dict[tuple[Kind, str], int] = {}
        self._carried: dict[tuple[str, str], int] = {}
        self._instruments: dict[str, Instrument] = {}
        self._defining = Lock()
        self._certificates: list[Certificate] = []
        (staging / "data").mkdir()

    def add(self, instrument: Instrument, kind: Kind, table: pa.Table, *, bar_type: str | None = None) -> None:
        """Append rows; repeated calls for one instrument and kind must go forward in time.

        Different kinds may be added from different threads.

        Parameters
        ----------
        instrument
            Its definition is written too.
        kind, table
            A table of :mod:`catalog.tables`, ordered by ``ts_init``. The first deltas of a source must be a CLEAR row,
            normally the first of a snapshot.
        bar_type
            Nautilus bar type, for bars only (``"BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL"``).

        Raises
        ------
        CorruptData
            When rows are out of order or deltas do not begin with CLEAR.
        """
        identifier = bar_type if kind is Kind.BARS and bar_type else str(instrument.id)
        key = (kind, identifier)
        with _writing(self._root):
            self._add_instrument(instrument)
            for midnight, rows, first_ns, last_ns in split_days(table, self._last_ns.get(key, -1)):
                partition = self._partition(instrument, key, midnight, rows)
                partition.append(rows, first_ns, last_ns)
                self._last_ns[key] = last_ns

    def certificate(self, certificate: Certificate) -> None:
        """Add a day's certificate; it joins the one that is there when another source wrote to the same day."""
        self._certificates.append(certificate)

    def commit(self) -> None:
        """Publish everything as one step."""
        with _writing(self._root):
            for key in list(self._open):
                self._open.pop(key).close()
            self._checkpoint("staged")
            with catalog_lock(self._root):
                recover(self._root)
                self.result = self._publish()

    def abandon(self) -> None:
        """Close what is still open, without finishing it."""
        for key in list(self._open):
            self._open.pop(key).abandon()

    def _publish(self) -> Committed:
        files = _ledger_files(self._root, self._source_id)
        if files and all((self._root / name).exists() for name in files):
            return Committed(new=False, files=tuple(files))
        moves = self._moves(set(files))
        publish(self._root, self._staging.name, moves, [], self._checkpoint)
        return Committed(new=True, files=tuple(sorted(name for name in moves.values() if name.startswith("data/"))))

    def _add_instrument(self, instrument: Instrument) -> None:
        with self._defining:
            if str(instrument.id) not in self._instruments:
                self._instruments[str(instrument.id)] = instrument
                ParquetDataCatalog(str(self._staging)).write_instruments([instrument])

    def _partition(self, instrument: Instrument, key: tuple[Kind, str], midnight: int, rows: pa.Table) -> Partition:
        current = self._open.get(key)
        if current is not None and current.day_ns == midnight:
            return current
        precision = Precision(instrument.price_precision, instrument.size_precision)
        needs_book = key[0] is Kind.DELTAS and not _opens_with_clear(rows)
        carries = needs_book and current is not None
        if needs_book and current is None:
            raise CorruptData(f"deltas of {key[1]} must begin with a CLEAR row: a book needs a starting point.")
        opening = current.book_at(midnight) if carries and current is not None else None  # while its rows are written
        if current is not None:
            self._open.pop(key).close()
        note: dict[str, object] = {"source": self._source_id, "continues": carries}
        partition = self._open[key] = Partition(self._staging, *key, precision, midnight, note)
        if opening is not None:
            partition.append(opening, midnight, midnight)
            self._carried[key[1], day_of(midnight)] = len(opening)
        return partition

    def _moves(self, own: set[str]) -> dict[str, str]:
        staged = list_data(self._staging)
        if not staged:
            raise DataError("the source holds no market data: nothing was added to the catalog.")
        names = [file.path.relative_to(self._staging).as_posix() for file in staged]
        _refuse_overlap(staged, [file for file in list_data(self._root) if _relative(self._root, file) not in own])
        self._stage_certificates()
        ledger = {"id": self._source_id, "files": sorted({*names, *own}), "days": self._days()}
        self._stage_text(f"sources/{self._source_id}.json", json.dumps(ledger, indent=1) + "\n")
        every = sorted(path for path in self._staging.rglob("*") if path.is_file())
        sync_all(every)
        targets = {path: path.relative_to(self._staging).as_posix() for path in every}
        prefix = self._staging.relative_to(self._root).as_posix()
        return {f"{prefix}/{name}": name for path, name in targets.items() if self._wanted(path, name)}

    def _wanted(self, path: Path, name: str) -> bool:
        target = self._root / name
        if not name.startswith("data/") or not target.exists():
            return True
        if path.parent.parent.name in _INSTRUMENT_FOLDERS and path.read_bytes() != target.read_bytes():
            raise DataError(
                f"{path.parent.name} is in the catalog with other rules (tick, step or precision); "
                "remove the instrument first, or use another catalog."
            )
        return False

    def _days(self) -> list[list[str]]:
        return sorted([certificate.instrument_id, certificate.day] for certificate in self._certificates)

    def _stage_certificates(self) -> None:
        for certificate in self._certificates:
            carried = self._carried.get((certificate.instrument_id, certificate.day), 0)
            measures = certificate.measures.model_copy(update={"carried": carried})
            final = certificate.model_copy(update={"measures": measures})
            name = f"certificates/{certificate.instrument_id}/{certificate.day}.json"
            if (self._root / name).exists():
                there = Certificate.model_validate_json((self._root / name).read_text(encoding="utf-8"))
                if not {source.id for source in final.sources} <= {source.id for source in there.sources}:
                    final = there.merged(final)
            self._stage_text(name, final.model_dump_json(indent=1) + "\n")

    def _stage_text(self, name: str, text: str) -> None:
        path = self._staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _opens_with_clear(deltas: pa.Table) -> bool:
    return bool(action_codes(deltas.slice(0, 1))[0] == Action.CLEAR)


_INSTRUMENT_FOLDERS = ("crypto_perpetual", "currency_pair")


def _relative(root: Path, file: DataFile) -> str:
    return file.path.relative_to(root).as_posix()


def _ledger_files(root: Path, source_id: str) -> list[str]:
    path = root / "sources" / f"{source_id}.json"
    return list(json.loads(path.read_text(encoding="utf-8"))["files"]) if path.exists() else []


def _refuse_overlap(new: list[DataFile], old: list[DataFile]) -> None:
    for file in new:
        for other in old:
            same = (other.kind, other.identifier) == (file.kind, file.identifier)
            if same and file.start_ns <= other.end_ns and other.start_ns <= file.end_ns:
                raise DataError(
                    f"{file.kind.value} of {file.identifier} from {file.path.stem} overlap {other.path.name}, which came "
                    "from another source; remove that day first, or use another catalog."
                )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFailed(f"the catalog {path} could not be written ({reason}); it is as it was before.") from error
