"""Reading a file to its end, or to where it is broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from catalog.recording.source import read_blocks
from errors import DataError

LINES = [f"line {i} {'x' * (i % 97)}".encode() for i in range(20_000)]
TEXT = b"\n".join(LINES) + b"\n"


def read(path: Path) -> tuple[list[bytes], str]:
    blocks = list(read_blocks(path, lambda _: None))
    return [line for block in blocks for line in block.lines], blocks[-1].truncated


def test_gzip_and_plain_text_give_the_same_lines(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "a.txt").write_bytes(TEXT)
    assert read(tmp_path / "a.gz") == read(tmp_path / "a.txt") == (LINES, "")


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    half = len(TEXT) // 2
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT[:half]) + gzip.compress(TEXT[half:]))
    assert read(tmp_path / "a.gz") == (LINES, "")


def test_a_file_without_a_last_line_end_keeps_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT[:-1]))
    assert read(tmp_path / "a.gz") == (LINES, "")


@pytest.mark.parametrize("cut", [1, 8, 1_000])
def test_a_truncated_file_gives_what_is_there_and_says_so(tmp_path: Path, cut: int) -> None:
    data = gzip.compress(TEXT)
    (tmp_path / "a.gz").write_bytes(data[:-cut])
    lines, truncated = read(tmp_path / "a.gz")
    assert truncated == "the last compressed member has no end"
    assert lines[:-1] == LINES[: len(lines) - 1]
    assert len(lines) >= len(LINES) * (1 - cut / len(data)) * 0.9


def test_damage_in_the_middle_ends_the_reading_there(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(TEXT))
    data[len(data) // 2 : len(data) // 2 + 200] = b"\xff" * 200
    (tmp_path / "a.gz").write_bytes(data)
    lines, truncated = read(tmp_path / "a.gz")
    assert truncated.startswith("damaged compressed data")
    assert 0 < len(lines) < len(LINES)


def test_progress_reaches_the_size_of_the_file(tmp_path: Path) -> None:
    data = gzip.compress(TEXT)
    (tmp_path / "a.gz").write_bytes(data)
    seen: list[int] = []
    list(read_blocks(tmp_path / "a.gz", seen.append))
    assert seen[-1] == len(data)
    assert seen == sorted(seen)


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(read_blocks(tmp_path / "none.gz", lambda _: None))
