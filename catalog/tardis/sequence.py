"""Where a book of CSV files begins, ends and restarts, and how its best prices compare with ``book_ticker``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.book import EMPTY
from catalog.recording.batches import CLEAR_ONLY, spread
from catalog.recording.clean import whole
from catalog.recording.convert import Book
from catalog.recording.depth import Messages, Piece, Plan, Snapshots, Step
from catalog.tables import Ints
from catalog.tardis.messages import Opening

Mask = npt.NDArray[np.bool_]
_NONE = np.empty(0, np.int64)


def plan_restarts(messages: Messages, snapshots: Snapshots, openings: Sequence[Opening]) -> Plan:
    """Apply every snapshot and the messages up to the next one.

    A snapshot inside a file means that Tardis lost the connection or a message: it counts as a gap, and the book is
    unknown from the last message before it. The first snapshot of a file is no gap. Messages before it are left out.

    Parameters
    ----------
    messages, snapshots
        With the numbers of :mod:`catalog.tardis.messages` for update ids.
    openings
        Where each file begins.
    """
    out = Plan(np.arange(len(messages.last)), _NONE, _NONE, _NONE)
    fresh = {opening.snapshot for opening in openings}
    borders = np.union1d(snapshots.last, np.array([opening.message for opening in openings], np.int64))
    applied = np.zeros(len(messages.last), np.bool_)
    seen = 0
    for row, number in enumerate(snapshots.last.tolist()):
        at = int(snapshots.received[row])
        start, stop = _between(messages.last, borders, number)
        if number not in fresh:
            out.gaps.append(at)
            out.unknown.append((max(seen, int(messages.received[start - 1]) if start else 0), at))
        whole_until = _unbroken(messages, number, start, stop)
        out.pieces += [Piece(Step.SNAPSHOT, row, row + 1, at), Piece(Step.RUN, start, whole_until, at)]
        out.snapshots_used.append(row)
        applied[start:whole_until] = True
        if whole_until < stop:
            _lose(out, int(messages.received[whole_until]), int(messages.received[stop - 1]))
        seen = at
    out.uncovered.append(np.flatnonzero(~applied))
    return out


def _between(numbers: Ints, borders: Ints, number: int) -> tuple[int, int]:
    later = int(np.searchsorted(borders, number, side="right"))
    start = int(np.searchsorted(numbers, number))
    return start, int(np.searchsorted(numbers, borders[later])) if later < len(borders) else len(numbers)


def _unbroken(messages: Messages, number: int, start: int, stop: int) -> int:
    """Return the row of the first message that does not follow on the one before, because that one was left out."""
    before = np.concatenate((np.full(1, number), messages.last[start : max(stop - 1, start)]))
    broken = np.flatnonzero(messages.before[start:stop] != before[: stop - start])
    return start + int(broken[0]) if len(broken) else stop


def _lose(out: Plan, since: int, until: int) -> None:
    out.pieces.append(Piece(Step.CLEAR, 0, 0, since))
    out.gaps.append(since)
    out.unknown.append((since, until))


def agreement_in_time(book: Book, tickers: pa.Table) -> tuple[Mask, Mask]:
    """Compare the top of book after each batch with the best quotes in force since the batch before.

    The exchange's times are whole milliseconds and both streams may change within one, so any of these quotes will do.
    Snapshots are left out: the time at which they were true is not known.

    Returns
    -------
    compared, equal
        Per batch: whether there was a quote and a change of the book, and whether both prices and both sizes equal one
        of them.
    """
    newest = np.searchsorted(whole(tickers, "u"), book.update_id, side="right") - 1
    before = np.concatenate((book.update_id[:1], book.update_id[:-1]))
    oldest = np.maximum(np.searchsorted(whole(tickers, "due"), before, side="right") - 1, 0)
    message = book.batches.message
    compared = (newest >= 0) & (message != CLEAR_ONLY) & (message < book.messages)
    counts = np.where(compared, newest - oldest + 1, 0)
    batch, quote = np.repeat(np.arange(len(counts)), counts), spread(oldest, counts)
    same = book.tops.bid[batch] != EMPTY
    pairs = ((book.tops.bid, "b"), (book.tops.bid_size, "B"), (book.tops.ask, "a"), (book.tops.ask_size, "A"))
    for mine, name in pairs:
        same &= mine[batch] == whole(tickers, name)[quote]
    equal = np.bincount(batch[same], minlength=len(counts)) > 0
    return compared, equal
