"""Clean columns into catalog tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from catalog import book
from catalog.instruments import Market
from catalog.kinds import Kind
from catalog.recording.batches import CLEAR_ONLY, Batches, Ladder, build
from catalog.recording.clean import NS_PER_MS, Clock, whole
from catalog.recording.depth import Messages, Plan, Planner, Snapshots
from catalog.recording.schemas import LEVELS, PLACES, SCHEMAS, Stream
from catalog.tables import (
    Aggressor,
    Ints,
    Precision,
    deltas_table,
    funding_table,
    mark_table,
    quotes_table,
    trades_table,
)
from errors import DataError

FUNDING_HOURS_MINS = 480
_NONE = np.empty(0, np.int64)


class TooFine(DataError):
    """The data have more decimals than the instrument's rules."""


@dataclass(slots=True)
class Converted:
    """Tables of one kind, and the positions of what was left out on the way.

    Attributes
    ----------
    losses
        Positions by the name of the measure that counts them.
    excluded
        Positions by documented reason.
    tickers
        The bookTicker rows that were kept, with their update ids, which quotes in the catalog do not have, and their
        corrected receipt times (``received``).
    """

    tables: dict[Kind, pa.Table] = field(default_factory=dict)
    losses: dict[str, list[Ints]] = field(default_factory=dict)
    excluded: dict[str, list[Ints]] = field(default_factory=dict)
    tickers: pa.Table | None = None

    def lose(self, measure: str, positions: Ints) -> None:
        """Count messages under a measure of the certificate."""
        self.losses.setdefault(measure, []).append(positions)

    def exclude(self, reason: str, positions: Ints) -> None:
        """Count messages under a documented reason."""
        if len(positions):
            self.excluded.setdefault(reason, []).append(positions)


@dataclass(frozen=True)
class Book:
    """The depth stream as deltas, with what the certificate needs to know.

    Attributes
    ----------
    messages
        How many depth messages were recorded; later rows of ``batches.message`` are snapshots.
    update_id
        The venue's update id per batch.
    ts
        Receipt time per batch.
    tick
        One unit of the instrument's last decimal at ``10 ** 8``.
    near
        Lowest best bid and highest best ask that bookTicker showed, at ``10 ** 8``; None without bookTicker.
    """

    plan: Plan
    batches: Batches
    messages: int
    update_id: Ints
    ts: Ints
    tick: int
    near: tuple[int, int] | None

    @cached_property
    def tops(self) -> book.Tops:
        """Best prices and sizes after each batch, at ``10 ** 8``."""
        levels, factor = self.batches.levels, self.tick
        ticks = book.Levels(levels.side, levels.price // factor, levels.size)  # they sort in fewer bits
        near = None if self.near is None else (self.near[0] // factor, self.near[1] // factor)
        return _rescaled(book.tops(self.batches.action, ticks, self.batches.ends, near), factor)

    @property
    def from_deltas_alone(self) -> bool:
        """Whether any stretch of the book has no snapshot below it."""
        return self.plan.from_deltas_alone


def at_precision(scaled: Ints, places: int, what: str) -> Ints:
    """Bring integers at ``10 ** 8`` to the instrument's decimal places.

    Raises
    ------
    TooFine
        When a value has more decimals than the instrument.
    """
    factor = 10 ** (PLACES - places)
    out: Ints = scaled // factor
    if np.any(out * factor != scaled):
        raise TooFine(
            f"the recording has a {what} with more than {places} decimals, which the instrument's rules forbid."
        )
    return out


def places_of(scaled: Ints) -> int:
    """Return how many decimal places integers at ``10 ** 8`` really use."""
    for places in range(PLACES):
        if not np.any(scaled % 10 ** (PLACES - places)):
            return places
    return PLACES


def convert_trades(out: Converted, table: pa.Table, clock: Clock, precision: Precision) -> None:
    """Keep every print of the order book once; insurance-fund and ADL prints are no trades in the book."""
    if "X" in table.schema.names:
        market = np.asarray(table["X"].to_numpy() == "MARKET")
        out.exclude("trade not MARKET", whole(table, "position")[~market])
        table = table.filter(market)
    ids = whole(table, "t")
    _, first = np.unique(ids, return_index=True)
    repeated = np.ones(len(ids), np.bool_)
    repeated[first] = False
    late = ids < np.maximum.accumulate(ids)
    out.lose("duplicates", whole(table, "position")[repeated])
    out.lose("out_of_order", whole(table, "position")[late & ~repeated])
    table = table.filter(~repeated)
    out.tables[Kind.TRADES] = trades_table(
        precision,
        price=at_precision(whole(table, "p"), precision.price, "price"),
        size=at_precision(whole(table, "q"), precision.size, "size"),
        aggressor=np.where(table["m"].to_numpy(), Aggressor.SELL, Aggressor.BUY).astype(np.int8),
        trade_id=whole(table, "t"),
        ts_event=whole(table, "T") * NS_PER_MS,
        ts_init=clock.ts[whole(table, "position")],
    )


def convert_tickers(out: Converted, table: pa.Table, clock: Clock, precision: Precision) -> None:
    """Keep every best quote that is newer than the one before."""
    ids = whole(table, "u")
    newest = np.maximum.accumulate(np.concatenate(([np.iinfo(np.int64).min], ids)))[:-1]
    out.lose("duplicates", whole(table, "position")[ids == newest])
    out.lose("out_of_order", whole(table, "position")[ids < newest])
    table = table.filter(ids > newest)
    ts_init = clock.ts[whole(table, "position")]
    ts_event = whole(table, "T") * NS_PER_MS if "T" in table.schema.names else ts_init
    out.tables[Kind.QUOTES] = quotes_table(
        precision,
        bid_price=at_precision(whole(table, "b"), precision.price, "price"),
        ask_price=at_precision(whole(table, "a"), precision.price, "price"),
        bid_size=at_precision(whole(table, "B"), precision.size, "size"),
        ask_size=at_precision(whole(table, "A"), precision.size, "size"),
        ts_event=ts_event,
        ts_init=ts_init,
    )
    out.tickers = table.append_column("received", pa.array(ts_init))


def convert_depth(
    out: Converted,
    columns: dict[Stream, pa.Table],
    market: Market,
    clock: Clock,
    precision: Precision,
    planner: Planner,
) -> Book:
    """Put the depth stream in sequence, build the deltas and rebuild the book.

    Raises
    ------
    DataError
        When no snapshot connects and a book from deltas alone was not asked for.
    """
    table = columns[Stream.DEPTH]
    snapshots = columns.get(Stream.SNAPSHOT, decoded_empty(market))
    position, taken = whole(table, "position"), whole(snapshots, "position")
    last, snapshot_last = whole(table, "u"), whole(snapshots, "lastUpdateId")
    before = whole(table, "pu") if market == "usdm" else whole(table, "U") - 1
    messages = Messages(clock.ts[position], last, before, exact=market == "usdm")
    steps = planner(messages, Snapshots(clock.ts[taken], snapshot_last))
    if not steps.pieces:
        raise DataError(
            "the recording holds no depth snapshot that its depth messages continue; "
            "--from-deltas-alone builds the book without one, at grade C or lower."
        )
    _count_losses(out, steps, position, taken)
    ladder = Ladder.read(table, "b", "a").then(Ladder.read(snapshots, "bids", "asks"))
    batches = build(steps, ladder, len(table))
    return _book(out, batches, steps, table, clock, precision, np.concatenate((last, snapshot_last)), taken)


def _book(
    out: Converted,
    batches: Batches,
    steps: Plan,
    table: pa.Table,
    clock: Clock,
    precision: Precision,
    ids: Ints,
    taken: Ints,
) -> Book:
    stamp = "T" if "T" in table.schema.names else "E"
    received = clock.ts[np.concatenate((whole(table, "position"), taken))]
    known = batches.message != CLEAR_ONLY
    arrived = np.where(known, received[batches.message], 0)
    ts = np.maximum.accumulate(np.maximum(batches.not_before, arrived))
    is_message = known & (batches.message < len(table))
    row = np.where(is_message, batches.message, 0)
    event = np.where(is_message, whole(table, stamp)[row] * NS_PER_MS, ts)
    update_id = np.where(known, ids[batches.message], 0)
    update_id = np.where(known, update_id, np.concatenate((update_id[:1], update_id[:-1])))
    levels = batches.levels
    out.tables[Kind.DELTAS] = deltas_table(
        precision,
        action=batches.action,
        side=levels.side,
        price=at_precision(levels.price, precision.price, "price"),
        size=at_precision(levels.size, precision.size, "size"),
        flags=batches.flags,
        sequence=batches.per_row(update_id),
        ts_event=batches.per_row(event),
        ts_init=batches.per_row(ts),
    )
    return Book(steps, batches, len(table), update_id, ts, 10 ** (PLACES - precision.price), _near(out))


def _near(out: Converted) -> tuple[int, int] | None:
    if out.tickers is None or not len(out.tickers):
        return None
    return int(whole(out.tickers, "b").min()), int(whole(out.tickers, "a").max())


def _rescaled(tops: book.Tops, factor: int) -> book.Tops:
    bid = np.where(tops.bid == book.EMPTY, book.EMPTY, tops.bid * factor)
    ask = np.where(tops.ask == book.EMPTY, book.EMPTY, tops.ask * factor)
    return book.Tops(bid, tops.bid_size, ask, tops.ask_size)


def _count_losses(out: Converted, steps: Plan, position: Ints, taken: Ints) -> None:
    out.lose("duplicates", position[steps.duplicates])
    out.lose("out_of_order", position[np.concatenate((steps.late, steps.reordered))])
    uncovered = np.concatenate([_NONE, *steps.uncovered])
    out.exclude("depth before its snapshot", position[uncovered])
    unused = np.ones(len(taken), np.bool_)
    unused[steps.snapshots_used] = False
    out.exclude("snapshot not needed", taken[unused])


def convert_marks(out: Converted, table: pa.Table, clock: Clock, precision: Precision) -> None:
    """Keep mark prices, and the funding rate whenever it or its time changes."""
    ts_init, ts_event = clock.ts[whole(table, "position")], whole(table, "E") * NS_PER_MS
    factor = 10 ** (PLACES - precision.price)
    value = (whole(table, "p") + factor // 2) // factor  # the venue quotes marks finer than the tick
    out.tables[Kind.MARK] = mark_table(precision, value=value, ts_event=ts_event, ts_init=ts_init)
    rates, following = table["r"].to_pylist(), whole(table, "T")
    changed = [i for i in range(len(rates)) if i == 0 or (rates[i], following[i]) != (rates[i - 1], following[i - 1])]
    out.tables[Kind.FUNDING] = funding_table(
        rate=[rates[i] for i in changed],
        interval_mins=np.full(len(changed), FUNDING_HOURS_MINS),
        next_funding_ns=following[changed] * NS_PER_MS,
        ts_event=ts_event[changed],
        ts_init=ts_init[changed],
    )


def decoded_empty(market: Market) -> pa.Table:
    """Return a snapshot table without rows, in the decoded shape."""
    lists = pa.list_(pa.int64())
    fields: list[tuple[str, pa.DataType]] = []
    for column in SCHEMAS[market][Stream.SNAPSHOT]:
        split = column.type == LEVELS
        fields += (
            [(f"{column.name}_price", lists), (f"{column.name}_size", lists)] if split else [(column.name, pa.int64())]
        )
    return pa.schema([*fields, ("position", pa.int64())]).empty_table()
