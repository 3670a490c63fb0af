"""The venue on a port of 127.0.0.1: HTTP, web sockets, and the clock that drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web
from pydantic import ValidationError

from adapters.simulated_binance.call import http_call
from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.gateway import Gateway
from adapters.simulated_binance.sockets import Sockets
from adapters.simulated_binance.state import state_of
from adapters.simulated_binance.venue import Venue
from errors import ConfigError, HyperTradingError, UsageError

HOST = "127.0.0.1"
LONGEST_WAIT_SECS = 0.02


class Server:
    """Serves one venue; use as an async context manager.

    Parameters
    ----------
    venue
        What to serve.
    port
        0 takes a free one.
    started
        Whether the venue's market is open already.

    Attributes
    ----------
    port
        Where it listens once it has started.
    driving
        Task that lets time pass; it ends only when something in the venue has failed.
    """

    driving: asyncio.Task[None]

    def __init__(self, venue: Venue, port: int = 0, *, started: bool = False) -> None:
        self.venue, self.port, self._started = venue, port, started
        self._gateway = Gateway(venue)
        self._sockets = Sockets(venue, self._gateway)
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.2)
        self._site: web.TCPSite | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        venue.listener = self

    @property
    def url(self) -> str:
        """Base URL of REST."""
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Base URL of the streams."""
        return f"ws://{HOST}:{self.port}/ws"

    @property
    def trading_url(self) -> str:
        """URL of the trading socket."""
        return f"ws://{HOST}:{self.port}/ws-fapi/v1"

    @property
    def is_listening(self) -> bool:
        """Whether connections are accepted now."""
        return self._site is not None

    def _app(self) -> web.Application:
        app = web.Application()
        routes = ("/stream", "/public/stream", "/market/stream", "/market/ws", "/public/ws", "/private/ws")
        for path in ("/ws", "/ws/{streams:.*}", *routes):
            app.router.add_get(path, self._sockets.stream)
        app.router.add_get("/ws-fapi/v1", self._sockets.trading)
        app.router.add_get("/simulated/state", self._state)
        app.router.add_post("/simulated/faults", self._arm)
        app.router.add_route("*", "/{path:.*}", self._rest)
        return app

    async def __aenter__(self) -> Self:
        """Open the market and listen."""
        try:
            if not self._started:
                self.venue.start()
            await self._runner.setup()
            await self._listen(self.port)
        except HyperTradingError:
            await self._runner.cleanup()
            self.venue.close()
            raise
        self.driving = asyncio.create_task(self._drive())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close listener, sockets and ledger."""
        self._gateway.close()
        self.venue.hub.close("all")
        for task in (self.driving, *self._tasks):
            task.cancel()
        await asyncio.gather(self.driving, *self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        self.venue.close()

    async def _listen(self, port: int) -> None:
        site = web.TCPSite(self._runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise UsageError(
                f"port {port} of {HOST} is taken: choose another with --port, or 0 for a free one"
            ) from error
        self._site = site
        self.port = int(self._runner.addresses[0][1])

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self) -> None:
        venue = self.venue
        while True:
            venue.advance()
            due = venue.agenda.next_due()
            wait = LONGEST_WAIT_SECS if due is None else (due - venue.clock.real_ns()) / 1e9
            await asyncio.sleep(min(max(wait, 0.0), LONGEST_WAIT_SECS))

    def refuse(self, secs: float, port: int | None) -> None:
        """Close the listener and all connections for `secs`; then listen again, at `port` if given."""
        self._spawn(self._refuse(secs, port or self.port))

    async def _refuse(self, secs: float, port: int) -> None:
        site, self._site = self._site, None
        if site is None:
            return
        await site.stop()
        server = self._runner.server
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                connection.transport.abort()
        await self.venue.agenda.sleep(secs)
        await self._listen(port)

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        call = http_call(
            request.method, request.path, request.rel_url.raw_query_string, body, request.headers.get("X-MBX-APIKEY")
        )
        reply = await self._gateway.handle(call)
        if reply.lost:
            if request.transport is not None:
                request.transport.abort()
            # The connection is gone: what is returned here reaches nobody.
            return web.Response(status=500)
        kind = "application/json" if reply.body[:1] in b"{[" else "text/html"
        return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers), content_type=kind)

    async def _state(self, request: web.Request) -> web.Response:
        del request
        self.venue.advance()
        return web.Response(body=msgspec.json.encode(state_of(self.venue)), content_type="application/json")

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            fault = Fault.model_validate_json(await request.read())
            self.venue.arm(fault)
        except (ValidationError, ConfigError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.venue.advance()
        return web.json_response({"armed": fault.name})
