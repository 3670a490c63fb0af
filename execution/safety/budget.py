"""Our share of the venue's rate limits (R-9): entries use four fifths, the rest is kept for queries, cancels and exits.

The venue counts per address and account, whoever asks: its headers are the truth, our own count bridges the time between them.
Nothing here waits; a request is let go or refused at once, with the time after which it would be let go.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from execution.safety.usage import Usage
from execution.safety.venue_clock import NS

SECOND_NS = 10**9


class Purpose(enum.StrEnum):
    """Why a request is made: who may use which part of the budget."""

    ENTRY = "entry"
    QUERY = "query"
    CANCEL = "cancel"
    EXIT = "exit"


class Hold(enum.StrEnum):
    """Why a request is kept back."""

    BANNED = "banned"
    RATE_LIMITED = "rate_limited"
    BACK_OFF = "back_off"
    WEIGHT = "weight"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request takes from the limits: weight, and whether it is counted as an order."""

    weight: int = 1
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """Refusal of the budget.

    Attributes
    ----------
    wait_ns
        Time until the request would be let go, as far as we know now.
    """

    reason: Hold
    wait_ns: int


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Limits of the venue, and what is kept of them.

    Attributes
    ----------
    reserve
        Share that entries may not use.
    last_share
        Share that queries may not use either: only cancels and exits.
    """

    weight_per_minute: int = 2400
    orders_per_10_secs: int = 300
    orders_per_minute: int = 1200
    reserve: float = 0.2
    last_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer says about the limits.

    Attributes
    ----------
    sent_ns
        When its request was let go, on the monotonic clock.
    headers
        By lower-case name.
    """

    sent_ns: int
    status: int
    headers: Mapping[str, str]
    counted_as_order: bool = False
    retry_after_secs: float | None = None
    throttled: bool = False


class RateBudget:
    """Lets requests go, or keeps them back.

    Parameters
    ----------
    limits
        Of the venue.
    monotonic_ns
        Clock.
    """

    BAN_SECS, LIMIT_SECS, BACK_OFF_SECS = 120.0, 60.0, 2.0  # where the answer does not say how long

    def __init__(self, limits: RateLimits, monotonic_ns: NS) -> None:
        self.limits, self._now = limits, monotonic_ns
        self._weight = Usage("x-mbx-used-weight-1m", 60 * SECOND_NS)
        self._orders = (
            Usage("x-mbx-order-count-10s", 10 * SECOND_NS),
            Usage("x-mbx-order-count-1m", 60 * SECOND_NS),
        )
        self._until: dict[Hold, int] = {}

    @property
    def is_banned(self) -> bool:
        """Whether the address is shut out."""
        return self._left(Hold.BANNED) > 0

    def used(self) -> dict[str, float]:
        """Share of each limit that is in use, for metrics: 1.0 is all of it."""
        return {name: used / most for name, (used, most) in self.counts().items()}

    def counts(self) -> dict[str, tuple[int, int]]:
        """Use and size of each limit, as the breaker of the budget takes them."""
        now, limits = self._now(), self.limits
        ten, minute = (orders.total(now) for orders in self._orders)
        return {
            "weight_1m": (self._weight.total(now), limits.weight_per_minute),
            "orders_10s": (ten, limits.orders_per_10_secs),
            "orders_1m": (minute, limits.orders_per_minute),
        }

    def ask(self, cost: Cost, purpose: Purpose) -> Held | None:
        """Let a request go (None, and it is counted), or keep it back.

        Our own count never holds cancels and exits: they are held only while the venue answers nobody, and exits, which are
        orders too, also while it says that the order count is full.
        """
        held = self._shut(cost, purpose) or self._full(cost, purpose)
        if held is None:
            now = self._now()
            self._weight.add(now, cost.weight)
            for orders in self._orders:
                orders.add(now, cost.orders)
        return held

    def closed_ns(self, cost: Cost, purpose: Purpose) -> int:
        """Time for which the venue answers no such request; 0 when it does. Counts nothing."""
        shut = self._shut(cost, purpose)
        return 0 if shut is None else shut.wait_ns

    def _left(self, reason: Hold) -> int:
        return max(0, self._until.get(reason, 0) - self._now())

    def _shut(self, cost: Cost, purpose: Purpose) -> Held | None:
        reasons = [Hold.BANNED, Hold.RATE_LIMITED]
        reasons += [Hold.ORDERS] if cost.orders else []
        reasons += [Hold.BACK_OFF] if purpose is Purpose.ENTRY else []
        shut = [Held(reason, self._left(reason)) for reason in reasons if self._left(reason)]
        return max(shut, key=lambda held: held.wait_ns, default=None)

    def _full(self, cost: Cost, purpose: Purpose) -> Held | None:
        if purpose in (Purpose.CANCEL, Purpose.EXIT):
            return None
        limits, now = self.limits, self._now()
        share = 1 - (limits.reserve if purpose is Purpose.ENTRY else limits.last_share)
        caps = [(self._weight, cost.weight, limits.weight_per_minute, Hold.WEIGHT)]
        if cost.orders:
            maxima = (limits.orders_per_10_secs, limits.orders_per_minute)
            caps += [(use, cost.orders, most, Hold.ORDERS) for use, most in zip(self._orders, maxima, strict=True)]
        full = [
            Held(reason, use.wait_ns(now, int(most * share) - amount))
            for use, amount, most, reason in caps
            if use.total(now) + amount > int(most * share)
        ]
        return max(full, key=lambda held: held.wait_ns, default=None)

    def hear(self, heard: Heard) -> None:
        """Learn from an answer: its headers, and whether it tells us to stay away."""
        now = self._now()
        for use in (self._weight, *self._orders):
            count = heard.headers.get(use.header, "")
            if count.isdigit():
                use.learn(now, heard.sent_ns, int(count))
        if heard.status == 418:
            self._shut_for(Hold.BANNED, heard.retry_after_secs, self.BAN_SECS)
        elif heard.status == 429:
            self._shut_for(self._limited(heard), heard.retry_after_secs, self.LIMIT_SECS)
        elif heard.throttled:
            self._shut_for(Hold.BACK_OFF, heard.retry_after_secs, self.BACK_OFF_SECS)

    def _limited(self, heard: Heard) -> Hold:
        """Tell a full order count, which cancels do not share, from a full address."""
        count = [heard.headers.get(use.header, "0") for use in self._orders]
        caps = (self.limits.orders_per_10_secs, self.limits.orders_per_minute)
        over = any(int(text) > cap for text, cap in zip(count, caps, strict=True) if text.isdigit())
        return Hold.ORDERS if heard.counted_as_order and over else Hold.RATE_LIMITED

    def _shut_for(self, reason: Hold, secs: float | None, usual: float) -> None:
        length = usual if secs is None else max(secs, 1.0)
        self._until[reason] = max(self._until.get(reason, 0), self._now() + round(length * SECOND_NS))
