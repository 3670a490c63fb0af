"""Decimal text to whole units and back: the book counts in integers, money in `Decimal`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

MONEY = Decimal("1e-8")
"""Smallest amount that balances, fees and profits are booked in."""


def money(amount: Decimal) -> Decimal:
    """Round to the unit that balances are kept in (half to even)."""
    return amount.quantize(MONEY)


def plain(amount: Decimal) -> str:
    """Write an amount with eight places and no exponent."""
    return f"{amount:.8f}"


@dataclass(frozen=True, slots=True)
class Scale:
    """A number of decimal places.

    Attributes
    ----------
    places
        ``units = value * 10 ** places``.
    """

    places: int

    def units(self, text: str) -> int:
        """Read decimal text exactly.

        Raises
        ------
        ValueError
            When it is no finite number or has more places than the scale.
        """
        try:
            shifted = Decimal(text).scaleb(self.places)
            whole = int(shifted)
        except (InvalidOperation, OverflowError, ValueError) as error:
            raise ValueError(f"{text!r} is not a number") from error
        if whole != shifted:
            raise ValueError(f"{text!r} has more than {self.places} decimal places")
        return whole

    def nearest(self, text: str) -> int:
        """Read decimal text of market data, rounded to the scale; faster than `units`."""
        return round(float(text) * 10.0**self.places)

    def text(self, units: int) -> str:
        """Write units with all places of the scale."""
        if self.places == 0:
            return str(units)
        sign, digits = ("-" if units < 0 else ""), f"{abs(units):0{self.places + 1}d}"
        return f"{sign}{digits[: -self.places]}.{digits[-self.places :]}"

    def value(self, units: int) -> Decimal:
        """Exact value of units."""
        return Decimal(units).scaleb(-self.places)
