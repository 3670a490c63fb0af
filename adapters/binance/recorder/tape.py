"""The lines of one symbol between socket and disk: cut into days, checked for gaps."""

from __future__ import annotations

import asyncio

from adapters.binance.recorder.events import Event, Standing, Tell
from adapters.binance.recorder.messages import Message
from adapters.binance.recorder.sequence import Sequence, Verdict
from adapters.binance.recorder.shelf import NS_PER_DAY, Chunk, Shelf
from adapters.binance.streams import Market

_NS_PER_MS = 1_000_000


class Tape:
    """Takes lines in the order of their arrival.

    Parameters
    ----------
    shelf
        Where they go.
    tell
        Told about gaps.

    Attributes
    ----------
    wants_snapshot
        Set while the current file has no snapshot that its depth messages continue.
    waiting_bytes
        What has not been handed to the disk yet.
    """

    def __init__(self, market: Market, symbol: str, shelf: Shelf, tell: Tell) -> None:
        self.symbol, self.shelf, self._tell = symbol, shelf, tell
        self.sequence = Sequence(exact=market == "usdm")
        self.wants_snapshot = asyncio.Event()
        self.waiting_bytes = 0
        self._day = -1
        self._chunks: list[Chunk] = []
        self._lines: list[bytes] = []
        self._count = self._gaps = self._unreadable = self._snapshots = 0
        self._lag_ms: float | None = None

    def take(self, ts_ns: int, text: bytes, message: Message | None) -> None:
        """Add a stream message; None for one that could not be read."""
        self._write(ts_ns, text)
        if message is None:
            self._unreadable += 1
            return
        if message.event_ms:
            self._lag_ms = ts_ns / _NS_PER_MS - message.event_ms
        if message.is_depth:
            self._follow(ts_ns, message)

    def add_snapshot(self, ts_ns: int, body: bytes, update_id: int) -> bool:
        """Add a REST order book; return whether the depth messages continue it."""
        self._write(ts_ns, body)
        self._snapshots += 1
        connects = self.sequence.offer(update_id)
        if connects:
            self.wants_snapshot.clear()
        return connects

    def begin(self) -> None:
        """Ask for a snapshot: the connection is a new one."""
        self.sequence.begin()
        self.wants_snapshot.set()

    def hand_out(self) -> list[Chunk]:
        """Give what is to be written."""
        self._cut()
        chunks, self._chunks, self.waiting_bytes = self._chunks, [], 0
        return chunks

    def standing(self) -> Standing:
        """How it stands."""
        path, size = self.shelf.path, self.shelf.size
        return Standing(
            symbol=self.symbol,
            lines=self._count,
            gaps=self._gaps,
            unreadable=self._unreadable,
            snapshots=self._snapshots,
            has_book=self.sequence.snapshot is not None,
            lag_ms=self._lag_ms,
            file=None if path is None else path.name,
            size=size,
        )

    def _write(self, ts_ns: int, text: bytes) -> None:
        day = max(ts_ns // NS_PER_DAY, self._day)  # a clock that is set back does not reopen yesterday
        if day != self._day:
            self._cut()
            if self._day >= 0:
                self.begin()
            self._day = day
        if b"\n" in text or b"\r" in text:
            text = b" ".join(text.split())  # a line is a line; JSON has no line break inside a string
        line = b"%d %b\n" % (ts_ns, text)
        self._lines.append(line)
        self.waiting_bytes += len(line)
        self._count += 1

    def _cut(self) -> None:
        if self._lines:
            self._chunks.append(Chunk(self._day, b"".join(self._lines)))
            self._lines = []

    def _follow(self, ts_ns: int, message: Message) -> None:
        before = self.sequence.last
        if self.sequence.follow(message) is Verdict.GAP:
            self._gaps += 1
            text = f"depth {message.first} to {message.last} does not follow {before}: a new snapshot is fetched"
            self._tell(Event(ts_ns, "gap", self.symbol, text))
        if self.sequence.snapshot is None:
            self.wants_snapshot.set()
