"""A web socket's outgoing side: text is queued in order and sent by one task."""

from __future__ import annotations

import asyncio

from aiohttp import web

LONGEST_QUEUE = 200_000


class QueuedWire:
    """Sends queued text on an aiohttp web socket.

    Parameters
    ----------
    socket
        A prepared web socket.

    Notes
    -----
    A reader that falls `LONGEST_QUEUE` messages behind is disconnected, as the real venue does.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._closing = False
        self._task = asyncio.create_task(self._pump())

    def send(self, text: str) -> None:
        """Queue text."""
        if self._queue.qsize() >= LONGEST_QUEUE:
            self.close()
        elif not self._closing:
            self._queue.put_nowait(text)

    def close(self) -> None:
        """Close once what is queued has been sent."""
        if not self._closing:
            self._closing = True
            self._queue.put_nowait(None)

    async def _pump(self) -> None:
        while (text := await self._queue.get()) is not None:
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return
        await self._socket.close(code=1001, message=b"going away")

    async def finish(self) -> None:
        """Stop sending."""
        self._closing = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
