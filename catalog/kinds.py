"""What a catalog can hold, and where Nautilus keeps it."""

from __future__ import annotations

import enum


class Kind(enum.StrEnum):
    """A kind of market data; the order of definition is the order of events that share a receipt time."""

    FUNDING = "funding"
    MARK = "mark"
    DELTAS = "deltas"
    TRADES = "trades"
    QUOTES = "quotes"
    BARS = "bars"

    @property
    def folder(self) -> str:
        """Name of the folder under ``data/`` that Nautilus uses."""
        return _FOLDERS[self]

    @property
    def type_name(self) -> str:
        """Name of the Nautilus class, kept in the Parquet metadata."""
        return _TYPE_NAMES[self]

    @property
    def rank(self) -> int:
        """Position among kinds with the same receipt time (0 first)."""
        return _RANKS[self]


_FOLDERS = {
    Kind.FUNDING: "funding_rates",
    Kind.MARK: "mark_prices",
    Kind.DELTAS: "order_book_deltas",
    Kind.TRADES: "trades",
    Kind.QUOTES: "quotes",
    Kind.BARS: "bars",
}
_TYPE_NAMES = {
    Kind.FUNDING: "FundingRateUpdate",
    Kind.MARK: "MarkPriceUpdate",
    Kind.DELTAS: "OrderBookDelta",
    Kind.TRADES: "TradeTick",
    Kind.QUOTES: "QuoteTick",
    Kind.BARS: "Bar",
}
_RANKS = {kind: rank for rank, kind in enumerate(Kind)}
INSTRUMENT_FOLDERS = {"CryptoPerpetual": "crypto_perpetual", "CurrencyPair": "currency_pair"}
