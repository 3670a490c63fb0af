"""A limit that is broken, as a value: what the gate turns into a refusal and the kill switch into a reason."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

type Figure = str | int | float


class Limit(enum.StrEnum):
    """Which limit; one word each, the same in reports, journal and alerts."""

    HALTED = "halted"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSS_STREAK = "loss_streak"
    MARGIN_FLOOR = "margin_floor"
    ORDER_RATE = "order_rate"
    CANCEL_RATIO = "cancel_ratio"
    REPEATED_ORDER = "repeated_order"
    REENTRY = "reentry"
    PRICE_COLLAR = "price_collar"
    SIZE_TOO_SMALL = "size_too_small"
    NO_STOP_DISTANCE = "no_stop_distance"


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken limit.

    Attributes
    ----------
    limit
        Which.
    detail
        One readable sentence with the figures.
    figures
        The same figures by name; decimals as strings.
    """

    limit: Limit
    detail: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
