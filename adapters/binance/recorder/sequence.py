"""Is the depth stream unbroken, and is there a snapshot that it continues?

The rules are those by which the recording will be read (``catalog/recording/depth.py``): on USD-M ``pu`` is the ``u``
before; on spot ``U`` is at most the ``u`` before plus one. A snapshot connects when the unbroken run of messages began at
or before its update id.
"""

from __future__ import annotations

from enum import Enum, auto

from adapters.binance.recorder.messages import Message


class Verdict(Enum):
    """What a depth message says about the sequence."""

    FOLLOWS = auto()
    REPEATS = auto()
    GAP = auto()


class Sequence:
    """The depth messages of one symbol.

    Parameters
    ----------
    exact
        True on USD-M: ``pu`` must equal the ``u`` before.

    Attributes
    ----------
    last
        ``u`` of the newest message.
    snapshot
        Update id of the snapshot that the current run continues; None while there is none.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._before: int | None = None  # what the first message of the run follows on
        self.last: int | None = None
        self.snapshot: int | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a message of the current run has come."""
        return self._before is not None

    def begin(self) -> None:
        """Ask for a snapshot of its own from here on: a new connection, a new file."""
        self._before, self.snapshot = None, None

    def follow(self, message: Message) -> Verdict:
        """Take the next message."""
        before = message.previous if self._exact else message.first - 1
        if self.last is not None and message.last <= self.last:
            return Verdict.REPEATS
        gap = self.last is not None and (before != self.last if self._exact else before > self.last)
        self.last = message.last
        if gap or self._before is None:
            began, self._before = self._before, before
            if began is not None or (self.snapshot is not None and self.snapshot < before):
                self.snapshot = None
        return Verdict.GAP if gap else Verdict.FOLLOWS

    def offer(self, update_id: int) -> bool:
        """Take a snapshot; return whether the run continues it, as far as one can tell by now."""
        if self._before is not None and update_id < self._before:
            return False
        self.snapshot = update_id
        return True
