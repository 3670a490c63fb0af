"""Binance's public streams: where they are, what they are called, and what a client must know to join them.

Since 2026-04-23 USD-M serves its streams on routes: ``/public`` carries what the matching engine pushes, ``/market`` what
is derived from it. A stream asked for on the wrong route is accepted and stays silent. Spot has no routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from adapters.binance.environments import SPOT, USDM
from errors import UsageError

Market = Literal["usdm", "spot"]
Trades = Literal["trade", "aggTrade", "both"]
SNAPSHOT_LEVELS = 1000
_HOSTS = {"usdm": USDM, "spot": SPOT}
_DEPTH_PATH = {"usdm": "/fapi/v1/depth", "spot": "/api/v3/depth"}
_DEPTH = {"usdm": "depth@0ms", "spot": "depth@100ms"}
_DERIVED = frozenset({"aggTrade", "markPrice@1s"})
_SECURE = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of one market.

    Attributes
    ----------
    rest, socket
        Base URLs without a path.
    routed
        Whether streams are spread over ``/public`` and ``/market``.
    """

    market: Market
    rest: str
    socket: str
    routed: bool

    def snapshot_url(self, symbol: str) -> str:
        """REST address of the order book."""
        return f"{self.rest}{_DEPTH_PATH[self.market]}?symbol={symbol}&limit={SNAPSHOT_LEVELS}"

    def sockets(self, streams: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the address of each combined socket that is needed, with its streams."""
        routes: dict[str, list[str]] = {}
        for stream in streams:
            route = ("/market" if channel_of(stream) in _DERIVED else "/public") if self.routed else ""
            routes.setdefault(route, []).append(stream)
        for route, names in routes.items():
            yield f"{self.socket}{route}/stream?streams={'/'.join(names)}", tuple(names)


def endpoints(
    market: Market, url: str | None = None, socket_url: str | None = None, *, routed: bool | None = None
) -> Endpoints:
    """Addresses of a market.

    Parameters
    ----------
    url
        Another venue that speaks the same, such as ``http://127.0.0.1:8800``; None is Binance.
    socket_url
        Its streams, without a path, where they are on another host (Binance's demo); None: at `url`.
    routed
        Whether the streams have routes; None: as Binance's own of that market.

    Raises
    ------
    UsageError
        When `url` is no http address.
    """
    routed = market == "usdm" if routed is None else routed
    if url is None:
        return Endpoints(market, _HOSTS[market].rest, _HOSTS[market].socket, routed)
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in _SECURE or not parts.netloc:
        raise UsageError(f"{url} is no address of a venue: it should read http://127.0.0.1:8800.")
    beside = urlunsplit((_SECURE[parts.scheme], parts.netloc, parts.path, "", ""))
    return Endpoints(market, url.rstrip("/"), (socket_url or beside).rstrip("/"), routed)


def channel_of(stream: str) -> str:
    """``depth@0ms`` of ``btcusdt@depth@0ms``."""
    return stream.partition("@")[2]


def streams_of(market: Market, symbol: str, trades: Trades = "trade") -> tuple[str, ...]:
    """Names of the streams that make a whole recording of one symbol.

    Parameters
    ----------
    trades
        ``trade``: every print, what the reader of recordings takes. ``aggTrade`` is what Nautilus' adapter listens to.
    """
    prints = ("trade", "aggTrade") if trades == "both" else (trades,)
    marks = ("markPrice@1s",) if market == "usdm" else ()
    return tuple(f"{symbol.lower()}@{channel}" for channel in (_DEPTH[market], "bookTicker", *prints, *marks))
