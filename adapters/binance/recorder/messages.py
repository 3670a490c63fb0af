"""What the recorder looks at in a message; the line it writes is the text as it came."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

_NAME = re.compile(rb'^\{"stream":"([a-z0-9_]+@[A-Za-z0-9@]+)"')
_NUMBER = {"depth": "u", "bookTicker": "u", "trade": "t", "aggTrade": "a", "markPrice": "E"}


class _Data(msgspec.Struct, gc=False):
    E: int = 0
    U: int = 0
    u: int = 0
    pu: int = -1
    t: int = 0
    a: msgspec.Raw = msgspec.Raw(b"")


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: _Data


@dataclass(frozen=True, slots=True)
class Message:
    """One stream message.

    Attributes
    ----------
    stream, symbol
        ``btcusdt@depth@0ms`` and ``btcusdt``.
    is_depth
        Whether it changes the book.
    number
        What grows from message to message of a stream: the update id, the trade id, or a mark price's time.
    event_ms
        The venue's time; 0 where the stream has none.
    first, last, previous
        ``U``, ``u`` and ``pu`` of a depth message; `previous` is -1 where the venue sends none.
    """

    stream: str
    symbol: str
    is_depth: bool
    number: int
    event_ms: int
    first: int
    last: int
    previous: int


class MessageReader:
    """Reads what the recorder needs of each message; knows stream names it has seen."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Envelope).decode
        self._names: dict[str, tuple[str, bool, str]] = {}

    def read(self, text: bytes) -> Message | None:
        """Return the message, or None when the text is no stream message."""
        try:
            envelope = self._decode(text)
            symbol, is_depth, number = self._names.get(envelope.stream) or self._learn(envelope.stream)
            data = envelope.data
            counted = int(bytes(data.a)) if number == "a" else getattr(data, number)
        except (msgspec.DecodeError, ValueError):
            return None
        return Message(envelope.stream, symbol, is_depth, counted, data.E, data.U, data.u, data.pu)

    def _learn(self, stream: str) -> tuple[str, bool, str]:
        symbol, _, channel = stream.partition("@")
        kind = channel.partition("@")[0]
        self._names[stream] = (symbol, kind == "depth", _NUMBER.get(kind, "E"))
        return self._names[stream]


def symbol_of_damaged(text: bytes) -> str | None:
    """Symbol of a message whose envelope begins well but which is no JSON."""
    found = _NAME.match(text)
    return found[1].decode().partition("@")[0] if found else None


class _Snapshot(msgspec.Struct):
    lastUpdateId: int  # noqa: N815 (Binance's name)
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


def snapshot_id(body: bytes) -> int | None:
    """``lastUpdateId`` of a whole REST order book, None when the body is none."""
    try:
        return msgspec.json.decode(body, type=_Snapshot).lastUpdateId
    except msgspec.DecodeError:
        return None
