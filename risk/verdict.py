"""A verdict is a value: approved, or refused with a reason and the figures behind it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from risk.breach import Breach, Figure


class Reason(enum.StrEnum):
    """Why an order was refused; one word per check, the same in reports, journal and alerts."""

    WARM_UP = "warm_up"
    AFTER_END = "after_end"
    EXITING = "exiting"
    HALTED = "halted"
    COUNTDOWN = "countdown"
    UNPROTECTED = "unprotected"
    STALLED = "stalled"
    WATCHDOG = "watchdog"
    NO_PRICE = "no_price"
    BOOK_UNUSABLE = "book_unusable"
    TICK = "tick"
    STEP = "step"
    MIN_QUANTITY = "min_quantity"
    MAX_QUANTITY = "max_quantity"
    MIN_NOTIONAL = "min_notional"
    PERCENT_PRICE = "percent_price"
    MAX_OPEN_ORDERS = "max_open_orders"
    ORDER_TYPE = "order_type"
    OPEN_ENTRY = "open_entry"
    EDGE_MISSING = "edge_missing"
    EDGE = "edge"
    ORDER_QUANTITY = "order_quantity"
    ORDER_NOTIONAL = "order_notional"
    POSITION_NOTIONAL = "position_notional"
    GROSS_NOTIONAL = "gross_notional"
    NET_NOTIONAL = "net_notional"
    GROSS_LEVERAGE = "gross_leverage"
    MARGIN_FLOOR = "margin_floor"
    OPEN_ENTRIES = "open_entries"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSS_STREAK = "loss_streak"
    BREAKER = "breaker"
    SIZE_FACTOR = "size_factor"
    ORDER_RATE = "order_rate"
    CANCEL_RATIO = "cancel_ratio"
    REPEATED_ORDER = "repeated_order"
    REENTRY = "reentry"
    PRICE_COLLAR = "price_collar"
    SIZE_TOO_SMALL = "size_too_small"
    NO_STOP_DISTANCE = "no_stop_distance"
    DUST = "dust"
    ID_REUSED = "id_reused"
    ID_FORM = "id_form"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Approved:
    """The order may go."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The order may not go.

    Attributes
    ----------
    reason
        The check that refused.
    detail
        One readable sentence with the figures.
    figures
        The same figures by name, for tables; decimals as strings.
    """

    reason: Reason
    detail: str
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @classmethod
    def of(cls, breach: Breach) -> Self:
        """Refuse because of a broken limit; a limit and its reason have one name."""
        return cls(Reason(str(breach.limit)), breach.detail, breach.figures)


type Verdict = Approved | Refused
APPROVED = Approved()


def plain(value: Decimal) -> str:
    """Write a decimal for a reader: no exponent, no trailing zeros, eight decimals at most.

    Examples
    --------
    >>> plain(Decimal("4.99990"))
    '4.9999'
    """
    return f"{round(value, 8).normalize():f}"
