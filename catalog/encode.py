"""Nautilus objects into Arrow rows: the inverse of `catalog.objects`, for what was received and not read from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.kinds import Kind
from catalog.tables import (
    F_LAST,
    Action,
    Aggressor,
    BookSide,
    Ints,
    Precision,
    deltas_table,
    funding_table,
    mark_table,
    quotes_table,
    trades_table,
)

_RAW_DIGITS = 16
"""Decimal places of a Nautilus raw value."""
_KINDS = {
    "OrderBookDeltas": Kind.DELTAS, "TradeTick": Kind.TRADES, "QuoteTick": Kind.QUOTES, "MarkPriceUpdate": Kind.MARK,
    "FundingRateUpdate": Kind.FUNDING,
}  # fmt: skip
MINUTES_OF_EIGHT_HOURS = 480


def kind_of(event: object) -> Kind | None:
    """Return the kind of a Nautilus object; None for one that a catalog does not hold."""
    return _KINDS.get(type(event).__name__)


def encode(events: Iterable[Any], precision: Precision) -> dict[Kind, pa.Table]:
    """Return the tables of one instrument's events, each in order of ``ts_init``.

    A book is what its messages make of it in the order in which they were handed out. So that order stays, and a message that was
    received before the one in front of it (it waited for a snapshot) is given its time.

    Parameters
    ----------
    events
        In the order in which they were handed out: ``OrderBookDeltas``, ``TradeTick``, ``QuoteTick``, ``MarkPriceUpdate`` and
        ``FundingRateUpdate``; others are left out.
    precision
        Of the instrument.
    """
    found: dict[Kind, list[Any]] = {}
    for event in events:
        kind = kind_of(event)
        if kind is not None:
            found.setdefault(kind, []).append(event)
    return {
        kind: _ENCODERS[kind](rows if kind is Kind.DELTAS else sorted(rows, key=_received), precision)
        for kind, rows in sorted(found.items(), key=lambda item: item[0].rank)
    }


def _received(event: Any) -> int:
    return int(event.ts_init)


def _scaled(value: Any, places: int) -> int:
    return int(value.raw) // int(10 ** (_RAW_DIGITS - places))


def _column(rows: Sequence[Any], name: str, places: int) -> Ints:
    return np.array([_scaled(getattr(row, name), places) for row in rows], np.int64)


def _times(rows: Sequence[Any]) -> dict[str, Ints]:
    return {name: np.array([getattr(row, name) for row in rows], np.int64) for name in ("ts_event", "ts_init")}


def _deltas(messages: Sequence[Any], precision: Precision) -> pa.Table:
    received = accumulate(map(_received, messages), max)
    rows = [row for message, ts in zip(messages, received, strict=True) for row in _message(message, precision, ts)]
    action, side, price, size, flags, sequence, ts_event, ts_init = zip(*rows, strict=True)
    return deltas_table(
        precision, action=np.array(action, np.int8), side=np.array(side, np.int8), price=np.array(price, np.int64),
        size=np.array(size, np.int64), flags=np.array(flags, np.uint8), sequence=np.array(sequence, np.int64),
        ts_event=np.array(ts_event, np.int64), ts_init=np.array(ts_init, np.int64),
    )  # fmt: skip


def _message(message: Any, precision: Precision, ts_init: int) -> list[tuple[int, ...]]:
    """Rows of one venue message; all are received with it, and the last one ends it."""
    rows = [_delta(delta, precision, ts_init) for delta in message.deltas]
    *_, flags, sequence, ts_event, _ = rows[-1]
    rows[-1] = (*rows[-1][:4], flags | F_LAST, sequence, ts_event, ts_init)
    return rows


def _delta(delta: Any, precision: Precision, ts_init: int) -> tuple[int, ...]:
    tail = (int(delta.flags) & ~F_LAST, int(delta.sequence), int(delta.ts_event), ts_init)
    action = Action[delta.action.name]
    if action is Action.CLEAR:
        return (action, BookSide.NO_ORDER_SIDE, 0, 0, *tail)
    order = delta.order
    size = 0 if action is Action.DELETE else _scaled(order.size, precision.size)
    return (action, BookSide[order.side.name], _scaled(order.price, precision.price), size, *tail)


def _trades(rows: Sequence[Any], precision: Precision) -> pa.Table:
    aggressor = [Aggressor[_AGGRESSORS.get(row.aggressor_side.name, row.aggressor_side.name)] for row in rows]
    ids: Any = np.array([str(row.trade_id) for row in rows])
    return trades_table(
        precision, price=_column(rows, "price", precision.price), size=_column(rows, "size", precision.size),
        aggressor=np.array(aggressor, np.int8), trade_id=ids, **_times(rows),
    )  # fmt: skip


_AGGRESSORS = {"BUYER": "BUY", "SELLER": "SELL"}
"""Other spellings of the same sides."""


def _quotes(rows: Sequence[Any], precision: Precision) -> pa.Table:
    prices = {name: _column(rows, name, precision.price) for name in ("bid_price", "ask_price")}
    sizes = {name: _column(rows, name, precision.size) for name in ("bid_size", "ask_size")}
    return quotes_table(precision, **prices, **sizes, **_times(rows))


def _mark(rows: Sequence[Any], precision: Precision) -> pa.Table:
    return mark_table(precision, value=_column(rows, "value", precision.price), **_times(rows))


def _funding(rows: Sequence[Any], _precision: Precision) -> pa.Table:
    minutes = [row.interval or MINUTES_OF_EIGHT_HOURS for row in rows]
    settled = [row.next_funding_ns or row.ts_event for row in rows]
    return funding_table(
        rate=[str(row.rate) for row in rows], interval_mins=np.array(minutes, np.int64),
        next_funding_ns=np.array(settled, np.int64), **_times(rows),
    )  # fmt: skip


_ENCODERS: Mapping[Kind, Callable[[Sequence[Any], Precision], pa.Table]] = {
    Kind.DELTAS: _deltas, Kind.TRADES: _trades, Kind.QUOTES: _quotes, Kind.MARK: _mark, Kind.FUNDING: _funding,
}  # fmt: skip
