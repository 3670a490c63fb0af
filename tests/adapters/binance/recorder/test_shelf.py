"""Files: never overwritten, readable whatever happens to the writer or the disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from adapters.binance.recorder.shelf import Chunk, Shelf, Sink, open_new
from errors import RunFailed, SafetyRefusal
from tests.adapters.binance.recorder.support import lines_of

DAY = 20_000  # 2024-10-04


def shelf(folder: Path, **more: object) -> Shelf:
    made = Shelf(folder, "binance_usdm_btcusdt", **more)  # type: ignore[arg-type]
    made.claim()
    return made


@pytest.mark.req("D-7")
def test_every_start_has_a_part_of_its_own(tmp_path: Path) -> None:
    for line in (b"1 {}\n", b"2 {}\n"):
        one = shelf(tmp_path)
        one.store([Chunk(DAY, line)])
        one.close()
        one.release()
    files = sorted(tmp_path.glob("*.gz"))
    assert [path.name[-15:] for path in files] == ["20241004_001.gz", "20241004_002.gz"]
    assert [lines_of(path) for path in files] == [[b"1 {}"], [b"2 {}"]]


def test_a_new_day_is_a_new_file(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    one.store([Chunk(DAY, b"1 {}\n"), Chunk(DAY + 1, b"2 {}\n"), Chunk(DAY + 1, b"3 {}\n")])
    one.close()
    assert [(path.name[-15:], lines_of(path)) for path in one.finished] == [
        ("20241004_001.gz", [b"1 {}"]),
        ("20241005_001.gz", [b"2 {}", b"3 {}"]),
    ]


@pytest.mark.req("D-7")
def test_what_a_killed_writer_left_is_finished_and_kept(tmp_path: Path) -> None:
    killed = shelf(tmp_path)
    killed.store([Chunk(DAY, b"1 {}\n")])
    assert killed.path is not None
    left = killed.path
    assert lines_of(left) == [b"1 {}"]  # while it is open
    killed.close()
    killed.finished[0].rename(left)  # as a killed process leaves it
    killed.release()
    after = shelf(tmp_path)
    after.store([Chunk(DAY, b"2 {}\n")])
    after.close()
    assert [(path.name[-15:], lines_of(path)) for path in after.finished] == [
        ("20241004_001.gz", [b"1 {}"]),
        ("20241004_002.gz", [b"2 {}"]),
    ]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    one = shelf(tmp_path)
    with pytest.raises(SafetyRefusal, match="binance_usdm_btcusdt is being recorded into"):
        shelf(tmp_path)
    one.release()
    shelf(tmp_path).release()


class SmallDisk:
    """A file on a disk that takes so many bytes, then a few of the next write, then no more."""

    def __init__(self, path: Path, room: int) -> None:
        self._file, self._room = open_new(path), room

    def write(self, data: memoryview, /) -> int | None:
        if self._room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._file.write(data[: self._room]) or 0
        self._room -= taken
        return taken

    def truncate(self, size: int, /) -> int:
        return self._file.truncate(size)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@pytest.mark.req("D-7")
def test_a_full_disk_is_one_sentence_and_leaves_a_sound_file(tmp_path: Path) -> None:
    def opener(path: Path) -> Sink:
        return SmallDisk(path, 60)

    one = shelf(tmp_path, opener=opener)
    one.store([Chunk(DAY, b"1 {}\n")])
    size = one.size
    with pytest.raises(RunFailed) as caught:
        one.store([Chunk(DAY, b"2 " + bytes(range(65, 91)) * 3 + b"\n"), Chunk(DAY, b"3 {}\n")])
    said = "recording binance_usdm_btcusdt_20241004_001.gz stopped: the disk is full; the file is complete up to there"
    assert str(caught.value) == f"{said}, {size} bytes."
    assert caught.value.exit_code == 1
    with pytest.raises(RunFailed):
        one.store([Chunk(DAY, b"4 {}\n")])  # nothing is appended behind the hole
    assert [lines_of(path) for path in tmp_path.glob("*.gz*")] == [[b"1 {}"]]
    assert [path.stat().st_size for path in one.finished] == [size]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunFailed, match="cannot be written"):
        shelf(tmp_path / "file" / "raw")
