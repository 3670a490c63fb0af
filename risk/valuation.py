"""What balances and positions are worth at a mid price, in the currency of the account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Price

ZERO = Decimal(0)


def is_pair(instrument: Any) -> bool:
    """True for spot: the account holds the coin itself, and its balance is the position."""
    return not hasattr(instrument, "settlement_currency")


def unfloated(told: Decimal, digits: int) -> Decimal:
    """A quantity that the engine has added up as floats, without their noise; itself where it has none.

    Examples
    --------
    >>> unfloated(Decimal("0.01900000000000002"), 3)
    Decimal('0.019')
    >>> unfloated(Decimal("0.3"), 3)
    Decimal('0.3')
    """
    exact = round(told, digits)
    return told if told == exact else exact


def signed_units(position: Any) -> Decimal:
    """What a position of the engine holds, signed base units: rc6 adds floats, whose noise is rounded away."""
    digits: int = position.size_precision
    return round(Decimal(repr(position.signed_qty)), digits)


def is_held(instrument: Any, held: Mapping[Any, Any], portfolio: Any, settlement: Any) -> bool:
    """Whether the account holds something of an instrument that would have to be priced; parameters as in `pair_value`."""
    if is_pair(instrument):
        balance = held.get(instrument.base_currency) if instrument.quote_currency == settlement else None
        return balance is not None and balance.as_decimal() != ZERO
    return bool(portfolio.net_position(instrument.id))


def pair_value(instrument: Any, held: Mapping[Any, Any], settlement: Any, mid: Decimal) -> Decimal:
    """Value of the base coin that an account holds.

    Parameters
    ----------
    instrument
        A pair; anything else is worth 0 here.
    held
        Total balances by currency.
    settlement
        Currency of the result; a pair quoted in another one is worth 0.
    mid
        Price, quote units.
    """
    if not is_pair(instrument) or instrument.quote_currency != settlement:
        return ZERO
    balance = held.get(instrument.base_currency)
    return balance.as_decimal() * mid if balance is not None else ZERO


def unrealised(instrument: Any, portfolio: Any, settlement: Any, mid: Decimal) -> Decimal:
    """Unrealised P&L of a derivative at the mid, as the engine's portfolio has it: every strategy's and leftovers alike.

    A pair has none (its coins are valued as balances). Another settlement currency counts as 0.
    """
    if is_pair(instrument):
        return ZERO
    price = Price.from_str(f"{mid:.{instrument.price_precision + 1}f}")
    money = portfolio.unrealized_pnl(instrument.id, price)
    return money.as_decimal() if money is not None and money.currency == settlement else ZERO
