"""The connection that kills: labels, ordinals and stages; what is left is what SQLite promises."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crash.killing import Killer, Trace, Trigger, connector, read_trace
from crash.tampering import cut_to, restore_older, wal_of

ROW = "INSERT INTO orders (client_order_id, why, source) VALUES (?, ?, ?)"


class Struck(BaseException):
    """Stands for the end of the process."""


def strike() -> None:
    """End it."""
    raise Struck


def opened(folder: Path, trigger: Trigger | None) -> sqlite3.Connection:
    """A small journal on a connection that kills."""
    killer = Killer(trigger, Trace(folder / "trace"), strike)
    db = connector(killer)(folder / "journal.sqlite")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE IF NOT EXISTS orders (client_order_id TEXT, why TEXT, source TEXT)")
    return db


def write(db: sqlite3.Connection, order_id: str, why: str) -> None:
    """One transaction."""
    db.execute("BEGIN IMMEDIATE")
    db.execute(ROW, (order_id, why, "strategy"))
    db.execute("COMMIT")


def rows(folder: Path) -> list[str]:
    """What another process would find."""
    db = sqlite3.connect(folder / "journal.sqlite")
    try:
        return [row[0] for row in db.execute("SELECT client_order_id FROM orders ORDER BY rowid")]
    finally:
        db.close()


@pytest.mark.parametrize(("stage", "left"), [("before", ["a"]), ("written", ["a"]), ("committed", ["a", "b"])])
def test_a_process_ends_before_the_row_with_it_uncommitted_or_after_its_commit(
    tmp_path: Path, stage: str, left: list[str]
) -> None:
    db = opened(tmp_path, Trigger("orders/insert/target", stage))  # type: ignore[arg-type]
    write(db, "a", "prelude")
    with pytest.raises(Struck):
        write(db, "b", "target")
    db.close()
    assert rows(tmp_path) == left
    (mark,) = [line for line in read_trace(tmp_path / "trace") if "struck" in line]
    assert (mark["stage"], mark["label"]) == (stage, "orders/insert/target")


def test_the_nth_occurrence_counts(tmp_path: Path) -> None:
    db = opened(tmp_path, Trigger("orders/insert/*", "committed", nth=3))
    write(db, "a", "x")
    write(db, "b", "y")
    with pytest.raises(Struck):
        write(db, "c", "z")
    db.close()
    assert rows(tmp_path) == ["a", "b", "c"]


def test_a_commit_can_fail_and_the_process_lives_on(tmp_path: Path) -> None:
    db = opened(tmp_path, Trigger("orders/insert/target", "written", deed="fail"))
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        write(db, "a", "target")
    db.close()
    assert rows(tmp_path) == []


@pytest.mark.req("O-2")
def test_a_log_cut_anywhere_opens_clean_with_a_prefix_of_the_rows(tmp_path: Path) -> None:
    """Every length of the log, torn frames included, gives the first n rows for some n, and never an error."""
    source = tmp_path / "source"
    source.mkdir()
    db = opened(source, None)
    for name in "abcde":
        write(db, name, "x")
    whole = wal_of(source / "journal.sqlite").read_bytes()
    main = (source / "journal.sqlite").read_bytes()
    seen = set()
    for size in range(0, len(whole) + 1, 997):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(main)
        wal_of(folder / "journal.sqlite").write_bytes(whole)
        cut_to(folder / "journal.sqlite", size)
        try:
            found = rows(folder)
        except sqlite3.OperationalError as error:
            assert "no such table" in str(error)  # noqa: PT017 - cut before the table itself
            found = []
        assert found == list("abcde")[: len(found)]
        seen.add(len(found))
    db.close()
    assert {0, 4} <= seen


def test_an_older_copy_is_one_whole_file_without_what_came_after(tmp_path: Path) -> None:
    db = opened(tmp_path, None)
    write(db, "a", "prelude")
    write(db, "b", "base")
    write(db, "c", "target")
    sizes = [
        line["wal"] for line in read_trace(tmp_path / "trace") if "orders/insert/prelude" in line.get("commit", ())
    ]
    saved = {path: path.read_bytes() for path in tmp_path.glob("journal.sqlite*")}
    db.close()
    for path, content in saved.items():  # as SIGKILL leaves them
        path.write_bytes(content)
    restore_older(tmp_path / "journal.sqlite", sizes[0])
    assert rows(tmp_path) == ["a"]
    assert not wal_of(tmp_path / "journal.sqlite").exists()
