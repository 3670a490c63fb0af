"""Append-only record of everything that happened at the venue: JSON lines, one fact a line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from adapters.simulated_binance.clock import Clock


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise NotImplementedError(f"{type(value)} cannot stand in a ledger")


class Ledger:
    """Writes facts in order; each line is on its way to the file before the next thing happens.

    Parameters
    ----------
    clock
        Stamps ``ts_ns`` (real time, without skew).
    path
        File to append to; None keeps the lines in memory only.
    keep
        Whether lines stay in `rows` for a reader in the same process.

    Notes
    -----
    Every line has ``seq`` (from 1, no gap), ``ts_ns``, ``kind``. Kinds and their fields stand in docs/simulated-binance.md.
    """

    def __init__(self, clock: Clock, path: Path | None = None, *, keep: bool = False) -> None:
        self._clock = clock
        self._file: IO[bytes] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        self._keep = keep or path is None
        self._encode: Callable[[object], bytes] = msgspec.json.Encoder(enc_hook=_plain).encode
        self._seq = 0
        self.rows: list[dict[str, Any]] = []

    def write(self, kind: str, **fields: Any) -> None:
        """Append one fact."""
        self._seq += 1
        row = {"seq": self._seq, "ts_ns": self._clock.real_ns(), "kind": kind, **fields}
        if self._keep:
            self.rows.append(row)
        if self._file is not None:
            self._file.write(self._encode(row) + b"\n")
            self._file.flush()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Rows of one kind that were kept in memory."""
        return [row for row in self.rows if row["kind"] == kind]

    def close(self) -> None:
        """Close the file; later facts stay in memory only."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Read a ledger file back; a torn last line is left out."""
    lines = path.read_bytes().split(b"\n")[:-1]
    decoded: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    return decoded
