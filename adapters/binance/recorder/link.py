"""One open socket: reads it until it ends, and says why it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

import aiohttp

from adapters.binance.recorder.messages import Message, MessageReader

Sink = Callable[[int, bytes], None]
Take = Callable[[int, bytes, Message | None], None]
_LARGEST_MESSAGE = 2**24


class Link:
    """A socket that is being read.

    Parameters
    ----------
    socket
        Open.
    sink
        Given receipt time (ns) and text of each message; may be exchanged at any time.
    clock
        Receipt time.
    silence_secs
        A pause of this length ends the link.

    Attributes
    ----------
    ended
        Done when the socket has ended; its result says why.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse[Literal[False]],
        sink: Sink,
        clock: Callable[[], int],
        silence_secs: float,
    ) -> None:
        self._socket, self.sink, self._clock, self._silence = socket, sink, clock, silence_secs
        self.ended = asyncio.create_task(self._read())

    async def _read(self) -> str:
        while True:
            try:
                message = await self._socket.receive(timeout=self._silence)
            except TimeoutError:
                return f"silent for {self._silence:g} s"
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                self.sink(self._clock(), message.data)
            elif message.type is aiohttp.WSMsgType.ERROR:
                return f"broken: {message.data}"
            else:
                return f"closed by the venue (code {self._socket.close_code})"

    async def close(self) -> None:
        """Stop reading and close the socket."""
        self.ended.cancel()
        await asyncio.gather(self.ended, return_exceptions=True)
        await self._socket.close()


async def open_link(
    session: aiohttp.ClientSession, url: str, sink: Sink, clock: Callable[[], int], silence_secs: float
) -> Link:
    """Open a socket and start reading it."""
    socket = await session.ws_connect(url, max_msg_size=_LARGEST_MESSAGE, decode_text=False)
    return Link(socket, sink, clock, silence_secs)


class Held:
    """What the successor of a socket receives while the old one still serves.

    Parameters
    ----------
    reader
        Reads the messages.
    """

    def __init__(self, reader: MessageReader) -> None:
        self._reader = reader
        self._messages: list[tuple[bytes, Message]] = []
        self._first: dict[str, int] = {}

    def add(self, _ts_ns: int, text: bytes) -> None:
        """Keep a message; one that cannot be read is the old socket's to record."""
        message = self._reader.read(text)
        if message is not None:
            self._messages.append((text, message))
            self._first.setdefault(message.stream, message.number)

    def is_reached(self, newest: Mapping[str, int]) -> bool:
        """Whether the old socket has come to where each stream begins here, so that nothing lies between them."""
        begun = self._first.items()
        return bool(begun) and all(newest.get(stream, number - 1) >= number for stream, number in begun)

    def replay(self, newest: Mapping[str, int], take: Take, ts_ns: int) -> None:
        """Hand on what the old socket has not delivered, as received now."""
        for text, message in self._messages:
            if message.number > newest.get(message.stream, -1):
                take(ts_ns, text, message)
