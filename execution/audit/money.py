"""Changes of the wallet, and the wallet that they add up to (`recovery.md` 8)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from execution.audit.differences import NOTHING, Difference, Kind
from execution.audit.figures import ZERO, Account, Books, Expected, IncomeFigures, plain

BY_TRADES = frozenset({"COMMISSION", "REALIZED_PNL"})
"""Come with a trade, and are booked with it."""


def on_incomes(books: Books, account: Account) -> Iterator[Difference]:
    """Hold funding, transfers and the like against each other, by type and transaction id."""
    if account.incomes is None or books.incomes is None:
        return
    there = {one.key: one for one in account.incomes if one.kind not in BY_TRADES}
    for key, one in there.items():
        booked = books.incomes.get(key)
        if booked is None:
            meaning = "somebody moved money" if one.kind == "TRANSFER" else "profit of the journal leaves it out"
            yield Difference(Kind.INCOME_MISSING, one.symbol, _name(one), NOTHING, str(one), meaning)
        elif booked.amount != one.amount:
            meaning = "profit of the journal is wrong by this"
            yield Difference(Kind.INCOME_DIFFERS, one.symbol, _name(one), str(booked), str(one), meaning)
    since = books.anchor.ts_ms if books.anchor is not None else 0
    for key, booked in books.incomes.items():
        if booked.kind not in BY_TRADES and key not in there and booked.ts_ms > since:
            meaning = "the journal claims a payment that never was"
            yield Difference(Kind.INCOME_EXTRA, booked.symbol, _name(booked), str(booked), NOTHING, meaning)


def on_wallet(books: Books, account: Account, expected: Expected) -> Iterator[Difference]:
    """Hold the wallet against its anchor and everything that the journal has booked since.

    What a trade moved counts as soon as the journal has the trade; its fee and price are compared with the trade itself.
    """
    if books.anchor is None or account.wallet is None or account.incomes is None:
        return
    rows = {one.key: one for one in account.incomes if one.ts_ms > books.anchor.ts_ms}.values()
    ours = books.anchor.amount + sum((one.amount for one in rows if _is_booked(one, books)), ZERO)
    off = account.wallet - ours
    if abs(off) <= expected.tolerance:
        return
    listed = sum((one.amount for one in rows if not _is_booked(one, books)), ZERO)
    explained = abs(off - listed) <= expected.tolerance
    meaning = f"{off:+f}, which the fills and payments that are missing explain" if explained else (
        f"{off:+f}, of which the venue's own list explains {listed:+f}: ask the venue"
    )  # fmt: skip
    yield Difference(Kind.WALLET, "", "", plain(ours), plain(account.wallet), meaning, _cents(off))


def _is_booked(one: IncomeFigures, books: Books) -> bool:
    if one.kind in BY_TRADES:
        return (one.symbol, one.trade_id) in books.booked
    return books.incomes is None or one.key in books.incomes


def _name(one: IncomeFigures) -> str:
    return f"{one.kind} {one.transaction_id}"


def _cents(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01')):f}"
