"""Fills one by one, and the positions that they add up to."""

from __future__ import annotations

from collections.abc import Iterator

from execution.audit.differences import NOTHING, Difference, Kind
from execution.audit.figures import ZERO, Account, Books, TradeFigures, plain

EDGE_MS = 1000
"""The two sides may stamp a fill a little differently: so close to the beginning of a look only the venue's list counts."""


def on_trades(books: Books, account: Account) -> Iterator[Difference]:
    """Hold fills against each other, by symbol and trade id."""
    if account.trades is None:
        return
    for key, trade in account.trades.items():
        booked = books.trades.get(key)
        if key not in books.booked:
            meaning = "the position is another than the journal's, and every limit counts the wrong one"
            shown = f"{trade}, order {trade.order_id}"
            yield Difference(Kind.FILL_MISSING, trade.symbol, f"trade {trade.trade_id}", NOTHING, shown, meaning)
        elif booked is not None:
            yield from _same(booked, trade)
    for key, booked in books.trades.items():
        if (
            key not in account.trades
            and booked.ts_ms >= account.trades_from_ms + EDGE_MS
            and booked.trade_id.isdecimal()
        ):
            meaning = "the journal claims a fill that never was: it is another account's, or was changed"
            yield Difference(
                Kind.FILL_EXTRA, booked.symbol, f"trade {booked.trade_id}", str(booked), NOTHING, meaning
            )  # fmt: skip


def _same(booked: TradeFigures, trade: TradeFigures) -> Iterator[Difference]:
    if (booked.side, booked.price, booked.quantity, booked.fee) != (trade.side, trade.price, trade.quantity, trade.fee):
        meaning = "profit and fees of the journal are wrong by this"
        yield Difference(
            Kind.FILL_DIFFERS, trade.symbol, f"trade {trade.trade_id}", str(booked), str(trade), meaning
        )  # fmt: skip


def on_positions(books: Books, account: Account) -> Iterator[Difference]:
    """Hold the sum of the fills against the position, per symbol."""
    if account.positions is None:
        return
    for symbol in sorted({*books.net, *account.positions}):
        ours, venue = books.net.get(symbol, ZERO), account.positions.get(symbol, ZERO)
        if ours != venue:
            meaning = f"{plain(venue - ours)} more than our fills make it" if venue > ours else (
                f"{plain(ours - venue)} less than our fills make it"
            )  # fmt: skip
            yield Difference(
                Kind.POSITION, symbol, "", plain(ours), plain(venue), f"{meaning}: somebody else traded, or a fill is missing",
                plain(venue - ours),
            )  # fmt: skip
