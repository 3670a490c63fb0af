"""The ledger while it is being written: what the steps of a drill wait for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crash.judge.ledger import CLOSED


class Tail:
    """Reads on in a ledger file.

    Parameters
    ----------
    path
        The file; it may not be there yet.

    Attributes
    ----------
    rows
        All lines so far.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._rest = path, 0, b""
        self.rows: list[dict[str, Any]] = []
        self._open: set[int] = set()
        self._held: dict[str, bool] = {}

    def read(self) -> None:
        """Take in what has been written since."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            fresh = file.read()
        self._at += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            row = json.loads(line)
            self.rows.append(row)
            self._note(row)

    def _note(self, row: dict[str, Any]) -> None:
        if row["kind"] == "order":
            (self._open.discard if row["status"] in CLOSED else self._open.add)(row["order_id"])
        elif row["kind"] == "position":
            self._held[row["symbol"]] = float(row["quantity"]) != 0

    @property
    def rests(self) -> bool:
        """Whether a regular order is open."""
        return bool(self._open)

    @property
    def holds(self) -> bool:
        """Whether a position is held."""
        return any(self._held.values())
