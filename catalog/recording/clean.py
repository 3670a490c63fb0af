"""Times and values that cannot be are found and left out, before anything is built from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.recording.decode import Decoded
from catalog.recording.schemas import Stream
from catalog.tables import Ints
from errors import DataError

NS_PER_MS = 1_000_000
SMALLEST_LATENCY_NS = 1_000_000
ABSURD_TIME_NS = 60_000_000_000
ABSURD_PRINT = 10
ABSURD_LEVEL = 1_000
_HALF_WINDOW = 2

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Clock:
    """The recorder's clock against the venue's.

    Attributes
    ----------
    offset_ns
        Constant added to every receipt time: what makes the smallest feed latency ``SMALLEST_LATENCY_NS``, and 0 when it
        is at least that already. The venue truncates its times to milliseconds, so a smaller correction could put a
        receipt before its event.
    p50_ns, p99_ns
        Feed latency after the correction; None when no message carries the venue's time.
    ts
        Receipt time of every readable line after the correction, never going back.
    backwards
        Positions whose receipt time was before that of an earlier line.
    """

    offset_ns: int
    p50_ns: int | None
    p99_ns: int | None
    ts: Ints
    backwards: Ints


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Streams without impossible messages.

    Attributes
    ----------
    columns
        As decoded, fewer rows.
    losses
        Positions of what was left out, by the name of the measure that counts it.
    ignored
        Lines left out because of what they are, by reason.
    """

    columns: dict[Stream, pa.Table]
    clock: Clock
    losses: dict[str, Ints]
    ignored: Counter[str] = field(default_factory=Counter)


def clean(decoded: Decoded) -> Cleaned:
    """Remove messages with an absurd time, price or size, and set the clock right.

    Raises
    ------
    DataError
        When no line of the recording can be read.
    """
    if not any(len(table) for table in decoded.columns.values()):
        seen = ", ".join(sorted(decoded.ignored)) or f"{len(decoded.unreadable)} lines that do not fit"
        raise DataError(f"the recording holds no message of this market and symbol; it holds: {seen}.")
    spikes = _spikes(decoded.received)
    columns = {stream: table.filter(~spikes[_at(table)]) for stream, table in decoded.columns.items()}
    columns, mistimed = _without_absurd_times(columns, decoded.received)
    columns, absurd = _without_absurd_values(columns)
    clock = _set_clock(columns, decoded.received, spikes)
    losses = {
        "unreadable": np.minimum(decoded.unreadable, len(decoded.received) - 1),
        "absurd": np.concatenate([np.flatnonzero(spikes), mistimed, absurd]),
        "time_backwards": clock.backwards,
    }
    return Cleaned(columns, clock, losses, decoded.ignored)


def whole(table: pa.Table, name: str) -> Ints:
    """Return an integer column as an array."""
    out: Ints = table[name].to_numpy()
    return out


def _at(table: pa.Table) -> Ints:
    return whole(table, "position")


def _spikes(received: Ints) -> Mask:
    """Mark lines whose receipt time is far from its neighbours' median: one wrong digit, not a pause."""
    if not np.any(np.abs(np.diff(received)) > ABSURD_TIME_NS):
        return np.zeros(len(received), np.bool_)
    padded = np.pad(received, _HALF_WINDOW, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HALF_WINDOW + 1)
    middle = np.sort(windows, axis=1)[:, _HALF_WINDOW]
    out: Mask = np.abs(received - middle) > ABSURD_TIME_NS
    return out


def _latencies(columns: dict[Stream, pa.Table], received: Ints) -> dict[Stream, Ints]:
    timed = {stream: table for stream, table in columns.items() if "E" in table.schema.names}
    return {stream: received[_at(table)] - whole(table, "E") * NS_PER_MS for stream, table in timed.items()}


def _without_absurd_times(columns: dict[Stream, pa.Table], received: Ints) -> tuple[dict[Stream, pa.Table], Ints]:
    latencies = _latencies(columns, received)
    every = np.concatenate([np.empty(0, np.int64), *latencies.values()])
    usual = int(np.median(every)) if len(every) else 0
    lost: list[Ints] = [np.empty(0, np.int64)]
    out = dict(columns)
    for stream, latency in latencies.items():
        wrong = np.abs(latency - usual) > ABSURD_TIME_NS
        if wrong.any():
            lost.append(_at(columns[stream])[wrong])
            out[stream] = columns[stream].filter(~wrong)
    return out, np.concatenate(lost)


def _without_absurd_values(columns: dict[Stream, pa.Table]) -> tuple[dict[Stream, pa.Table], Ints]:
    usual = _usual_price(columns)
    lost: list[Ints] = [np.empty(0, np.int64)]
    out = dict(columns)
    for stream, table in columns.items():
        wrong = _absurd(stream, table, usual)
        if wrong.any():
            lost.append(_at(table)[wrong])
            out[stream] = table.filter(~wrong)
    return out, np.concatenate(lost)


def _usual_price(columns: dict[Stream, pa.Table]) -> int:
    for stream, name in (
        (Stream.TICKER, "b"),
        (Stream.TRADE, "p"),
        (Stream.DEPTH, "b_price"),
        (Stream.DEPTH, "a_price"),
    ):
        if stream in columns:
            column = columns[stream][name]
            prices = column.combine_chunks().flatten() if pa.types.is_list(column.type) else column
            valid = prices.to_numpy()[prices.to_numpy() > 0]
            if len(valid):
                return int(np.median(valid))
    return 1


def _absurd(stream: Stream, table: pa.Table, usual: int) -> Mask:
    if stream is Stream.TRADE:
        price = whole(table, "p")
        return _off(price, usual, ABSURD_PRINT) | (whole(table, "q") <= 0)
    if stream is Stream.TICKER:
        bid, ask = whole(table, "b"), whole(table, "a")
        sizes = (whole(table, "B") <= 0) | (whole(table, "A") <= 0)
        return _off(bid, usual, ABSURD_PRINT) | _off(ask, usual, ABSURD_PRINT) | sizes | (bid >= ask)
    if stream is Stream.MARK:
        return _off(whole(table, "p"), usual, ABSURD_PRINT)
    sides = ("b", "a") if stream is Stream.DEPTH else ("bids", "asks")
    return _absurd_levels(table, sides[0], usual) | _absurd_levels(table, sides[1], usual)


def _off(price: Ints, usual: int, factor: int) -> Mask:
    out: Mask = (price <= usual // factor) | (price >= usual * factor)
    return out


def _absurd_levels(table: pa.Table, side: str, usual: int) -> Mask:
    """A message with one impossible level is not to be trusted at all: without it the sequence shows a gap."""
    parts = [np.zeros(0, np.bool_)]
    for prices, sizes in zip(table[f"{side}_price"].chunks, table[f"{side}_size"].chunks, strict=True):
        price, size = prices.flatten().to_numpy(), sizes.flatten().to_numpy()
        wrong = (price <= 0) | (price >= usual * ABSURD_LEVEL) | (size < 0)
        found = np.zeros(len(prices), np.bool_)
        if wrong.any():
            offsets = prices.offsets.to_numpy() - prices.offsets[0].as_py()
            found[np.searchsorted(offsets, np.flatnonzero(wrong), side="right") - 1] = True
        parts.append(found)
    return np.concatenate(parts)


def _set_clock(columns: dict[Stream, pa.Table], received: Ints, spikes: Mask) -> Clock:
    usable = np.where(spikes, received[~spikes].min(), received)
    steady = np.maximum.accumulate(usable)
    backwards = np.flatnonzero((usable < steady) & ~spikes)
    latency = np.concatenate([np.empty(0, np.int64), *_latencies(columns, received).values()])
    offset = max(0, SMALLEST_LATENCY_NS - int(latency.min())) if len(latency) else 0
    if not len(latency):
        return Clock(offset, None, None, steady, backwards)
    p50, p99 = (int(value) + offset for value in np.percentile(latency, (50, 99)))
    return Clock(offset, p50, p99, steady + offset, backwards)
