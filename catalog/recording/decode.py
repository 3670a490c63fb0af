"""Lines into typed columns.

The envelope of every line is decoded by msgspec, which leaves the payload as it is. Payloads of one stream are then read
together by Arrow's JSON reader against an explicit schema, in a second thread; numbers become exact decimals there, and
their integers at 10⁸ are what the columns hold. Depth messages have a faster reader of their own (``levels``) for the
shape in which the venue sends them. When a payload does not fit the schema,
msgspec decodes the block's payloads one by one, and the ones that fail are counted and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as paj

from catalog.instruments import Market
from catalog.recording.levels import Unusual, read_depth
from catalog.recording.schemas import LEVELS, SCHEMAS, Checker, Envelope, Number, Stream, classify
from catalog.recording.source import Block
from catalog.tables import Ints, high_words, low_words

_JSON_BYTES = 1 << 20
_THREADS = 2


@dataclass(slots=True)
class Group:
    """Payloads of one stream in one block, with the position of each among all readable lines."""

    positions: list[int] = field(default_factory=list)
    payloads: list[bytes | msgspec.Raw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A whole recording as columns.

    Attributes
    ----------
    received
        Receipt time of every readable line, in order of arrival, as the recorder's clock had it.
    columns
        Arrow table of each stream; ``position`` points into `received`.
    unreadable
        For each line that is no valid message, the position of the next readable one.
    ignored
        Lines of other streams or symbols, by stream name.
    """

    received: Ints
    columns: dict[Stream, pa.Table]
    unreadable: Ints
    ignored: Counter[str]
    truncated: str


def decode(blocks: Iterable[Block], market: Market, symbol: str) -> Decoded:
    """Decode all lines of a recording.

    Parameters
    ----------
    blocks
        Lines in order.
    market, symbol
        Which streams to read; others are counted in ``ignored``.
    """
    reader = _Reader(market, symbol)
    truncated = ""
    pending: list[tuple[Stream, Group, Future[pa.Table]]] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="json") as executor:
        for block in blocks:
            truncated = block.truncated or truncated
            for stream, group in reader.feed(block.lines).items():
                if group.payloads:
                    schema = SCHEMAS[market][stream]
                    pending.append((stream, group, executor.submit(_columns, group.payloads, schema)))
                    group.payloads = []
        tables: dict[Stream, list[pa.Table]] = {}
        unreadable = list(reader.unreadable)
        for stream, group, future in pending:
            table = future.result()
            bad, good = _split_positions(np.array(group.positions), table)
            unreadable.extend(bad.tolist())
            tables.setdefault(stream, []).append(good)
    columns = {stream: pa.concat_tables(parts) for stream, parts in tables.items()}
    received = np.array(reader.received, np.int64)
    return Decoded(received, columns, np.sort(np.array(unreadable, np.int64)), reader.ignored, truncated)


class _Reader:
    def __init__(self, market: Market, symbol: str) -> None:
        self.received: list[int] = []
        self.unreadable: list[int] = []
        self.ignored: Counter[str] = Counter()
        self._market, self._symbol = market, symbol
        self._streams: dict[str, Stream | None] = {}

    def feed(self, lines: list[bytes]) -> dict[Stream, Group]:
        groups = {stream: Group() for stream in Stream}
        route = {name: groups[stream] for name, stream in self._streams.items() if stream is not None}
        decode, received = msgspec.json.Decoder(Envelope).decode, self.received
        position, receive = len(received), received.append
        for line in lines:
            stamp, _, text = line.partition(b" ")
            try:
                envelope = decode(text)
                receive(int(stamp))
            except (msgspec.DecodeError, ValueError):
                if line.strip():
                    self.unreadable.append(position)
                continue
            group = route.get(envelope.stream) or self._place(envelope, groups, route)
            if group is not None:
                group.positions.append(position)
                group.payloads.append(envelope.data if envelope.stream else text)
            position += 1
        return groups

    def _place(self, envelope: Envelope, groups: dict[Stream, Group], route: dict[str, Group]) -> Group | None:
        name = envelope.stream
        if not name and envelope.lastUpdateId >= 0:
            return groups[Stream.SNAPSHOT]
        symbol, stream = classify(name, self._market)
        if stream is None or symbol != self._symbol:
            self.ignored[name or "not a stream message"] += 1
            return None
        self._streams[name] = stream
        route[name] = groups[stream]
        return groups[stream]


def _split_positions(positions: Ints, table: pa.Table) -> tuple[Ints, pa.Table]:
    kept = table["row"].to_numpy()
    bad = np.delete(positions, kept)
    return bad, table.drop_columns("row").append_column("position", pa.array(positions[kept]))


def _columns(payloads: list[bytes | msgspec.Raw], schema: pa.Schema) -> pa.Table:
    """Read payloads; ``row`` tells which of them each row came from."""
    if LEVELS in schema.types:
        with suppress(Unusual):
            return read_depth(payloads, schema).append_column("row", pa.array(np.arange(len(payloads))))
    rows: Ints = np.arange(len(payloads))
    try:
        table = _read(payloads, schema)
    except (pa.ArrowException, OSError):
        table = None
    if table is None or len(table) != len(payloads) or not _sound(table):
        checker = Checker(schema)
        rows = np.array([row for row, payload in enumerate(payloads) if checker.fits(payload)], np.int64)
        table = _read([payloads[row] for row in rows], schema) if len(rows) else schema.empty_table()
    for column in schema:
        if column.type == LEVELS:
            table = _split_levels(table, column.name)
        elif column.type == Number:
            at = table.schema.get_field_index(column.name)
            table = table.set_column(at, column.name, pa.array(_integers(table[column.name].chunks)))
    return table.append_column("row", pa.array(rows))


def _read(payloads: list[bytes | msgspec.Raw], schema: pa.Schema) -> pa.Table:
    text = b"\n".join(payloads)
    longest = max(map(len, payloads)) + 2
    table = paj.read_json(
        pa.BufferReader(text),
        read_options=paj.ReadOptions(use_threads=False, block_size=max(_JSON_BYTES, longest)),
        parse_options=paj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return table.select(schema.names)


def _sound(table: pa.Table) -> bool:
    """Return whether no field is missing, every level is a pair, and every number fits 64 bits."""
    for column in table.columns:
        pairs = [chunk.flatten() for chunk in column.chunks] if column.type == LEVELS else []
        if column.null_count or any(np.any(np.diff(pair.offsets.to_numpy()) != 2) for pair in pairs):
            return False
        numbers = [pair.flatten() for pair in pairs] if pairs else column.chunks
        if column.type in (LEVELS, Number) and not all(_fits_word(number) for number in numbers):
            return False
    return True


def _fits_word(numbers: pa.Array) -> bool:
    return bool(np.array_equal(high_words(numbers), low_words(numbers) >> 63))


def _integers(arrays: list[pa.Array]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *(low_words(array) for array in arrays)])


def _split_levels(table: pa.Table, name: str) -> pa.Table:
    """Replace a column of ``[[price, size], …]`` by a list of prices and a list of sizes, times 10⁸."""
    chunks = table[name].chunks
    numbers = _integers([chunk.flatten().flatten() for chunk in chunks])
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(chunk.offsets.to_numpy()) for chunk in chunks)])
    offsets = pa.array(np.cumsum(counts), pa.int32())
    at = table.schema.get_field_index(name)
    table = table.set_column(at, f"{name}_price", pa.ListArray.from_arrays(offsets, pa.array(numbers[0::2])))
    return table.append_column(f"{name}_size", pa.ListArray.from_arrays(offsets, pa.array(numbers[1::2])))
