"""The order book's messages in the venue's sequence: what to apply, from where, and where the sequence breaks.

Continuity is Binance's rule: on USD-M ``pu`` equals the ``u`` before, on spot ``U`` is at most the ``u`` before plus one.
A snapshot with update id L connects to the first message whose ``u`` is L or later (spot: later than L), if that message
begins at or before L. Messages before the snapshot in the same unbroken run are buffered, and those that it covers fall
away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from catalog.tables import Ints

REORDER_NS = 1_000_000_000
_FIRST = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Messages:
    """Depth messages in order of arrival.

    Attributes
    ----------
    received
        Receipt time, never going back.
    last
        Update id ``u`` of the last change in the message.
    before
        What the message follows on: USD-M ``pu``, spot ``U`` minus one.
    exact
        True when `before` must equal the previous `last` (USD-M); on spot it may be less.
    """

    received: Ints
    last: Ints
    before: Ints
    exact: bool


@dataclass(frozen=True, slots=True)
class Snapshots:
    """REST snapshots in order of arrival: receipt time and ``lastUpdateId``."""

    received: Ints
    last: Ints


class Step(Enum):
    """What happens to the book."""

    CLEAR = auto()
    SNAPSHOT = auto()
    RUN = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """One step of the plan.

    Attributes
    ----------
    step
        CLEAR: the book is unknown from here. SNAPSHOT: row `start` of the snapshots. RUN: rows `start` to `stop` of
        :attr:`Plan.order`.
    not_before
        Receipt time before which it may not be seen.
    """

    step: Step
    start: int
    stop: int
    not_before: int


@dataclass(slots=True)
class Plan:
    """The book's steps in order, and what was left out.

    Attributes
    ----------
    order
        Messages in the venue's sequence, duplicates and late ones removed; indices into :class:`Messages`.
    gaps
        Receipt time of the first message after each break.
    unknown
        Times (from, to) in which a gap left no book; to is -1 when it never came back.
    uncovered
        Messages for which there was no book to apply them to, or that a snapshot covers.
    """

    order: Ints
    duplicates: Ints
    late: Ints
    reordered: Ints
    pieces: list[Piece] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    uncovered: list[Ints] = field(default_factory=list)
    snapshots_used: list[int] = field(default_factory=list)
    from_deltas_alone: bool = False


Planner = Callable[[Messages, Snapshots], Plan]
"""Puts messages in sequence and connects them to snapshots."""


def plan(messages: Messages, snapshots: Snapshots, *, from_deltas_alone: bool) -> Plan:
    """Put depth messages in sequence and connect them to snapshots.

    Parameters
    ----------
    messages, snapshots
        What was recorded.
    from_deltas_alone
        Start an empty book where no snapshot connects, instead of leaving the messages out.
    """
    out = _ordered(messages)
    last, before = messages.last[out.order], messages.before[out.order]
    received = messages.received[out.order]
    breaks = np.flatnonzero(~_follows(last[:-1], before[1:], messages.exact)) + 1
    known = False
    for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(last)], strict=True):
        if start == stop:
            continue
        if start > 0:
            out.gaps.append(int(received[start]))
        if known:
            out.pieces.append(Piece(Step.CLEAR, start, start, int(received[start])))
            out.unknown.append((int(received[start]), -1))
        known = _connect(
            out, snapshots, (start, stop), last, before, from_deltas_alone=from_deltas_alone, times=received
        )
    return out


def _connect(
    out: Plan,
    snapshots: Snapshots,
    run: tuple[int, int],
    last: Ints,
    before: Ints,
    *,
    from_deltas_alone: bool,
    times: Ints,
) -> bool:
    """Find the snapshot that an unbroken run of messages builds on, and say whether there is a book after the run."""
    start, stop = run
    for row, update_id in enumerate(snapshots.last.tolist()):
        first = start + int(np.searchsorted(last[start:stop], update_id, side="right"))
        newest = first == stop == len(last)  # nothing came after it: the recording ends with this book
        if newest or (first < stop and before[first] <= update_id):
            _use(out, Step.SNAPSHOT, row, (start, first, stop), int(snapshots.received[row]))
            out.snapshots_used.append(row)
            return True
    if from_deltas_alone:
        out.from_deltas_alone = True
        if not out.pieces or out.pieces[-1].step is not Step.CLEAR:
            out.pieces.append(Piece(Step.CLEAR, start, start, int(times[start])))
        _use(out, Step.RUN, 0, (start, start, stop), int(times[start]))
        return True
    out.uncovered.append(out.order[start:stop])
    return False


def _use(out: Plan, step: Step, row: int, run: tuple[int, int, int], at: int) -> None:
    start, first, stop = run
    if out.unknown and out.unknown[-1][1] == -1:
        out.unknown[-1] = (out.unknown[-1][0], max(at, out.unknown[-1][0]))
    if step is Step.SNAPSHOT:
        out.pieces.append(Piece(Step.SNAPSHOT, row, row + 1, at))
    out.uncovered.append(out.order[start:first])
    if stop > first:
        out.pieces.append(Piece(Step.RUN, first, stop, at))


def _follows(last: Ints, before: Ints, exact: bool) -> npt.NDArray[np.bool_]:
    out: npt.NDArray[np.bool_] = before == last if exact else before <= last
    return out


def _ordered(messages: Messages) -> Plan:
    """Drop messages seen before, and put back in order what came late by less than ``REORDER_NS``."""
    last = messages.last
    highest = np.maximum.accumulate(np.concatenate(([_FIRST], last)))[:-1]
    behind = np.flatnonzero(last <= highest)
    none = np.empty(0, np.int64)
    if not len(behind):
        return Plan(np.arange(len(last)), none, none, none)
    seen = set(np.delete(last, behind).tolist())
    duplicates, late, reordered = [], [], []
    ahead = np.delete(np.arange(len(last)), behind)
    for index in behind.tolist():
        overtaken = ahead[np.searchsorted(last[ahead], last[index])]
        if int(last[index]) in seen:
            duplicates.append(index)
        elif messages.received[index] - messages.received[overtaken] > REORDER_NS:
            late.append(index)
        else:
            seen.add(int(last[index]))
            reordered.append(index)
    kept = np.concatenate((ahead, np.array(reordered, np.int64)))
    order = kept[np.argsort(last[kept], kind="stable")]
    return Plan(order, np.array(duplicates, np.int64), np.array(late, np.int64), np.array(reordered, np.int64))
