"""R-13: limits hold also while nothing is sent. What is held outgrows a limit when the price moves, or when others trade.

Pure: the exposure in, the limits that are exceeded out. Resting entries do not count here, as they do before an entry: what they
would add is taken back as soon as what is held alone is too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.config import RiskConfig
from risk.exact import exact

ZERO = Decimal(0)
ACCOUNT = ""


@dataclass(frozen=True, slots=True)
class Held:
    """One position at its reference price.

    Attributes
    ----------
    net
        Signed base units.
    price
        Mark, or mid where there is none, quote units.
    """

    net: Decimal
    price: Decimal

    @property
    def notional(self) -> Decimal:
        """Signed, quote units."""
        return self.net * self.price


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is exceeded by what is held.

    Attributes
    ----------
    limit
        ``position_notional``, ``gross_notional``, ``net_notional`` or ``gross_leverage``.
    instrument_id
        Of which position; "" for the whole account.
    value, allowed
        Quote units; a leverage as it is.
    """

    limit: str
    instrument_id: str
    value: Decimal
    allowed: Decimal


def exceeded(held: Mapping[str, Held], equity: Decimal | None, config: RiskConfig) -> list[Excess]:
    """Find what is exceeded; equality passes.

    Parameters
    ----------
    held
        By instrument id; positions without a price are left out by the caller.
    equity
        Quote units; None: leverage is not known.
    config
        Limits.

    Examples
    --------
    0.2 at 60,000 is 12,000; a limit of 10,000 is exceeded.
    """
    return [Excess(*found) for found in _values(held, equity, config) if found[2] > found[3]]


def _values(
    held: Mapping[str, Held], equity: Decimal | None, config: RiskConfig
) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """Every limit as the fields of an `Excess`."""
    notionals = {iid: position.notional for iid, position in held.items()}
    most = exact(config.max_position_notional_quote)
    for iid, notional in notionals.items():
        yield "position_notional", iid, abs(notional), most
    gross = sum(map(abs, notionals.values()), ZERO)
    if config.max_gross_notional_quote is not None:
        yield "gross_notional", ACCOUNT, gross, exact(config.max_gross_notional_quote)
    if config.max_net_notional_quote is not None:
        yield "net_notional", ACCOUNT, abs(sum(notionals.values(), ZERO)), exact(config.max_net_notional_quote)
    if equity is not None and equity > ZERO:
        yield "gross_leverage", ACCOUNT, gross / equity, exact(config.max_gross_leverage)


def increases(side: int, instrument_id: str, held: Mapping[str, Held], excess: Excess) -> bool:
    """Whether an entry of this side would make an excess worse.

    Parameters
    ----------
    side
        +1 buys, -1 sells.
    instrument_id
        Of the entry.
    held, excess
        As for, and from, `exceeded`.
    """
    if excess.instrument_id not in (ACCOUNT, instrument_id):
        return False
    if excess.limit == "net_notional":
        return side * sum((position.notional for position in held.values()), ZERO) > ZERO
    here = held[instrument_id].net if instrument_id in held else ZERO
    return side * here >= ZERO
