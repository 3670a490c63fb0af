"""What the recorder tells while it works: events as they happen, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

What = Literal[
    "connected",
    "disconnected",
    "handed_over",
    "gap",
    "snapshot",
    "snapshot_failed",
    "silent",
    "left_out",
    "finished",
    "ingested",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person may want to read.

    Attributes
    ----------
    ts_ns
        When, by the recorder's clock.
    what
        Its kind.
    who
        Symbol, or address of the socket.
    text
        The facts, in words.
    """

    ts_ns: int
    what: What
    who: str
    text: str


Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the recording of one symbol stands.

    Attributes
    ----------
    lines
        Lines taken since the start, the ones not yet on disk included.
    gaps
        Breaks seen in the depth sequence.
    unreadable
        Lines that are no message; they are recorded all the same.
    has_book
        Whether the current file has a snapshot that its depth messages continue.
    lag_ms
        Receipt minus the venue's time of the newest message that has one; None before it.
    file, size
        File being written and its bytes on disk.
    """

    symbol: str
    lines: int
    gaps: int
    unreadable: int
    snapshots: int
    has_book: bool
    lag_ms: float | None
    file: str | None
    size: int
