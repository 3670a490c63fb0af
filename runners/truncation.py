"""A copy of a catalog that ends before an instant: what a strategy may find on the disk at that time."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from catalog.files import MARKER, ROW_GROUP, DataFile, data_folder, file_name, open_parquet
from catalog.kinds import INSTRUMENT_FOLDERS
from catalog.store import Catalog
from catalog.tables import nanoseconds


def truncated(source: Catalog, instrument_ids: Sequence[str], end_ns: int, target: Path) -> Catalog:
    """Copy the data of some instruments that were received before `end_ns`.

    Definitions and certificates are copied whole; a file of which nothing is left is not there.
    """
    for name in instrument_ids:
        for file in source.files(name):
            if file.start_ns < end_ns:
                _copy(file, end_ns, target)
        for folder in (*(f"data/{kind}" for kind in INSTRUMENT_FOLDERS.values()), "certificates"):
            if (source.path / folder / name).is_dir():
                shutil.copytree(source.path / folder / name, target / folder / name)
    marker = source.path / MARKER
    if marker.is_file():
        shutil.copyfile(marker, target / MARKER)
    return Catalog(target)


def redirected(params: Mapping[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Parameters in which every path into one folder leads into another."""
    return {name: _redirected(value, source.resolve(), target) for name, value in params.items()}


def _redirected(value: Any, source: Path, target: Path) -> Any:
    if isinstance(value, dict):
        return {name: _redirected(inner, source, target) for name, inner in value.items()}
    if isinstance(value, list):
        return [_redirected(inner, source, target) for inner in value]
    if not isinstance(value, str) or not value or "\0" in value or len(value) > 1024:
        return value
    place = Path(value).resolve()
    return str(target / place.relative_to(source)) if place.is_relative_to(source) else value


def _copy(file: DataFile, end_ns: int, target: Path) -> None:
    folder = data_folder(target, file.kind, file.identifier)
    folder.mkdir(parents=True, exist_ok=True)
    if file.end_ns < end_ns:
        shutil.copyfile(file.path, folder / file.path.name)
        return
    with pq.ParquetFile(file.path) as opened:
        table = opened.read()
    times = nanoseconds(table["ts_init"])
    rows = int(np.searchsorted(times, end_ns))
    with open_parquet(folder / file_name(file.start_ns, int(times[rows - 1])), table.schema) as writer:
        writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
