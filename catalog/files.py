"""Names, folders and Parquet settings of the catalog's files: Nautilus' layout, spelled in one place."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model import BarType

from catalog.kinds import Kind
from catalog.tables import SCHEMAS, Precision
from errors import CorruptData

NS_PER_SEC = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_SEC
ROW_GROUP = 65_536
_SYNC_THREADS = 8
MARKER = "catalog.json"
NOTE_KEY = b"hyper_trading"
_DISTINCT = frozenset({"ts_event", "ts_init", "sequence", "trade_id"})


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of one kind and one identifier; both ends of its time range are included."""

    kind: Kind
    identifier: str
    start_ns: int
    end_ns: int
    path: Path


def day_of(ns: int) -> str:
    """Return the UTC day, as ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(ns // NS_PER_SEC, UTC).strftime("%Y-%m-%d")


def day_start(ns: int) -> int:
    """Return the midnight (UTC) at or before `ns`."""
    return ns - ns % NS_PER_DAY


def stamp(ns: int) -> str:
    """Return a time in the form of Nautilus' file names, ``2024-08-08T23-54-15-030314667Z``."""
    seconds, fraction = divmod(ns, NS_PER_SEC)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H-%M-%S}-{fraction:09d}Z"


def parse_stamp(text: str) -> int:
    """Invert :func:`stamp`."""
    moment = datetime.strptime(text[:19], "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_SEC + int(text[20:29])


def file_name(start_ns: int, end_ns: int) -> str:
    """Return Nautilus' name of a file that holds receipt times from `start_ns` to `end_ns`."""
    return f"{stamp(start_ns)}_{stamp(end_ns)}.parquet"


def data_folder(root: Path, kind: Kind, identifier: str) -> Path:
    """Return the folder of one kind and identifier (an instrument id, for bars a bar type)."""
    return root / "data" / kind.folder / identifier


def instrument_of(kind: Kind, identifier: str) -> str:
    """Return the instrument id of a data folder; bars are kept by bar type."""
    return str(BarType.from_str(identifier).instrument_id) if kind is Kind.BARS else identifier


def list_data(root: Path) -> list[DataFile]:
    """List every data file, by kind, identifier and start.

    Raises
    ------
    CorruptData
        When a file's name does not carry its time range.
    """
    found = []
    for kind in Kind:
        for path in sorted((root / "data" / kind.folder).glob("*/*.parquet")):
            start, _, end = path.stem.partition("_")
            try:
                found.append(DataFile(kind, path.parent.name, parse_stamp(start), parse_stamp(end), path))
            except ValueError as error:
                raise CorruptData(f"{path} is not named by its time range, as Nautilus names catalog files.") from error
    return found


def schema_for(kind: Kind, identifier: str, precision: Precision, note: dict[str, object]) -> pa.Schema:
    """Return the schema with the metadata that Nautilus decodes by, and our own note beside it."""
    metadata = {
        "instrument_id": instrument_of(kind, identifier),
        "type_name": kind.type_name,
        NOTE_KEY.decode(): json.dumps(note),
    }
    if kind is not Kind.FUNDING:
        metadata["price_precision"] = str(precision.price)
    if kind not in (Kind.FUNDING, Kind.MARK):
        metadata["size_precision"] = str(precision.size)
    if kind is Kind.BARS:
        metadata["bar_type"] = identifier
    return SCHEMAS[kind].with_metadata(metadata)


def open_parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file for writing, declared as sorted by ``ts_init``.

    Without that declaration Nautilus returns some rows out of order. Columns whose values hardly repeat are written
    without a dictionary: that is faster and takes less space.
    """
    return pq.ParquetWriter(
        path,
        schema,
        use_dictionary=[name for name in schema.names if name not in _DISTINCT],
        compression="zstd",
        compression_level=1,
        write_statistics=["ts_init"],
        sorting_columns=[pq.SortingColumn(schema.get_field_index("ts_init"))],
    )


def sync(path: Path) -> None:
    """Force a finished file to the disk."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def sync_all(paths: Sequence[Path]) -> None:
    """Force finished files to the disk together, which costs little more than one."""
    with ThreadPoolExecutor(max(1, min(len(paths), _SYNC_THREADS)), thread_name_prefix="sync") as executor:
        list(executor.map(sync, paths))


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is there complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8", newline="\n")
    sync(draft)
    draft.replace(path)
