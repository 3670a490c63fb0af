"""Reading a client order id of ours back: tag, epoch, sequence (`execution/ids.py` writes them)."""

from __future__ import annotations

from dataclasses import dataclass

from execution.ids import decode
from execution.safety.wire_ids import logical_id

_LONG = 14


@dataclass(frozen=True, slots=True)
class OwnId:
    """The parts of an id; an id with our tag that nobody of us wrote has the epoch "" and the sequence 0."""

    epoch: str
    sequence: int


def read_id(wire: str) -> OwnId:
    """Take an id with our tag apart.

    Examples
    --------
    >>> read_id("x-aHRE4BCj-Rh1k7q2mz00001a")
    OwnId(epoch='k7q2mz', sequence=42)
    """
    text = logical_id(wire)
    sequence = decode(text[8:])
    if len(text) != _LONG or sequence is None or decode(text[2:8]) is None:
        return OwnId("", 0)
    return OwnId(text[2:8], sequence)
