"""Instrument rules without a network: a table of the major symbols, else tick and step as the data show them.

Sources of the table: Binance's published exchange filters (``PRICE_FILTER``, ``LOT_SIZE``, ``MIN_NOTIONAL``) and the
first bracket of its leverage table. Rules change; the live node compares them with the venue, the catalog keeps what was
used.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from nautilus_trader.model import CryptoPerpetual, Currency, CurrencyPair, InstrumentId, Money, Price, Quantity, Symbol

from errors import UsageError

Market = Literal["usdm", "spot"]
VENUE = "BINANCE"
QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the venue accepts: all decimal strings, sizes in base units, notional in quote units."""

    tick: str
    step: str
    min_quantity: str
    max_quantity: str
    min_notional: str
    margin_init: str = "0"
    margin_maint: str = "0"
    inferred: bool = False


# symbol: tick, step, min quantity, max quantity, min notional, initial margin, maintenance margin
USDM: dict[str, Rules] = {
    "BTCUSDT": Rules("0.1", "0.001", "0.001", "1000", "100", "0.05", "0.025"),
    "ETHUSDT": Rules("0.01", "0.001", "0.001", "10000", "20", "0.05", "0.025"),
    "BNBUSDT": Rules("0.01", "0.01", "0.01", "100000", "5", "0.05", "0.025"),
    "SOLUSDT": Rules("0.01", "0.01", "0.01", "1000000", "5", "0.05", "0.025"),
    "XRPUSDT": Rules("0.0001", "0.1", "0.1", "10000000", "5", "0.05", "0.025"),
    "DOGEUSDT": Rules("0.00001", "1", "1", "50000000", "5", "0.05", "0.025"),
    "ADAUSDT": Rules("0.0001", "1", "1", "2000000", "5", "0.05", "0.025"),
    "LTCUSDT": Rules("0.01", "0.001", "0.001", "10000", "20", "0.05", "0.025"),
    "LINKUSDT": Rules("0.001", "0.01", "0.01", "200000", "20", "0.05", "0.025"),
    "AVAXUSDT": Rules("0.001", "1", "1", "100000", "5", "0.05", "0.025"),
}
SPOT: dict[str, Rules] = {
    "BTCUSDT": Rules("0.01", "0.00001", "0.00001", "9000", "5"),
    "ETHUSDT": Rules("0.01", "0.0001", "0.0001", "9000", "5"),
    "BNBUSDT": Rules("0.01", "0.001", "0.001", "900000", "5"),
    "SOLUSDT": Rules("0.01", "0.001", "0.001", "90000", "5"),
    "XRPUSDT": Rules("0.0001", "1", "1", "9222449", "5"),
    "DOGEUSDT": Rules("0.00001", "1", "1", "90000000", "1"),
    "ADAUSDT": Rules("0.0001", "0.1", "0.1", "900000", "5"),
    "LTCUSDT": Rules("0.01", "0.001", "0.001", "90000", "5"),
    "LINKUSDT": Rules("0.01", "0.01", "0.01", "90000", "5"),
    "AVAXUSDT": Rules("0.01", "0.01", "0.01", "90000", "5"),
}
SPOT_SIZE_PLACES = 8  # old resting orders are finer than today's step: the venue keeps and sends 8 decimals
INITIAL_MARGIN_INFERRED = "0.05"
MAINTENANCE_MARGIN_INFERRED = "0.025"


def instrument_id(market: Market, symbol: str) -> str:
    """Return the Nautilus instrument id: ``BTCUSDT-PERP.BINANCE`` on USD-M, ``BTCUSDT.BINANCE`` on spot."""
    return f"{symbol}-PERP.{VENUE}" if market == "usdm" else f"{symbol}.{VENUE}"


def known_rules(market: Market, symbol: str) -> Rules | None:
    """Return the bundled rules of a symbol, or None."""
    return (USDM if market == "usdm" else SPOT).get(symbol)


def infer_rules(price_places: int, size_places: int) -> Rules:
    """Make rules from the decimal places seen in the data.

    The tick is one unit of the last decimal place that any price used, which is never coarser than the venue's tick when
    the data are plenty, and may be finer (a tick of 0.5 reads as 0.1). There is no limit on size or notional.
    """
    tick, step = (format(Decimal(1).scaleb(-places), "f") for places in (price_places, size_places))
    margins = (INITIAL_MARGIN_INFERRED, MAINTENANCE_MARGIN_INFERRED)
    return Rules(tick, step, step, "1000000000", "0", *margins, inferred=True)


def build(market: Market, symbol: str, rules: Rules) -> CryptoPerpetual | CurrencyPair:
    """Build the Nautilus instrument.

    Raises
    ------
    UsageError
        When the symbol does not end in a known quote currency.
    """
    base, quote = split_symbol(symbol)
    step = f"{Decimal(rules.step):.{SPOT_SIZE_PLACES}f}" if market == "spot" else rules.step
    price, size = Price.from_str(rules.tick), Quantity.from_str(step)
    limits: dict[str, Any] = {
        "max_quantity": Quantity.from_str(rules.max_quantity),
        "min_quantity": Quantity.from_str(rules.min_quantity),
        "min_notional": Money.from_str(f"{rules.min_notional} {quote}") if Decimal(rules.min_notional) > 0 else None,
        "margin_init": Decimal(rules.margin_init),
        "margin_maint": Decimal(rules.margin_maint),
        "info": {"rules": "inferred" if rules.inferred else "bundled", "market": market},
    }
    identity = (InstrumentId.from_str(instrument_id(market, symbol)), Symbol(symbol))
    currencies = (Currency.from_str(base), Currency.from_str(quote))
    if market == "spot":
        return CurrencyPair(*identity, *currencies, price.precision, size.precision, price, size, 0, 0, **limits)
    return CryptoPerpetual(
        *identity, *currencies, currencies[1], False, price.precision, size.precision, price, size, 0, 0, **limits
    )


def bundled(market: Market, symbol: str) -> CryptoPerpetual | CurrencyPair:
    """Build an instrument of the bundled table.

    Raises
    ------
    UsageError
        When the table does not hold the symbol; the message names the nearest one.
    """
    rules = known_rules(market, symbol)
    if rules is None:
        raise UsageError(
            f"no bundled rules for {symbol} on {market}{nearest(symbol, USDM if market == 'usdm' else SPOT)}."
        )
    return build(market, symbol, rules)


def split_symbol(symbol: str) -> tuple[str, str]:
    """Split ``BTCUSDT`` into base and quote currency."""
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    raise UsageError(f"{symbol} does not end in a known quote currency ({', '.join(QUOTES)}).")


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return ``"; nearest: X (there are: …)"`` for an error message."""
    names = sorted(candidates)
    close = difflib.get_close_matches(word, names, 1, 0.0)
    return f"; nearest: {close[0]} (there are: {', '.join(names)})" if close else "; there is none"


def is_inferred(instrument: CryptoPerpetual | CurrencyPair) -> bool:
    """Return whether the instrument's rules came from the data."""
    return bool((instrument.info or {}).get("rules") == "inferred")
