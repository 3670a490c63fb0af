"""Whether a stream of the engine has reconnected: rc6 tells Python nothing of it, its log does (docs/nautilus.md)."""

from __future__ import annotations

from pathlib import Path

MARK = b"WebSocket reconnected"
KEPT = len(MARK) - 1


class Reconnects:
    """Reads on in the engine's newest log file.

    Parameters
    ----------
    folder
        Where the engine logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Path | None = None
        self._read = 0
        self._rest = b""

    def count(self) -> int:
        """Reconnections since the last call; what was logged before the first call is not counted."""
        newest = self._newest()
        if newest is None:
            return 0
        if self._file is None:
            self._file, self._read = newest, _size(newest)
            return 0
        found = self._on(self._file)
        if newest != self._file:
            self._file, self._read, self._rest = newest, 0, b""
            found += self._on(newest)
        return found

    def _newest(self) -> Path | None:
        try:
            return max(self._folder.glob("*.log"), key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
        except OSError:
            return None  # it has just been rotated away: the next second finds the next one

    def _on(self, path: Path) -> int:
        try:
            with path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except OSError:
            return 0
        self._read += len(fresh)
        text = self._rest + fresh
        self._rest = text[-KEPT:]
        return text.count(MARK)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
