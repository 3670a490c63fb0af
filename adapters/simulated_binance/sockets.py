"""Web socket endpoints: market streams, user stream, trading."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from adapters.simulated_binance.call import Reply, socket_call
from adapters.simulated_binance.gateway import Gateway
from adapters.simulated_binance.hub import Kind, Socket
from adapters.simulated_binance.venue import Venue
from adapters.simulated_binance.wire import QueuedWire

TRADING = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "v2/account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.status": ("GET", "/fapi/v2/account"),
}


class Sockets:
    """Handlers of web socket connections.

    Parameters
    ----------
    venue, gateway
        Whose streams, and who answers trading requests.
    """

    def __init__(self, venue: Venue, gateway: Gateway) -> None:
        self._venue, self._gateway = venue, gateway

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws``, ``/ws/<stream>``, ``/ws?listenKey=…`` and ``/stream?streams=…``."""
        venue = self._venue
        venue.advance()
        if venue.outage is not None and venue.clock.real_ns() < venue.outage[0] and venue.outage[1].sockets:
            return web.Response(status=venue.outage[1].status)
        names = request.query.get("streams", request.match_info.get("streams", ""))
        streams = [name for name in names.split("/") if name]
        key = request.query.get("listenKey") or next((name for name in streams if len(name) == 64), None)
        kind: Kind = "market" if key is None else "user"
        combined = request.path.rstrip("/").endswith("stream")
        return await self._serve(request, kind, streams if key is None else [key], combined=combined)

    async def trading(self, request: web.Request) -> web.StreamResponse:
        """Serve the trading socket ``/ws-fapi/v1``."""
        return await self._serve(request, "trading", [], combined=False)

    async def _serve(
        self, request: web.Request, kind: Kind, streams: list[str], *, combined: bool
    ) -> web.StreamResponse:
        response = web.WebSocketResponse(heartbeat=180.0, max_msg_size=2**22)
        await response.prepare(request)
        wire = QueuedWire(response)
        socket = Socket(wire, kind, streams, combined=combined)
        self._venue.hub.add(socket)
        try:
            async for message in response:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, message.data)
        finally:
            self._venue.hub.remove(socket)
            await wire.finish()
        return response

    async def _answer(self, socket: Socket, text: str) -> None:
        try:
            asked: Any = msgspec.json.decode(text)
            method, number, params = asked["method"], asked["id"], asked.get("params", {})
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            self._tell(socket, {"code": 3, "msg": "Invalid JSON: expected value"})
            return
        if socket.kind == "trading":
            await self._trade(socket, method, number, params)
        elif method == "SUBSCRIBE":
            self._venue.hub.subscribe(socket, params)
            self._tell(socket, {"result": None, "id": number})
        elif method == "UNSUBSCRIBE":
            self._venue.hub.unsubscribe(socket, params)
            self._tell(socket, {"result": None, "id": number})
        elif method == "LIST_SUBSCRIPTIONS":
            self._tell(socket, {"result": sorted(socket.streams), "id": number})
        else:
            self._tell(socket, {"code": 2, "msg": f"Invalid request: unknown variant {method}", "id": number})

    async def _trade(self, socket: Socket, method: str, number: object, params: dict[str, object]) -> None:
        if method not in TRADING:
            error = {"code": -1100, "msg": f"Method {method} is not known."}
            self._tell(socket, {"id": number, "status": 400, "error": error})
            return
        reply = await self._gateway.handle(socket_call(*TRADING[method], params))
        if not reply.lost and socket.mute_until <= self._venue.clock.real_ns():
            socket.wire.send(_wrapped(number, reply))

    def _tell(self, socket: Socket, message: object) -> None:
        if socket.mute_until <= self._venue.clock.real_ns():
            socket.wire.send(msgspec.json.encode(message).decode())


def _wrapped(number: object, reply: Reply) -> str:
    field = "result" if reply.status == 200 else "error"
    head = msgspec.json.encode({"id": number, "status": reply.status, "rateLimits": []}).decode()
    return f'{head[:-1]},"{field}":{reply.body.decode()}}}'
