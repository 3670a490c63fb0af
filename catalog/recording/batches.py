"""The planned steps of a book as rows of deltas, one batch a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog import book
from catalog.recording.depth import Piece, Plan, Step
from catalog.tables import F_LAST, F_SNAPSHOT, Action, BookSide, Codes, Ints

CLEAR_ONLY = -1


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels of many messages: row m owns ``offset[m]`` to ``offset[m + 1]`` of the flat arrays, per side."""

    bid_offset: Ints
    bid_price: Ints
    bid_size: Ints
    ask_offset: Ints
    ask_price: Ints
    ask_size: Ints

    @staticmethod
    def read(table: pa.Table, bid: str, ask: str) -> Ladder:
        """Take the list columns of a decoded depth or snapshot table."""
        return Ladder(*_lists(table, bid), *_lists(table, ask))

    def then(self, other: Ladder) -> Ladder:
        """Append the messages of another ladder."""
        return Ladder(
            _chain(self.bid_offset, other.bid_offset),
            np.concatenate((self.bid_price, other.bid_price)),
            np.concatenate((self.bid_size, other.bid_size)),
            _chain(self.ask_offset, other.ask_offset),
            np.concatenate((self.ask_price, other.ask_price)),
            np.concatenate((self.ask_size, other.ask_size)),
        )


@dataclass(frozen=True, slots=True)
class Batches:
    """Rows of deltas, and per batch where they end.

    Attributes
    ----------
    message
        Per batch the row of its message in the ladder, ``CLEAR_ONLY`` where a gap only clears the book.
    ends
        Per batch the row after its last.
    not_before
        Per batch the receipt time of the step it belongs to.
    """

    message: Ints
    ends: Ints
    not_before: Ints
    action: Codes
    flags: npt.NDArray[np.uint8]
    levels: book.Levels

    def per_row(self, per_batch: Ints) -> Ints:
        """Repeat one value a batch for each of its rows."""
        return np.repeat(per_batch, np.diff(self.ends, prepend=0))


def build(plan: Plan, ladder: Ladder, messages: int) -> Batches:
    """Lay out the rows of a plan.

    Parameters
    ----------
    plan
        Steps from :func:`catalog.recording.depth.plan`.
    ladder
        Levels of the depth messages, followed by those of the snapshots.
    messages
        How many of the ladder's rows are depth messages.
    """
    none = np.empty(0, np.int64)
    chosen = [_rows(plan, piece, messages) for piece in plan.pieces]
    message = np.concatenate([none, *chosen])
    not_before = np.repeat(np.array([piece.not_before for piece in plan.pieces], np.int64), [len(c) for c in chosen])
    opening = (message == CLEAR_ONLY) | (message >= messages)
    bids = np.where(message >= 0, np.diff(ladder.bid_offset)[message], 0) if len(message) else none
    asks = np.where(message >= 0, np.diff(ladder.ask_offset)[message], 0) if len(message) else none
    filled = opening | (bids + asks > 0)  # a message without levels changes nothing
    message, not_before, opening = message[filled], not_before[filled], opening[filled]
    return _lay_out(message, not_before, opening, bids[filled], asks[filled], ladder)


def _rows(plan: Plan, piece: Piece, messages: int) -> Ints:
    if piece.step is Step.RUN:
        return plan.order[piece.start : piece.stop]
    return np.full(1, CLEAR_ONLY if piece.step is Step.CLEAR else messages + piece.start, np.int64)


def _lay_out(
    message: Ints, not_before: Ints, opening: npt.NDArray[np.bool_], bids: Ints, asks: Ints, ladder: Ladder
) -> Batches:
    ends = np.cumsum(opening + bids + asks)
    rows = int(ends[-1]) if len(ends) else 0
    first_bid = ends - asks - bids
    side = np.zeros(rows, np.int8)
    price, size = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    to, source = spread(first_bid, bids), spread(ladder.bid_offset[message], bids)
    side[to], price[to], size[to] = BookSide.BUY, ladder.bid_price[source], ladder.bid_size[source]
    to, source = spread(ends - asks, asks), spread(ladder.ask_offset[message], asks)
    side[to], price[to], size[to] = BookSide.SELL, ladder.ask_price[source], ladder.ask_size[source]
    action = np.where(size > 0, np.int8(Action.UPDATE), np.int8(Action.DELETE))
    in_snapshot = np.repeat(opening, opening + bids + asks)
    action[in_snapshot] = Action.ADD
    action[(first_bid - 1)[opening]] = Action.CLEAR
    flags = np.where(in_snapshot, F_SNAPSHOT, 0).astype(np.uint8)
    flags[ends - 1] |= F_LAST
    return Batches(message, ends, not_before, action, flags, book.Levels(side, price, size))


def spread(starts: Ints, counts: Ints) -> Ints:
    """Return ``starts[i] … starts[i] + counts[i] - 1`` for every i, joined."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    out: Ints = np.arange(total) + np.repeat(starts - (ends - counts), counts)
    return out


def _chain(first: Ints, second: Ints) -> Ints:
    return np.concatenate((first, second[1:] + first[-1]))


def _lists(table: pa.Table, name: str) -> tuple[Ints, Ints, Ints]:
    prices, sizes = table[f"{name}_price"], table[f"{name}_size"]
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(chunk.offsets.to_numpy()) for chunk in prices.chunks)])
    return np.cumsum(counts), _values(prices), _values(sizes)


def _values(lists: pa.ChunkedArray) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *(chunk.flatten().to_numpy() for chunk in lists.chunks)])
