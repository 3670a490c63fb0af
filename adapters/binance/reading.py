"""ccxt, for reading only: venue rules, fees, history, and a second opinion on the account.

Every client is made here, so that each waits its turn (``enableRateLimit``) and none can reach another environment. The calls
block: run them in a thread (``asyncio.to_thread``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt
from pydantic import SecretStr

from adapters.binance.environments import Environment
from errors import Recoverable

OPTIONS = {"fetchCurrencies": False, "fetchMarkets": {"types": ["linear"]}, "warnOnFetchOpenOrdersWithoutSymbol": False}
LOUD = ("ccxt.base.exchange", "urllib3.connectionpool")
_QUERY = re.compile(r"\?\S*")
_ZERO = Decimal(0)


class ReadingFailed(Recoverable):
    """ccxt got no answer that it could read."""


class AnotherHost(Recoverable):
    """ccxt was about to ask a host of another environment; nothing was sent."""


@dataclass(frozen=True, slots=True)
class VenueRules:
    """Filters of a symbol in its own units; None where the venue states none."""

    symbol: str
    tick: Decimal
    step: Decimal
    min_quantity: Decimal | None
    max_quantity: Decimal | None
    min_notional: Decimal | None
    active: bool


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee rates as fractions of notional."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """The account as another client reads it, to be held against our own reading.

    Attributes
    ----------
    positions
        Signed base units by symbol, flat ones left out.
    open_orders
        Ids on the wire by symbol, conditional orders not included.
    wallet
        Balance by asset, without unrealised profit.
    """

    positions: dict[str, Decimal]
    open_orders: dict[str, frozenset[str]]
    wallet: dict[str, Decimal]


def reader(environment: Environment, key: SecretStr | None = None, secret: SecretStr | None = None) -> Any:
    """Make a ccxt client of one environment.

    Parameters
    ----------
    key, secret
        None: public data only.

    Returns
    -------
    ccxt.binanceusdm
        With every address moved to the environment's host, so that what it does not have fails there instead of
        reaching another environment.
    """
    for name in LOUD:  # at DEBUG they log addresses with signatures, and headers with keys
        logging.getLogger(name).addFilter(_is_loud)
    secrets = (
        {} if key is None or secret is None else {"apiKey": key.get_secret_value(), "secret": secret.get_secret_value()}
    )
    client = ccxt.binanceusdm(secrets | {"enableRateLimit": True, "options": OPTIONS})
    wallet = environment.wallet_url or environment.rest_url
    client.urls["api"] = {
        name: _moved(url, wallet if name.startswith("sapi") else environment.rest_url)
        for name, url in client.urls["api"].items()
    }
    _pin(client, {environment.rest_url, wallet})
    return client


def _is_loud(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _moved(url: str, host: str) -> str:
    return host + urlsplit(url).path


def _pin(client: Any, allowed: set[str]) -> None:
    """Refuse every request to a host that is not the environment's, whatever set the address."""
    send: Callable[..., Any] = client.fetch

    def fetch(url: str, *rest: Any, **more: Any) -> Any:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in allowed:
            raise AnotherHost(f"{parts.netloc} is not a host of this environment")
        return send(url, *rest, **more)

    client.fetch = fetch


def _plainly[T](work: Callable[[], T]) -> T:
    """Do something with ccxt; its errors, whose texts may hold addresses with signatures, end here."""
    try:
        return work()
    except ccxt.BaseError as error:
        why = f"{type(error).__name__}: {_QUERY.sub('', str(error))[:200]}"
    raise ReadingFailed(why)


def venue_rules(client: Any, symbol: str) -> VenueRules:
    """Filters of a symbol, by the venue's name of it (``BTCUSDT``).

    Raises
    ------
    ReadingFailed
        When the venue does not answer or does not have the symbol.
    """
    market = _plainly(lambda: client.market(_market_id(client, symbol)))
    limits, precision = market["limits"], market["precision"]
    return VenueRules(
        symbol,
        Decimal(str(precision["price"])),
        Decimal(str(precision["amount"])),
        _decimal(limits["amount"]["min"]),
        _decimal(limits["amount"]["max"]),
        _decimal(limits["cost"]["min"]),
        bool(market["active"]),
    )


def fees(client: Any, symbol: str) -> Fees:
    """Fee rates of the account for a symbol; raises as `venue_rules`."""
    rates = _plainly(lambda: client.fetch_trading_fee(_market_id(client, symbol)))
    return Fees(Decimal(str(rates["maker"])), Decimal(str(rates["taker"])))


def second_opinion(client: Any, symbols: list[str]) -> SecondOpinion:
    """Read positions, open orders and balances; raises as `venue_rules`."""
    return _plainly(lambda: _read_account(client, symbols))


def _read_account(client: Any, symbols: list[str]) -> SecondOpinion:
    names = {symbol: _market_id(client, symbol) for symbol in symbols}
    held = client.fetch_positions(list(names.values()))
    orders = {symbol: client.fetch_open_orders(name) for symbol, name in names.items()}
    assets = client.fetch_balance()["info"]["assets"]  # ccxt's own total is the equity
    amounts = {row["info"]["symbol"]: Decimal(str(row["info"]["positionAmt"])) for row in held}
    ids = {symbol: frozenset(str(one["clientOrderId"]) for one in found) for symbol, found in orders.items()}
    wallet = {row["asset"]: Decimal(str(row["walletBalance"])) for row in assets}
    return SecondOpinion({symbol: amount for symbol, amount in amounts.items() if amount != _ZERO}, ids, wallet)


def _market_id(client: Any, symbol: str) -> str:
    client.load_markets()
    found = client.markets_by_id.get(symbol)
    if not found:
        raise ccxt.BadSymbol(f"the venue does not have {symbol}")
    return str(found[0]["symbol"])


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
