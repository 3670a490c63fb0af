"""Where the journal of an account is, for whoever knows only its state folder."""

from __future__ import annotations

from pathlib import Path

FILE, POINTER = "journal.sqlite", "journal.path"
"""The journal itself; a line that says where it is, where the configuration has put it elsewhere."""


def journal_of(folder: Path) -> Path:
    """Path of the journal of an account's state folder; it may not be there."""
    pointer = folder / POINTER
    if pointer.is_file():
        return Path(pointer.read_text(encoding="utf-8").strip())
    return folder / FILE


def remember_place(folder: Path, path: Path) -> None:
    """Leave word of where the journal is.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    pointer = folder / POINTER
    if path == folder / FILE:
        pointer.unlink(missing_ok=True)
    else:
        pointer.write_text(f"{path.resolve()}\n", encoding="utf-8", newline="\n")
