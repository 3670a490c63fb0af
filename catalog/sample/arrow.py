"""From a chunk's integers to the catalog's Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from catalog.book import Levels
from catalog.kinds import Kind
from catalog.partition import snapshot_table
from catalog.sample.feed import Feed
from catalog.sample.tape import MARK_UNIT, Chunk, Ints
from catalog.tables import (
    F_LAST,
    Action,
    Aggressor,
    BookSide,
    Precision,
    deltas_table,
    mark_table,
    quotes_table,
    trades_table,
)

PRECISION = Precision(price=1, size=3)
"""One tick is the last decimal of the price and one lot the last of the size, so ticks and lots are already scaled integers."""


@dataclass(slots=True)
class Numbering:
    """Numbers that run on from chunk to chunk.

    Attributes
    ----------
    trade_id, sequence
        Next trade id and next number of a depth message.
    """

    trade_id: int = 1
    sequence: int = 1


def tables(chunk: Chunk, feed: Feed, numbering: Numbering) -> Iterator[tuple[Kind, pa.Table]]:
    """Yield a chunk's tables, none for what it does not hold.

    Parameters
    ----------
    chunk
        Rows in order of time.
    feed
        Gives receipt and exchange time of each row.
    numbering
        Advanced by what the chunk holds.
    """
    if len(chunk.marks):
        yield Kind.MARK, _marks(chunk.marks, feed)
    if len(chunk.deltas):
        yield Kind.DELTAS, _deltas(chunk.deltas, feed, numbering)
    if len(chunk.trades):
        yield Kind.TRADES, _trades(chunk.trades, feed, numbering)
    if len(chunk.quotes):
        yield Kind.QUOTES, _quotes(chunk.quotes, feed)


def snapshot(levels: Levels, feed: Feed, numbering: Numbering) -> pa.Table:
    """Return the book at the start as the first depth message."""
    numbering.sequence += 1
    zero = np.zeros(1, np.int64)
    event, receipt = int(feed.event_ns(zero)[0]), int(feed.receipt_ns(zero)[0])
    return snapshot_table(levels, PRECISION, sequence=numbering.sequence - 1, ts_event=event, ts_init=receipt)


def delta_levels(deltas: Ints) -> Levels:
    """Return a chunk's deltas as levels of :mod:`catalog.book`."""
    side = np.where(deltas[:, 1] > 0, BookSide.BUY, BookSide.SELL).astype(np.int8)
    return Levels(side, deltas[:, 2], deltas[:, 3])


def _deltas(rows: Ints, feed: Feed, numbering: Numbering) -> pa.Table:
    levels = delta_levels(rows)
    last = rows[:, 4]
    sequence = numbering.sequence + np.cumsum(last) - last
    numbering.sequence += int(last.sum())
    return deltas_table(
        PRECISION,
        action=np.where(levels.size > 0, Action.UPDATE, Action.DELETE).astype(np.int8),
        side=levels.side,
        price=levels.price,
        size=levels.size,
        flags=(last * F_LAST).astype(np.uint8),
        sequence=sequence,
        ts_event=feed.event_ns(rows[:, 0]),
        ts_init=feed.receipt_ns(rows[:, 0]),
    )


def _trades(rows: Ints, feed: Feed, numbering: Numbering) -> pa.Table:
    ids = numbering.trade_id + np.arange(len(rows))
    numbering.trade_id += len(rows)
    return trades_table(
        PRECISION,
        price=rows[:, 1],
        size=rows[:, 2],
        aggressor=np.where(rows[:, 3] > 0, Aggressor.BUY, Aggressor.SELL).astype(np.int8),
        trade_id=ids,
        ts_event=feed.event_ns(rows[:, 0]),
        ts_init=feed.receipt_ns(rows[:, 0]),
    )


def _quotes(rows: Ints, feed: Feed) -> pa.Table:
    return quotes_table(
        PRECISION,
        bid_price=rows[:, 1],
        ask_price=rows[:, 3],
        bid_size=rows[:, 2],
        ask_size=rows[:, 4],
        ts_event=feed.event_ns(rows[:, 0]),
        ts_init=feed.receipt_ns(rows[:, 0]),
    )


def _marks(rows: Ints, feed: Feed) -> pa.Table:
    return mark_table(
        PRECISION,
        value=rows[:, 1] // (2 * MARK_UNIT),
        ts_event=feed.event_ns(rows[:, 0]),
        ts_init=feed.receipt_ns(rows[:, 0]),
    )
