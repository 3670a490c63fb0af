"""What each stream's messages look like, per market: the columns we need and their types.

Fields may come in any order and new ones may appear; a message that lacks one of these, or has it in another type, is
not readable.
"""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec
import pyarrow as pa

from catalog.instruments import Market


class Stream(enum.StrEnum):
    """A stream that we read."""

    TICKER = "bookTicker"
    TRADE = "trade"
    DEPTH = "depth"
    MARK = "markPrice"
    SNAPSHOT = "snapshot"


class Envelope(msgspec.Struct, gc=False):
    """A recorded line: a stream message, or the bare REST depth snapshot."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdateId: int = -1  # noqa: N815


PLACES = 8  # the venue's own limit for decimals of prices and quantities
Word, Whole, Flag, Number = pa.string(), pa.int64(), pa.bool_(), pa.decimal128(28, PLACES)
LEVELS = pa.list_(pa.list_(Number))
_BEST = [("u", Whole), ("b", Number), ("B", Number), ("a", Number), ("A", Number)]
_PRINT = [("E", Whole), ("T", Whole), ("t", Whole), ("p", Number), ("q", Number), ("m", Flag)]
_SNAPSHOT = pa.schema([("lastUpdateId", Whole), ("bids", LEVELS), ("asks", LEVELS)])
_USDM = {
    Stream.TICKER: pa.schema([*_BEST, ("E", Whole), ("T", Whole)]),
    Stream.TRADE: pa.schema([*_PRINT, ("X", Word)]),
    Stream.DEPTH: pa.schema(
        [("E", Whole), ("T", Whole), ("U", Whole), ("u", Whole), ("pu", Whole), ("b", LEVELS), ("a", LEVELS)]
    ),
    Stream.MARK: pa.schema([("E", Whole), ("p", Number), ("r", Word), ("T", Whole)]),
    Stream.SNAPSHOT: _SNAPSHOT,
}
_SPOT = {
    Stream.TICKER: pa.schema(_BEST),
    Stream.TRADE: pa.schema(_PRINT),
    Stream.DEPTH: pa.schema([("E", Whole), ("U", Whole), ("u", Whole), ("b", LEVELS), ("a", LEVELS)]),
    Stream.SNAPSHOT: _SNAPSHOT,
}
SCHEMAS: dict[Market, dict[Stream, pa.Schema]] = {"usdm": _USDM, "spot": _SPOT}


def classify(stream: str, market: Market) -> tuple[str, Stream | None]:
    """Split a stream name into symbol and stream; None for a stream that is not read.

    ``btcusdt@depth@0ms`` is (``BTCUSDT``, DEPTH); partial books (``depth20``) are not read.
    """
    symbol, _, channel = stream.partition("@")
    kind: Literal["bookTicker", "trade", "depth", "markPrice"] | str = channel.partition("@")[0]
    known = {member.value: member for member in SCHEMAS[market] if member is not Stream.SNAPSHOT}
    return symbol.upper(), known.get(kind)


class Checker:
    """Says of one payload at a time whether it fits a schema; for finding the ones that do not.

    Parameters
    ----------
    schema
        A schema of :data:`SCHEMAS`.
    """

    def __init__(self, schema: pa.Schema) -> None:
        number = Annotated[str, msgspec.Meta(pattern=rf"^-?[0-9]{{1,10}}(\.[0-9]{{1,{PLACES}}})?$")]
        types: dict[pa.DataType, object] = {
            Word: str,
            Whole: int,
            Flag: bool,
            Number: number,
            LEVELS: list[tuple[number, number]],
        }
        fields = [(field.name, types[field.type]) for field in schema]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Message", fields))

    def fits(self, payload: bytes | msgspec.Raw) -> bool:
        """Return whether a payload has every field in its type."""
        try:
            self._decoder.decode(payload)
        except (msgspec.DecodeError, ValueError):
            return False
        return True
