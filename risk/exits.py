"""R-14: what an exit may be. It is clipped to the position, never refused; only what the venue cannot take is named dust."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from risk.request import Side
from risk.venue_rules import VenueRules

ZERO = Decimal(0)


class ExitKind(enum.StrEnum):
    """What becomes of an exit."""

    SEND = "send"
    CLIPPED = "clipped"
    NOTHING = "nothing"
    DUST = "dust"


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """An exit as it can go to the venue.

    Attributes
    ----------
    kind
        SEND as asked; CLIPPED made smaller; NOTHING to close on that side; DUST too small for the venue.
    side
        Of the order.
    quantity
        Base units to send; 0 for NOTHING and DUST.
    dust
        Of the position, what stays open because no order is that small.
    cancel_first
        Own exits at work already cover part of it: the venue would refuse the sum (-2022), so cancel them first.
    """

    kind: ExitKind
    side: Side
    quantity: Decimal
    dust: Decimal
    cancel_first: bool = False


def plan_exit(
    side: Side, quantity: Decimal, position: Decimal, rules: VenueRules, *, working_exits: Decimal = ZERO,
    price: Decimal | None = None, min_notional_applies: bool = False,
) -> ExitPlan:  # fmt: skip
    """Fit an exit to a fresh position.

    Parameters
    ----------
    side, quantity
        As asked for; base units.
    position
        Signed base units, freshly read.
    rules
        Filters of the symbol.
    working_exits
        Base units of own reduce-only orders on that side that are at work.
    price, min_notional_applies
        For venues that do not exempt reducing orders from the minimum notional (spot).
    """
    open_quantity = -position * int(side)
    if open_quantity <= ZERO or quantity <= ZERO:
        return ExitPlan(ExitKind.NOTHING, side, ZERO, ZERO)
    wanted = min(quantity, open_quantity)
    sendable = wanted // rules.step * rules.step
    if rules.max_quantity is not None:
        sendable = min(sendable, rules.max_quantity // rules.step * rules.step)
    dust = dust_of(open_quantity, rules)
    least = max(rules.step, rules.min_quantity or ZERO)
    if sendable < least or (min_notional_applies and _below_notional(sendable, price, rules)):
        return ExitPlan(ExitKind.DUST, side, ZERO, open_quantity if wanted == open_quantity else dust)
    kind = ExitKind.SEND if sendable == quantity else ExitKind.CLIPPED
    return ExitPlan(kind, side, sendable, dust, cancel_first=working_exits + sendable > open_quantity)


def dust_of(position: Decimal, rules: VenueRules) -> Decimal:
    """Part of |position| that no order can close: below the minimum all of it, else what the step leaves."""
    size = abs(position)
    if size < max(rules.step, rules.min_quantity or ZERO):
        return size
    return size % rules.step


def _below_notional(quantity: Decimal, price: Decimal | None, rules: VenueRules) -> bool:
    return rules.min_notional is not None and price is not None and quantity * price < rules.min_notional
