"""Binance's hosts, pinned, and nowhere else: which belong together to an environment, and which of them move real money.

Checked in November 2026 against the addresses inside nautilus_trader 2.0.0rc6 and ccxt 4.5.90. Keys of one environment are
worthless in another; a host of one never stands beside a host of another (L-1).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from urllib.parse import urlsplit

from errors import ConfigError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """Production hosts of one market, without a path.

    Attributes
    ----------
    rest, socket
        Of questions and of streams.
    """

    rest: str
    socket: str


USDM = Hosts("https://fapi.binance.com", "wss://fstream.binance.com")
SPOT = Hosts("https://api.binance.com", "wss://stream.binance.com:9443")


class EnvironmentName(enum.StrEnum):
    """What a configuration may name."""

    PRODUCTION = "production"
    DEMO = "demo"
    TESTNET = "testnet"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Environment:
    """Hosts of one environment.

    Attributes
    ----------
    rest_url
        USD-M REST host, without a path.
    public_ws_url, market_ws_url, user_ws_url
        Streams of books and best quotes, of trades, bars and mark prices, and of the account. Production serves them apart.
    trading_ws_url
        Trading socket; we trade over REST, the engine wants to know it.
    wallet_url
        Host that tells a key's permissions; None: the environment has none.
    engine
        Name of the member of Nautilus' ``BinanceEnvironment``.
    real_money
        Whether orders cost something.
    """

    name: EnvironmentName
    rest_url: str
    public_ws_url: str
    market_ws_url: str
    user_ws_url: str
    trading_ws_url: str
    wallet_url: str | None
    engine: str
    real_money: bool

    @property
    def rest_host(self) -> str:
        """Host name of REST."""
        return urlsplit(self.rest_url).hostname or ""


PRODUCTION = Environment(
    EnvironmentName.PRODUCTION,
    USDM.rest,
    f"{USDM.socket}/public/ws",
    f"{USDM.socket}/market/ws",
    f"{USDM.socket}/private/ws",
    "wss://ws-fapi.binance.com/ws-fapi/v1",
    SPOT.rest,  # a key's permissions are told there
    "LIVE",
    real_money=True,
)
DEMO = Environment(
    EnvironmentName.DEMO,
    "https://demo-fapi.binance.com",
    *("wss://demo-fstream.binance.com/ws",) * 3,
    "wss://testnet.binancefuture.com/ws-fapi/v1",
    None,
    "DEMO",
    real_money=False,
)
TESTNET = Environment(
    EnvironmentName.TESTNET,
    "https://testnet.binancefuture.com",
    *("wss://fstream.binancefuture.com/ws",) * 3,
    "wss://testnet.binancefuture.com/ws-fapi/v1",
    None,
    "TESTNET",
    real_money=False,
)
REMOTE = {one.name: one for one in (PRODUCTION, DEMO, TESTNET)}


def local(rest_url: str) -> Environment:
    """Environment of a simulated Binance on this machine.

    Raises
    ------
    ConfigError
        When the address is not on this machine: no other host can be given by hand.
    """
    parts = urlsplit(rest_url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.port is None or "@" in parts.netloc:
        raise ConfigError(f"a local venue has an address like http://127.0.0.1:8800, not {rest_url}")
    host = parts.netloc
    streams = (f"ws://{host}/ws",) * 3
    rest, trading = f"http://{host}", f"ws://{host}/ws-fapi/v1"
    return Environment(EnvironmentName.LOCAL, rest, *streams, trading, rest, "LIVE", real_money=False)


def environment(name: str, local_url: str | None = None) -> Environment:
    """Look an environment up.

    Parameters
    ----------
    local_url
        REST address of the simulated venue; given with ``local`` and only then.

    Raises
    ------
    ConfigError
        For an unknown name, or an address that does not belong.
    """
    known = [str(one) for one in EnvironmentName]
    if name not in known:
        raise ConfigError(f"environment {name!r} is unknown: use {', '.join(known)}")
    if (name == EnvironmentName.LOCAL) != (local_url is not None):
        raise ConfigError(f"environment {name}: an address is given for the local venue, and for no other")
    return REMOTE[EnvironmentName(name)] if local_url is None else local(local_url)
