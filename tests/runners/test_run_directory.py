"""A run directory is complete or absent."""

from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from errors import RunFailed, UsageError
from runners.run_directory import RunDirectory

TABLE = pa.table({"a": [1, 2]})


def _write_and_raise(place: Path, error: Exception) -> None:
    with RunDirectory(place) as directory:
        directory.table("fills.parquet", TABLE)
        raise error


def test_published_directory_holds_everything_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "runs" / "one") as directory:
        directory.text("config.yaml", "a: 1\n")
        directory.json("manifest.json", {"b": 2})
        directory.table("conservative/fills.parquet", TABLE)
        assert not (tmp_path / "runs" / "one").exists()
        directory.publish()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one"]
    assert pq.read_table(tmp_path / "runs" / "one" / "conservative" / "fills.parquet") == TABLE


def test_an_error_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="planted"):
        _write_and_raise(tmp_path / "one", ValueError("planted"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="no space left on device; nothing was left behind"):
        _write_and_raise(tmp_path / "one", OSError(errno.ENOSPC, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_exists_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "mine").touch()
    with pytest.raises(UsageError, match="exists already"), RunDirectory(tmp_path / "one"):
        pass
    assert (tmp_path / "one" / "mine").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailed, match="results cannot be written"), RunDirectory(tmp_path / "file" / "one"):
        pass


def test_equal_tables_are_equal_bytes_however_they_were_chunked(tmp_path: Path) -> None:
    pieces = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 1)])
    with RunDirectory(tmp_path / "one") as directory:
        directory.table("a.parquet", TABLE)
        directory.table("b.parquet", pieces)
        assert (directory.path / "a.parquet").read_bytes() == (directory.path / "b.parquet").read_bytes()
